"""What outlives a job about files of sites."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from archiver.errors import DiskError
from archiver.model.site_file import SiteFile, SiteFileState
from archiver.ports import SiteFileMemory
from archiver.wire.site_files_state import MemorySiteFiles, SqliteSiteFiles

URL = "https://h.test/.well-known/tdmrep.json"
FILE = SiteFile(
    url=URL, state=SiteFileState.FOUND, asked_at=2.5, status=200, fetched_at=2.0, body=b"[]\xff" * 1000,
    record_id="urn:uuid:1", error="",
)  # fmt: skip
ABSENT = SiteFile(url=URL, state=SiteFileState.ABSENT, asked_at=3.0, status=404)


@pytest.fixture(params=["memory", "sqlite"])
def memory(request: pytest.FixtureRequest, tmp_path: Path) -> SiteFileMemory:
    return MemorySiteFiles() if request.param == "memory" else SqliteSiteFiles(str(tmp_path / "signals.sqlite"))


async def test_what_is_saved_is_loaded_and_replaced(memory: SiteFileMemory) -> None:
    assert await memory.load(URL) is None
    await memory.save(FILE)
    assert await memory.load(URL) == FILE
    await memory.save(ABSENT)
    assert await memory.load(URL) == ABSENT
    assert await memory.load(f"{URL}x") is None
    await memory.close()


async def test_it_outlasts_the_process(tmp_path: Path) -> None:
    path = str(tmp_path / "signals.sqlite")
    first, second = SqliteSiteFiles(path), SqliteSiteFiles(path)
    await first.save(FILE)
    assert await second.load(URL) == FILE
    await first.close()
    await second.close()


async def test_the_oldest_go(tmp_path: Path) -> None:
    memory = SqliteSiteFiles(str(tmp_path / "signals.sqlite"), entries=2)
    for number in range(4):
        await memory.save(replace(FILE, url=str(number), asked_at=float(number)))
    assert [await memory.load(str(number)) is not None for number in range(4)] == [False, False, True, True]
    await memory.close()


@pytest.mark.parametrize("change", ["state = 'moon'", "body = x'00'"])
async def test_a_row_that_cannot_be_read_is_none(change: str, tmp_path: Path) -> None:
    path = tmp_path / "signals.sqlite"
    memory = SqliteSiteFiles(str(path))
    await memory.save(FILE)
    with sqlite3.connect(path) as connection:
        connection.execute(f"UPDATE site_files SET {change}")
    connection.close()
    assert await memory.load(URL) is None
    await memory.close()


async def test_a_file_that_cannot_be_opened_is_a_disk_error(tmp_path: Path) -> None:
    memory = SqliteSiteFiles(str(tmp_path))
    with pytest.raises(DiskError, match=str(tmp_path)):
        await memory.load(URL)
    await memory.close()
