"""`archiver verify` as a process: interrupted, it says how far it came, and goes on from there."""

from __future__ import annotations

import gzip
import signal
import time
from pathlib import Path

import pytest

from tests.system.cli import archiver, running

pytestmark = pytest.mark.system


def _record(number: int, block: bytes) -> bytes:
    head = (
        f"WARC/1.1\r\nWARC-Type: resource\r\nWARC-Record-ID: <urn:uuid:{number}>\r\nWARC-Date: 2026-11-23T12:00:00Z\r\n"
        f"WARC-Target-URI: urn:x:{number}\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return gzip.compress(head.encode() + block + b"\r\n\r\n", 1)


def test_an_interrupted_check_goes_on(tmp_path: Path) -> None:
    archive = tmp_path / "crawls/collections/main/archive"
    archive.mkdir(parents=True)
    (archive.parent / "logs").mkdir()
    (archive / "a.warc.gz").write_bytes(b"".join(_record(number, b"a") for number in range(2000)))
    large = archive / "b.warc.gz"
    large.write_bytes(_record(2, bytes(64 << 20)) * 150)  # 10 GB when inflated: it is not read to its end here
    env = {"XDG_STATE_HOME": str(tmp_path / "state")}
    with running("verify", cwd=tmp_path, env=env) as process:
        state = tmp_path / "state/archiver/verify"
        while process.poll() is None and sum(path.stat().st_size for path in state.glob("*.sqlite")) < 20_000:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 11 and "1 of 2 files of main are read; the same command goes on" in said, said
    large.unlink()
    ran = archiver("verify", cwd=tmp_path, env=env)
    assert ran.code == 0 and "1 files of main were read by a check that was interrupted" in ran.err, ran.out + ran.err
    assert not list(state.glob("*")), "nothing is left of a check that ended"
    assert "interrupted" not in archiver("verify", cwd=tmp_path, env=env).err
