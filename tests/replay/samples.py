"""A small collection with one of everything that replay has to show, written by the product's own recorder."""

import asyncio
import gzip
import re
import socket
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import brotli

from archiver.clock import ManualClock
from archiver.config import Places
from archiver.model import Access, CaptureItem, DocumentItem
from archiver.warc.writer import WarcRecorder
from tests.servers.process import serving
from tests.warc.samples import INFO, SETTINGS, START, capture, document, exchange

STAMP = "20261123120000"
SITE = "http://site.test"
PAGE = b"<!doctype html><title>Kept</title><body><h1>Kept page</h1><p>" + b"words and words. " * 100
GZIPPED = gzip.compress(PAGE, mtime=0)
BROTLI = brotli.compress(PAGE)
BIG = bytes(range(256)) * 4096 * 3  # 3 MiB


def head(status: str = "200 OK", *, kind: str = "text/html; charset=utf-8", **more: str) -> bytes:
    """A response head; `more` with underscores for hyphens; `kind=""` leaves Content-Type out."""
    fields = ({"Content-Type": kind} if kind else {}) | {name.replace("_", "-"): value for name, value in more.items()}
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode("latin-1")


def made(path: str, body: bytes = PAGE, *, first: bytes = b"", **changes: Any) -> CaptureItem:
    """A capture of SITE + path; `first` is its head."""
    url = path if "://" in path else SITE + path
    request = changes.pop("request", b"GET / HTTP/1.1\r\nHost: site.test\r\n\r\n")
    wire = {name: changes.pop(name) for name in ("entity", "interim", "started_at") if name in changes}
    lines = first or head(Content_Length=str(len(body)))
    return capture(exchange(url, head=lines, body=body, request=request, **wire), **changes)


def chunked(body: bytes) -> bytes:
    half = len(body) // 2
    return b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:half], body[half:])) + b"0\r\n\r\n"


def site() -> list[CaptureItem | DocumentItem]:
    later = START + timedelta(days=1)
    post = b"POST /form HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\na=1"
    return [
        made("/"),
        made("/restricted", b"<p>for the reading room</p>", access=Access.RESTRICTED),
        made("/dark", b"<p>kept, not shown</p>", access=Access.DARK),
        made("/gzip", GZIPPED, first=head(Content_Encoding="gzip", Content_Length=str(len(GZIPPED)))),
        made("/br", BROTLI, first=head(Content_Encoding="br", Content_Length=str(len(BROTLI)))),
        made("/chunked", chunked(PAGE + b"!"), first=head(Transfer_Encoding="chunked"), entity=PAGE + b"!"),
        made("/big", BIG, first=head(kind="application/octet-stream", Content_Length=str(len(BIG)))),
        made("/untyped", b"<p>no type", first=head(kind="", Content_Length="10")),
        made("/moved", b"", first=head("301 Moved", Location="http://site.test/", Content_Length="0")),
        made("/moved-near", b"", first=head("302 Found", Location="gzip?a=%2F", Content_Length="0")),
        made("/absent", b"<p>no such page</p>", first=head("404 Not Found", Content_Length="19")),
        made("/form", b"<p>posted</p>", request=post),
        made("/odd%2Fpath%3Fq/a%20b//c?x=%2F&y=z%20w", b"<p>odd</p>"),
        made("http://xn--bcher-kva.test/%C3%BC", b"<p>idn</p>"),
        made(
            "/headers",
            b"<p>headers</p>",
            first=b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX-Foo : bar\r\nX-Latin: caf\xe9\r\n"
            b"X-Utf: caf\xc3\xa9\r\n"
            b"Set-Cookie: a=1; Domain=replay.localhost\r\nAccess-Control-Allow-Origin: *\r\n"
            b"Refresh: 0; url=http://live.test/\r\n"
            b"Link: <http://live.test/>; rel=preconnect\r\nClear-Site-Data: *\r\nX-Robots-Tag: noindex\r\n"
            b"Content-Security-Policy: default-src *\r\nWWW-Authenticate: Basic\r\nX-Two: 1\r\nX-Two: 2\r\n\r\n",
        ),
        made("/", started_at=later),  # the same bytes again: a revisit
        document(type="metadata", target="urn:policy:http://refused.test/", payload=b'{"verdict": "refuse"}'),
    ]


def places(out: Path, name: str = "main") -> Places:
    return Places(out=out, name=name, hosts=out / "hosts.sqlite")


async def write(where: Places, items: list[CaptureItem | DocumentItem] | None = None) -> None:
    """One closed segment an access class."""
    recorder = WarcRecorder(where.root, ManualClock(), SETTINGS, INFO)
    await recorder.record(site() if items is None else items)
    await recorder.close()


def save(where: Places, items: list[CaptureItem | DocumentItem] | None = None) -> None:
    """`write`, in a thread: also where an event loop runs already (Playwright's)."""
    with ThreadPoolExecutor(1) as threads:
        threads.submit(asyncio.run, write(where, items)).result()


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: list[tuple[str, str]]
    body: bytes
    fields: Mapping[str, str] = field(default_factory=dict)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def one(self, name: str) -> str:
        (value,) = self.all(name)
        return value


def dial(port: int, target: str | bytes, *, host: str | None = "", method: str = "GET", **headers: str) -> Answer:
    """One request to 127.0.0.1 by hand: the target goes out as given; `host` "" = main's; None = no Host at all."""
    raw = target if isinstance(target, bytes) else target.encode()
    lines = b"" if host is None else b"Host: %b\r\n" % (host or f"main.replay.localhost:{port}").encode()
    for name, value in headers.items():
        lines += f"{name.replace('_', '-')}: {value}\r\n".encode()
    with socket.create_connection(("127.0.0.1", port), timeout=60) as sock:
        sock.sendall(b"%b %b HTTP/1.1\r\n%bConnection: close\r\n\r\n" % (method.encode(), raw, lines))
        return parsed(b"".join(iter(lambda: sock.recv(1 << 16), b"")))


def parsed(wire: bytes) -> Answer:
    start, _, body = wire.partition(b"\r\n\r\n")
    first, *lines = start.decode("utf-8", "surrogateescape").split("\r\n")
    headers = [(name, value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    if any(name.lower() == "transfer-encoding" for name, _ in headers):
        body = dechunked(body)
    return Answer(int(first.split(" ")[1]), headers, body)


def dechunked(body: bytes) -> bytes:
    out = b""
    while True:
        size, _, rest = body.partition(b"\r\n")
        if int(size, 16) == 0:
            return out
        out, body = out + rest[: int(size, 16)], rest[int(size, 16) + 2 :]


@contextmanager
def replaying(program: list[str], log: Path) -> Iterator[tuple[int, str]]:
    """`archiver replay` as a user starts it; yields its port and address."""
    told = lambda: re.search(r"^Replay of .*\n", log.read_text("utf-8", "replace"), re.M)  # noqa: E731
    with serving(program, ready=lambda: told() is not None, log=log, within=90, grace=60):
        line = next(row for row in log.read_text().splitlines() if row.startswith("Replay of"))
        address = line.split(": ", 1)[1]
        yield int(address.split(":")[2].split("/")[0]), address
