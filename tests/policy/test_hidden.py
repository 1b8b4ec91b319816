"""What somebody hid is objected to, in every spelling that replay takes for the same URL, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver import urls
from archiver.model import Candidate, Kind, Reason, Verdict
from archiver.policy.hidden import HiddenRule, bare

RULE = HiddenRule(
    urls={"https://example.org/one?x=1": "by URL"}, prefixes={"http://www.example.org/private/": "by prefix"}
)


def candidate(url: str, **more: object) -> Candidate:
    return Candidate(url=url, key=urls.canonical(url), origin=urls.origin_of(url), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("https://example.org/one?x=1", "by URL"),
        ("http://www.example.org/one?x=1", "by URL"),
        ("https://example.org/private/", "by prefix"),
        ("https://www.example.org/private/a/b?c", "by prefix"),
    ],
)
@pytest.mark.parametrize("more", [{}, {"seed": True}, {"kind": Kind.REQUISITE}])
def test_what_is_hidden_is_refused(url: str, says: str, more: dict[str, object]) -> None:
    objection = RULE(candidate(url, **more))
    assert objection is not None
    assert (objection.verdict, objection.reason, objection.rule) == (Verdict.REFUSE, Reason.HIDDEN, says)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/one", "https://example.org/one?x=12", "https://example.org/private",
        "https://example.org/privately/", "https://example.org:444/private/", "https://a.example.org/private/",
        "https://other.test/?u=https://example.org/private/",
    ],
)  # fmt: skip
def test_what_is_not_hidden_is_not(url: str) -> None:
    assert RULE(candidate(url)) is None


@given(st.sampled_from(["", "a", "a/", "a/b", "a?b", "ab/c"]), st.sampled_from(["", "a", "a/", "a/b", "b"]))
def test_a_prefix_covers_what_begins_with_it(path: str, start: str) -> None:
    rule = HiddenRule(urls={}, prefixes={f"http://h.test/{start}": "said"})
    assert (rule.covering(f"https://www.h.test/{path}") == "said") == path.startswith(start)


def test_bare() -> None:
    assert bare("http://www.a.test/www.") == bare("https://a.test/www.") == "a.test/www."
    assert bare("urn:x") == "urn:x"
