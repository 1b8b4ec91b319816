"""WARC 1.1 records as bytes (ISO 28500:2017), built from wire bytes. Pure: no clock, no file.

A response block is every byte the server sent, interim (1xx) heads included: block equals wire. A reader that takes
the first head for the answer sees the interim status there; our index and verifier look for the final head, and
WARC-Payload-Digest is always over the transfer-decoded entity (WARC 1.1, 5.9), so it has one meaning only.
Where the body was dropped or cut, it covers the part that the record holds.

Extension fields, beside those in the wild (WARC-Protocol, WARC-Cipher-Suite, WARC-Page-ID, WARC-Resource-Type):
`WARC-Certificate-Chain: <urn:certificates:sha256:...>` names the `resource` record that holds the TLS chain.

JSON metadata stands inside one field of an `application/warc-fields` block (`policy: {...}`), beside Heritrix' `via`
and `hopsFromSeed`. cdxj-indexer and pywb index every other metadata or resource record, this type never, so an index
made by either shows captures only; pywb's shows `conversion` records too, under their `urn:`.
"""

from __future__ import annotations

import hashlib
import ipaddress
import ssl
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

import orjson

from archiver.clock import iso
from archiver.ids import new_record_id
from archiver.model import CaptureItem, DocumentItem, Exchange, TlsInfo, Truncated
from archiver.ports.frontier import Stretch
from archiver.warc.fields import WARC_FIELDS, json_fields, safe, safe_uri, warc_fields

REVISIT_PROFILE = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
RECORD_END = b"\r\n\r\n"
WHOLE_LIMIT = 2 << 20  # blocks up to here are handled in one piece, larger ones as a stream
HTTP_RESPONSE = "application/http; msgtype=response"
HTTP_REQUEST = "application/http; msgtype=request"

_PAYLOADS = frozenset({"resource", "conversion"})  # the block is the payload (WARC 1.1, 5.9)
_JSON = {"application/json": False, "application/x-ndjson": True, "application/jsonl": True}  # -> one value a line

Chunks = Callable[[], Iterator[bytes]]


class Draft(NamedTuple):
    """A record ready to be compressed: `head` up to and with its blank line, then `block` (bytes, or pieces of it)."""

    type: str
    record_id: str
    head: bytes
    block: bytes | Chunks
    length: int
    payload_digest: str | None = None


class Original(NamedTuple):
    """The record that a revisit points to. `date` is its WARC-Date, `place` where it lies."""

    record_id: str
    url: str
    date: str
    place: Stretch | None = None


class Context(NamedTuple):
    """What a capture's three records share, made safe once. `common`: date, target and warcinfo id as header lines."""

    response_id: str
    date: str
    target: str
    common: str
    address: str
    warcinfo_id: str


class Payload(NamedTuple):
    """A response's bytes with their digests; `stored` is the block, whole when it is small."""

    block: bytes | Chunks
    length: int
    block_digest: str
    digest: str
    size: int


def sha256(data: bytes | memoryview) -> str:
    """`sha256:` and lower-case hex."""
    return "sha256:" + hashlib.sha256(data).hexdigest()


def _sha256_stream(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return "sha256:" + digest.hexdigest()


def chain_urn(chain_id: str) -> str:
    return f"urn:certificates:sha256:{chain_id}"


def measure(item: CaptureItem) -> Payload:
    """Read a response once and digest block and payload. Blocks over `WHOLE_LIMIT` stay on disk."""
    exchange = item.exchange
    response, start = exchange.response, exchange.body_start
    if item.drop_body:
        head = response.read(0, start)
        return Payload(head, len(head), sha256(head), sha256(b""), 0)
    if response.size > WHOLE_LIMIT:
        return Payload(
            response.chunks,
            response.size,
            _sha256_stream(response.chunks()),
            _sha256_stream(exchange.entity_chunks()),
            exchange.entity_size,
        )
    block = response.read()
    entity = memoryview(block)[start:] if exchange.entity is None else exchange.entity.read()
    return Payload(block, len(block), sha256(block), sha256(entity), len(entity))


def context(item: CaptureItem, warcinfo_id: str) -> Context:
    exchange, target = item.exchange, safe_uri(item.exchange.url)
    date = iso(exchange.started_at)
    common = f"WARC-Date: {date}\r\nWARC-Target-URI: {target}\r\nWARC-Warcinfo-ID: <{warcinfo_id}>\r\n"
    return Context(safe_uri(item.response_id), date, target, common, _address(exchange.ip), warcinfo_id)


def response(item: CaptureItem, payload: Payload, shared: Context) -> Draft:
    """A `response` record: the block is the wire's bytes (or the head alone, `WARC-Truncated: unspecified`).

    After interim (1xx) heads readers disagree on where the payload begins: then no payload digest is claimed.
    """
    truncated = Truncated.UNSPECIFIED if item.drop_body else item.exchange.truncated
    extra = f"WARC-Truncated: {truncated.value}\r\n" if truncated else ""
    claimed = "" if item.exchange.head_start else f"WARC-Payload-Digest: {payload.digest}\r\n"
    head = (
        f"WARC/1.1\r\nWARC-Type: response\r\nWARC-Record-ID: <{shared.response_id}>\r\n"
        f"{shared.common}{shared.address}{_circumstances(item)}{extra}"
        f"WARC-Block-Digest: {payload.block_digest}\r\n{claimed}"
        f"Content-Type: {HTTP_RESPONSE}\r\nContent-Length: {payload.length}\r\n\r\n"
    )
    digest = None if item.exchange.head_start else payload.digest
    return Draft("response", item.response_id, head.encode(), payload.block, payload.length, digest)


def revisit(item: CaptureItem, payload_digest: str, original: Original, shared: Context) -> Draft:
    """A `revisit` record of profile identical-payload-digest: the final head alone (WARC 1.1, 6.7.2)."""
    exchange = item.exchange
    block = exchange.response.read(exchange.head_start, exchange.body_start - exchange.head_start)
    head = (
        f"WARC/1.1\r\nWARC-Type: revisit\r\nWARC-Record-ID: <{shared.response_id}>\r\n"
        f"{shared.common}{shared.address}{_circumstances(item)}WARC-Profile: {REVISIT_PROFILE}\r\n"
        f"WARC-Refers-To: <{safe_uri(original.record_id)}>\r\nWARC-Refers-To-Target-URI: {safe_uri(original.url)}\r\n"
        f"WARC-Refers-To-Date: {original.date}\r\nWARC-Block-Digest: {sha256(block)}\r\n"
        f"WARC-Payload-Digest: {payload_digest}\r\n"
        f"Content-Type: {HTTP_RESPONSE}\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return Draft("revisit", item.response_id, head.encode(), block, len(block), payload_digest)


def request(item: CaptureItem, shared: Context) -> Draft:
    """The `request` record of a capture, right behind its response so that indexers join the two."""
    record_id, block = new_record_id(), item.exchange.request
    head = (
        f"WARC/1.1\r\nWARC-Type: request\r\nWARC-Record-ID: <{record_id}>\r\n{shared.common}"
        f"WARC-Concurrent-To: <{shared.response_id}>\r\n{shared.address}"
        f"WARC-Block-Digest: {sha256(block)}\r\nContent-Type: {HTTP_REQUEST}\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return Draft("request", record_id, head.encode(), block, len(block))


def policy(item: CaptureItem, shared: Context) -> Draft:
    """The `metadata` record with the decision, under `urn:policy:<url>` so that no replay takes it for the page."""
    block = json_fields("policy", item.policy_json)
    if item.hop_path:
        block = b"hopsFromSeed: " + safe(item.hop_path).encode() + b"\r\n" + block
    if item.via:
        block = b"via: " + safe(item.via).encode() + b"\r\n" + block
    record_id = new_record_id()
    head = (
        f"WARC/1.1\r\nWARC-Type: metadata\r\nWARC-Record-ID: <{record_id}>\r\nWARC-Date: {shared.date}\r\n"
        f"WARC-Target-URI: urn:policy:{shared.target}\r\nWARC-Warcinfo-ID: <{shared.warcinfo_id}>\r\n"
        f"WARC-Concurrent-To: <{shared.response_id}>\r\nWARC-Block-Digest: {sha256(block)}\r\n"
        f"Content-Type: {WARC_FIELDS}\r\nContent-Length: {len(block)}\r\n\r\n"
    )
    return Draft("metadata", record_id, head.encode(), block, len(block))


def document(item: DocumentItem, warcinfo_id: str) -> Draft:
    """Any other record. JSON in a `metadata` record becomes a field named after its URN (`consent: {...}`).

    JSON lines become one such field a line.
    """
    content_type, block = item.content_type, item.payload
    if item.type == "metadata" and content_type in _JSON:
        block = json_fields(_field_name(item.target), block, rows=_JSON[content_type])
        content_type = WARC_FIELDS
    digest = sha256(block)
    fields = [
        ("WARC-Date", iso(item.date)),
        ("WARC-Target-URI", safe_uri(item.target)),
        ("WARC-Warcinfo-ID", f"<{warcinfo_id}>"),
        ("WARC-Concurrent-To", f"<{safe_uri(item.concurrent_to)}>" if item.concurrent_to else ""),
        ("WARC-Refers-To", f"<{safe_uri(item.refers_to)}>" if item.refers_to else ""),
        ("WARC-Truncated", item.truncated.value if item.truncated else ""),
        ("WARC-JSON-Metadata", safe(orjson.dumps(dict(item.about)).decode()) if item.about else ""),
        ("WARC-Block-Digest", digest),
        ("WARC-Payload-Digest", digest if item.type in _PAYLOADS else ""),
    ]
    payload_digest = digest if item.type in _PAYLOADS else None
    head = _head(item.type, item.record_id, fields, content_type, len(block))
    return Draft(item.type, item.record_id, head, block, len(block), payload_digest)


def certificates(tls: TlsInfo, exchange: Exchange, warcinfo_id: str) -> Draft:
    """A TLS chain, once: PEM certificates (RFC 7468), leaf first, each in a folded `certificate` field."""
    block = f"chain-id: sha256:{safe(tls.chain_id)}\r\n".encode()
    for der in tls.chain:
        pem = ssl.DER_cert_to_PEM_cert(der).strip().split("\n")
        block += b"certificate:\r\n" + "".join(f" {line}\r\n" for line in pem).encode()
    record_id, digest = new_record_id(), sha256(block)
    fields = [
        ("WARC-Date", iso(exchange.started_at)),
        ("WARC-Target-URI", safe_uri(chain_urn(tls.chain_id))),
        ("WARC-Warcinfo-ID", f"<{warcinfo_id}>"),
        ("WARC-Block-Digest", digest),
        ("WARC-Payload-Digest", digest),
    ]
    return Draft(
        "resource", record_id, _head("resource", record_id, fields, WARC_FIELDS, len(block)), block, len(block), digest
    )


def warcinfo(fields: Mapping[str, str], *, filename: str, date: str) -> Draft:
    """The first record of a file. `format` and `conformsTo` are added where missing."""
    conventional = {
        "format": "WARC File Format 1.1",
        "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
    }
    block = warc_fields({**fields, **{k: v for k, v in conventional.items() if k not in fields}}.items())
    record_id = new_record_id()
    head_fields = [("WARC-Date", date), ("WARC-Filename", safe(filename)), ("WARC-Block-Digest", sha256(block))]
    return Draft(
        "warcinfo", record_id, _head("warcinfo", record_id, head_fields, WARC_FIELDS, len(block)), block, len(block)
    )


def _head(kind: str, record_id: str, fields: Iterable[tuple[str, str]], content_type: str, length: int) -> bytes:
    """A record head; fields with an empty value are left out. Values are already safe but for `content_type`."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields if value)
    return (
        f"WARC/1.1\r\nWARC-Type: {safe(kind)}\r\nWARC-Record-ID: <{safe_uri(record_id)}>\r\n{lines}"
        f"Content-Type: {safe(content_type)}\r\nContent-Length: {length}\r\n\r\n"
    ).encode()


def _field_name(target: str) -> str:
    """`consent` for `urn:consent:<url>`; `json` where the target is no such URN."""
    parts = target.split(":", 2)
    return parts[1] if len(parts) == 3 and parts[0] == "urn" and parts[1].isalnum() else "json"


def _circumstances(item: CaptureItem) -> str:
    """Protocols, TLS and the visit the capture belongs to."""
    tls = item.exchange.tls
    text = _protocol(item.exchange.protocol)
    if tls is not None:
        text += _tls(tls.version, tls.cipher, tls.chain_id)
    if item.page_id:
        text += f"WARC-Page-ID: {safe(item.page_id)}\r\n"
    return text + _resource_type(item.resource_type) if item.resource_type else text


@lru_cache(maxsize=64)
def _protocol(name: str) -> str:
    return f"WARC-Protocol: {safe(name)}\r\n"


@lru_cache(maxsize=64)
def _resource_type(name: str) -> str:
    return f"WARC-Resource-Type: {safe(name)}\r\n"


@lru_cache(maxsize=1024)
def _tls(version: str, cipher: str, chain_id: str) -> str:
    family, _, number = version.lower().replace("tlsv", "tls/").replace("sslv", "ssl/").partition("/")
    protocol = f"{family}/{number if '.' in number or family == 'ssl' else number + '.0'}"
    lines = f"{_protocol(protocol)}WARC-Cipher-Suite: {safe(cipher)}\r\n"
    return lines + (f"WARC-Certificate-Chain: <{safe_uri(chain_urn(chain_id))}>\r\n" if chain_id else "")


@lru_cache(maxsize=4096)
def _address(ip: str) -> str:
    """RFC 5952 text, without a zone; what is no address is only made safe. No field when there is none."""
    try:
        text = ipaddress.ip_address(ip.partition("%")[0]).compressed
    except ValueError:
        text = safe(ip)
    return f"WARC-IP-Address: {text}\r\n" if ip else ""
