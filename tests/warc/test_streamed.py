"""A file that comes once is judged as one that lies on disk."""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.warc.members import Source
from archiver.warc.streamed import KEPT, Streamed
from archiver.warc.verify import Report, verify_file, verify_source
from tests.warc.samples import capture, document, exchange, page, streams


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def judged(data: bytes, size: int) -> tuple[Report, Streamed, list[int]]:
    """The report, and where was read again."""
    again: list[int] = []

    def read(offset: int, length: int) -> bytes:
        again.append(offset)
        return data[offset : offset + length]

    stream = Streamed(pieces(data, size), read)
    return verify_source("x.warc.gz", Source(stream.read_at, len(data))), stream, again


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Small records, and one of 9 MB that does not compress: more than is kept."""
    made = streams(tmp_path_factory.mktemp("made"))
    made.write([page(1), document()])
    made.write([capture(exchange("http://example.org/large", body=os.urandom(9 << 20)))])
    made.write([page(2)])
    return Path(made.roll()[0].path).read_bytes()


@pytest.mark.parametrize("size", [1000, 65536, 1 << 20, 1 << 26])
def test_a_stream_is_judged_as_the_file(tmp_path: Path, content: bytes, size: int) -> None:
    (tmp_path / "x.warc.gz").write_bytes(content)
    report, stream, again = judged(content, size)
    assert report == verify_file(tmp_path / "x.warc.gz") and report.ok
    assert not again, "a whole file is read once"
    assert stream.sha256() == hashlib.sha256(content).hexdigest() and stream.read == len(content)


@pytest.mark.parametrize("where", [0, 700, 3 << 20, -300])
def test_behind_damage_it_goes_on_as_with_a_file(tmp_path: Path, content: bytes, where: int) -> None:
    data = bytearray(content)
    data[where] ^= 0x55
    (tmp_path / "x.warc.gz").write_bytes(data)
    report, stream, again = judged(bytes(data), 1 << 20)
    assert report == verify_file(tmp_path / "x.warc.gz") and not report.ok
    assert bool(again) is (where == 3 << 20), "only the search behind a large damaged record goes far back"
    assert stream.sha256() == hashlib.sha256(data).hexdigest()


def test_what_is_kept_is_bounded() -> None:
    stream = Streamed((bytes(1 << 20) for _ in range(64)), lambda offset, length: b"again")
    most = 0
    for offset in range(0, 64 << 20, 1 << 18):
        assert stream.read_at(1 << 18, offset) == bytes(1 << 18)
        most = max(most, stream.kept)
    assert most <= 2 * KEPT + (2 << 20)
    assert stream.read_at(5, 0) == b"again" and stream.read_at(1, 64 << 20) == b""


def test_a_cut_stream_is_told(content: bytes) -> None:
    stream = Streamed(pieces(content[:-5], 4096), lambda offset, length: b"")
    report = verify_source("x.warc.gz", Source(stream.read_at, len(content)))
    assert not report.ok and stream.read == len(content) - 5


def test_faults_of_whoever_brings_the_bytes_pass_through() -> None:
    def broken() -> Iterator[bytes]:
        yield gzip.compress(b"WARC/1.1\r\n" + os.urandom(3000))[:1000]
        raise ConnectionError("gone")

    stream = Streamed(broken(), lambda offset, length: b"")
    with pytest.raises(ConnectionError):
        verify_source("x.warc.gz", Source(stream.read_at, 5000))
