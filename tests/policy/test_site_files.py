"""Files in which sites say how their pages may be used: what is due, and what they say."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.model import Access, Candidate, Keep, Kind, Origin
from archiver.model.site_file import SiteFile, SiteFileState
from archiver.model.usage import combined_usage
from archiver.policy.robots import rfc_target
from archiver.policy.signals.rsl import MAX_CONTENTS, parse_rsl
from archiver.policy.signals.tdmrep import MAX_ENTRIES, TdmFile, parse_file
from archiver.policy.site_files import (
    LIFE,
    RETRY,
    Statements,
    is_due,
    labelled,
    read,
    state_of_answer,
    wanted_of,
)

ORIGIN = Origin("https", "h.test", 443)
RESERVED = json.dumps(
    [
        {"location": "/free/*", "tdm-reservation": 0},
        {"location": "/", "tdm-reservation": 1, "tdm-policy": "https://h.test/policy"},
        {"location": "/free/not", "tdm-reservation": 1},
    ]
).encode()
LICENCE = b"""<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><license>
<prohibits type="usage">ai-train</prohibits><permits type="usage">search</permits></license></content></rsl>"""


def file(body: bytes = b"", *, url: str = "https://h.test/.well-known/tdmrep.json", **more: object) -> SiteFile:
    known: dict[str, object] = {
        "state": SiteFileState.FOUND, "asked_at": 0.0, "fetched_at": 0.0, "record_id": "urn:uuid:1",
    }  # fmt: skip
    return SiteFile(url=url, body=body, **{**known, **more})  # type: ignore[arg-type]


def candidate(url: str, kind: Kind = Kind.DOCUMENT) -> Candidate:
    return Candidate(url=url, key=url, origin=ORIGIN, kind=kind)


def test_what_is_wanted_of_an_origin() -> None:
    named = ["HTTPS://o.test:443/1", "https://o.test/1", "https://o.test/2", "https://o.test/3"]
    found = wanted_of(ORIGIN, named, ("/llms.txt", "/.well-known/tdmrep.json"))
    assert [(one.url, one.kind) for one in found] == [
        ("https://h.test/.well-known/tdmrep.json", "tdmrep"),
        ("https://o.test/1", "rsl"),
        ("https://o.test/2", "rsl"),
        ("https://h.test/llms.txt", "other"),
    ]
    assert [one.anywhere for one in found] == [False, True, True, False]


@pytest.mark.parametrize("named", ["ftp://o.test/x", "https://", "https://[", "https://o.test:99999/", "x"])
def test_a_licence_that_is_no_url_is_not_wanted(named: str) -> None:
    assert len(wanted_of(ORIGIN, [named], ())) == 1


@pytest.mark.parametrize(
    ("state", "age", "due"),
    [
        (SiteFileState.FOUND, LIFE - 1, False),
        (SiteFileState.FOUND, LIFE, True),
        (SiteFileState.ABSENT, LIFE - 1, False),
        (SiteFileState.UNREADABLE, LIFE - 1, False),
        (SiteFileState.FAILED, RETRY - 1, False),
        (SiteFileState.FAILED, RETRY, True),
        (SiteFileState.FOUND, -100.0, False),
    ],
)
def test_due_after_thirty_days_or_a_day_after_a_failure(state: SiteFileState, age: float, due: bool) -> None:
    assert is_due(file(state=state, asked_at=1000.0), 1000.0 + age) is due


def test_what_was_never_asked_for_is_due() -> None:
    assert is_due(None, 0.0)


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (200, "found"),
        (204, "found"),
        (301, "absent"),
        (404, "absent"),
        (403, "absent"),
        (429, "failed"),
        (503, "failed"),
    ],
)
def test_states_by_status(status: int, state: str) -> None:
    assert state_of_answer(status) == state


@pytest.mark.parametrize(
    ("path", "value"), [("/", "disallow"), ("/x", "disallow"), ("/free/", "allow"), ("/free/not", "allow")]
)
def test_the_first_entry_in_sequence_wins(path: str, value: str) -> None:
    statement = read("tdmrep", file(RESERVED))
    assert statement is not None and statement.says == {"entries": 3}
    usage, evidence = statement.about(f"https://h.test{path}")
    assert usage == {"tdm": {"value": value, "sources": ["tdmrep.json tdm-reservation"]}}
    assert evidence is not None
    assert evidence["source"] == {
        "url": "https://h.test/.well-known/tdmrep.json",
        "record_id": "urn:uuid:1",
        "fetched_at": "1970-01-01T00:00:00.000Z",
    }


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"tdm":[{"location":"/","tdm-reservation":1}]}', "not-an-array"),
        (b"<html>", "not-json"),
        (b"[" * 100_000, "not-json"),
        (b"\xff\xfe", "not-json"),
        (b" " * ((1 << 20) + 1), "too-large"),
        (b"[" + b"1" * 5000 + b"]", "not-json"),
    ],
)
def test_what_is_no_tdmrep_json_says_nothing_and_why(body: bytes, error: str) -> None:
    statement = read("tdmrep", file(body))
    assert statement is not None and statement.error == error
    assert statement.about("https://h.test/") == ({}, None)


def test_entries_past_the_bound_are_told_and_not_read() -> None:
    entries = [{"location": f"/{number}", "tdm-reservation": 0} for number in range(MAX_ENTRIES)]
    found = parse_file(json.dumps([*entries, {"location": "/", "tdm-reservation": 1}]))
    assert (len(found.entries), found.error) == (MAX_ENTRIES, "too-many-entries")
    assert found.entry("https://h.test/x") is None


LOCATION = st.lists(st.sampled_from("/ab*$"), min_size=1, max_size=7).map(lambda text: "/" + "".join(text))


@given(st.lists(LOCATION, max_size=30), LOCATION)
def test_the_first_entry_that_matches_holds_however_many_there_are(locations: list[str], where: str) -> None:
    file = parse_file(json.dumps([{"location": one, "tdm-reservation": 1} for one in locations]))
    url = "https://h.test" + where
    target = rfc_target(url)
    assert file.entry(url) is next((one for one in file.entries if one.pattern.matches(target)), None)


def test_a_licence_prohibits_and_permits() -> None:
    statement = read("rsl", file(LICENCE, url="https://o.test/lic.xml"))
    assert statement is not None
    usage, evidence = statement.about("https://h.test/page")
    assert usage["ai-train"] == {"value": "disallow", "sources": ["rsl https://o.test/lic.xml"]}
    assert usage["search"]["value"] == "allow" and "ai-input" not in usage
    assert evidence is not None and evidence["parsed"] == {"ai-train": "disallow", "search": "allow"}


BOMB = b"""<!DOCTYPE rsl [<!ENTITY a "aaaaaaaaaaaaaaaaaaaa">%s]><rsl xmlns="https://rslstandard.org/rsl">
<content url="&z;"><license><prohibits>&z;</prohibits></license></content></rsl>"""
GROWTH = b"".join(
    b'<!ENTITY %c "%s">' % (name, b"&%c;" % before * 20) for before, name in zip(b"abcdefg", b"bcdefgz", strict=True)
)
OUTSIDE = b"""<!DOCTYPE rsl [<!ENTITY z SYSTEM "file:///etc/passwd">]><rsl xmlns="https://rslstandard.org/rsl">
<content url="/"><license><prohibits>&z;</prohibits></license></content></rsl>"""


@pytest.mark.parametrize("xml", [BOMB % GROWTH, OUTSIDE], ids=["bomb", "outside"])
def test_entities_grow_into_nothing(xml: bytes) -> None:
    found = parse_rsl(xml)
    assert not found or all(not one.prohibits and len(one.url) < 1000 for one in found)


def test_contents_past_the_bound_are_not_read() -> None:
    many = b'<rsl xmlns="https://rslstandard.org/rsl">' + b'<content url="/"/>' * (MAX_CONTENTS + 5) + b"</rsl>"
    found = parse_rsl(many)
    assert found is not None and len(found) == MAX_CONTENTS


def test_what_is_no_licence_says_so() -> None:
    statement = read("rsl", file(b"<html></html>"))
    assert statement is not None and statement.error == "not-rsl" and statement.about("https://h.test/") == ({}, None)


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/.well-known/gpc.json", b'{"gpc": true}', {"gpc": True}),
        ("/.well-known/gpc.json", b"[]", {}),
        ("/.well-known/gpc.json", b"nothing", {}),
        (
            "/.well-known/security.txt",
            b"Contact: mailto:a@h.test\nExpires: 2027-01-01T00:00:00Z\n",
            {"contact": ["mailto:a@h.test"], "expires": "2027-01-01T00:00:00Z"},
        ),
        ("/ai.txt", b"User-Agent: *\nDisallow: *.txt\nAllow: /", {"disallow": ["Disallow: *.txt"]}),
        ("/llms.txt", b"# Title", {"bytes": 7}),
    ],
)
def test_other_files_are_noted_and_label_nothing(path: str, body: bytes, says: dict[str, object]) -> None:
    statement = read("other", file(body, url=f"https://h.test{path}"))
    assert statement is not None and statement.says == says
    assert statement.about("https://h.test/") == ({}, None)


def test_nothing_is_read_of_a_file_that_is_not_there() -> None:
    assert read("tdmrep", file(state=SiteFileState.ABSENT, fetched_at=None)) is None


def test_disallow_holds_against_a_header_and_both_are_recorded() -> None:
    said = {"tdm": {"value": "allow", "sources": ["header tdm-reservation"]}}
    keep = Keep(usage=said, signals=({"kind": "tdm-reservation", "carrier": "header"},))
    statement = read("tdmrep", file(RESERVED))
    assert statement is not None
    found = labelled(keep, "https://h.test/x", [statement])
    assert found.usage == {"tdm": {"value": "disallow", "sources": ["tdmrep.json tdm-reservation"]}}
    assert [one["carrier"] for one in found.signals] == ["header", "tdmrep.json"]


def test_statements_label_pages_of_their_origin_alone() -> None:
    statements = Statements()
    statement = read("tdmrep", file(RESERVED))
    assert statement is not None
    keep = Keep(access=Access.DARK)
    assert statements.label(candidate("https://h.test/x"), keep) is keep
    statements.put(ORIGIN, [statement])
    assert statements.label(candidate("https://h.test/x"), keep).usage["tdm"]["value"] == "disallow"
    assert statements.label(candidate("https://h.test/x"), keep).access is Access.DARK
    assert statements.label(candidate("https://h.test/robots.txt", Kind.ROBOTS), keep) is keep
    assert statements.label(candidate("https://h.test/ai.txt", Kind.SIGNALS), keep) == Keep()
    other = Candidate(url="https://o.test/", key="https://o.test/", origin=Origin("https", "o.test", 443))
    assert statements.label(other, keep) is keep


def test_what_is_known_is_bounded() -> None:
    statements = Statements()
    statement = read("tdmrep", file(RESERVED))
    assert statement is not None
    for number in range(5_000):
        statements.put(Origin("https", f"h{number}.test", 443), [statement])
    first = Candidate(url="https://h0.test/", key="https://h0.test/", origin=Origin("https", "h0.test", 443))
    assert statements.label(first, Keep()).usage == {}


def test_labels_of_several_sources() -> None:
    one = {"tdm": {"value": "allow", "sources": ["a"]}, "search": {"value": "allow", "sources": ["a"]}}
    two = {"tdm": {"value": "disallow", "sources": ["b"]}, "search": {"value": "allow", "sources": ["a", "c"]}}
    assert combined_usage(one, two, one) == {
        "tdm": {"value": "disallow", "sources": ["b"]},
        "search": {"value": "allow", "sources": ["a", "c"]},
    }
    assert combined_usage({}, {"tdm": {"value": "unknown", "sources": []}}) == {}


@given(st.binary(max_size=300), st.text(max_size=50))
def test_nothing_that_a_site_sends_raises(body: bytes, path: str) -> None:
    for kind in ("tdmrep", "rsl", "other"):
        for name in ("tdmrep.json", "gpc.json", "security.txt", "ai.txt"):
            statement = read(kind, file(body, url=f"https://h.test/.well-known/{name}"))
            assert statement is not None
            statement.about(f"https://h.test/{path}")


@given(
    st.lists(
        st.one_of(
            st.none(),
            st.fixed_dictionaries(
                {
                    "location": st.one_of(st.text(max_size=20), st.integers(), st.just("/*")),
                    "tdm-reservation": st.integers(),
                }
            ),
        ),
        max_size=5,
    )
)
def test_any_array_is_read(document: list[object]) -> None:
    assert isinstance(parse_file(json.dumps(document)), TdmFile)
