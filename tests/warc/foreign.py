"""Files as other people's tools make them: WARCs by warcio, packages by hand."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from warcio.statusandheaders import StatusAndHeaders
from warcio.warcwriter import WARCWriter

SITE = "http://site.test"
INFO = {
    "software": "elsewhere/1.0",
    "operator": "Somebody Else",
    "robots": "ignore",
    "isPartOf": "their crawl",
    "x-more": "not kept",
}
Write = Callable[[WARCWriter], None]


def warcio_warc(path: Path, *more: Write, pages: int = 3, gzip: bool = True, info: bool = True) -> Path:
    """Pages `/0`, `/1` ... with their requests, SHA-1 in base32; then what each of `more` writes."""
    with path.open("wb") as out:
        writer = WARCWriter(out, gzip=gzip)
        if info:
            writer.write_record(writer.create_warcinfo_record(path.name, INFO))
        for number in range(pages):
            body = f"<title>Page {number}</title><p>their page {number}".encode()
            answer(f"{SITE}/{number}", body)(writer)
        for write in more:
            write(writer)
    return path


def answer(url: str, body: bytes, *, mime: str = "text/html", status: str = "200 OK") -> Write:
    def write(writer: WARCWriter) -> None:
        head = StatusAndHeaders(status, [("Content-Type", mime), ("Content-Length", str(len(body)))], "HTTP/1.1")
        response = writer.create_warc_record(url, "response", payload=io.BytesIO(body), http_headers=head)
        asked = StatusAndHeaders("GET / HTTP/1.1", [("Host", "site.test")], is_http_request=True)
        request = writer.create_warc_record(url, "request", payload=io.BytesIO(), http_headers=asked)
        writer.write_request_response_pair(request, response)

    return write


def document(kind: str, url: str, body: bytes, mime: str) -> Write:
    def write(writer: WARCWriter) -> None:
        writer.write_record(writer.create_warc_record(url, kind, payload=io.BytesIO(body), warc_content_type=mime))

    return write


def revisit(url: str, digest: str = "sha1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA") -> Write:
    def write(writer: WARCWriter) -> None:
        head = StatusAndHeaders("200 OK", [("Content-Type", "text/html")], "HTTP/1.1")
        record = writer.create_revisit_record(
            url, digest, "http://site.test/elsewhere", "2020-01-01T00:00:00Z", http_headers=head
        )
        writer.write_record(record)

    return write


PAGES = [
    {"format": "json-pages-1.0", "id": "pages", "title": "All Pages"},
    {"id": "a", "url": f"{SITE}/0", "ts": "2020-01-01T00:00:00Z", "title": "A title of theirs"},
]


def package(files: Mapping[str, bytes], **changes: Any) -> dict[str, Any]:
    """datapackage.json for these members."""
    resources = [
        {
            "name": Path(path).name,
            "path": path,
            "hash": f"sha256:{hashlib.sha256(data).hexdigest()}",
            "bytes": len(data),
        }
        for path, data in files.items()
    ]
    return {"profile": "data-package", "wacz_version": "1.1.1", "title": "Theirs", "resources": resources, **changes}


def wacz(
    path: Path, files: Mapping[str, bytes], described: Mapping[str, Any] | None = None, *, digest: str = ""
) -> Path:
    """A package of these members; `described` is its datapackage.json, `digest` what the digest file says."""
    text = json.dumps(described or package(files)).encode()
    said = digest or f"sha256:{hashlib.sha256(text).hexdigest()}"
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
        archive.writestr("datapackage.json", text)
        archive.writestr("datapackage-digest.json", json.dumps({"path": "datapackage.json", "hash": said}))
    return path


def a_wacz(folder: Path, name: str = "theirs.wacz") -> Path:
    """One WARC, a page list, an index that lies."""
    warc = warcio_warc(folder / "in.warc.gz").read_bytes()
    pages = "\n".join(map(json.dumps, PAGES)).encode() + b"\n"
    lie = b'com,evil)/ 20200101000000 {"url":"http://evil.test/","filename":"../../x","offset":"0","length":"1"}\n'
    files = {"archive/data.warc.gz": warc, "pages/pages.jsonl": pages, "indexes/index.cdxj": lie}
    return wacz(folder / name, files)
