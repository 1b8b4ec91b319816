"""A site that writes down when it was asked for what: the other side's view of our pace.

Times are monotonic seconds. A request is in flight from when it was read until just before its answer is written: none
is counted beside the request that its answer let through.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import pairwise
from pathlib import Path

from tests.system.cli import Ran, archiver


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """An answer; `pause` seconds before it. `headers` are pairs."""

    body: bytes = b"x"
    content_type: str = "image/png"
    status: int = 200
    headers: tuple[tuple[str, str], ...] = ()
    pause: float = 0.0


Answer = Page | Callable[[], Page]


@dataclass(slots=True, eq=False)
class Hit:
    path: str
    at: float
    done: float = float("inf")


@dataclass(slots=True, eq=False)
class Site:
    """A running site; `hits` in order of arrival."""

    port: int
    answers: dict[str, Answer]
    hits: list[Hit] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str) -> str:
        return f"http://{self.address}{path}"

    def paths(self) -> list[str]:
        return [hit.path for hit in self.hits]

    @property
    def pages(self) -> list[Hit]:
        """All but robots.txt and what else says how the site may be used."""
        return [hit for hit in self.hits if hit.path != "/robots.txt" and not hit.path.startswith("/.well-known/")]

    def of(self, prefix: str) -> list[Hit]:
        """The requests for paths that begin so."""
        return [hit for hit in self.hits if hit.path.startswith(prefix)]

    def gaps(self, hits: list[Hit] | None = None) -> list[float]:
        """Seconds between one arrival and the next."""
        return [later.at - earlier.at for earlier, later in pairwise(self.hits if hits is None else hits)]

    def most_in_flight(self, hits: list[Hit]) -> int:
        return max(sum(other.at <= hit.at < other.done for other in hits) for hit in hits)


def html(*requisites: str, text: str = "") -> Page:
    """A page with these images."""
    images = "".join(f"<img src={one}>" for one in requisites)
    return Page(body=f"<!doctype html><title>t</title>{text}{images}".encode(), content_type="text/html")


def in_turn(*answers: Page) -> Callable[[], Page]:
    """The first answer to the first request, and so on; the last one for ever."""
    left = list(answers)
    return lambda: left.pop(0) if len(left) > 1 else left[0]


def together(count: int, answer: Page) -> Callable[[], Page]:
    """An answer that comes when so many have asked for it: they go on at the same moment."""
    barrier = threading.Barrier(count)

    def wait() -> Page:
        barrier.wait(60)
        return answer

    return wait


def robots(text: str) -> Page:
    return Page(body=f"User-agent: *\n{text}\n".encode(), content_type="text/plain")


def redirect(where: str) -> Page:
    return Page(status=302, headers=(("Location", where),))


def with_images(name: str, count: int, pause: float) -> dict[str, Answer]:
    """A page `/NAME` and its own images `/NAME-0.png` ..., each slow."""
    images = [f"/{name}-{number}.png" for number in range(count)]
    return {f"/{name}": html(*images), **dict.fromkeys(images, Page(pause=pause))}


@contextmanager
def paced(answers: Mapping[str, Answer]) -> Iterator[Site]:
    """Serves `answers` by path on a free port, each connection in a thread of its own; else 404."""
    site = Site(port=0, answers=dict(answers))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            hit = Hit(self.path, time.monotonic())
            with site.lock:
                site.hits.append(hit)
            answer = site.answers.get(self.path, Page(status=404))
            page = answer() if callable(answer) else answer
            time.sleep(page.pause)
            self.send_response(page.status)
            for name, value in (*page.headers, ("Content-Type", page.content_type)):
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(page.body)))
            hit.done = time.monotonic()
            self.end_headers()
            self.wfile.write(page.body)

        def log_message(self, format: str, *args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


def allow(*sites: Site) -> list[str]:
    return [part for site in sites for part in ("--allow-address", site.address)]


def save(folder: Path, urls: list[str], *sites: Site, options: tuple[str, ...] = ()) -> Ran:
    return archiver("save", *urls, *allow(*sites), "--json", *options, cwd=folder)
