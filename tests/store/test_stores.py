"""What every store promises, asked of each of them: memory, local folder, SeaweedFS over TLS."""

from __future__ import annotations

import hashlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.errors import StoreError
from archiver.ports import Store
from archiver.store import LocalStore, MemoryStore, S3Settings, S3Store, StoreConflict
from archiver.store.files import check_key, is_private, may_hold_private
from tests.store.conftest import file_of

pytestmark = pytest.mark.system

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


async def test_pieces_and_lists(store: Store, tmp_path: Path) -> None:
    data = os.urandom((2 << 20) + 5)
    keys = {KEY: data, "collections/news/indexes/x.cdxj": b"", "collections/other/archive/y": b"yy",
            "collections/news/dark/z.warc.gz": b"dark", "collections/news/restricted/indexes/z": b"r"}  # fmt: skip
    for number, (key, content) in enumerate(keys.items()):
        path, sha256 = file_of(tmp_path, content, f"file-{number}")
        await store.put(key, path, sha256=sha256, metadata={})
    for start, length in ((0, None), (5, None), (7, 1 << 20), (0, 10), (3, 0), (0, 5 << 20)):
        pieces = [piece async for piece in store.chunks(KEY, start, length)]
        assert b"".join(pieces) == data[start : None if length is None else start + length]
        assert max(map(len, pieces), default=0) <= 1 << 20
    assert [piece async for piece in store.chunks("collections/news/indexes/x.cdxj")] == []
    with pytest.raises(StoreError):
        [piece async for piece in store.chunks("collections/news/archive/none")]
    for prefix in ("", "coll", "collections/news/", "collections/news/dark/", "collections/news/archive", "none/"):
        found = {one.key: one.size async for one in store.list(prefix)}
        assert found == {key: len(content) for key, content in keys.items() if key.startswith(prefix)}


@pytest.mark.parametrize("key", ["collections/n/restricted/a", "collections/n/dark/indexes/a", "collections/n/dark/a"])
def test_restricted_and_dark_files_lie_in_a_tree_of_their_own(settings: Callable[..., S3Settings], key: str) -> None:
    assert S3Store(settings(path="pre/fix")).full_key(key) == f"pre/fix/private/{key}"
    assert S3Store(settings(path="", private_path="a/b")).full_key(key) == f"a/b/{key}"
    for public in ("collections/n/archive/a", "collections/dark/archive/a", "collections/n/dark", "dark/n/dark/a"):
        assert S3Store(settings(path="pre/fix")).full_key(public) == f"pre/fix/{public}"
        assert not is_private(public)


@given(
    st.text("collectinsdark/re", max_size=40), st.sampled_from(["archive", "dark", "restricted"]), st.integers(0, 60)
)
def test_no_listing_leaves_out_the_private_tree_where_it_matters(name: str, folder: str, cut: int) -> None:
    key = f"collections/{name.replace('/', '') or 'x'}/{folder}/indexes/a"
    prefix = key[:cut]
    assert may_hold_private(prefix) or not is_private(key)
