"""What a visit has found so far: exchanges not yet written, gaps, counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from archiver.engine.read import Reading
from archiver.model import Candidate, Completeness, Exchange, Fetched, Gap, Reason
from archiver.policy.override import lifted, restricted
from archiver.ports import Recorded
from archiver.ports_browser import Rendered


@dataclass(slots=True)
class Gathered:
    """What a visit found. `fetched` is in wire order: hops, document, then requisites as the page names them."""

    fetched: list[Fetched] = field(default_factory=list)
    requisites: list[tuple[int, Fetched]] = field(default_factory=list)
    reading: Reading | None = None
    frames: list[tuple[Fetched, Reading]] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    kept: int = 0
    refused: int = 0
    failed: int = 0
    owned: list[str] = field(default_factory=list)
    answered: list[Candidate] = field(default_factory=list)
    wire_bytes: int = 0
    held: int = 0
    recorded: list[Recorded] = field(default_factory=list)
    documents_taken: int = 0
    overridden: set[str] = field(default_factory=set)
    override: Mapping[str, Any] | None = None
    rendered: Rendered | None = None
    lane_why: Mapping[str, Any] | None = None
    challenge: str | None = None
    resources: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def document(self) -> Fetched:
        """The last hop: what the seed's URL came to."""
        return self.fetched[-1]

    def pages(self) -> list[tuple[Fetched, Reading]]:
        """The document and its frames, where they could be read: what links are found on."""
        own = [(self.document, self.reading)] if self.reading is not None else []
        return [*own, *self.frames]

    def note(self, fetched: Fetched) -> None:
        """Count an answer that came in."""
        if fetched.exchange is not None:
            self.answered.append(fetched.candidate)
            self.wire_bytes += fetched.exchange.response.size
            self.held += fetched.exchange.response.size

    def count(self, fetched: Fetched) -> bool:
        """Whether a requisite is in the archive as a reader would need it; a gap is told otherwise."""
        candidate, exchange = fetched.candidate, fetched.exchange
        if exchange is not None and (_is_whole(exchange) or _never_ends(exchange)):
            self.kept += 1
            return True
        if exchange is None and fetched.failure is None:
            self.refused += 1
            self.gap(candidate.url, candidate.resource_type, fetched.decision.reason, fetched.decision.rule)
            return False
        self.failed += 1
        self.gap(candidate.url, candidate.resource_type, Reason.FAILED, why_failed(fetched))
        return False

    def gap(self, url: str, resource_type: str, reason: Reason, rule: str) -> None:
        self.gaps.append(Gap(url=url, type=resource_type, reason=reason.value, rule=rule))

    def spread_override(self) -> None:
        """What belongs to a page that an override helped to fetch is restricted, as that page is.

        What a full spool let be written before the first override in a visit stays open: robots.txt allowed it.
        """
        for one in (*self.fetched, *(one for _, one in self.requisites)):
            note = lifted(one)
            if note is not None:
                self.overridden.add(str(note["what"]))
                self.override = self.override or note
        if self.override is not None:
            self.fetched[:] = [_restricted(one, self.override) for one in self.fetched]
            self.requisites[:] = [(index, _restricted(one, self.override)) for index, one in self.requisites]

    def take(self) -> list[Fetched]:
        """What is not written yet, in the order it belongs into the WARC."""
        batch = self.fetched[self.documents_taken :]
        batch.extend(one for _, one in sorted(self.requisites, key=lambda pair: pair[0]))
        self.documents_taken, self.held = len(self.fetched), 0
        self.requisites.clear()
        return batch

    def completeness(self, *, wanted: bool) -> Completeness:
        verdict = ("gaps" if self.gaps else "complete") if wanted else "document-only"
        return Completeness(
            verdict=verdict, kept=self.kept, refused=self.refused, failed=self.failed, matter=tuple(self.gaps)
        )


def _is_whole(exchange: Exchange) -> bool:
    return exchange.status < 500 and exchange.status != 429 and not exchange.truncated


def _never_ends(exchange: Exchange) -> bool:
    """Event streams and WebSockets are cut when their page is left: what came until then is all there is to keep."""
    return exchange.status == 101 or (exchange.header(b"content-type") or b"")[:17].lower() == b"text/event-stream"


def why_failed(fetched: Fetched) -> str:
    """In a few words why there is no usable answer."""
    if fetched.failure is not None:
        return f"{fetched.failure.code.value}: {fetched.failure.message}"
    exchange = fetched.exchange
    if exchange is not None and exchange.truncated:
        return f"cut off ({exchange.truncated.value})"
    return f"HTTP {exchange.status}" if exchange is not None else ""


def _restricted(fetched: Fetched, note: Mapping[str, Any]) -> Fetched:
    """Told by its own override where it needed one."""
    if fetched.keep is None:
        return fetched
    return replace(fetched, keep=restricted(fetched.keep, lifted(fetched) or note))
