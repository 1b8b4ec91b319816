"""From an exchange to a Scrapy response: decoded within limits, in a charset that cannot be used against us."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address

from scrapy import Request
from scrapy.http import Headers, HtmlResponse, Response, TextResponse, XmlResponse

from archiver.coding import decode
from archiver.extract.charset import codec_of, html_codec, label_of
from archiver.model import Exchange, Truncated

OFF_LOOP = 65_536  # bytes on the wire past which decoding may hold the loop for too long (decision 15)
DATA_LOSS = "dataloss"  # Scrapy's own word for a body that was cut
_TEXT = ("application/json", "application/javascript", "application/x-javascript", "text/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How much of a body a response carries, in bytes after decoding; `decoded`: content codings undone here."""

    limit: int = 64 << 20
    decoded: bool = True


def to_response(request: Request, url: str, exchange: Exchange, reading: Reading) -> Response:
    """Flags: `truncated:<why>` and `dataloss` for a body that was cut on the wire, `truncated:length` for one that is
    longer than `reading.limit`, `undecoded:<why>` for codings that could not be undone. The WARC holds all that came.

    Python would take minutes over `charset=punycode`; only WHATWG labels name a codec here (Encoding Standard, 4.2).
    """
    flags = _flags(exchange)
    body, undecoded = _body(exchange, reading)
    if undecoded:
        flags.append(undecoded)
    headers = Headers(exchange.headers)
    if reading.decoded and not undecoded:
        headers.pop("content-encoding", None)
    kind = (exchange.header(b"content-type") or b"").decode("latin-1").lower()
    cls = _class_of(kind)
    address = ip_address(exchange.ip)
    if cls is None:
        return Response(
            url=url, status=exchange.status, headers=headers, body=body, request=request, flags=flags,
            ip_address=address, protocol="HTTP/1.1",
        )  # fmt: skip
    label = label_of(kind)
    charset = html_codec(body, label)
    if label and codec_of(label) is None:
        headers["Content-Type"] = f"{kind.partition(';')[0].strip()}; charset={charset}"
    return cls(
        url=url, status=exchange.status, headers=headers, body=body, request=request, flags=flags, encoding=charset,
        ip_address=address, protocol="HTTP/1.1",
    )  # fmt: skip


def to_receipt(request: Request, url: str, exchange: Exchange) -> Response:
    """A response for nobody to parse: status, headers and flags, no body. Building a body costs more than a visit's
    whole way through Scrapy's engine."""
    flags = [*_flags(exchange), "unread"]
    return Response(url=url, status=exchange.status, headers=exchange.headers, request=request, flags=flags)


def _flags(exchange: Exchange) -> list[str]:
    if exchange.truncated is None:
        return []
    lost = exchange.truncated is not Truncated.LENGTH
    return [f"truncated:{exchange.truncated.value}", *([DATA_LOSS] if lost else [])]


def _body(exchange: Exchange, reading: Reading) -> tuple[bytes, str]:
    coding = exchange.header(b"content-encoding") if reading.decoded else None
    if exchange.entity_size > reading.limit or coding:
        found = decode(exchange.entity_chunks(), coding, limit=reading.limit)
        cut = len(found.data) >= reading.limit
        return found.data, "" if found.complete else "truncated:length" if cut else f"undecoded:{found.error}"
    return exchange.entity_bytes(), ""


def _class_of(kind: str) -> type[TextResponse] | None:
    if "html" in kind:
        return HtmlResponse
    if "xml" in kind:
        return XmlResponse
    return TextResponse if kind.startswith(_TEXT) else None
