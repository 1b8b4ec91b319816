"""What every store promises, asked of each of them: memory, local folder, SeaweedFS over TLS."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.errors import StoreError
from archiver.ports import Store
from archiver.store import LocalStore, MemoryStore, S3Settings, S3Store, StoreConflict
from archiver.store.files import check_key
from tests.store.conftest import file_of

KEY = "collections/news/archive/x.warc.gz"


@pytest.fixture(params=["memory", "local", "s3"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, settings: Callable[..., S3Settings]
) -> AsyncIterator[Store]:
    made: Store
    if request.param == "memory":
        made = MemoryStore()
    elif request.param == "local":
        made = LocalStore(tmp_path / "out")
    else:
        made = S3Store(settings())
    yield made
    await made.close()


@pytest.mark.parametrize("data", [b"", b"x", b"0123456789" * 20_000])
async def test_what_was_put_is_there(store: Store, tmp_path: Path, data: bytes) -> None:
    path, sha256 = file_of(tmp_path, data)
    stored = await store.put(KEY, path, sha256=sha256, metadata={"access": "open", "note": "ümläut"})
    assert (stored.sha256, stored.size) == (sha256, len(data))
    assert stored.uri.endswith(KEY)
    assert await store.stat(KEY) == stored
    assert await store.read(KEY) == data
    assert await store.read(KEY, 3, 4) == data[3:7] if len(data) > 3 else True
    assert await store.read(KEY, 0, 0) == b""


async def test_putting_again_is_harmless_and_another_file_is_refused(store: Store, tmp_path: Path) -> None:
    path, sha256 = file_of(tmp_path, b"one")
    first = await store.put(KEY, path, sha256=sha256, metadata={})
    assert await store.put(KEY, path, sha256=sha256, metadata={}) == first
    other, other_sha256 = file_of(tmp_path, b"two", "y")
    with pytest.raises(StoreConflict):
        await store.put(KEY, other, sha256=other_sha256, metadata={})
    assert await store.read(KEY) == b"one"


async def test_a_file_that_changed_or_went_is_refused(store: Store, tmp_path: Path) -> None:
    path, _ = file_of(tmp_path, b"one")
    with pytest.raises(StoreConflict, match=r"changed after|disk holds"):
        await store.put(KEY, path, sha256=hashlib.sha256(b"was").hexdigest(), metadata={})
    with pytest.raises(StoreConflict, match="cannot be read"):
        await store.put(KEY, tmp_path / "gone", sha256=hashlib.sha256(b"").hexdigest(), metadata={})


async def test_what_is_absent(store: Store) -> None:
    assert await store.stat(KEY) is None
    with pytest.raises(StoreError):
        await store.read(KEY)


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", "../a", "a/../b", "a/./b", "a\\b", "a\nb", "x" * 901])
async def test_keys_that_would_escape(store: Store, tmp_path: Path, key: str) -> None:
    path, sha256 = file_of(tmp_path, b"one")
    with pytest.raises(ValueError, match="not a store key"):
        await store.put(key, path, sha256=sha256, metadata={})


@given(st.text())
def test_a_key_stays_below_its_root(key: str) -> None:
    try:
        check_key(key)
    except ValueError:
        return
    assert Path("/root", key).is_relative_to("/root")
    assert ".." not in Path(key).parts
