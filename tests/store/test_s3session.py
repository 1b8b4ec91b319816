"""Answers without an end, and lists that run in a circle: told, and no memory or disk is filled."""

from __future__ import annotations

import http.server
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from archiver.errors import StoreError
from archiver.store import S3Settings, S3Store
from tests.servers.authority import Authority
from tests.store.conftest import file_of

Make = Callable[..., S3Settings]
MOST = 64 << 20
"""Bytes after which the server gives up: a client that went on until then has not noticed."""


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.server.asked += 1
        if self.server.kind == "circle":
            body = b"<ListBucketResult><IsTruncated>true</IsTruncated>"
            body += b"<NextContinuationToken>same</NextContinuationToken></ListBucketResult>"
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        self.close_connection = True
        self.send_response(400 if self.server.kind == "error" else 200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        sent = 0
        while sent < MOST:
            self.wfile.write(b"10000\r\n" + bytes(65536) + b"\r\n")
            sent += 65536
            self.server.sent = max(self.server.sent, sent)

    do_GET = do_PUT = answer

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    kind = ""
    asked = 0
    sent = 0

    def handle_error(self, request: object, client_address: object) -> None:
        """The client hangs up."""


@contextmanager
def endless(authority: Authority, kind: str) -> Iterator[tuple[_Server, str]]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.kind = kind
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.cert_file, authority.key_file)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server, f"https://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def made(authority: Authority, url: str) -> S3Store:
    from tests.store.conftest import FAST

    return S3Store(
        S3Settings(
            bucket="bucket", endpoint_url=url, access_key="AK", secret_key="SK", ca_file=str(authority.ca_file),
            attempts=1, timing=FAST,
        )
    )  # fmt: skip


@pytest.mark.parametrize("kind", ["error", "fine"])
async def test_an_acknowledgement_without_an_end_fills_no_memory(
    authority: Authority, tmp_path: Path, kind: str
) -> None:
    path, sha256 = file_of(tmp_path, b"bytes")
    with endless(authority, kind) as (server, url):
        store = made(authority, url)
        with pytest.raises(StoreError, match="longer than any that S3 gives"):
            await store.put("key", path, sha256=sha256, metadata={})
        assert server.sent < MOST
        await store.close()


async def test_an_object_without_an_end_is_no_object(authority: Authority) -> None:
    with endless(authority, "fine") as (server, url):
        store = made(authority, url)
        with pytest.raises(StoreError, match="more came than was asked for"):
            await store.read("key", 0, 100)
        with pytest.raises(StoreError, match="does not say how long"):
            _ = [piece async for piece in store.chunks("key")]
        assert server.sent < MOST
        await store.close()


async def test_a_list_that_runs_in_a_circle_ends(authority: Authority) -> None:
    with endless(authority, "circle") as (server, url):
        store = made(authority, url)
        with pytest.raises(StoreError, match="names no page that follows"):
            _ = [one async for one in store.list("collections/x/archive/")]
        assert server.asked == 2
        await store.close()
