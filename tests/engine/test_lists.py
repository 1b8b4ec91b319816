"""Which lists a seed leads to, and what is taken from a list: dates, depth, caps, scope."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from archiver import urls
from archiver.engine.discover import Discoverer
from archiver.engine.lists import DETECT, MAX_DEPTH, MAX_PAGES, ListRules, Lists
from archiver.engine.read import Reading
from archiver.engine.scopes import SeedScopes
from archiver.extract.listing import FEED, SITEMAP, Listed
from archiver.model import Candidate, Keep, Kind, Outlink, Reason
from archiver.policy.scope import ScopeRules

SITE = "http://site.test"
LIST = f"{SITE}/sitemap.xml"


def lists(scope: str = "host", exclude: tuple[str, ...] = (), depth: int = -1, **rules: object) -> Lists:
    scopes = SeedScopes([ScopeRules(seed=f"{SITE}/", scope_type=scope, exclude=exclude, depth=depth)])
    return Lists(ListRules(**rules), scopes.check)  # type: ignore[arg-type]


def candidate(url: str = LIST, kind: Kind = Kind.SITEMAP, path: str = "", **changes: object) -> Candidate:
    values = {"resource_type": SITEMAP if kind is Kind.SITEMAP else "document", **changes}
    key = urls.canonical(url)
    return Candidate(url=url, key=key, origin=urls.origin_of(url), kind=kind, path=path, **values)  # type: ignore[arg-type]


def one(made: list[Outlink]) -> Outlink:
    (outlink,) = made
    return outlink


def taken(of: Lists, *entries: Listed, page: Candidate | None = None) -> list[str]:
    made = of.outlinks(page or candidate(), entries, None)
    return [outlink.candidate.url for outlink in made if outlink.objection is None]


def test_an_entry_is_a_link_that_says_where_it_comes_from() -> None:
    found = one(lists().outlinks(candidate(path="M"), [Listed(f"{SITE}/a", "2026-01-01")], None))
    assert found.objection is None and found.lastmod == "2026-01-01"
    assert (found.candidate.via, found.candidate.path, found.candidate.depth) == (LIST, "MM", 0)
    assert (found.candidate.kind, found.candidate.resource_type) == (Kind.DOCUMENT, "document")


def test_the_scope_judges_pages_and_exclusions_judge_lists() -> None:
    of = lists(exclude=("/private",))
    entries = [
        Listed(f"{SITE}/a"),
        Listed("http://other.test/"),
        Listed(f"{SITE}/private/a"),
        Listed("http://cdn.test/s2.xml", "", SITEMAP),
        Listed(f"{SITE}/private/s3.xml", "", SITEMAP),
    ]
    made = of.outlinks(candidate(), entries, None)
    assert [outlink.objection and outlink.objection.reason for outlink in made] == [
        None, Reason.OUT_OF_SCOPE, Reason.USER_EXCLUSION, None, Reason.USER_EXCLUSION,
    ]  # fmt: skip
    assert made[3].candidate.kind is Kind.SITEMAP


def test_depth_counts_links_from_listed_pages() -> None:
    assert taken(lists(depth=0), Listed(f"{SITE}/a"), Listed(LIST + "2", "", SITEMAP)) == [f"{SITE}/a", LIST + "2"]


def test_dates_leave_out_what_says_to_be_older_or_newer() -> None:
    of = lists(since=datetime(2026, 1, 1, tzinfo=UTC), until=datetime(2026, 6, 1, tzinfo=UTC))
    entries = [Listed(f"{SITE}/{date}", date) for date in ("2025-12-31", "2026-01-01", "2026-07", "soon", "")]
    assert taken(of, *entries) == [f"{SITE}/2026-01-01", f"{SITE}/soon", f"{SITE}/"]
    made = of.outlinks(candidate(), entries, None)
    assert made[0].objection is not None and "before sitemapFromDate" in made[0].objection.rule
    # a list that changed lately may hold what is older; one that did not change holds nothing new
    lists_of_lists = [Listed(f"{SITE}/{date}.xml", date, SITEMAP) for date in ("2025", "2026-07")]
    assert taken(of, *lists_of_lists) == [f"{SITE}/2026-07.xml"]


def test_there_are_so_many_and_no_more() -> None:
    of = lists(most=2)
    assert taken(of, *(Listed(f"{SITE}/{number}") for number in range(5))) == [f"{SITE}/0", f"{SITE}/1"]
    last = one(of.outlinks(candidate(), [Listed(f"{SITE}/9")], None))
    assert last.objection is not None and last.objection.reason is Reason.PAGE_LIMIT


@pytest.mark.parametrize(("kind", "most"), [(SITEMAP, MAX_DEPTH), (FEED, MAX_PAGES)])
def test_lists_that_lead_to_lists_end(kind: str, most: int) -> None:
    page, steps = candidate(resource_type=kind), 0
    while (found := one(lists().outlinks(page, [Listed(f"{LIST}?{steps}", "", kind)], None))).objection is None:
        page, steps = found.candidate, steps + 1
    assert steps == most and found.objection.reason is Reason.DEPTH_LIMIT


def test_a_seeds_sitemaps_are_those_that_robots_txt_names() -> None:
    of, seed = lists(seeds={f"{SITE}/": DETECT}), candidate(f"{SITE}/", Kind.DOCUMENT, seed=True)
    of.remember(seed, ("http://cdn.test/s.xml", "/rel.xml", "ftp://no/"))
    made = of.of_seed(seed)
    assert [outlink.candidate.url for outlink in made] == ["http://cdn.test/s.xml", f"{SITE}/rel.xml"]
    assert {outlink.candidate.via for outlink in made} == {f"{SITE}/robots.txt"}


def test_or_the_usual_place_or_the_one_that_is_given() -> None:
    seed = candidate(f"{SITE}/docs/", Kind.DOCUMENT, seed=True)
    of = lists(seeds={seed.key: DETECT})
    of.remember(seed, ())
    assert one(of.of_seed(seed)).candidate.url == LIST
    assert one(lists(seeds={seed.key: "http://cdn.test/s.xml"}).of_seed(seed)).candidate.url == "http://cdn.test/s.xml"


def test_other_seeds_and_pages_lead_to_none() -> None:
    of = lists(seeds={f"{SITE}/": DETECT})
    assert of.of_seed(candidate(f"{SITE}/other", Kind.DOCUMENT, seed=True)) == []
    assert of.of_seed(candidate(f"{SITE}/", Kind.DOCUMENT)) == []


def test_nofollow_on_the_list_binds() -> None:
    discoverer = Discoverer(SeedScopes([ScopeRules(seed=f"{SITE}/", scope_type="host")]).check, lists=lists())
    reading = Reading(listed=(Listed(f"{SITE}/a"),))
    free, _ = discoverer.outlinks(candidate(), reading, Keep())
    bound, _ = discoverer.outlinks(candidate(), reading, Keep(follow=False))
    assert one(free).objection is None
    found = one(bound).objection
    assert found is not None and found.reason is Reason.NOFOLLOW
