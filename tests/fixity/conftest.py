"""One small crawl for all tests here: two open WARCs, a revisit across them, a dark one; each test gets a copy."""

from __future__ import annotations

import random
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.raw import raw_server, respond
from tests.system.cli import archiver

_SAME = b"<title>same</title>" + b"s" * 3000
_RANDOM = random.Random(5)  # fixed, so that the sizes and with them the roll-overs are the same in each run


def _page() -> bytes:
    return respond(_RANDOM.randbytes(9000).hex().encode())


_PAGES = {
    "/": respond(b"<title>i</title>" + b"".join(b"<a href=/%c>x</a>" % name for name in b"abcdn")),
    "/a": respond(_SAME),
    "/b": _page(),
    "/c": _page(),
    "/d": respond(_SAME),
    "/n": respond(b"<title>n</title>secret", headers="X-Robots-Tag: noarchive\r\n"),
}


@pytest.fixture(scope="module")
def crawled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The collection's folder."""
    work = tmp_path_factory.mktemp("crawled")
    with raw_server(_PAGES) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(work))
        config = work / "c.yaml"
        config.write_text(
            f"seeds: [{{url: '{server.url('/')}'}}]\nrolloverSize: 15000\ndelay: 0\nconcurrency: 1\n"
            f"allowAddresses: ['127.0.0.1:{server.port}']\n"
        )
        ran = archiver("crawl", str(config), cwd=work)
        assert ran.code == 0, ran.err
    yield work / "crawls/collections/main"


@pytest.fixture
def root(crawled: Path, tmp_path: Path) -> Path:
    """A copy of its own, to be damaged."""
    copy = tmp_path / "crawls/collections/main"
    shutil.copytree(crawled, copy)
    return copy
