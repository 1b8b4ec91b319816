"""What an earlier process left of a job: its frontier, files that no store holds yet, visits to be made again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from archiver.clock import Clock
from archiver.config import Config, Places
from archiver.engine.registry import Registry
from archiver.frontier.jobs import FrontierFiles
from archiver.frontier.memory import MemoryFrontier
from archiver.model import ClosedSegment, Origin
from archiver.ports import Frontier
from archiver.ports.jobs import Jobs, OpenJob
from archiver.store.shipped import ShippedNames
from archiver.warc.salvage import Salvaged, closed_segments
from archiver.wiring.lost import begun, requeue_lost
from archiver.wiring.untold import requeue_untold
from archiver.wiring.values import scopes_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An earlier process worked at this job. `lost`: from and until when (epoch seconds) what it asked for may be in
    no file any more, None = nothing was lost."""

    lost: tuple[float, float] | None = None


async def frontier_of(
    config: Config, places: Places, clock: Clock, *, own: Callable[[Origin], bool], job: str, saving: bool
) -> tuple[Frontier, OpenJob | None]:
    attempts = 1 if saving else config.pace.retries + 1
    if saving:
        return MemoryFrontier(clock, own=own, max_attempts=attempts), None
    signature = scopes_of(config).signature
    jobs: Jobs = FrontierFiles(places.state, clock, own=own, max_attempts=attempts)
    file = await jobs.open(job=job, signature=signature)
    return file.frontier, file


def registry_of(frontier: Frontier, file: OpenJob | None) -> Registry:
    """What the job has fetched, as far as its frontier can be asked for what is forgotten here."""
    ask = frontier.is_known_requisite if file is not None else None
    return Registry(ask, fresh=file is not None and not file.resumed)


async def unshipped_files(places: Places, salvaged: Sequence[Salvaged]) -> tuple[ShippedNames, list[ClosedSegment]]:
    """The list of what is stored, and what an earlier process closed and did not live to store."""
    shipped = ShippedNames(places.state / "shipped")
    known = shipped.names() | {one.file for one in salvaged}
    return shipped, await asyncio.to_thread(closed_segments, places.root, known)


async def put_back(
    file: OpenJob | None,
    places: Places,
    clock: Clock,
    salvaged: Sequence[Salvaged],
    unshipped: Sequence[ClosedSegment],
) -> Earlier | None:
    """Visits of an interrupted job that are to be made again: lost with their bytes, or told of by no row. None =
    this job goes on with nothing."""
    if file is None or not file.resumed:
        return None
    lost = await requeue_lost(file.frontier, places, salvaged)
    await requeue_untold(file.frontier, places.logs, file.job, salvaged, unshipped)
    return Earlier(lost=(begun(places.logs, file.job), clock.epoch()) if lost else None)
