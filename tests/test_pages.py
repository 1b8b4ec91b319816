"""The list of pages after a run that was cut off in the middle of a line."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from archiver.errors import DiskError
from archiver.pages import PagesFile

HEADER = b'{"format":"json-pages-1.0","id":"pages","title":"All Pages"}\n'
LINE = b'{"id":"1"}\n'


@pytest.mark.parametrize(
    ("torn", "left"),
    [
        (b"", HEADER),
        (HEADER[:20], HEADER),
        (HEADER + LINE, HEADER + LINE),
        (HEADER + LINE + LINE[:5], HEADER + LINE),
        (HEADER + LINE + b"\0" * 100_000, HEADER + LINE),
    ],
    ids=["empty", "torn-header", "whole", "torn-line", "zeros"],
)
def test_a_torn_line_is_cut_off(tmp_path: Path, torn: bytes, left: bytes) -> None:
    path = tmp_path / "pages.jsonl"
    path.write_bytes(torn)
    PagesFile(tmp_path).close()
    assert path.read_bytes() == left
    assert all(json.loads(line) for line in path.read_bytes().splitlines())


def test_what_another_run_is_writing_is_left_alone(tmp_path: Path) -> None:
    other = PagesFile(tmp_path)
    with (tmp_path / "pages.jsonl").open("ab") as file:
        file.write(LINE[:5])
    PagesFile(tmp_path).close()
    assert (tmp_path / "pages.jsonl").read_bytes() == HEADER + LINE[:5]
    other.close()


def test_a_fifo_in_its_place(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pages.jsonl")
    with pytest.raises(DiskError, match="is no regular file"):
        PagesFile(tmp_path)
