"""CDXJ lines: `SURT TIMESTAMP {json}` with the fields and string values that pywb writes, and POST keys like pywb's.

Only response, revisit and resource records of http(s) URLs have a line (our writer makes no such resources). The same
functions serve the writer, which collects lines as it goes, and the rebuild from a file: both give the same bytes.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from email import message_from_bytes, policy
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import unquote_plus, urlencode

import orjson

from archiver.warc.http import status_and_mime
from archiver.warc.surt import surt

MAX_QUERY = 4096


class Indexed(NamedTuple):
    """What a line says about one record. `date` is its WARC-Date; `block` holds its head; `request` b"" if unknown.

    `mime`: of a resource record, which has no HTTP head and so no status.
    """

    url: str
    date: str
    revisit: bool
    block: bytes
    digest: str
    filename: str
    offset: int
    length: int
    request: bytes = b""
    mime: str | None = None


def line(record: Indexed) -> bytes | None:
    """The record's line with its newline, or None when it gets none."""
    url, date, revisit, block, digest, filename, offset, length, request, resource = record
    if not url.startswith(("http://", "https://")) and not url[:8].lower().startswith(("http://", "https://")):
        return None
    status, mime = status_and_mime(block) if resource is None else (0, resource)
    fields: dict[str, str] = {
        "url": url,
        "mime": "warc/revisit" if revisit else mime,
        "status": str(status) if status else "-",
        "digest": digest,
        "length": str(length),
        "offset": str(offset),
        "filename": filename,
    }
    key_url = url
    if request and not request.startswith(b"GET "):
        method, query = method_query(request)
        key_url += f"{'&' if '?' in key_url else '?'}__wb_method={method}{'&' + query if query else ''}"
        fields["method"] = method
        if query:
            fields["requestBody"] = query
    key = surt(key_url).replace(" ", "%20")
    return b"%b %b %b\n" % (key.encode("utf-8", "surrogatepass"), timestamp(date[:19]), orjson.dumps(fields))


@lru_cache(maxsize=64)
def timestamp(date: str) -> bytes:
    """The 14 digits of a WARC-Date, whose first 19 characters are enough."""
    plain = date[:4] + date[5:7] + date[8:10] + date[11:13] + date[14:16] + date[17:19]
    if len(plain) == 14 and plain.isdigit():
        return plain.encode()
    return "".join(c for c in date if c.isdigit())[:14].ljust(14, "0").encode()


def merge(lines: Iterable[bytes]) -> bytes:
    """An index file's content: sorted by bytes (`LC_ALL=C`), no line twice."""
    return b"".join(sorted(set(lines)))


def method_query(request: bytes) -> tuple[str, str]:
    """(method in capitals, what a request body adds to the key, at most `MAX_QUERY` characters); pywb's rules."""
    head, _, body = request.partition(b"\r\n\r\n")
    method = head.split(b" ", 1)[0].decode("ascii", "replace").upper()
    if method not in ("POST", "PUT") or not body:
        return method, ""
    mime = _content_type(head)
    return method, _query_of(mime, body)[:MAX_QUERY]


def _content_type(head: bytes) -> str:
    for header in head.split(b"\r\n")[1:]:
        name, _, value = header.partition(b":")
        if name.strip().lower() == b"content-type":
            return value.strip().decode("latin-1")
    return ""


def _query_of(mime: str, body: bytes) -> str:
    kind = mime.partition(";")[0].strip().lower()
    try:
        if kind == "application/x-www-form-urlencoded":
            return unquote_plus(body.decode())
        if kind.startswith("multipart/"):
            return _multipart(mime, body)
        if kind in ("application/json", "text/plain"):
            return _json_query(body)
    except (ValueError, LookupError, RecursionError):
        if kind == "application/json":
            return ""
    return "__wb_post_data=" + base64.b64encode(body).decode("ascii")


def _multipart(mime: str, body: bytes) -> str:
    """Form parts as a query. Raises ValueError for a body without usable parts."""
    if "boundary=" not in mime.lower():
        raise ValueError("no boundary")
    message = message_from_bytes(b"Content-Type: " + mime.encode("latin-1") + b"\r\n\r\n" + body, policy=policy.HTTP)
    values: list[tuple[str, bytes]] = []
    for part in message.iter_parts():
        name = part.get_param("name", header="content-disposition")
        payload = part.get_payload(decode=True)
        if name is not None and isinstance(payload, bytes):
            values.append((str(name), payload))
    if not values:
        raise ValueError("no parts")
    return urlencode(values)


def _json_query(body: bytes) -> str:
    """Leaves of a JSON value, or of JSON lines, by their nearest name; a repeated name gets `.2_`, `.3_`."""
    leaves: dict[str, str] = {}
    repeats: dict[str, int] = {}
    for value in _json_values(body):
        _collect(value, "", leaves, repeats)
    return urlencode(leaves)


def _json_values(body: bytes) -> list[Any]:
    try:
        return [json.loads(body)]
    except json.JSONDecodeError:
        if b"\n" not in body:
            raise
        return [json.loads(row) for row in body.split(b"\n")]


def _collect(value: Any, name: str, leaves: dict[str, str], repeats: dict[str, int]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _collect(inner, key, leaves, repeats)
    elif isinstance(value, list):
        for inner in value:
            _collect(inner, name, leaves, repeats)
    elif name:
        key = name
        if name in leaves:
            repeats[name] = repeats.get(name, 1) + 1
            key = f"{name}.{repeats[name]}_"
        leaves[key] = _leaf(value)


def _leaf(value: Any) -> str:
    """As JavaScript prints it (pywb's rule): true, false, null, and 2 for 2.0."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "null"
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
