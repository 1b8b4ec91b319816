"""WARC writing alone: our recorder, and a bare loop that writes the same records. Prints one JSON object.

    python infra/bench/writing.py ours|bare SITE_FOLDER OUT_FOLDER [COUNT]

Both get the same exchanges, made of the site's files, and write response, request and decision of each with the same
digests and the same compressor. CPU is user + system of this process (threads too) around the writing alone.
"""

from __future__ import annotations

import asyncio
import gc
import gzip
import hashlib
import itertools
import json
import mimetypes
import os
import re
import resource
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import uvloop
from isal import igzip_lib

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from archiver.clock import SYSTEM, iso  # noqa: E402
from archiver.model import CaptureItem, Exchange, Framing  # noqa: E402
from archiver.spooled import Spool  # noqa: E402
from archiver.warc.streams import SegmentSettings  # noqa: E402
from archiver.warc.writer import WarcRecorder  # noqa: E402

COUNT = 3_000
IN_FLIGHT = 16  # visits that wait for their records at a time: what a crawl has by default

_INFO = {"software": "bench"}
_POLICY = (
    b'{"url":"http://127.0.0.1/","kind":"document","decision":{"fetch":"allow","reason":"allowed","store":"store",'
    b'"replay":"open","index":true,"expires":null,"keepReason":"allowed","keepRule":""},"rule":"","line":null,'
    b'"evidence":"urn:uuid:00000000-0000-4000-8000-000000000000","policy":"strict","via":null,"initiator":null,'
    b'"notes":{},"usage":{},"signals":[]}'
)
_BLOCK = re.compile(rb"\r\nWARC-Type: ([a-z]+)\r\n(?:[^\r\n]+\r\n)*?WARC-Block-Digest: ([^\r\n]+)\r\n")


def exchanges(folder: Path, count: int) -> list[Exchange]:
    """`count` answers out of the folder's files, round and round; each body is made unlike the others."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    bodies = [(path, path.read_bytes()) for path in files]
    return [
        _exchange(path.relative_to(folder), body + b"<!-- %d -->" % number, number)
        for number, (path, body) in enumerate(itertools.islice(itertools.cycle(bodies), count))
    ]


def _exchange(path: Path, body: bytes, number: int) -> Exchange:
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    head = (
        "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Mon, 23 Nov 2026 12:00:00 GMT\r\n"
        f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\nLast-Modified: Mon, 02 Nov 2026 09:00:00 GMT\r\n"
        'Connection: keep-alive\r\nETag: "68a1-1388"\r\nAccept-Ranges: bytes\r\n\r\n'
    ).encode()
    request = (
        f"GET /{path}?{number} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: Mozilla/5.0 (compatible; bench)\r\n"
        "Accept: text/html,*/*;q=0.8\r\nAccept-Encoding: gzip, br, zstd\r\nAccept-Language: en\r\n\r\n"
    ).encode()
    return Exchange(
        url=f"http://127.0.0.1/{path}?{number}",
        method="GET",
        request=request,
        response=Spool(head + body),
        head_start=0,
        body_start=len(head),
        status=200,
        reason="OK",
        headers=(),
        framing=Framing.LENGTH,
        ip="127.0.0.1",
        port=80,
        started_at=datetime(2026, 11, 23, 12, tzinfo=UTC),
        seconds=0.001,
    )


async def ours(given: Sequence[Exchange], folder: Path) -> None:
    """Through the recorder that the gateway uses: writer thread, index lines, file digest, fsync, rename."""
    recorder = WarcRecorder(folder, SYSTEM, SegmentSettings(job="bench", host="bench"), _INFO)
    queue = iter(given)

    async def visits() -> None:
        for exchange in queue:
            item = CaptureItem(exchange=exchange, response_id=_new_id(), policy_json=_POLICY, resource_type="document")
            await recorder.record([item])

    async with asyncio.TaskGroup() as group:
        for _ in range(IN_FLIGHT):
            group.create_task(visits())
    await recorder.close()


def bare(given: Iterable[Exchange], folder: Path) -> None:
    """The least that makes the same records: three heads, their digests, three gzip members, one write(2)."""
    folder.mkdir(parents=True)
    info = _new_id()
    with (folder / "bare.warc.gz").open("wb", buffering=0) as file:
        for exchange in given:
            file.write(b"".join(_members(exchange, info)))
        os.fsync(file.fileno())


def _members(exchange: Exchange, info: str) -> Iterator[bytes]:
    block, response_id = exchange.response.read(), _new_id()
    common = (
        f"WARC-Date: {iso(exchange.started_at)}\r\nWARC-Target-URI: {exchange.url}\r\nWARC-Warcinfo-ID: <{info}>\r\n"
    )
    address = f"WARC-IP-Address: {exchange.ip}\r\n"
    http = "Content-Type: application/http; msgtype="
    yield _member(
        f"WARC-Type: response\r\nWARC-Record-ID: <{response_id}>\r\n{common}{address}"
        f"WARC-Protocol: {exchange.protocol}\r\nWARC-Resource-Type: document\r\nWARC-Block-Digest: {_sha256(block)}\r\n"
        f"WARC-Payload-Digest: {_sha256(memoryview(block)[exchange.body_start :])}\r\n{http}response\r\n",
        block,
    )
    concurrent = f"WARC-Concurrent-To: <{response_id}>\r\n"
    yield _member(
        f"WARC-Type: request\r\nWARC-Record-ID: <{_new_id()}>\r\n{common}{concurrent}{address}"
        f"WARC-Block-Digest: {_sha256(exchange.request)}\r\n{http}request\r\n",
        exchange.request,
    )
    policy = b"policy: " + _POLICY + b"\r\n"
    yield _member(
        f"WARC-Type: metadata\r\nWARC-Record-ID: <{_new_id()}>\r\nWARC-Date: {iso(exchange.started_at)}\r\n"
        f"WARC-Target-URI: urn:policy:{exchange.url}\r\nWARC-Warcinfo-ID: <{info}>\r\n{concurrent}"
        f"WARC-Block-Digest: {_sha256(policy)}\r\nContent-Type: application/warc-fields\r\n",
        policy,
    )


def _member(fields: str, block: bytes) -> bytes:
    head = f"WARC/1.1\r\n{fields}Content-Length: {len(block)}\r\n\r\n".encode()
    return igzip_lib.compress(b"".join((head, block, b"\r\n\r\n")), 1, igzip_lib.COMP_GZIP)


def _sha256(data: bytes | memoryview) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _new_id() -> str:
    digits = os.urandom(16).hex()
    return f"urn:uuid:{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-8{digits[17:20]}-{digits[20:]}"


def blocks(folder: Path) -> Counter[tuple[bytes, bytes]]:
    """(type, block digest) of every record but warcinfo below `folder`: what must be equal between the two."""
    found: Counter[tuple[bytes, bytes]] = Counter()
    for path in folder.rglob("*.warc.gz"):
        with gzip.open(path, "rb") as file:
            found.update(pair for pair in _BLOCK.findall(file.read()) if pair[0] != b"warcinfo")
    return found


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def main(arguments: Sequence[str]) -> int:
    who, source, out = arguments[:3]
    given = exchanges(Path(source), int(arguments[3]) if len(arguments) > 3 else COUNT)
    gc.freeze()  # the prepared exchanges are no part of the work
    before = _cpu()
    if who == "ours":
        uvloop.run(ours(given, Path(out)))
    else:
        bare(given, Path(out))
    print(json.dumps({"cpu": _cpu() - before, "exchanges": len(given)}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
