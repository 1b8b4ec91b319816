"""Links become outlinks with a verdict; what is known is not looked at twice."""

from __future__ import annotations

from archiver.engine.discover import Discoverer
from archiver.engine.read import Reading
from archiver.engine.scopes import SeedScopes
from archiver.model import Keep, Reason
from archiver.policy.scope import ScopeRules
from tests.engine.bench import SITE, candidate

SCOPE = SeedScopes([ScopeRules(seed=f"{SITE}/", scope_type="host")]).check


def reading(*links: str, nofollow: bool = False) -> Reading:
    return Reading(links=tuple((link, nofollow) for link in links), is_html=True)


def test_each_link_has_its_verdict() -> None:
    found, repeats = Discoverer(SCOPE).outlinks(candidate("/"), reading(f"{SITE}/in", "https://b.test/out"), None)
    assert [(one.candidate.url, one.objection and one.objection.reason) for one in found] == [
        (f"{SITE}/in", None), ("https://b.test/out", Reason.OUT_OF_SCOPE),
    ]  # fmt: skip
    assert repeats == 0
    inside = found[0].candidate
    assert (inside.depth, inside.via, inside.path, inside.seed) == (1, f"{SITE}/", "L", False)


def test_what_the_frontier_has_is_only_counted() -> None:
    discoverer = Discoverer(SCOPE)
    found, _ = discoverer.outlinks(candidate("/"), reading(f"{SITE}/in"), None)
    assert discoverer.outlinks(candidate("/"), reading(f"{SITE}/in"), None)[1] == 0, "not committed: not known"
    discoverer.remember(found)
    assert discoverer.outlinks(candidate("/"), reading(f"{SITE}/in"), None) == ([], 1)


def test_a_link_refused_for_nofollow_may_be_followed_from_elsewhere() -> None:
    discoverer = Discoverer(SCOPE)
    found, _ = discoverer.outlinks(candidate("/"), reading(f"{SITE}/in", nofollow=True), None)
    assert found[0].objection is not None and found[0].objection.reason is Reason.NOFOLLOW
    discoverer.remember(found)
    again, _ = discoverer.outlinks(candidate("/"), reading(f"{SITE}/in"), None)
    assert [one.objection for one in again] == [None]


def test_a_page_that_says_nofollow_is_obeyed_unless_the_policy_is_not_to() -> None:
    keep = Keep(follow=False)
    found, _ = Discoverer(SCOPE).outlinks(candidate("/"), reading(f"{SITE}/in"), keep)
    assert found[0].objection is not None
    found, _ = Discoverer(SCOPE, obey_nofollow=False).outlinks(candidate("/"), reading(f"{SITE}/in"), keep)
    assert found[0].objection is None


def test_save_follows_no_links() -> None:
    assert Discoverer(SCOPE, enabled=False).outlinks(candidate("/"), reading(f"{SITE}/in"), None) == ([], 0)
