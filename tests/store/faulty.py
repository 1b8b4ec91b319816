"""An S3 endpoint over TLS that passes requests on to a real one and goes wrong as planned."""

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import SplitResult, urlsplit

from tests.servers.authority import Authority

ERROR = '<?xml version="1.0"?><Error><Code>{code}</Code><Message>{code} from the test</Message></Error>'
_ANSWERS = {
    "503": (503, "SlowDown"),
    "403-denied": (403, "AccessDenied"),
    "403-key": (403, "InvalidAccessKeyId"),
    "403-skew": (403, "RequestTimeTooSkewed"),
    "404-bucket": (404, "NoSuchBucket"),
    "404": (404, "Not Found"),
    "301": (301, "PermanentRedirect"),
    "400-region": (400, "AuthorizationHeaderMalformed"),
    "400-any": (400, "InvalidRequest"),
    "400-large": (400, "EntityTooLarge"),
    "501": (501, "NotImplemented"),
    "507": (507, "InsufficientStorage"),
    "200-error": (200, "InternalError"),
}


@dataclass
class Plan:
    """`faults[operation]`: what goes wrong with the next requests of that kind; `chaos` decides where they and `always`
    say nothing. `seen` counts all of them, `keys` where they went, `heads`
    what they said of themselves (names in lower case).

    `up` and `down`: bytes of objects and parts that were passed on, and of objects that were answered whole.
    """

    endpoint: str
    faults: dict[str, list[str]] = field(default_factory=dict)
    always: dict[str, str] = field(default_factory=dict)
    seen: list[str] = field(default_factory=list)
    keys: list[tuple[str, str]] = field(default_factory=list)
    heads: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    chaos: Callable[[str], str] = lambda operation: ""
    up: int = 0
    down: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, operation: str, path: str) -> str:
        with self.lock:
            self.seen.append(operation)
            self.keys.append((operation, path))
            waiting = self.faults.get(operation, [])
            return waiting.pop(0) if waiting else self.always.get(operation) or self.chaos(operation)


def operation_of(method: str, target: str) -> str:
    query = urlsplit(target).query
    if method == "PUT":
        return "part" if "partNumber" in query else "put"
    if method == "POST":
        return "complete" if "uploadId" in query else "create"
    return {"GET": "get", "HEAD": "head", "DELETE": "delete"}[method]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def answer(self) -> None:
        operation = operation_of(self.command, self.path)
        self.server.plan.heads.append((operation, {name.lower(): value for name, value in self.headers.items()}))
        fault = self.server.plan.next(operation, urlsplit(self.path).path)
        if fault == "reset-mid-request":
            self.cut()
            return
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if fault in _ANSWERS:
            status, code = _ANSWERS[fault]
            self.reply(status, [], ERROR.format(code=code).encode())
        elif fault == "blackhole":
            while self.rfile.read(65536):
                """Until the client goes."""
        elif fault == "empty-200":
            self.reply(200, [("ETag", '"x"')], b"")
        elif fault == "stale-404":
            self.reply(404, [], ERROR.format(code="NoSuchKey").encode())
        else:
            self.pass_on(fault, body)

    def handle_expect_100(self) -> bool:
        """`no-continue`: nothing is said, as by gateways that do not know the word."""
        return "no-continue" in self.server.plan.always or super().handle_expect_100()

    def pass_on(self, fault: str, body: bytes) -> None:
        if fault == "corrupt-request":
            body = bytes([body[0] ^ 1]) + body[1:]
        if fault == "duplicate":
            self.ask(body)
        status, headers, data = self.ask(body)
        with self.server.plan.lock:
            self.server.plan.up += len(body) if self.command == "PUT" else 0
            self.server.plan.down += len(data) if self.command == "GET" and "list-type" not in self.path else 0
        if fault == "lost-response":
            self.cut()
        elif fault == "corrupt-response":
            self.reply(status, headers, data[:-1] + bytes([data[-1] ^ 1]))
        elif fault == "truncate-response":
            self.reply(status, headers, data, sent=len(data) // 2)
        else:
            self.reply(status, headers, data)

    def ask(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        upstream = self.server.upstream
        client = http.client.HTTPSConnection(
            str(upstream.hostname), upstream.port, context=self.server.authority.client_context()
        )
        client.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():
            if name.lower() not in ("expect", "connection"):
                client.putheader(name, value)
        client.endheaders(body)
        answer = client.getresponse()
        headers = [(n, v) for n, v in answer.getheaders() if n.lower() not in ("transfer-encoding", "connection")]
        data = answer.read()
        client.close()
        return answer.status, headers, data

    def reply(self, status: int, headers: list[tuple[str, str]], data: bytes, sent: int | None = None) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name.lower() == "content-length" for name, _ in headers):
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data[:sent])
        if sent is not None:
            self.cut()

    def cut(self) -> None:
        """Drop the connection now: closing alone would leave it open for as long as the streams refer to it."""
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    plan: Plan
    upstream: SplitResult
    authority: Authority

    def handle_error(self, request: object, client_address: object) -> None:
        """Cut connections are the point here."""


@contextmanager
def faulty(upstream: str, authority: Authority) -> Iterator[Plan]:
    """Serves until the block ends."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.upstream, server.authority = urlsplit(upstream), authority
    server.plan = Plan(endpoint=f"https://127.0.0.1:{server.server_port}")
    server.socket = _context(authority).wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.plan
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _context(authority: Authority) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority.cert_file, authority.key_file)
    return context
