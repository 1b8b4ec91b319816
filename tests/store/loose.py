"""A store as it should not be: over TLS, in memory, and careless in the ways that it is told to be.

It answers as Ceph RGW 16 and other servers were seen to answer; what it is not told to neglect it does properly.
"""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from tests.servers.authority import Authority

CARELESS = frozenset(
    ("checksums", "condition", "condition on complete", "missing is there", "missing is denied", "range",
     "private", "list by strangers", "write by strangers", "no delete", "no list", "no uploads listed",
     "framing", "no condition", "block blocks all", "old lifecycle", "checksum, kept all the same", "all 404",
     "all 200", "no key", "skew", "elsewhere", "damaged", "encryption")
)  # fmt: skip

_NO_BLOCK = "NoSuchPublicAccessBlockConfiguration"


@dataclass
class Loose:
    """`faults` of CARELESS; `objects` by path, `asked` = method and path of each request."""

    endpoint: str = ""
    faults: frozenset[str] = frozenset()
    objects: dict[str, tuple[bytes, dict[str, str]]] = field(default_factory=dict)
    uploads: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    block: bytes = b""
    lifecycle: bytes = b""
    asked: list[str] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def handle_one(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.store = self.server.store
        parts = urlsplit(self.path)
        self.key, self.query = unquote(parts.path), parse_qs(parts.query, keep_blank_values=True)
        with self.store.lock:
            self.store.asked.append(f"{self.command} {self.path}")
            self.everything()

    def everything(self) -> None:
        whole = {"all 404": (404, "NotFound"), "all 200": (200, ""), "no key": (403, "AccessDenied")}
        for fault, (status, code) in whole.items():
            if self.has(fault):
                return self.refuse(status, code) if code else self.reply(200, b"")
        if "Authorization" not in self.headers and not self.open_to_strangers():
            return self.refuse(403, "AccessDenied")
        if self.key.count("/") == 1:
            return self.of_bucket()
        return self.of_upload() if "uploadId" in self.query or "uploads" in self.query else self.of_object()

    def open_to_strangers(self) -> bool:
        if self.command == "PUT":
            return self.has("write by strangers")
        return self.has("list by strangers") if self.key.count("/") == 1 else self.has("private")

    def of_bucket(self) -> None:
        prefix = self.query.get("prefix", [""])[0]
        if "uploads" in self.query:
            found = "" if self.has("no uploads listed") else "".join(
                f"<Upload><Key>{key.split('/', 2)[2]}</Key><UploadId>{one}</UploadId></Upload>"
                for one, (key, _) in self.store.uploads.items()
            )  # fmt: skip
            return self.reply(200, f"<ListMultipartUploadsResult>{found}</ListMultipartUploadsResult>".encode())
        if "list-type" in self.query:
            if self.has("no list"):
                return self.refuse(403, "AccessDenied")
            inside = [(key.split("/", 2)[2], len(data)) for key, (data, _) in self.store.objects.items()]
            found = "".join(
                f"<Contents><Key>{key}</Key><Size>{size}</Size></Contents>"
                for key, size in inside
                if key.startswith(prefix)
            )
            return self.reply(200, f"<ListBucketResult>{found}</ListBucketResult>".encode())
        if "publicAccessBlock" in self.query and self.has("block blocks all"):
            if self.command == "PUT":
                self.store.block = self.body
            return self.reply(200, self.store.block) if self.store.block else self.refuse(404, _NO_BLOCK)
        if "lifecycle" in self.query and self.has("old lifecycle"):
            if self.command == "PUT":
                self.store.lifecycle = self.body.replace(b"<Filter>", b"").replace(b"</Filter>", b"")
            found = self.store.lifecycle
            return self.reply(200, found) if found else self.refuse(404, "NoSuchLifecycleConfiguration")
        if self.command == "HEAD":
            headers = {"x-amz-bucket-region": "moon-1"} if self.has("elsewhere") else {}
            return self.reply(200, b"", headers)
        return self.refuse(501, "NotImplemented")

    def of_object(self) -> None:
        if self.command == "PUT":
            return self.put(self.body, self.has("condition"))
        if self.command == "DELETE":
            if self.has("no delete"):
                return self.refuse(403, "AccessDenied")
            self.store.objects.pop(self.key, None)
            return self.reply(204, b"")
        if self.key not in self.store.objects:
            if self.has("missing is there"):
                return self.reply(200, b"")
            return self.refuse(403, "AccessDenied") if self.has("missing is denied") else self.refuse(404, "NoSuchKey")
        data, about = self.store.objects[self.key]
        if self.command == "GET" and self.has("damaged"):
            data = data[:-1] + b"?"
        wanted = self.headers.get("Range", "")
        if wanted and not self.has("range"):
            first, last = (int(one) for one in wanted.removeprefix("bytes=").split("-"))
            return self.reply(206, data[first : last + 1], about)
        return self.reply(200, data, about)

    def put(self, data: bytes, careless: bool, sent: str | None = None) -> None:
        if b"<BlockPublicAcls>true" in self.store.block:
            return self.refuse(403, "AccessDenied")
        if self.headers.get("If-None-Match") and self.has("no condition"):
            return self.refuse(501, "NotImplemented")
        if self.headers.get("If-None-Match") and self.key in self.store.objects and not careless:
            return self.refuse(412, "PreconditionFailed")
        said = self.headers.get("x-amz-checksum-sha256")
        right = base64.b64encode(hashlib.sha256(data).digest()).decode()
        about = {name.lower(): value for name, value in self.headers.items() if name.lower().startswith("x-amz-meta-")}
        if (sse := self.headers.get("x-amz-server-side-encryption")) and not self.has("encryption"):
            about["x-amz-server-side-encryption"] = sse
        if self.headers.get("Content-Encoding") == "aws-chunked" and not self.has("framing"):
            data = _unframed(data)
        if said and said != right and not self.has("checksums"):
            if self.has("checksum, kept all the same"):
                self.store.objects[self.key] = (data, about)
            return self.refuse(400, "BadDigest")
        named = sent or said
        self.store.objects[self.key] = (data, {**about, **({"x-amz-checksum-sha256": named} if named else {})})
        return self.reply(200, b"", {"ETag": '"x"'})

    def of_upload(self) -> None:
        if self.command == "POST" and "uploads" in self.query:
            name = f"upload-{len(self.store.asked)}"
            self.store.uploads[name] = (self.key, b"")
            xml = f"<InitiateMultipartUploadResult><UploadId>{name}</UploadId></InitiateMultipartUploadResult>"
            return self.reply(200, xml.encode())
        name = self.query["uploadId"][0]
        if self.command == "DELETE":
            self.store.uploads.pop(name)
            return self.reply(204, b"")
        if self.command == "PUT":
            said = self.headers.get("x-amz-checksum-sha256")
            right = base64.b64encode(hashlib.sha256(self.body).digest()).decode()
            if said and said != right and not self.has("checksums"):
                return self.refuse(400, "BadDigest")
            self.store.uploads[name] = (self.key, self.body)
            return self.reply(200, b"", {"ETag": '"p"'})
        data = self.store.uploads[name][1]
        if self.key in self.store.objects and not self.has("condition on complete"):
            return self.refuse(412, "PreconditionFailed")
        composite = base64.b64encode(hashlib.sha256(hashlib.sha256(data).digest()).digest()).decode()
        self.store.objects[self.key] = (data, {"x-amz-checksum-sha256": f"{composite}-1"})
        self.store.uploads.pop(name)
        xml = b"<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>"
        return self.reply(200, xml)

    def has(self, fault: str) -> bool:
        return fault in self.store.faults

    def refuse(self, status: int, code: str) -> None:
        self.reply(status, f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode())

    def reply(self, status: int, data: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response_only(status)
        self.send_header("Date", "Thu, 01 Jan 2015 00:00:00 GMT" if self.has("skew") else self.date_time_string())
        self.send_header("Server", "Loose/1")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = handle_one

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


def _unframed(data: bytes) -> bytes:
    """aws-chunked: SIZE[;...] CRLF BYTES CRLF, until a size of 0; trailers behind it."""
    found = b""
    while data:
        head, _, data = data.partition(b"\r\n")
        size = int(head.split(b";")[0], 16)
        if not size:
            break
        found, data = found + data[:size], data[size + 2 :]
    return found


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    store: Loose

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that leaves is no concern of the test's."""


@contextmanager
def loose(authority: Authority, *faults: str) -> Iterator[Loose]:
    """Serves until the block ends."""
    unknown = set(faults) - CARELESS
    assert not unknown, unknown
    server = _Server(("127.0.0.1", 0), _Handler)
    server.store = Loose(endpoint=f"https://127.0.0.1:{server.server_port}", faults=frozenset(faults))
    context = authority.server_context()
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
