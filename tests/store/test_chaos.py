"""Random faults on every kind of request, by seed: what is acknowledged is there, and nothing else is called so."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from archiver.errors import StoreError, StoreSetupError
from archiver.store import S3Settings, S3Store, SpoolJournal, Uploader, UploadLimits, spool_file
from archiver.store.probe import probe
from archiver.store.s3client import S3Timing
from tests.servers.authority import Authority
from tests.servers.seaweed import S3Server
from tests.store.conftest import file_of
from tests.store.faulty import Plan, faulty
from tests.store.loose import loose

pytestmark = pytest.mark.system

Make = Callable[..., S3Settings]
RATE = 0.4
FAULTS = {
    "put": ["503", "reset-mid-request", "lost-response", "corrupt-request", "duplicate", "empty-200", "507"],
    "part": ["503", "reset-mid-request", "lost-response", "corrupt-request", "duplicate"],
    "create": ["503", "reset-mid-request", "lost-response", "duplicate"],
    "complete": ["503", "200-error", "lost-response", "duplicate", "reset-mid-request"],
    "get": ["503", "corrupt-response", "truncate-response", "stale-404", "empty-200", "reset-mid-request"],
    "head": ["503", "stale-404", "reset-mid-request"],
    "delete": ["503", "403-denied"],
}
PART = 5 << 20
QUICK = UploadLimits(at_once=4, pause=0.02, longest_pause=0.2)
SEEDS = [pytest.param(seed, marks=[pytest.mark.soak] if seed > 2 else []) for seed in range(1, 21)]


@pytest.fixture
def plan(s3_server: S3Server, authority: Authority) -> Iterator[Plan]:
    with faulty(s3_server.endpoint, authority) as found:
        yield found


@pytest.mark.parametrize("seed", SEEDS)
async def test_all_that_is_acknowledged_reads_back_equal(settings: Make, plan: Plan, tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    plan.chaos = lambda operation: rng.choice(FAULTS.get(operation, [""])) if rng.random() < RATE else ""
    made = settings(endpoint_url=plan.endpoint, part_size=PART, single_limit=PART)
    store, journal = S3Store(made), SpoolJournal(tmp_path / "u.sqlite", tmp_path, made.place)
    sizes = [0, 1, *(rng.randrange(1, 200_000) for _ in range(8)), PART + rng.randrange(1, 1000)]
    files = [file_of(tmp_path, os.urandom(size), f"collections/x/archive/{n}")[0] for n, size in enumerate(sizes)]
    async with Uploader(store, journal, limits=QUICK, moved=lambda: store.counts.moved) as uploader:
        await uploader.add([spool_file(path, tmp_path) for path in files])
        drained = await uploader.drain(patience=60.0)
    assert (drained.left, drained.error) == ((), None)
    plan.chaos = lambda operation: ""
    for path in files:
        key = path.relative_to(tmp_path).as_posix()
        assert await store.read(key) == path.read_bytes()
        assert (await store.stat(key)) == drained.stored[key]
    listed = {one.key async for one in store.list("collections/x/")}
    assert listed == set(drained.stored)
    assert store.counts.again > 0 and sum(store.counts.requests.values()) > store.counts.again
    await store.close()
    journal.close()


async def test_everything_sent_twice_is_as_if_once(settings: Make, plan: Plan, tmp_path: Path) -> None:
    plan.chaos = lambda operation: "duplicate"
    made = settings(endpoint_url=plan.endpoint, part_size=PART, single_limit=PART)
    store = S3Store(made)
    for name, data in (("small", b"bytes"), ("large", os.urandom(PART + 9))):
        path, sha256 = file_of(tmp_path, data, name)
        assert (await store.put(name, path, sha256=sha256, metadata={})).sha256 == sha256
        assert await store.read(name) == data
    await store.close()


async def test_a_black_hole_holds_up_nobody_else_and_is_given_up(settings: Make, plan: Plan, tmp_path: Path) -> None:
    """One upload is never answered: the others land, and the end of the run does not wait for time-outs."""
    plan.faults["put"] = ["blackhole"]
    made = settings(endpoint_url=plan.endpoint, timing=S3Timing(connect=2.0, read=3600.0))
    store, journal = S3Store(made), SpoolJournal(tmp_path / "u.sqlite", tmp_path, made.place)
    files = [spool_file(file_of(tmp_path, b"file %d" % n, f"c/{n}")[0], tmp_path) for n in range(12)]
    async with asyncio.timeout(30.0):
        async with Uploader(store, journal, limits=QUICK, moved=lambda: store.counts.moved) as uploader:
            await uploader.add(files)
            drained = await uploader.drain(patience=0.7)
    assert len(drained.stored) == 11 and len(drained.left) == 1
    assert "gave no answer" in str(drained.error)
    assert len(journal.pending()) == 1
    await store.close()
    journal.close()


async def test_a_503_storm_is_no_hot_loop(settings: Make, plan: Plan, tmp_path: Path) -> None:
    """F-16: pauses grow, so that even a store that is away for long is asked seldom."""
    made = settings(endpoint_url=plan.endpoint, timing=S3Timing(pause=0.5, longest_pause=20.0))
    store = S3Store(made)
    pauses = [store._requests.pause(attempt) for attempt in range(1, 6) for _ in range(200)]
    assert min(pauses) >= 0.25 and max(pauses) <= 16.0
    plan.faults["put"] = ["503", "503"]
    path, sha256 = file_of(tmp_path, b"bytes")
    await store.put("key", path, sha256=sha256, metadata={})
    assert (store.counts.again, store.counts.requests["put_object"]) == (2, 3)
    await store.close()


async def test_encryption_class_and_tags_go_with_every_object(settings: Make, plan: Plan, tmp_path: Path) -> None:
    made = settings(tags=(("project", "news & more"), ("a", "b")), part_size=PART, single_limit=PART)
    store = S3Store(made)
    from archiver.store.s3client import make_client

    client = make_client(made, 1)
    for name, data in (("small", b"bytes"), ("large", os.urandom(PART + 9))):
        path, sha256 = file_of(tmp_path, data, name)
        await store.put(name, path, sha256=sha256, metadata={})
        tags = client.get_object_tagging(Bucket=made.bucket, Key=store.full_key(name))["TagSet"]
        assert {one["Key"]: one["Value"] for one in tags} == {"project": "news & more", "a": "b"}
    client.close()
    await store.close()
    more = settings(sse="aws:kms", sse_kms_key_id="key-1", storage_class="STANDARD_IA", tags=(("a", "b c"),)).creation
    assert more == {
        "ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "key-1", "StorageClass": "STANDARD_IA", "Tagging": "a=b+c",
    }  # fmt: skip
    assert settings().creation == {}


async def test_encryption_and_class_are_sent_with_objects_and_uploads_in_parts(
    settings: Make, plan: Plan, tmp_path: Path
) -> None:
    made = settings(
        endpoint_url=plan.endpoint, sse="aws:kms", sse_kms_key_id="key-1", storage_class="STANDARD_IA",
        tags=(("a", "b c"),), part_size=PART, single_limit=PART, attempts=1,
    )  # fmt: skip
    plan.always |= {"put": "501", "create": "501"}
    store = S3Store(made)
    for name, data in (("small", b"bytes"), ("large", bytes(PART + 9))):
        path, sha256 = file_of(tmp_path, data, name)
        with pytest.raises(StoreSetupError):
            await store.put(name, path, sha256=sha256, metadata={})
    await store.close()
    sent = [(operation, head) for operation, head in plan.heads if operation in ("put", "create")]
    assert [operation for operation, _ in sent] == ["put", "create"]
    for _, head in sent:
        assert head["x-amz-server-side-encryption"] == "aws:kms"
        assert head["x-amz-server-side-encryption-aws-kms-key-id"] == "key-1"
        assert (head["x-amz-storage-class"], head["x-amz-tagging"]) == ("STANDARD_IA", "a=b+c")


@pytest.mark.parametrize("large", [False, True], ids=["single", "parts"])
async def test_a_store_that_does_not_say_that_it_encrypts_is_not_taken_at_its_word(
    settings: Make, authority: Authority, tmp_path: Path, large: bool
) -> None:
    path, sha256 = file_of(tmp_path, b"bytes")
    with loose(authority, "encryption") as careless:
        limit = {"single_limit": 1} if large else {}
        made = settings(endpoint_url=careless.endpoint, sse="AES256", verify_upload="readback", **limit)
        store = S3Store(made)
        for _ in range(1 if large else 2):  # neither at first, nor when the object is found to be there
            with pytest.raises(StoreSetupError, match="asks for AES256, the store says nothing"):
                await store.put("key", path, sha256=sha256, metadata={})
        with pytest.raises(StoreError, match="asked for AES256"):
            await probe(made)
        await store.close()


async def test_a_store_that_encrypts_is_believed(settings: Make, authority: Authority, tmp_path: Path) -> None:
    path, sha256 = file_of(tmp_path, b"bytes")
    with loose(authority) as careful:
        made = settings(endpoint_url=careful.endpoint, sse="AES256", verify_upload="readback")
        store = S3Store(made)
        assert (await store.put("key", path, sha256=sha256, metadata={})).size == 5
        await probe(made)
        await store.close()


async def test_a_gateway_that_never_says_continue_gets_its_bodies_all_the_same(
    settings: Make, plan: Plan, tmp_path: Path
) -> None:
    plan.always["no-continue"] = "yes"
    store = S3Store(settings(endpoint_url=plan.endpoint, timing=S3Timing(connect=2.0, read=1.5, pause=0.01)))
    for name in ("one", "two"):
        path, sha256 = file_of(tmp_path, name.encode(), name)
        await store.put(name, path, sha256=sha256, metadata={})
    await store.close()
    assert [("expect" in head) for operation, head in plan.heads if operation == "put"][-1] is False


async def test_what_a_gateway_swallowed_is_no_empty_file(settings: Make, plan: Plan, tmp_path: Path) -> None:
    path, sha256 = file_of(tmp_path, b"", "hidden.aclj")
    store = S3Store(settings(endpoint_url=plan.endpoint))
    plan.always |= {"put": "empty-200", "get": "empty-200"}
    with pytest.raises(StoreError):
        await store.put("key", path, sha256=sha256, metadata={})
    plan.always.clear()
    assert (await store.put("key", path, sha256=sha256, metadata={})).size == 0
    await store.close()
