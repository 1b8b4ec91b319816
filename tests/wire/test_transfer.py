"""Transfer codings are undone or say why not."""

from __future__ import annotations

import gzip
import zlib

import pytest

from archiver.spooled import Spool
from archiver.wire.transfer import undo_codings

DATA = b"data " * 1000


@pytest.mark.parametrize(
    ("coding", "coded", "problem"),
    [
        (b"gzip", gzip.compress(DATA), None),
        (b"x-gzip", gzip.compress(DATA), None),
        (b"deflate", zlib.compress(DATA), None),
        (b"gzip", gzip.compress(DATA)[:-20], "ends too early"),
        (b"gzip", b"not gzip", "broken"),
        (b"gzip", gzip.compress(b"\0" * (5 << 20)), "grows to more than"),
        (b"compress", b"x", "unknown"),
    ],
    ids=["gzip", "x-gzip", "deflate", "cut", "broken", "bomb", "unknown"],
)
def test_codings(coding: bytes, coded: bytes, problem: str | None) -> None:
    into = Spool()
    pieces = [coded[:10], coded[10:]]
    found = undo_codings(pieces, (coding,), wire_bytes=len(coded), into=into)
    if problem is None:
        assert found is None and into.read() == DATA
    else:
        assert found is not None and problem in found
    assert into.size <= 2 << 20


def test_two_codings_are_left_alone() -> None:
    assert undo_codings([b"x"], (b"gzip", b"deflate"), wire_bytes=1, into=Spool()) is not None
