"""A collection checked where a store keeps it: what is found, how it rotates, and how little it needs."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from archiver.clock import ManualClock
from archiver.errors import StoreError
from archiver.fixity.files import Checked
from archiver.fixity.remote import RemoteCheck
from archiver.ledger import fixity
from archiver.model import Actor, StoredObject
from archiver.store import MemoryStore

pytestmark = pytest.mark.system

PREFIX = "collections/main/"
PERSON = Actor(name="tests", through="tests")


@dataclass(slots=True)
class Wire(MemoryStore):
    """A store that is far away: `flips` and `breaks` are keys, each as often as it goes wrong on the way; `unlisted`
    keys are there and not listed; `lies` is what a key is answered with first."""

    flips: list[str] = field(default_factory=list)
    breaks: list[str] = field(default_factory=list)
    unlisted: list[str] = field(default_factory=list)
    lies: dict[str, list[bytes]] = field(default_factory=dict)
    sent: int = 0

    async def list(self, prefix: str = "") -> AsyncIterator[StoredObject]:
        async for one in MemoryStore.list(self, prefix):
            if one.key not in self.unlisted:
                yield one

    async def read(self, key: str, start: int = 0, length: int | None = None) -> bytes:
        if self.lies.get(key):
            return self.lies[key].pop(0)
        return await MemoryStore.read(self, key, start, length)

    async def chunks(self, key: str, start: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        data = await self.read(key, start, length)
        if key in self.breaks:
            raise StoreError(f"get_object {key}: no answer")
        if key in self.flips:
            self.flips.remove(key)
            data = data[:-1] + bytes([data[-1] ^ 1])
        self.sent += len(data)
        for at in range(0, len(data), 1000):
            yield data[at : at + 1000]


@pytest.fixture
def store(root: Path) -> Wire:
    """Everything of a collection but its state."""
    made = Wire()
    for path in root.rglob("*"):
        place = path.relative_to(root).as_posix()
        if path.is_file() and not place.startswith(("state/", "acl/")):
            made.objects[PREFIX + place] = path.read_bytes()
    return made


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """Where a local copy would be."""
    return tmp_path / "empty/collections/main"


async def run(
    store: MemoryStore, root: Path, sample: float = 1.0, log: fixity.Log | None = None
) -> tuple[RemoteCheck, dict[str, Checked]]:
    told: dict[str, Checked] = {}
    check = RemoteCheck(
        store=store, root=root, log=log or fixity.Log(), sample=sample,
        told=lambda one, done, of: told.update({one.name: one}),
    )  # fmt: skip
    await check.run()
    return check, told


def problems(told: dict[str, Checked]) -> list[str]:
    return [problem for one in told.values() for problem in one.problems]


def warc(store: MemoryStore, folder: str = "archive") -> str:
    return min(key for key in store.objects if key.startswith(f"{PREFIX}{folder}/") and key.endswith(".warc.gz"))


async def test_it_holds_without_a_local_copy(store: Wire, nowhere: Path) -> None:
    check, told = await run(store, nowhere)
    assert not problems(told) and not check.unknown and check.damaged == 0
    assert {PREFIX + name for name in told} == store.objects.keys()
    assert check.bytes_read == sum(map(len, store.objects.values()))
    assert "the bucket's manifest" in check.notes and "1 ledger segments in the bucket" in check.notes
    assert told[warc(store).removeprefix(PREFIX)].told.endswith("records")
    assert all(one.sha256 == hashlib.sha256(store.objects[PREFIX + one.file]).hexdigest() for one in check.found)
    assert not nowhere.exists()


@pytest.mark.parametrize("local", [True, False], ids=["local", "gone"])
@pytest.mark.parametrize("change", ["flipped", "cut", "gone", "index", "manifest-gone"])
async def test_what_is_wrong_is_found(store: Wire, root: Path, nowhere: Path, change: str, local: bool) -> None:
    key = warc(store)
    data = store.objects[key]
    if change == "flipped":
        store.objects[key] = data[:500] + bytes([data[500] ^ 1]) + data[501:]
    elif change == "cut":
        store.objects[key] = data[:-100]
    elif change in ("gone", "manifest-gone"):
        del store.objects[key]
    else:
        key = key.replace("/archive/", "/indexes/") + ".cdxj"
        store.objects[key] = store.objects[key].replace(b"200", b"404", 1)
    if change == "manifest-gone":
        for name in ("manifest-sha256.txt", "dark/manifest-sha256.txt"):
            del store.objects[PREFIX + name]
    check, told = await run(store, root if local else nowhere)
    name = key.removeprefix(PREFIX)
    if change == "manifest-gone" and local:  # no word that it was ever sent
        assert check.damaged == 0 and "here alone so far" in told[name].notes[0]
        return
    assert check.damaged == 1 and [one.name for one in told.values() if one.problems] == [name]
    text = "\n".join(told[name].problems)
    words = {"flipped": "SHA-256 is", "cut": "SHA-256 is", "index": "SHA-256 is"}.get(change, "it is not there")
    assert words in text
    if change in ("flipped", "cut"):
        assert f"{name.partition('/')[2]} at " in text, "the strict reader names file and offset"
    state = "missing" if "gone" in change else "damaged"
    assert [one.state for one in check.found if one.file == name] == [state]


@pytest.mark.parametrize("digits", ["0", "01"], ids=["once", "twice"])
async def test_a_manifest_damaged_on_its_way_accuses_nobody(store: Wire, nowhere: Path, digits: str) -> None:
    key = PREFIX + "manifest-sha256.txt"
    text = store.objects[key].decode()
    at = text.index(f"  {warc(store).removeprefix(PREFIX)}\n") - 64
    store.lies[key] = [(text[:at] + digit * 64 + text[at + 64 :]).encode() for digit in digits]
    check, told = await run(store, nowhere, sample=0.999)  # a sample is compared with the manifest alone
    assert check.damaged == 0 and not problems(told) and check.plan and len(check.found) == check.plan.listed


@pytest.mark.parametrize("text", ["", "\n", "half a line"], ids=["empty", "blank", "words"])
async def test_a_manifest_that_lists_nothing_is_damaged(store: Wire, nowhere: Path, text: str) -> None:
    store.objects[PREFIX + "manifest-sha256.txt"] = text.encode()
    check, told = await run(store, nowhere)
    assert told["manifest-sha256.txt"].problems and check.damaged == 1


async def test_an_answer_damaged_on_its_way_is_read_again(store: Wire, nowhere: Path) -> None:
    key = warc(store)
    store.flips = [key]
    check, told = await run(store, nowhere)
    assert not problems(told) and check.damaged == 0
    assert "the fault lies on the way" in told[key.removeprefix(PREFIX)].notes[0]
    store.flips = [key] * 9
    check, told = await run(store, nowhere)
    assert check.damaged == 1 and len(store.flips) == 7, "the same bytes twice are the store's"


async def test_what_a_lagging_list_leaves_out_is_read_all_the_same(store: Wire, nowhere: Path) -> None:
    store.unlisted = [warc(store)]
    check, told = await run(store, nowhere)
    assert problems(told) == [] and warc(store).removeprefix(PREFIX) in told
    assert "1 files that the bucket does not list and holds" in check.notes
    store.objects[warc(store)] = b"damaged"
    check, told = await run(store, nowhere)
    assert check.damaged == 1


async def test_keys_that_nothing_speaks_of(store: Wire, nowhere: Path) -> None:
    store.objects[PREFIX + "archive/stranger.warc.gz"] = store.objects[warc(store)]
    store.objects[PREFIX + "reports/x.html"] = b"written anew by whoever"
    check, told = await run(store, nowhere)
    assert check.unknown == ["archive/stranger.warc.gz"] and check.damaged == 0
    assert "nothing says what its bytes should be" in told["archive/stranger.warc.gz"].notes[0]


async def test_a_ledger_in_the_bucket_is_checked_row_by_row(store: Wire, nowhere: Path) -> None:
    key = next(key for key in store.objects if "/logs/ledger-" in key)
    for name in ("manifest-sha256.txt", "dark/manifest-sha256.txt"):
        del store.objects[PREFIX + name]
    lines = store.objects[key].splitlines(keepends=True)
    store.objects[key] = b"".join(lines[:4] + lines[5:])
    _, told = await run(store, nowhere)
    assert "a row is missing" in "\n".join(told[key.removeprefix(PREFIX)].problems)


async def test_a_store_that_fails_leaves_what_was_checked(store: Wire, nowhere: Path) -> None:
    store.breaks = [warc(store)]
    check = RemoteCheck(store=store, root=nowhere, log=fixity.Log(), at_once=1)
    with pytest.raises(StoreError, match="no answer"):
        await check.run()
    assert check.plan is not None
    done = check.plan.places.index(warc(store).removeprefix(PREFIX))
    assert [one.file for one in check.found] == list(check.plan.places[:done])
    assert check.summary()["left"] == len(check.plan.places) - done


async def test_a_rotating_plan_reads_everything_once_a_cycle(store: Wire, nowhere: Path, tmp_path: Path) -> None:
    clock, logs = ManualClock(), tmp_path / "logs"
    seen: list[str] = []
    for _ in range(5):
        check, _ = await run(store, nowhere, 0.2, fixity.read(fixity.segments(logs)))
        seen += [one.file for one in check.found]
        done = fixity.Check(where="remote", place="memory:", found=check.found, summary=check.summary())
        fixity.write(logs, clock, PERSON, done)
        clock.advance(86400)
    names = [key.removeprefix(PREFIX) for key in store.objects]
    assert set(seen) == set(names) and sorted(seen[: len(names)]) == sorted(names), "each once before any twice"
    log = fixity.read(fixity.segments(logs))
    assert log.remote.keys() == set(names) and len(log.checks) == 5
    first, second = seen[0], seen[len(names) :]
    assert second[:1] in ([], [first]), "then in the same order again"
    check, _ = await run(store, nowhere, 0.2, log)
    assert check.plan is not None and check.plan.oldest == min(one.t for one in log.remote.values())


async def test_a_sample_compares_the_whole_listing_and_fetches_no_ledger(store: Wire, nowhere: Path) -> None:
    gone = max(key for key in store.objects if key.startswith(f"{PREFIX}archive/"))
    del store.objects[gone]
    check, told = await run(store, nowhere, 0.0001)
    assert check.plan is not None and len(check.plan.places) == 1
    assert gone.removeprefix(PREFIX) in told and check.damaged == 1
    assert store.sent == check.bytes_read, "but for the manifests nothing else was read"
