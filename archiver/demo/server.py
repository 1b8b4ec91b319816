"""The demo site: two hosts, one of them slow, served by the standard library in a thread."""

from __future__ import annotations

import threading
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import resources
from types import TracebackType
from urllib.parse import urlsplit

SLOW_SECONDS = 0.4
_TYPES = {"html": "text/html; charset=utf-8", "css": "text/css", "svg": "image/svg+xml", "txt": "text/plain"}


class DemoSite:
    """`with DemoSite() as site:` serves until the block ends; `site.seeds` are worth saving, in this order."""

    def __init__(self) -> None:
        self._servers = [ThreadingHTTPServer(("127.0.0.1", 0), _handler(slow)) for slow in (False, True)]
        self._threads = [
            threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
            for server in self._servers
        ]

    @property
    def addresses(self) -> list[str]:
        """`127.0.0.1:PORT` of the plain and of the slow host."""
        return [f"127.0.0.1:{server.server_port}" for server in self._servers]

    @property
    def seeds(self) -> list[str]:
        plain, slow = (f"http://{address}" for address in self.addresses)
        return [f"{plain}/", f"{plain}/private/minutes.html", f"{plain}/press.html", f"{slow}/slow.html"]

    def __enter__(self) -> DemoSite:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        for server in self._servers:
            server.shutdown()
            server.server_close()


def _handler(slow: bool) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        server_version = "DemoSite/1"
        sys_version = ""

        def do_GET(self) -> None:
            if slow:
                time.sleep(SLOW_SECONDS)
            path = urlsplit(self.path).path
            body = _page("index.html" if path == "/" else path.lstrip("/"))
            self.send_response(HTTPStatus.NOT_FOUND if body is None else HTTPStatus.OK)
            self.send_header("Content-Type", _TYPES.get(path.rpartition(".")[2], _TYPES["html"]))
            if path == "/press.html":
                self.send_header("X-Robots-Tag", "noarchive")
            content = b"<!doctype html><title>Not here</title><p>Not here." if body is None else body
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            """Silent: what was asked stands in the ledger."""

    return Handler


def _page(name: str) -> bytes | None:
    """A bundled file by its name; None for what is not bundled. Names are looked up, never joined to a path."""
    folder = resources.files("archiver.demo") / "pages"
    known = {
        "index.html", "style.css", "map.svg", "press.html", "robots.txt", "slow.html", "private/minutes.html",
        "private/chart.svg",
    }  # fmt: skip
    return (folder / name).read_bytes() if name in known else None
