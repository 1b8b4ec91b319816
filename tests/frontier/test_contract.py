"""What every frontier does (decision 14); run over SQLite and over memory."""

import math
from dataclasses import replace

import pytest

from archiver.clock import ManualClock
from archiver.model import Claim, Kind, Lane, Objection, Reason, Verdict
from archiver.ports import FrontierCounts, VisitOutcome
from archiver.ports.frontier import Stretch
from tests.frontier.conftest import AnyFrontier
from tests.frontier.samples import DONE, candidate, done, key, link, refused, requisite


def keys(claims: list[Claim]) -> list[str]:
    return [claim.candidate.key for claim in claims]


async def left(frontier: AnyFrontier) -> list[str]:
    return [one.key async for one in frontier.pending()]


async def test_a_url_is_fresh_once(frontier: AnyFrontier) -> None:
    batch = [link("a.test", "/1"), link("a.test", "/2"), link("a.test", "/1")]
    assert await frontier.add(batch) == {key("a.test", "/1"), key("a.test", "/2")}
    assert await frontier.add(batch) == frozenset()
    assert await frontier.counts() == FrontierCounts(pending=2)
    assert await left(frontier) == [key("a.test", "/1"), key("a.test", "/2")]


async def test_what_comes_back_is_what_went_in(frontier: AnyFrontier) -> None:
    odd = candidate(
        "own.test",
        "/ü?a=b&c=%C3%BC",
        key="own.test/else",
        kind=Kind.SITEMAP,
        resource_type="xhr",
        depth=3,
        via="https://other.test/x",
        initiator="https://own.test/",
        path="LRE",
        lane=Lane.BROWSER,
        method="POST",
        headers=((b"X-Y", b"\xff\x00"), (b"Z", b"")),
        body=bytes(range(256)),
        seed=True,
        hops=2,
    )
    plain = candidate("own.test", "/plain", via="https://own.test/")
    slashed = candidate("own.test", "/k", key="/own.test/ not a URL", depth=9)
    await frontier.add([link("own.test", "/plain", via="https://own.test/")])
    for one in (odd, slashed):
        await frontier.add([type(link("own.test"))(candidate=one)])
    assert [claim.candidate for claim in await frontier.claim(9)] == [plain, odd, slashed]


async def test_the_youngest_that_wait_or_were_refused(frontier: AnyFrontier) -> None:
    own = [link("own.test", "/1"), refused("own.test", "/2"), link("own.test", "/3")]
    await frontier.add([*own, link("a.test", "/4")])
    for claim in await frontier.claim(9):
        if claim.candidate.url.endswith("/3"):
            await frontier.complete(claim, DONE, ())
        elif claim.candidate.url.endswith("/1"):
            await frontier.release(claim, not_before=0.0, reason="rateLimited")
    told = [(one.key, reason) for one, reason in await frontier.youngest(9)]
    assert told == [(key("a.test", "/4"), ""), (key("own.test", "/2"), "outOfScope"), (key("own.test", "/1"), "")]
    assert [one.key for one, _ in await frontier.youngest(1)] == [key("a.test", "/4")]


@pytest.mark.parametrize("reason", [Reason.NOFOLLOW, Reason.DEPTH_LIMIT])
async def test_a_refusal_of_one_link_ends_with_another_link(frontier: AnyFrontier, reason: Reason) -> None:
    """nofollow and depth speak of a link: a page that links properly has the URL fetched, once."""
    objection = Objection(verdict=Verdict.REFUSE, reason=reason)
    await frontier.add([replace(link("b.test"), objection=objection)])
    assert await frontier.counts() == FrontierCounts(refused=1)
    await frontier.add([link("b.test"), link("b.test")])
    await frontier.add([link("b.test")])
    assert await frontier.counts() == FrontierCounts(pending=1)
    assert keys(await frontier.claim(5)) == [key("b.test")]


async def test_objected_links_are_kept_as_refused_and_stay(frontier: AnyFrontier) -> None:
    assert await frontier.add([refused("b.test")]) == {key("b.test")}
    assert await frontier.add([refused("b.test"), link("b.test")]) == frozenset()
    assert await frontier.claim(5) == []
    assert await frontier.counts() == FrontierCounts(refused=1)
    assert await frontier.next_due() is None


async def test_depth_then_discovery(frontier: AnyFrontier) -> None:
    await frontier.add([link("own.test", "/deep", depth=2), link("own.test", "/a", depth=1)])
    await frontier.add([link("own.test", "/b", depth=1), link("own.test", "/seed")])
    expected = [key("own.test", path) for path in ("/seed", "/a", "/b", "/deep")]
    assert keys(await frontier.claim(9)) == expected


async def test_one_claim_an_origin_unless_its_own(frontier: AnyFrontier) -> None:
    await frontier.add([link(host, path) for host in ("a.test", "b.test", "own.test") for path in ("/1", "/2")])
    claims = await frontier.claim(9)
    assert sorted(keys(claims)) == [
        key(host, path) for host, path in [("a.test", "/1"), ("b.test", "/1"), ("own.test", "/1"), ("own.test", "/2")]
    ]
    assert await frontier.claim(9) == []
    await frontier.complete(claims[0], DONE, ())
    assert len(await frontier.claim(9)) == 1


async def test_origins_take_turns(frontier: AnyFrontier, clock: ManualClock) -> None:
    """A host that just answered stands behind one that has not been asked yet, though its pages are older."""
    await frontier.add([link("a.test", f"/{n}") for n in range(3)])
    await frontier.add([link("b.test", f"/{n}", depth=5) for n in range(3)])
    hosts = []
    for _ in range(6):
        clock.advance(1)
        (claim,) = await frontier.claim(1)
        hosts.append(claim.candidate.origin.host)
        await frontier.complete(claim, DONE, ())
    assert hosts == ["a.test", "b.test"] * 3


async def test_a_waiting_host_holds_nobody_back(frontier: AnyFrontier, clock: ManualClock) -> None:
    await frontier.add([link("slow.test", f"/{n}") for n in range(50)] + [link("free.test", "/1", depth=9)])
    (first,) = await frontier.claim(1)
    assert await frontier.release(first, not_before=clock.epoch() + 60, reason="rateLimited")
    assert keys(await frontier.claim(9)) == [key("free.test", "/1")]


async def test_release_puts_off_the_whole_origin_and_counts_no_attempt(
    frontier: AnyFrontier, clock: ManualClock
) -> None:
    await frontier.add([link("a.test", "/1"), link("a.test", "/2")])
    (claim,) = await frontier.claim(5)
    due = clock.epoch() + 30
    assert await frontier.release(claim, not_before=due, reason="rateLimited")
    assert await frontier.claim(5) == []
    assert await frontier.next_due() == pytest.approx(due)
    clock.advance(30)
    (again,) = await frontier.claim(5)
    assert (again.candidate, again.attempts) == (claim.candidate, 1)
    assert again.fence > claim.fence


async def test_no_wait_is_longer_than_a_day(frontier: AnyFrontier, clock: ManualClock) -> None:
    await frontier.add([link("a.test")])
    (claim,) = await frontier.claim(1)
    await frontier.release(claim, not_before=clock.epoch() + 10**9, reason="rateLimited")
    assert await frontier.next_due() == pytest.approx(clock.epoch() + 86_400, rel=0, abs=1e-3)


async def test_failures_are_tried_again_then_given_up(frontier: AnyFrontier, clock: ManualClock) -> None:
    await frontier.add([link("a.test", "/1"), link("a.test", "/2", depth=1)])
    attempts = []
    for state in ("failed", "deferred", "failed"):
        (claim,) = await frontier.claim(1)
        attempts.append((claim.candidate.url, claim.attempts))
        await frontier.complete(claim, VisitOutcome(state=state, not_before=clock.epoch() + 10), ())
        assert keys(await frontier.claim(1)) == [key("a.test", "/2")], "a retry waits alone, its origin does not"
        clock.advance(400)
    assert attempts == [(key("a.test", "/1"), n) for n in (1, 2, 3)]
    assert (await frontier.counts()).failed == 1


async def test_a_failure_without_a_time_is_due_at_once(frontier: AnyFrontier) -> None:
    await frontier.add([link("a.test")])
    (claim,) = await frontier.claim(1)
    await frontier.complete(claim, VisitOutcome(state="failed"), ())
    assert [claim.attempts for claim in await frontier.claim(1)] == [2]


async def test_an_unknown_outcome_changes_nothing(frontier: AnyFrontier) -> None:
    await frontier.add([link("a.test")])
    (claim,) = await frontier.claim(1)
    with pytest.raises(ValueError, match="no such outcome"):
        await frontier.complete(claim, VisitOutcome(state="lost"), [link("b.test")])
    assert await frontier.counts() == FrontierCounts(claimed=1)
    assert not (await frontier.complete(claim, DONE, ())).lost


async def test_complete_is_one_transaction_with_its_links(frontier: AnyFrontier) -> None:
    await frontier.add([link("a.test")])
    (claim,) = await frontier.claim(1)
    links = [link("a.test"), link("a.test", "/new", depth=1), refused("b.test"), link("a.test", "/new", depth=1)]
    completed = await frontier.complete(claim, DONE, links)
    assert not completed.lost
    assert completed.fresh == {key("a.test", "/new"), key("b.test")}
    assert await frontier.counts() == FrontierCounts(pending=1, done=1, refused=1)
    assert (await frontier.complete(claim, DONE, [link("c.test")])).lost
    assert await frontier.counts() == FrontierCounts(pending=1, done=1, refused=1)


async def test_requisites_are_never_claimed_nor_fetched_again(frontier: AnyFrontier) -> None:
    await frontier.add([link("own.test"), link("own.test", "/frame", depth=1), refused("own.test", "/far")])
    claim = (await frontier.claim(1))[0]
    wanted = [requisite("own.test", path) for path in ("/a.css", "/frame", "/far", "/a.css")]
    await frontier.complete(claim, done("A.warc.gz", 0, *wanted), [link("own.test", "/a.css", depth=1)])
    asked = [key("own.test", path) for path in ("/", "/a.css", "/frame", "/far", "/never")]
    assert await frontier.is_known_requisite(asked) == set(asked[:4])
    assert await frontier.claim(9) == []
    assert await frontier.next_due() is None
    assert await frontier.add([link("own.test", "/a.css")]) == frozenset()
    assert await frontier.counts() == FrontierCounts(done=3, requisites=1)


async def test_a_pending_page_is_no_known_requisite(frontier: AnyFrontier) -> None:
    await frontier.add([link("a.test")])
    assert await frontier.is_known_requisite([key("a.test")]) == frozenset()


async def test_a_lease_that_ends_is_lent_anew_and_the_first_holder_told(
    frontier: AnyFrontier, clock: ManualClock
) -> None:
    await frontier.add([link("a.test")])
    (stale,) = await frontier.claim(1, lease=10)
    assert stale.lease_until == pytest.approx(clock.epoch() + 10, rel=0, abs=1e-3)
    assert await frontier.next_due() == pytest.approx(clock.epoch() + 10, rel=0, abs=1e-3)
    clock.advance(9)
    assert await frontier.claim(1) == []
    clock.advance(1)
    (fresh,) = await frontier.claim(1)
    assert fresh.fence > stale.fence
    assert fresh.attempts == 1, "a holder that vanished says nothing about the URL"
    assert (await frontier.complete(stale, DONE, [link("b.test")])).lost
    assert await frontier.renew(stale) is None
    assert not await frontier.release(stale, not_before=0, reason="")
    assert not (await frontier.complete(fresh, DONE, ())).lost


async def test_a_renewed_lease_lasts(frontier: AnyFrontier, clock: ManualClock) -> None:
    await frontier.add([link("a.test")])
    (claim,) = await frontier.claim(1, lease=10)
    clock.advance(9)
    renewed = await frontier.renew(claim, lease=10)
    assert renewed is not None
    assert renewed.fence == claim.fence
    assert renewed.lease_until == pytest.approx(claim.lease_until + 9, rel=0, abs=1e-3)
    clock.advance(9)
    assert await frontier.claim(1) == []


@pytest.mark.parametrize("step", [365 * 86_400.0, -3600.0])
async def test_a_step_of_the_wall_clock_neither_hurries_nor_stalls(
    frontier: AnyFrontier, clock: ManualClock, step: float
) -> None:
    await frontier.add([link("a.test"), link("b.test")])
    claim = (await frontier.claim(1, lease=100))[0]
    other = (await frontier.claim(1, lease=100))[0]
    await frontier.release(other, not_before=clock.epoch() + 20, reason="rateLimited")
    clock.advance(1, wall=step)
    assert await frontier.claim(5) == [], "neither lease nor wait has ended"
    assert await frontier.next_due() == pytest.approx(clock.epoch() + 19, rel=0, abs=1e-3)
    clock.advance(19)
    assert len(await frontier.claim(5)) == 1
    assert not (await frontier.complete(claim, DONE, ())).lost


async def test_requeue_puts_back_what_no_verified_file_holds(frontier: AnyFrontier) -> None:
    await frontier.add([link("own.test", f"/{n}") for n in range(4)])
    claims = await frontier.claim(4)
    places = [("A.warc.gz", 0), ("A.warc.gz", 500), ("A.warc.gz", 900), ("B.warc.gz", 500)]
    for n, (claim, (file, offset)) in enumerate(zip(claims, places, strict=True)):
        await frontier.complete(claim, done(file, offset, requisite("own.test", f"/{n}.css")), ())
    assert await frontier.files() == {"A.warc.gz": 1000, "B.warc.gz": 600}
    assert await frontier.requeue("A.warc.gz", [(500, math.inf)]) == 2
    assert await frontier.requeue("C.warc.gz") == 0
    assert await frontier.counts() == FrontierCounts(pending=2, done=2, requisites=2)
    assert keys(await frontier.claim(9)) == [key("own.test", "/1"), key("own.test", "/2")]
    styles = [key("own.test", f"/{n}.css") for n in range(4)]
    assert await frontier.is_known_requisite(styles) == {styles[0], styles[3]}


async def kept(frontier: AnyFrontier, count: int, **more: tuple[Stretch, ...]) -> None:
    """Visits of A.warc.gz at 0, 100, 200 ..., each with a style sheet; `more`: what page n rests on besides."""
    await frontier.add([link("own.test", f"/{n}") for n in range(count)])
    for n, claim in enumerate(await frontier.claim(count)):
        outcome = done("A.warc.gz", 100 * n, requisite("own.test", f"/{n}.css"), more=more.get(f"p{n}", ()))
        await frontier.complete(claim, outcome, ())


@pytest.mark.parametrize(
    ("lost", "pages"),
    [
        ([(0, math.inf)], {0, 1, 2, 3}),
        ([(100, 200)], {1}),
        ([(199, 201)], {1, 2}),
        ([(400, math.inf)], set()),
        ([(350, 351)], {3}),
        ([(300, 301), (0, 1)], {0, 3}),
        ([(0, 1), (50, 60), (90, 101)], {0, 1}),
        ([], set()),
    ],
    ids=["all", "one", "border", "behind", "inside", "two", "overlapping", "nothing"],
)
async def test_only_what_rests_on_lost_bytes_is_put_back(
    frontier: AnyFrontier, lost: list[tuple[int, float]], pages: set[int]
) -> None:
    await kept(frontier, 4)
    assert await frontier.requeue("A.warc.gz", lost) == len(pages)
    assert set(keys(await frontier.claim(9))) == {key("own.test", f"/{n}") for n in pages}
    styles = [key("own.test", f"/{n}.css") for n in range(4)]
    assert await frontier.is_known_requisite(styles) == {styles[n] for n in range(4) if n not in pages}


async def test_a_visit_is_put_back_whole_when_any_part_of_it_is_lost(frontier: AnyFrontier) -> None:
    """What it fetched besides may lie in another file, or further on in the same one."""
    await kept(frontier, 3, p0=(Stretch("B.warc.gz", 0, 50),), p1=(Stretch("A.warc.gz", 5000, 5100),))
    assert await frontier.files() == {"A.warc.gz": 5100, "B.warc.gz": 50}
    assert await frontier.requeue("B.warc.gz") == 1
    assert await frontier.requeue("B.warc.gz") == 0, "they rest on nothing any more"
    assert await frontier.requeue("A.warc.gz", [(5000, math.inf)]) == 1
    assert keys(await frontier.claim(9)) == [key("own.test", "/0"), key("own.test", "/1")]
    styles = [key("own.test", f"/{n}.css") for n in range(3)]
    assert await frontier.is_known_requisite(styles) == {styles[2]}


async def test_a_page_that_came_with_another_is_put_back_with_it(frontier: AnyFrontier) -> None:
    """Pending when it was fetched as a frame, or in somebody's hands, who then finds that it is there already."""
    await frontier.add([link("own.test", path) for path in ("/", "/held", "/frame")])
    page, held = await frontier.claim(2)
    frames = (requisite("own.test", "/frame"), requisite("own.test", "/held"))
    await frontier.complete(page, done("A.warc.gz", 0, *frames), ())
    await frontier.complete(held, VisitOutcome(state="done", reason="duplicate"), ())
    assert await frontier.counts() == FrontierCounts(done=3)
    assert await frontier.requeue("A.warc.gz") == 3
    assert await frontier.counts() == FrontierCounts(pending=3)


async def test_an_attempt_that_was_put_off_rests_on_nothing(frontier: AnyFrontier) -> None:
    await frontier.add([link("a.test")])
    (claim,) = await frontier.claim(1)
    told = VisitOutcome(state="deferred", records=(Stretch("A.warc.gz", 0, 100),))
    await frontier.complete(claim, told, ())
    (claim,) = await frontier.claim(1)
    await frontier.complete(claim, done("B.warc.gz", 0), ())
    assert await frontier.requeue("A.warc.gz") == 0
    assert await frontier.requeue("B.warc.gz") == 1


async def test_facts_about_the_job(frontier: AnyFrontier) -> None:
    assert await frontier.get_meta("job") is None
    await frontier.set_meta("job", {"id": "x", "pages": [1, None]})
    await frontier.set_meta("job", {"id": "y", "pages": [1, None]})
    assert await frontier.get_meta("job") == {"id": "y", "pages": [1, None]}


async def test_nothing_pending_is_never_due(frontier: AnyFrontier) -> None:
    assert await frontier.next_due() is None
    assert await frontier.claim(0) == []
    assert await left(frontier) == []


async def test_a_second_release_does_not_shorten_the_wait(frontier: AnyFrontier, clock: ManualClock) -> None:
    await frontier.add([link("own.test", "/1"), link("own.test", "/2")])
    first, second = await frontier.claim(2)
    await frontier.release(first, not_before=clock.epoch() + 60, reason="rateLimited")
    await frontier.release(second, not_before=clock.epoch(), reason="interrupted")
    assert await frontier.claim(2) == []
    assert await frontier.next_due() == pytest.approx(clock.epoch() + 60, rel=0, abs=1e-3)
