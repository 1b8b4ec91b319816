"""The bucket as the engine uses it, from configuration to objects."""

from __future__ import annotations

import hashlib
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from archiver.config import for_save
from archiver.errors import StoreAuthError
from archiver.store import S3Settings, S3Store
from archiver.store.remote import is_growing, open_remote
from tests.servers.seaweed import S3Server
from tests.store.conftest import file_of


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
        drained = await remote.drain()
        assert (len(drained.stored), drained.left, drained.error) == (2, frozenset(), None)
    pages = Closed(*file_of(out, b"one page, two pages", "collections/x/pages/pages.jsonl"))
    async with AsyncExitStack() as stack:
        remote = await open_remote(storage, tmp_path / "u.sqlite", out, stack)
        await remote.add([warc, pages], {"access": "open"})
        drained = await remote.drain()
        assert {key: one.size for key, one in drained.stored.items()} == {
            "collections/x/pages/pages.jsonl": 19,
            "collections/x/archive/a.warc.gz": 4,
        }
        assert drained.left == frozenset()
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


def test_only_lists_and_reports_are_written_anew() -> None:
    assert is_growing("collections/x/pages/pages.jsonl")
    assert is_growing("collections/x/reports/a/b.html")
    for key in ("collections/x/archive/pages", "collections/pages/archive/x", "collections/x/pages", "pages/a/b/c"):
        assert not is_growing(key)
