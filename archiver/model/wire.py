"""What crossed the wire, byte for byte."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from archiver.model.asked import Candidate, Decision, Keep
from archiver.model.words import FailureCode, Truncated
from archiver.spooled import Spool


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """Why there is no answer. `transient` failures are tried again later."""

    code: FailureCode
    message: str
    transient: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsInfo:
    """What was negotiated. `chain` holds the DER certificates, leaf first; `chain_id` their SHA-256 in hex."""

    version: str
    cipher: str
    chain_id: str
    chain: tuple[bytes, ...] = ()


class Framing(StrEnum):
    """How the body's end was known (RFC 9112, 6.3)."""

    NONE = "none"
    LENGTH = "length"
    CHUNKED = "chunked"
    CLOSE = "close"


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request and its answer, byte for byte as they crossed the wire.

    `response` holds every byte received, interim (1xx) heads and trailers included; the final head is
    `[head_start, body_start)`. `entity` holds the transfer-decoded body where it differs from `response[body_start:]`
    (chunked), else None. Header names in `headers` are lower case, in wire order. `malformed` says what our strict
    parser refused, when the bytes were framed leniently.
    """

    url: str
    method: str
    request: bytes
    response: Spool
    head_start: int
    body_start: int
    status: int
    reason: str
    headers: tuple[tuple[bytes, bytes], ...]
    framing: Framing
    ip: str
    port: int
    started_at: datetime
    seconds: float
    first_byte_seconds: float = 0.0
    entity: Spool | None = None
    tls: TlsInfo | None = None
    protocol: str = "http/1.1"
    truncated: Truncated | None = None
    malformed: str | None = None
    synthetic: bool = False

    def header(self, name: bytes) -> bytes | None:
        """The first value of a header; `name` in lower case."""
        for key, value in self.headers:
            if key == name:
                return value
        return None

    def header_all(self, name: bytes) -> list[bytes]:
        return [value for key, value in self.headers if key == name]

    @property
    def entity_size(self) -> int:
        return self.entity.size if self.entity is not None else self.response.size - self.body_start

    def entity_bytes(self) -> bytes:
        """The whole transfer-decoded body; ask `entity_size` first."""
        return self.entity.read() if self.entity is not None else self.response.read(self.body_start)

    def entity_chunks(self) -> Iterator[bytes]:
        """The transfer-decoded body in pieces (what WARC-Payload-Digest covers; WARC 1.1, 5.9)."""
        return self.entity.chunks() if self.entity is not None else self.response.chunks(self.body_start)

    def close(self) -> None:
        self.response.close()
        if self.entity is not None:
            self.entity.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What the gateway says about one candidate. Exactly one of `exchange`, `failure`, a non-allowing `decision`.

    `challenge` names the vendor where the answer asks for proof that no robot is asking: kept, and not the page.
    """

    candidate: Candidate
    decision: Decision
    exchange: Exchange | None = None
    keep: Keep | None = None
    failure: Failure | None = None
    response_id: str | None = None
    challenge: str | None = None
