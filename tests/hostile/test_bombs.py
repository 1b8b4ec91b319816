"""Bodies that unpack to a thousand times their size, and pages made to be slow: bounded memory, bounded time.

There is no clock in here: what is quadratic runs into the test's time-out.
"""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import sys
import zlib
from pathlib import Path

import brotli  # type: ignore[import-untyped]
import pytest
import zstandard

from archiver.extract import requisites_of
from archiver.extract.html import extract
from tests.servers.raw import Reply, raw_server
from tests.system.cli import check_collection, collection

MEGABYTE = bytes(1 << 20)
_PEAK = """
import sys
from archiver.cli.main import main
code = main(sys.argv[1:])
print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")), file=sys.stderr)
sys.exit(code)
"""


def deflated(window: int, count: int) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, window)
    return b"".join(packer.compress(MEGABYTE) for _ in range(count)) + packer.flush()


def answer(coding: str, body: bytes, name: str = "Content-Encoding") -> bytes:
    length = f"Content-Length: {len(body)}\r\n" if name == "Content-Encoding" else ""
    return f"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n{name}: {coding}\r\n{length}\r\n".encode() + body


def bombs(count: int) -> dict[str, Reply]:
    """`count` megabytes each."""
    packed = deflated(31, count)
    packer, frames = brotli.Compressor(quality=1), zstandard.ZstdCompressor(level=1).compressobj()
    return {
        "/gzip": answer("gzip", packed),
        "/deflate": answer("deflate", deflated(15, count)),
        "/br": answer("br", b"".join(packer.process(MEGABYTE) for _ in range(count)) + packer.finish()),
        "/zstd": answer("zstd", b"".join(frames.compress(MEGABYTE) for _ in range(count)) + frames.flush()),
        "/nested": answer("gzip, gzip", gzip.compress(packed)),
        "/members": answer("gzip", gzip.compress(b"") * 50_000),
        "/frames": answer("zstd", zstandard.ZstdCompressor().compress(b"") * 50_000),
        "/transfer": answer("gzip", packed, "Transfer-Encoding"),
        "/lie": answer("gzip", b"<title>no gzip</title>"),
        "/noise": answer("br", bytes(range(256)) * 40),
    }


@pytest.mark.system
@pytest.mark.parametrize("count", [100, pytest.param(2000, marks=pytest.mark.soak)])
def test_bombs_cost_little_memory_and_are_kept_as_sent(tmp_path: Path, count: int) -> None:
    with raw_server(bombs(count)) as server:
        urls = [server.url(path) for path in server.answers]
        own = ("--delay", "0", "--allow-address", f"127.0.0.1:{server.port}")
        command = [sys.executable, "-c", _PEAK, "save", *urls, "--json", *own]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    told = [json.loads(line) for line in ran.stdout.splitlines()]
    others = [one for one in told if one["status"] != "archived"]
    assert not others, json.dumps(others)
    assert (ran.returncode, len(told)) == (0, len(urls)), ran.stderr
    peak = re.search(r"VmHWM:\s*(\d+) kB", ran.stderr)
    assert peak is not None and int(peak[1]) < 350_000
    check_collection(collection(tmp_path))


HOSTILE_PAGES = {
    "unclosed end tags": b"</body " * 1_200_000,
    "end tags": b"</body>" * 1_200_000,
    "zeros": bytes(8 << 20),
    "brackets": b"<" * (8 << 20),
    "attributes": b"<p " + b"".join(b"a%d=1 " % number for number in range(100_000)) + b">",
    "nesting": b"<div>" * 500_000,
    "comments": b"<!--" * 2_000_000,
    "srcset": b'<img srcset="' + b"," * 4_000_000 + b'">',
    "charset": b"<meta charset=" * 500_000,
    "refresh": b'<meta http-equiv=refresh content="' + b" " * 4_000_000 + b'x">',
    "style": b"<style>" + b"a{background:url(" * 400_000,
    "srcdoc": b'<iframe srcdoc="' + b"<img src=x>" * 200_000 + b'">',
}


@pytest.mark.parametrize("name", HOSTILE_PAGES)
def test_pages_made_to_be_slow_end(name: str) -> None:
    facts = extract(HOSTILE_PAGES[name] + b"<a href=/end>", base_url="http://h.test/")
    assert facts.base == "http://h.test/"


@pytest.mark.parametrize(
    "piece", [b"url(", b"@import ", b'@import "', b"url(\\", b"/*", b"url('", b'"\n', b"image-set("]
)
def test_styles_made_to_be_slow_end(piece: bytes) -> None:
    sheet = piece * (2_000_000 // len(piece))
    found = requisites_of("text/css", sheet, base_url="http://h.test/", resource_type="stylesheet")
    assert len(found) <= 5000


def test_a_million_links_are_capped_and_that_is_told() -> None:
    facts = extract(b"".join(b"<a href=/%d>" % number for number in range(1_000_000)), base_url="http://h.test/")
    assert facts.capped and len(facts.links) == 20_000


def test_many_links_take_no_picture_away() -> None:
    links = b"".join(b"<a href=/%d>" % number for number in range(21_000))
    body = links + b'<img srcset="/a.png 1x, /b.png 2x"><p style="background:url(/c.png)">'
    facts = extract(body, base_url="http://h.test/")
    assert [one.url for one in facts.requisites] == [f"http://h.test/{name}.png" for name in "abc"]


def test_a_zero_inside_text_hides_nothing() -> None:
    facts = extract(b"<a href=/1>x\0\0\0y<a href=/2>" + b" " * 20_000, base_url="http://h.test/")
    assert [link.url for link in facts.links] == ["http://h.test/1", "http://h.test/2"]
