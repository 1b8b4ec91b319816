"""Several holders of one frontier, and what becomes of one that comes back after its lease (F-38, F-39)."""

import asyncio
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from archiver.clock import SYSTEM, ManualClock
from archiver.frontier.sqlite import SqliteFrontier
from archiver.ports import FrontierCounts
from tests.frontier.conftest import AnyFrontier
from tests.frontier.samples import DONE, done, key, link, requisite

Holder = Callable[[], AnyFrontier]
ROOT = Path(__file__).parents[2]
STOPPED = """
import asyncio, sys
from pathlib import Path
from archiver.clock import SYSTEM
from archiver.frontier.sqlite import SqliteFrontier
from tests.frontier.samples import done, link, requisite

async def main():
    frontier = SqliteFrontier(Path(sys.argv[1]), SYSTEM, own=lambda _: False)
    (claim,) = await frontier.claim(1, lease=0.3)
    print("claimed", flush=True)
    sys.stdin.readline()
    renewed = await frontier.renew(claim)
    ended = await frontier.complete(claim, done("Z.warc.gz", 0, requisite("a.test", "/z.css")), [link("z.test")])
    released = await frontier.release(claim, not_before=0.0, reason="")
    print(renewed, ended.lost, sorted(ended.fresh), released, flush=True)
    await frontier.close()

asyncio.run(main())
"""


async def test_a_holder_that_comes_back_after_its_lease_changes_nothing(holder: Holder, clock: ManualClock) -> None:
    zombie, heir = holder(), holder()
    await zombie.add([link("a.test")])
    (stale,) = await zombie.claim(1, lease=10)
    clock.advance(10)
    (fresh,) = await heir.claim(1, lease=10)
    assert fresh.fence > stale.fence
    before = await heir.counts()
    assert await zombie.renew(stale) is None
    assert not await zombie.release(stale, not_before=clock.epoch() + 60, reason="rateLimited")
    late = await zombie.complete(stale, done("Z.warc.gz", 0, requisite("a.test", "/z.css")), [link("z.test")])
    assert (late.lost, late.fresh) == (True, frozenset())
    assert await heir.counts() == before == FrontierCounts(claimed=1)
    assert await heir.files() == {}
    assert await heir.is_known_requisite([key("a.test", "/z.css"), key("z.test")]) == frozenset()
    assert not (await heir.complete(fresh, DONE, ())).lost
    assert await zombie.claim(1) == []
    assert await zombie.counts() == FrontierCounts(done=1)


async def test_who_renews_is_not_robbed_and_who_asks_waits(holder: Holder, clock: ManualClock) -> None:
    first, second = holder(), holder()
    await first.add([link("a.test")])
    (claim,) = await first.claim(1, lease=10)
    for _ in range(5):
        clock.advance(8)
        assert await second.claim(1) == []
        assert await first.renew(claim, lease=10) is not None
    assert not (await first.complete(claim, DONE, ())).lost


async def test_closing_gives_back_what_is_ones_own(holder: Holder, clock: ManualClock) -> None:
    first, second = holder(), holder()
    await first.add([link("a.test"), link("b.test")])
    (mine,) = await first.claim(1)
    (other,) = await second.claim(1)
    await first.close()
    (again,) = await second.claim(5)
    assert again.candidate == mine.candidate
    assert not (await second.complete(other, DONE, ())).lost


@pytest.mark.parametrize("step", [365 * 86_400.0, -3600.0], ids=["year-ahead", "hour-back"])
async def test_a_step_of_the_wall_clock_robs_nobody(holder: Holder, clock: ManualClock, step: float) -> None:
    """F-30, F-31: leases run by a clock that does not step."""
    first, second = holder(), holder()
    await first.add([link("a.test")])
    (claim,) = await first.claim(1, lease=10)
    clock.advance(9, wall=step)
    assert await second.claim(1) == []
    assert await second.next_due() == pytest.approx(clock.epoch() + 1, rel=0, abs=1e-3)
    clock.advance(1)
    (again,) = await second.claim(1)
    assert (await first.complete(claim, DONE, ())).lost
    assert not (await second.complete(again, DONE, ())).lost


async def test_many_clients_at_once_lose_nothing_and_see_no_error(holder: Holder) -> None:
    """Ten clients give 200 URLs each, one a call, all at the same time; then all of them empty it together."""
    clients = [holder() for _ in range(10)]
    wanted = {key("own.test", f"/{client}/{number}") for client in range(10) for number in range(200)}
    fresh = await asyncio.gather(
        *(
            client.add([link("own.test", f"/{number}/{one}"), link("own.test", "/shared")])
            for number, client in enumerate(clients)
            for one in range(200)
        )
    )
    told = Counter(one for part in fresh for one in part)
    assert told == Counter(wanted | {key("own.test", "/shared")}), "each URL is new once"

    async def drain(client: AnyFrontier) -> list[str]:
        found = []
        while claims := await client.claim(20):
            ended = await asyncio.gather(*(client.complete(claim, DONE, ()) for claim in claims))
            assert not any(one.lost for one in ended)
            found.extend(claim.candidate.key for claim in claims)
        return found

    taken = [one for part in await asyncio.gather(*map(drain, clients)) for one in part]
    assert sorted(taken) == sorted(told), "each is lent once"
    assert await clients[0].counts() == FrontierCounts(done=2001)


async def test_a_process_that_was_stopped_past_its_lease_is_told_so(tmp_path: Path) -> None:
    """SIGSTOP and SIGCONT, as when a virtual machine is paused: real processes, real time."""
    path = tmp_path / "frontier.sqlite"
    heir = SqliteFrontier(path, SYSTEM, own=lambda _: False)
    await heir.add([link("a.test")])
    child = subprocess.Popen(
        [sys.executable, "-c", STOPPED, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert child.stdin is not None and child.stdout is not None
    assert (await asyncio.to_thread(child.stdout.readline)).strip() == "claimed"
    child.send_signal(signal.SIGSTOP)
    async with asyncio.timeout(30):
        while not (claims := await heir.claim(1)):
            await asyncio.sleep(0.05)
    child.send_signal(signal.SIGCONT)
    output, _ = await asyncio.to_thread(child.communicate, "go\n")
    assert (child.returncode, output.strip()) == (0, "None True [] False")
    assert not (await heir.complete(claims[0], DONE, ())).lost
    assert await heir.counts() == FrontierCounts(done=1)
    assert await heir.files() == {}
    await heir.close()
