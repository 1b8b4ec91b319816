"""The keep verdict: the policy's lines, one by one, and that equal signals are judged once."""

from __future__ import annotations

import dataclasses
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.model import NO_ELEMENTS, Access, Elements, Exchange, Keep, Kind, Reason
from archiver.policy.keep import REMEMBERED, Judge
from archiver.policy.profiles import LEGAL_DEPOSIT, RESEARCH, STRICT, Profile
from archiver.policy.robots import parse
from tests.gateway.gate import candidate
from tests.warc.samples import exchange

US = ("PoliteArchiver",)
URL = "https://a.test/p"
COOKIE = ((b"Cookie", b"a=1"),)


def answered(status: int = 200, *lines: str, kind: str = "text/html") -> Exchange:
    fields = [line.encode("latin-1").partition(b": ") for line in (f"Content-Type: {kind}", *lines)]
    headers = tuple((name.lower(), value) for name, _, value in fields)
    return dataclasses.replace(exchange(URL), status=status, headers=headers)


def judged(*lines: str, profile: Profile = STRICT, status: int = 200, cookie: bool = False, meta: str = "") -> Keep:
    asked = candidate(URL, headers=COOKIE if cookie else ())
    elements = Elements(metas=(("robots", meta),)) if meta else NO_ELEMENTS
    return Judge(profile, US)(asked, answered(status, *lines), elements, None)


def with_line(**lines: str) -> Profile:
    return dataclasses.replace(STRICT, signals=dataclasses.replace(STRICT.signals, **lines))


NOARCHIVE = "X-Robots-Tag: noarchive"
NOINDEX = "X-Robots-Tag: noindex"
DATE = "X-Robots-Tag: unavailable_after: 2030-01-01"
PRIVATE = "Cache-Control: private, no-store"


@pytest.mark.parametrize(
    ("wish", "access", "drop_body"),
    [("dark", Access.DARK, False), ("restricted", Access.RESTRICTED, False), ("drop-body", Access.DARK, True)],
)
def test_noarchive_follows_its_line(wish: str, access: Access, drop_body: bool) -> None:
    for keep in (judged(NOARCHIVE, profile=with_line(noarchive=wish)),
                 judged(meta="nocache", profile=with_line(noarchive=wish))):  # fmt: skip
        assert (keep.access, keep.drop_body, keep.reason) == (access, drop_body, Reason.NOARCHIVE)


@pytest.mark.parametrize(
    ("profile", "access", "reason"),
    [
        (STRICT, Access.OPEN, Reason.ALLOWED),
        (RESEARCH, Access.OPEN, Reason.ALLOWED),
        (LEGAL_DEPOSIT, Access.RESTRICTED, Reason.NOINDEX),
    ],
    ids=["strict", "research", "legal-deposit"],
)
def test_noindex_is_in_no_list_or_in_the_reading_room(profile: Profile, access: Access, reason: Reason) -> None:
    keep = judged(NOINDEX, profile=profile)
    assert (keep.access, keep.reason, keep.listed) == (access, reason, False)


@pytest.mark.parametrize("line", ["none", "noindex, nofollow", "noindex, nofollow, max-image-preview: none"])
def test_none_is_noindex_and_nofollow_and_nothing_about_archives(line: str) -> None:
    for keep in (judged(f"X-Robots-Tag: {line}"), judged(meta=line)):
        assert (keep.access, keep.listed, keep.follow) == (Access.OPEN, False, False)


def test_a_date_acts_or_is_noted() -> None:
    assert judged(DATE).expires == datetime(2030, 1, 1, tzinfo=UTC)
    noted = judged(DATE, profile=LEGAL_DEPOSIT)
    assert noted.expires is None and noted.signals[0]["parsed"]["unavailable_after"].startswith("2030-01-01")


def test_a_cache_rule_is_a_flag() -> None:
    assert judged(PRIVATE).flags == ("cache-no-store", "cache-private")
    assert judged(PRIVATE).access is Access.OPEN
    assert judged(PRIVATE, profile=LEGAL_DEPOSIT).flags == ()
    assert judged("Memento-Datetime: Thu, 31 May 2007 20:35:00 GMT", profile=LEGAL_DEPOSIT).flags == ("memento",)


@pytest.mark.parametrize(
    ("lines", "access", "reason"),
    [
        ((), Access.RESTRICTED, Reason.CREDENTIALED),
        ((PRIVATE,), Access.RESTRICTED, Reason.CREDENTIALED),
        ((NOARCHIVE,), Access.DARK, Reason.NOARCHIVE),
    ],
    ids=["plain", "private", "noarchive"],
)
def test_credentials_restrict_at_least(lines: tuple[str, ...], access: Access, reason: Reason) -> None:
    keep = judged(*lines, cookie=True)
    assert (keep.access, keep.reason) == (access, reason)


@pytest.mark.parametrize("status", [402, 403, 451])
def test_refusals_are_for_review_where_the_policy_says_so(status: int) -> None:
    assert not judged(status=status).review
    assert judged(status=status, profile=with_line(blocked="review")).review
    assert not judged(status=404, profile=with_line(blocked="review")).review


def test_451_names_its_reason_unless_something_stricter_holds() -> None:
    keep = judged('Link: </court>; rel="blocked-by"', status=451)
    assert (keep.access, keep.reason) == (Access.OPEN, Reason.UNAVAILABLE_FOR_LEGAL_REASONS)
    assert keep.rule == "status 451, blocked by /court"
    assert judged(NOARCHIVE, status=451).reason is Reason.NOARCHIVE


def test_robots_txt_is_evidence_and_never_hidden() -> None:
    keep = Judge(STRICT, US)(candidate(URL, kind=Kind.ROBOTS), answered(200, NOARCHIVE), NO_ELEMENTS, None)
    assert keep == Keep()


def test_equal_signals_are_judged_once_and_others_are_not_mixed_up() -> None:
    judge = Judge(STRICT, US)
    seen = [judge(candidate(f"{URL}{n}"), answered(200, PRIVATE), NO_ELEMENTS, None) for n in range(3)]
    assert seen[0] is seen[1] is seen[2]
    assert judge(candidate(URL, headers=COOKIE), answered(200, PRIVATE), NO_ELEMENTS, None).access is Access.RESTRICTED
    assert judge(candidate(URL), answered(451, PRIVATE), NO_ELEMENTS, None).reason != Reason.ALLOWED
    assert judge(candidate(URL), answered(403, PRIVATE), NO_ELEMENTS, None).flags == seen[0].flags


def test_what_depends_on_the_url_is_read_for_each() -> None:
    judge, robots = Judge(STRICT, US), parse(b"User-agent: *\nAllow: /\nContent-Usage: /a train-ai=n\n")
    of_a, of_b = (judge(candidate(f"https://a.test/{x}"), answered(), NO_ELEMENTS, robots) for x in "ab")
    assert "ai-train" in of_a.usage and of_b.usage == {}
    link = 'Link: <l.xml>; rel=license; type="application/rsl+xml"'
    for folder in ("x", "y"):
        keep = judge(candidate(f"https://a.test/{folder}/"), answered(200, link), NO_ELEMENTS, None)
        assert keep.signals[0]["parsed"]["rsl"] == [f"https://a.test/{folder}/l.xml"]


def test_the_memory_is_bounded() -> None:
    judge = Judge(STRICT, US)
    for number in range(2 * REMEMBERED + 10):
        judge(candidate(URL), answered(200, f"X-Robots-Tag: max-snippet:{number}"), NO_ELEMENTS, None)
    judge(candidate(URL), answered(200, "X-Robots-Tag: " + "x" * 100_000), NO_ELEMENTS, None)
    assert len(judge._known) <= REMEMBERED
    assert not any(len(line) > 10_000 for key in judge._known if key[0] for _, line in key[0].fields)


@pytest.mark.parametrize(
    ("elements", "concern"),
    [
        (NO_ELEMENTS, False),
        (Elements(metas=(("viewport", "x"), ("otherbot", "noarchive"))), False),
        (Elements(metas=(("robots", ""),)), True),
        (Elements(metas=(("politearchiver", ""),)), True),
        (Elements(metas=(("tdm-reservation", "1"),)), True),
        (Elements(licenses=(("license", "/l", ""),)), True),
    ],
    ids=["none", "others", "robots", "token", "tdm", "licence"],
)
def test_which_elements_concern_the_judge(elements: Elements, concern: bool) -> None:
    assert Judge(STRICT, US).concerns(elements) is concern


LINES = st.lists(
    st.tuples(
        st.sampled_from(["X-Robots-Tag", "Cache-Control", "Link", "TDM-Reservation", "Content-Usage", "Robots-Tag"]),
        st.one_of(
            st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60),
            st.sampled_from(
                [
                    "none",
                    "noarchive",
                    "private",
                    "no-store, x",
                    "1",
                    "train-ai=n",
                    '</l>; rel="license"',
                    "noindex, noai",
                ]
            ),
        ),
    ),
    max_size=5,
)
METAS = st.lists(
    st.tuples(st.sampled_from(["robots", "politearchiver", "tdm-policy", "other"]), st.text(max_size=40)), max_size=4
)
_LONG_LIVED = Judge(STRICT, US)


@given(LINES, METAS, st.sampled_from([200, 402, 451]), st.booleans())
def test_a_judge_with_a_memory_says_what_a_new_one_says(
    lines: list[tuple[str, str]], metas: list[tuple[str, str]], status: int, cookie: bool
) -> None:
    answer = answered(status, *(f"{name}: {value}" for name, value in lines))
    asked = candidate(URL, headers=COOKIE if cookie else ())
    elements = Elements(metas=tuple(metas))
    assert _LONG_LIVED(asked, answer, elements, None) == Judge(STRICT, US)(asked, answer, elements, None)
