"""The bucket as the engine uses it, from configuration to objects."""

from __future__ import annotations

import hashlib
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from archiver.clock import SYSTEM
from archiver.config import for_save
from archiver.errors import StoreAuthError
from archiver.store import S3Settings, S3Store, SpoolJournal
from archiver.store.remote import is_evidence, is_growing, open_remote
from tests.servers.seaweed import S3Server
from tests.store.conftest import file_of

pytestmark = pytest.mark.system


@dataclass(frozen=True)
class Closed:
    path: Path
    sha256: str


async def test_from_environment_to_bucket_and_again(tmp_path: Path, s3_server: S3Server, bucket: str) -> None:
    environ = {"HOME": str(tmp_path), **s3_server.environment(f"{bucket}/remote/")}
    storage = for_save(["https://example.org/"], {}, environ).storage
    assert storage is not None
    out = tmp_path / "out"
    warc = Closed(*file_of(out, b"warc", "collections/x/archive/a.warc.gz"))
    pages = Closed(*file_of(out, b"one page", "collections/x/pages/pages.jsonl"))
    async with AsyncExitStack() as stack:
        remote = await open_remote(storage, tmp_path / "u.sqlite", out, stack)
        await remote.add([warc, pages], {"access": "open"})
        drained = await remote.drain(last=True)
        assert (len(drained.stored), drained.left, drained.error) == (2, frozenset(), None)
        assert [one.key for one in await remote.untold()] == ["collections/x/archive/a.warc.gz"]
        await remote.mark_told(await remote.untold())
    pages = Closed(*file_of(out, b"one page, two pages", "collections/x/pages/pages.jsonl"))
    async with AsyncExitStack() as stack:
        remote = await open_remote(storage, tmp_path / "u.sqlite", out, stack)
        await remote.add([warc, pages], {"access": "open"})
        assert await remote.untold() == []
        journal = SpoolJournal(tmp_path / "u.sqlite", out)
        assert not journal.due("growing", 60.0, SYSTEM.epoch())
        drained = await remote.drained(growing=True, at_once=True)
        assert {key: one.size for key, one in drained.stored.items()} == {
            "collections/x/pages/pages.jsonl": 19,
            "collections/x/archive/a.warc.gz": 4,
        }
        assert drained.left == ()
        journal.close()
    store = S3Store(S3Settings(**storage.options()))
    assert await store.read("collections/x/pages/pages.jsonl") == b"one page, two pages"
    assert await store.read("collections/x/archive/a.warc.gz") == b"warc"
    await store.close()


async def test_a_refused_key_leaves_the_warc_of_every_index(tmp_path: Path, s3_server: S3Server, bucket: str) -> None:
    environ = {"HOME": str(tmp_path), **s3_server.environment(bucket), "STORE_SECRET_KEY": "wrong"}
    storage = for_save(["https://example.org/"], {}, environ).storage
    assert storage is not None
    path, _ = file_of(tmp_path, b"cdxj", "collections/x/indexes/a.warc.gz.cdxj")
    async with AsyncExitStack() as stack:
        remote = await open_remote(storage, tmp_path / "u.sqlite", tmp_path, stack)
        await remote.add([Closed(path, hashlib.sha256(b"cdxj").hexdigest())], {})
        drained = await remote.drain()
    assert drained.left == {"a.warc.gz", "a.warc.gz.cdxj"}
    assert isinstance(drained.error, StoreAuthError)


GROWING = (
    "collections/x/pages/pages.jsonl", "collections/x/reports/a/b.html", "collections/x/README.txt",
    "collections/x/collection.json", "collections/x/manifest-sha256.txt", "collections/x/dark/manifest-sha256.txt",
    "collections/x/indexes/merged/0.cdxj", "collections/x/restricted/indexes/merged/3.cdxj",
)  # fmt: skip
EVIDENCE = (
    "collections/x/archive/pages.warc.gz", "collections/x/indexes/a.warc.gz.cdxj", "collections/x/dark/a.warc.gz",
    "collections/x/dark/indexes/a.warc.gz.cdxj",
)  # fmt: skip


@pytest.mark.parametrize(
    "key", [*GROWING, *EVIDENCE, "collections/x/pages", "pages/a/b/c", "collections/x/logs/a.jsonl"]
)
def test_what_is_written_anew_and_what_is_evidence(key: str) -> None:
    assert (is_growing(key), is_evidence(key)) == (key in GROWING, key in EVIDENCE)
