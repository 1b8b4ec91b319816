"""The comparison that makes a benchmark void must see what it is there to see."""

import base64
import gzip
import hashlib
import importlib.util
import sys
from io import BytesIO
from pathlib import Path
from types import ModuleType

import pytest
from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

from tests.needs import ROOT


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bench_compare", ROOT / "infra/bench/compare.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


compare = _load()


class _File:
    """A WARC file in the making."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stream = path.open("wb")
        self._writer = WARCWriter(self._stream, gzip=True)

    def response(self, url: str, body: bytes, *headers: tuple[str, str], status: str = "200 OK") -> None:
        http = StatusAndHeaders(status, list(headers), protocol="HTTP/1.1")
        self._writer.write_record(
            self._writer.create_warc_record(url, "response", payload=BytesIO(body), http_headers=http)
        )

    def revisit(self, url: str, digest: str) -> None:
        http = StatusAndHeaders("200 OK", [], protocol="HTTP/1.1")
        record = self._writer.create_revisit_record(url, digest, "http://a/", "2026-11-23T12:00:00Z", http)
        self._writer.write_record(record)

    def done(self) -> str:
        self._stream.close()
        return str(self.path)


def _sha1(body: bytes) -> str:
    return "sha1:" + base64.b32encode(hashlib.sha1(body).digest()).decode()


def test_codings_and_revisits_do_not_matter(tmp_path: Path) -> None:
    plain, coded = _File(tmp_path / "a.warc.gz"), _File(tmp_path / "b.warc.gz")
    plain.response("http://a/", b"hello")
    plain.response("http://a/2", b"hello")
    coded.response("http://a/", b"5\r\nhello\r\n0\r\n\r\n", ("Transfer-Encoding", "chunked"))
    coded.response("http://a/2", gzip.compress(b"hello"), ("Content-Encoding", "gzip"))
    assert compare.main([plain.done(), "--", coded.done()]) == 0
    revisiting = _File(tmp_path / "c.warc.gz")
    revisiting.response("http://a/", b"hello")
    revisiting.revisit("http://a/2", _sha1(b"hello"))
    assert compare.main([str(plain.path), "--", revisiting.done()]) == 0


@pytest.mark.parametrize(
    ("url", "body", "status", "told"),
    [
        ("http://a/", b"other", "200 OK", "other content: 1"),
        ("http://a/", b"hello", "404 Not Found", "other content: 1"),
        ("http://a/more", b"hello", "200 OK", "only in B: 1"),
    ],
)
def test_every_kind_of_difference_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str, body: bytes, status: str, told: str
) -> None:
    a, b = _File(tmp_path / "a.warc.gz"), _File(tmp_path / "b.warc.gz")
    a.response("http://a/", b"hello")
    b.response(url, body, status=status)
    assert compare.main([a.done(), "--", b.done()]) == 1
    assert told in capsys.readouterr().out


def test_a_revisit_of_nothing_is_a_difference(tmp_path: Path) -> None:
    a, b = _File(tmp_path / "a.warc.gz"), _File(tmp_path / "b.warc.gz")
    for file in (a, b):
        file.response("http://a/", b"hello")
    b.revisit("http://a/", _sha1(b"never written"))
    assert compare.main([a.done(), "--", b.done()]) == 1


def test_within_allows_more_and_nothing_else(tmp_path: Path) -> None:
    less, more = _File(tmp_path / "a.warc.gz"), _File(tmp_path / "b.warc.gz")
    for file in (less, more):
        file.response("http://a/", b"hello")
    more.response("http://a/2", b"more")
    a, b = less.done(), more.done()
    assert compare.main([a, "--", b]) == 1
    assert compare.main(["--within", a, "--", b]) == 0
    assert compare.main(["--within", b, "--", a]) == 1


def test_wrong_usage_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert compare.main(["a.warc.gz"]) == 2
    assert "--" in capsys.readouterr().err
