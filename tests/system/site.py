"""A generated site on the byte-exact server: pages that link to each other, with shared and own requisites."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.servers.raw import Answer, RawServer, Reply, Request, raw_server

PNG = bytes.fromhex("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489")

SLOW = 0.5


def answer(body: bytes, content_type: str = "text/html", status: str = "200 OK", headers: str = "") -> Answer:
    """On a connection that stays open, as a crawl's usually does."""
    head = f"HTTP/1.1 {status}\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n{headers}\r\n"
    return Answer(parts=(head.encode("latin-1") + body,), keep=True)


def filler(name: str, size: int) -> str:
    """Text that gzip cannot shrink to nothing, so that small WARCs fill up."""
    blocks = (hashlib.sha256(f"{name}{number}".encode()).hexdigest() for number in range(size // 64 + 1))
    return " ".join(blocks)[:size]


def pages(count: int, *, size: int = 2000, seed: int = 1) -> dict[str, Reply]:
    """`/` links to the first pages, each page to a few others so that all are reached; some redirect, some are gone."""
    rng = random.Random(seed)
    found: dict[str, Reply] = {}
    for number in range(count):
        following = [f"/p{2 * number + 1}", f"/p{2 * number + 2}"]
        links = [*following, f"/p{rng.randrange(count)}", f"/moved{number % 7}"]
        images = [f"/i{number}.png", f"/shared{number % 3}.png"]
        body = (
            f"<!doctype html><title>page {number}</title><link rel=stylesheet href=/s.css>"
            + "".join(f"<a href={link}>{link}</a>" for link in links if _number(link) < count)
            + "".join(f"<img src={image}>" for image in images)
            + f"<p>{filler(str(number), size)}"
        )
        found["/" if number == 0 else f"/p{number}"] = answer(body.encode())
        found[images[0]] = answer(PNG + filler(f"i{number}", 300).encode(), "image/png")
    for number in range(3):
        found[f"/shared{number}.png"] = answer(PNG + bytes([number]) * 900, "image/png")
    for number in range(7):
        found[f"/moved{number}"] = answer(b"moved", status="302 Found", headers=f"Location: /p{number + 1}\r\n")
    found["/s.css"] = answer(b"@import '/t.css'; body { background: url(/bg.png) }", "text/css")
    found["/t.css"] = answer(b"p { color: red }", "text/css")
    found["/bg.png"] = answer(PNG, "image/png")
    found["/robots.txt"] = answer(b"User-agent: *\nDisallow: /p5$\n", "text/plain")
    return found


def _number(link: str) -> int:
    return int(link[2:]) if link.startswith("/p") else 0


@contextmanager
def site(
    count: int,
    *,
    pause: float = 0.0,
    size: int = 2000,
    slow: Callable[[], bool] | None = None,
    held: Callable[[], bool] | None = None,
) -> Iterator[RawServer]:
    """`pause`: seconds before each body, so that a run lasts long enough to be disturbed.

    While `slow` says so a body waits `SLOW` seconds: a run on a fast machine is then still there when it is looked at.
    While `held` says so no body is sent at all: what is to be stopped cannot have ended before.
    """
    with raw_server(pages(count, size=size)) as server:
        if pause or slow or held:
            server.answers = {path: _slowed(reply, pause, slow, held) for path, reply in server.answers.items()}
        yield server


def _slowed(reply: Reply, pause: float, slow: Callable[[], bool] | None, held: Callable[[], bool] | None) -> Reply:
    assert isinstance(reply, Answer)
    head, _, body = reply.parts[0].partition(b"\r\n\r\n")
    parts = (head + b"\r\n\r\n", body)
    hold = held or (lambda: False)
    return lambda _: Answer(parts=parts, pause=SLOW if slow and slow() else pause, keep=True, held=hold)


def asked(requests: list[Request]) -> Counter[str]:
    """How often each path was asked for, robots.txt aside: each process may ask that anew."""
    return Counter(request.path for request in requests if request.path != "/robots.txt")
