"""A collection's files checked where a bucket keeps them: read as streams, strictly, in bounded memory, never to disk.

Needs the rights to list and to get, and nothing of a local copy. What comes damaged is read again before it is called
so: an answer can be damaged on its way.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from math import ceil
from pathlib import Path

from archiver.errors import StoreError
from archiver.fixity.expected import Expected, Wanted, add_local, add_remote, is_ledger, unknown
from archiver.fixity.files import MANIFEST, WARC_SUFFIXES, Checked
from archiver.fixity.lists import manifest_problems
from archiver.ledger.chain import verify_rows
from archiver.ledger.fixity import Fixity, Log
from archiver.ports import Store
from archiver.warc.members import Source
from archiver.warc.streamed import Streamed
from archiver.warc.verify import verify_source

_TRIES = 3  # readings of a file that comes damaged
_NEVER = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """`places`: what this check reads, in order. Of `listed` files; `oldest` is the time (ISO) of the longest unread
    of them before it, empty when there were files that were never read."""

    places: tuple[str, ...]
    listed: int
    oldest: str


@dataclass(slots=True)
class RemoteCheck:
    """One check of one collection; what it has found stands here even when it is interrupted.

    `told` is called with each file as it is done, with the number of files done and in all. `uploads` names what was
    sent in parts and never ended.
    """

    store: Store
    root: Path
    log: Log
    sample: float = 1.0
    at_once: int = 4
    told: Callable[[Checked, int, int], None] = lambda *_: None
    uploads: Callable[[], Awaitable[Sequence[str]]] | None = None
    found: list[Fixity] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unfinished: tuple[str, ...] = ()
    plan: Plan | None = None
    bytes_read: int = 0
    damaged: int = 0
    unlisted: int = 0

    @property
    def prefix(self) -> str:
        """Of this collection's keys."""
        return f"collections/{self.root.name}/"

    async def run(self) -> None:
        """Raises StoreError when the store fails past its tries; then what was checked so far stands in `found`."""
        listed, uris = await self._list()
        expected = Expected(self.root.name)
        await asyncio.to_thread(add_local, expected, self.root)
        here = frozenset(path.name for path in self.root.glob("logs/ledger-*.jsonl"))
        await add_remote(expected, self.store, self.prefix, listed, here=here, quick=self.sample < 1)
        self.notes += expected.sources or ["nothing says what should be there: each file by itself"]
        self.notes += expected.problems
        self.unknown = sorted(unknown(expected, listed))
        for place in sorted(expected.files.keys() - listed.keys()):
            if there := await self.store.stat(self.prefix + place):
                listed[place], uris[place] = there.size, there.uri
                self.unlisted += 1
            else:
                await self._missing(place, expected.files[place])
        if self.unlisted:
            self.notes.append(f"{self.unlisted} files that the bucket does not list and holds")
        await self._look_for_uploads()
        self.plan = plan(listed, self.log, self.sample)
        await self._read_all(self.plan.places, listed, uris, expected)

    def summary(self) -> dict[str, object]:
        """Numbers, and the place in the rotating plan."""
        states = [one.state for one in self.found]
        left = {place for place in (self.plan.places if self.plan else ())} - {one.file for one in self.found}
        return {
            "files": len(states), "bytes": self.bytes_read, "damaged": states.count("damaged"),
            "missing": states.count("missing"), "unknown": len(self.unknown), "unknown_files": self.unknown[:20],
            "unfinished": len(self.unfinished),
            "listed": self.plan.listed if self.plan else 0, "sample": round(100 * self.sample, 6),
            "left": len(left), "oldest": self.plan.oldest if self.plan else "",
        }  # fmt: skip

    async def _list(self) -> tuple[dict[str, int], dict[str, str]]:
        sizes: dict[str, int] = {}
        uris: dict[str, str] = {}
        async for stored in self.store.list(self.prefix):
            place = stored.key.removeprefix(self.prefix)
            sizes[place] = stored.size
            uris[place] = stored.uri
        return sizes, uris

    async def _look_for_uploads(self) -> None:
        """Another right than those to list and get: without it, that is told."""
        try:
            self.unfinished = () if self.uploads is None else tuple(await self.uploads())
        except StoreError as error:
            self.notes.append(f"uploads in parts were not looked for: {error}")

    async def _missing(self, place: str, wanted: Wanted) -> None:
        """Neither listed nor there when it is asked for by name; a listing may lag behind."""
        local = await asyncio.to_thread((self.root / place).is_file)
        one = Checked(path=self.root / place, name=place, told="not in the bucket")
        if wanted.must or not local:
            one.missing = True
            where = "is in the bucket" if wanted.must else "was stored on a disk"
            one.problems.append(f"{place}: it is said that it {where}, and it is not there, nor listed")
            self.found.append(Fixity(file=place, state="missing"))
            self.damaged += 1
        else:
            one.notes.append("it is here alone so far; `archiver upload` sends it")
        self.told(one, len(self.found), 0)

    async def _read_all(
        self, places: Sequence[str], sizes: dict[str, int], uris: dict[str, str], expected: Expected
    ) -> None:
        waiting = iter(places)
        done = 0

        async def work() -> None:
            nonlocal done
            for place in waiting:
                one = await self._check(place, sizes[place], uris[place], expected)
                done += 1
                self.told(one, done, len(places))

        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(min(self.at_once, len(places))):
                    group.create_task(work())
        except BaseExceptionGroup as failed:
            raise next(_leaves(failed)) from failed

    async def _check(self, place: str, size: int, uri: str, expected: Expected) -> Checked:
        """One file: its length, its bytes, and what it holds, up to `_TRIES` times where it does not come whole."""
        wanted = expected.files.get(place, Wanted())
        read = await self._read(place, size, wanted)
        tried = 1
        while read.problems and tried < _TRIES:
            before, read = read, await self._read(place, size, wanted)
            if before.sha256 == read.sha256:
                break
            tried += 1
        one = Checked(path=self.root / place, name=place, told=read.told, sha256=read.sha256, size=read.size, uri=uri)
        one.problems += read.problems
        if not read.problems and tried > 1:
            one.notes.append("came damaged first, and whole then: the fault lies on the way")
        if not wanted.digests and not expected.is_growing(place) and not is_ledger(place):
            one.notes.append("nothing says what its bytes should be; it was checked by itself")
        state = "damaged" if one.problems else "holds"
        self.damaged += bool(one.problems)
        self.found.append(Fixity(file=place, state=state, sha256=one.sha256, problems=tuple(one.problems)))
        return one

    async def _read(self, place: str, size: int, wanted: Wanted) -> _Read:
        key, loop = self.prefix + place, asyncio.get_running_loop()
        async with contextlib.aclosing(_closing(self.store.chunks(key))) as chunks:
            bridge = _Bridge(loop, self.store, key, chunks)
            try:
                read = await asyncio.to_thread(_check_bytes, place, size, bridge)
            finally:
                bridge.ended = True
        self.bytes_read += read.size
        if wanted.size is not None and wanted.size != read.size:
            read.problems.insert(0, f"{place}: {read.size} bytes, it should have {wanted.size}")
        if wanted.digests and read.sha256 not in wanted.digests:
            said = sorted(wanted.digests)[0]
            read.problems.insert(0, f"{place}: SHA-256 is {read.sha256}, it should be {said}")
        return read


def plan(listed: dict[str, int], log: Log, sample: float) -> Plan:
    """The part of a rotation that comes next: `sample` (0 to 1] of the files, longest unread first, by the log.

    Ties go by a hash of the name, so that large and small files mix. With p% every file is read once in 100/p runs.
    """
    known = log.remote

    def turn(place: str) -> tuple[str, bytes]:
        return known[place].t if place in known else _NEVER, sha256(place.encode()).digest()

    order = sorted(listed, key=turn)
    oldest = turn(order[0])[0] if order else _NEVER
    return Plan(places=tuple(order[: ceil(round(len(order) * sample, 6))]), listed=len(order), oldest=oldest)


@dataclass(slots=True)
class _Read:
    """What one reading came to."""

    told: str
    sha256: str
    size: int
    problems: list[str]


class _Bridge:
    """An async stream for a thread that reads it. `ended`: nobody waits for the thread any more."""

    def __init__(self, loop: asyncio.AbstractEventLoop, store: Store, key: str, chunks: AsyncIterator[bytes]) -> None:
        self._loop = loop
        self._store = store
        self._key = key
        self._chunks = chunks
        self.ended = False

    def pieces(self) -> Iterator[bytes]:
        while piece := self._ask(_next_of(self._chunks)):
            yield piece

    def again(self, offset: int, length: int) -> bytes:
        return self._ask(self._store.read(self._key, offset, length))

    def _ask(self, work: Coroutine[None, None, bytes]) -> bytes:
        if self.ended:
            work.close()
            raise StoreError(f"{self._key}: the reading was given up")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


async def _next_of(chunks: AsyncIterator[bytes]) -> bytes:
    return await anext(chunks, b"")


async def _closing(chunks: AsyncIterator[bytes]) -> AsyncGenerator[bytes]:
    async for piece in chunks:
        yield piece


def _check_bytes(place: str, size: int, bridge: _Bridge) -> _Read:
    """In a thread: the strict reader over a WARC, the chain over a ledger segment, the form of a manifest; of the rest
    the digest alone."""
    stream = Streamed(bridge.pieces(), bridge.again)
    told, problems = "file", []
    if place.endswith(WARC_SUFFIXES):
        report = verify_source(place.rpartition("/")[2], Source(stream.read_at, size))
        told, problems = f"{report.records} records", [str(problem) for problem in report.errors]
    elif is_ledger(place):
        chain = verify_rows(_lines_of(stream))
        told, problems = f"{chain.rows} ledger rows", [f"{place}: {problem}" for problem in chain.problems]
    elif place.endswith(MANIFEST):
        text = b"".join(_lines_of(stream)).decode("utf-8", "replace")
        told, problems = "manifest", [f"{place}: {problem}" for problem in manifest_problems(text)]
    digest = stream.sha256()
    if stream.read != size:
        problems.append(f"{place}: {stream.read} bytes came, the listing says {size}")
    return _Read(told=told, sha256=digest, size=stream.read, problems=problems)


def _lines_of(stream: Streamed) -> Iterator[bytes]:
    rest, offset = b"", 0
    while piece := stream.read_at(1 << 18, offset):
        offset += len(piece)
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            yield line + b"\n"
    if rest:
        yield rest


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
