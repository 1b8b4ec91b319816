"""What a visit has found so far: exchanges not yet written, gaps, counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from archiver.engine.read import Reading
from archiver.engine.requests import is_shared
from archiver.model import Access, Candidate, Completeness, Exchange, Fetched, Gap, Keep, Reason
from archiver.policy.images import ImageWish, is_image, wish_of
from archiver.policy.override import lifted, restricted
from archiver.ports import Recorded
from archiver.ports.browser import Rendered

_PICTURED = frozenset({"frame", "image", "media"})


@dataclass(slots=True)
class Gathered:
    """What a visit found. `fetched` is in wire order: hops, document, then requisites as the page names them.

    `pictured`: verdicts on what is seen in a picture of the page and is not open; `written_as`: with which verdict the
    documents went into the WARC, by response id. `led_from`: where in `fetched` the hops to the document begin.
    """

    fetched: list[Fetched] = field(default_factory=list)
    requisites: list[tuple[int, Fetched]] = field(default_factory=list)
    reading: Reading | None = None
    frames: list[tuple[Fetched, Reading]] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    kept: int = 0
    refused: int = 0
    failed: int = 0
    owned: list[str] = field(default_factory=list)
    answers: int = 0
    answered: list[Candidate] = field(default_factory=list)
    wire_bytes: int = 0
    held: int = 0
    recorded: list[Recorded] = field(default_factory=list)
    documents_taken: int = 0
    led_from: int = 0
    overridden: set[str] = field(default_factory=set)
    override: Mapping[str, Any] | None = None
    pictured: list[Keep] = field(default_factory=list)
    written_as: dict[str, Keep] = field(default_factory=dict)
    rendered: Rendered | None = None
    lane_why: Mapping[str, Any] | None = None
    challenge: str | None = None
    resources: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def document(self) -> Fetched:
        """The last hop: what the seed's URL came to."""
        return self.fetched[-1]

    def pages(self) -> list[tuple[Fetched, Reading]]:
        """The document and its frames, where they could be read: what links are found on. None of a challenge."""
        if self.challenge is not None:
            return []
        own = [(self.document, self.reading)] if self.reading is not None else []
        return [*own, *self.frames]

    def arrive(self, documents: Sequence[Fetched], reading: Reading) -> None:
        """The page went on by itself: redirects, if any, and where they led. The pages before were pages of this visit
        too, and keep what they said of themselves."""
        self.led_from = len(self.fetched)
        self.fetched.extend(documents)
        self.reading = reading
        self.spread_access()

    def challenged(self, vendor: str) -> None:
        """The document is no page: what it holds is kept, its links lead nowhere."""
        self.challenge = vendor
        self.fetched[-1] = replace(self.document, challenge=vendor)

    def spread_access(self) -> None:
        """The hops that led to a page are kept as the page is: they are part of what it asked not to be shown."""
        keep = self.document.keep
        if keep is None or keep.access is Access.OPEN:
            return
        first = self.led_from
        for number, hop in enumerate(self.fetched[first:-1], first):
            if hop.keep is not None and hop.keep.access is Access.OPEN:
                kept = replace(hop.keep, access=keep.access, reason=keep.reason, rule=keep.rule)
                self.fetched[number] = replace(hop, keep=kept)

    def seen(self, fetched: Fetched) -> None:
        """A requisite that a picture of the page shows."""
        keep = fetched.keep
        if keep is not None and keep.access is not Access.OPEN and fetched.candidate.resource_type in _PICTURED:
            self.pictured.append(keep)

    def recorded_as(self, fetched: Fetched) -> Recorded | None:
        """What was written of a document; None while nothing was."""
        mine = fetched.response_id
        return next((one for one in self.recorded if mine is not None and one.refs[0].record_id == mine), None)

    def note(self, fetched: Fetched) -> None:
        """Count an answer that came in."""
        if fetched.exchange is not None:
            self.answers += 1
            if is_shared(fetched.candidate):
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
        self.written_as.update((one.response_id, one.keep) for one in batch if one.response_id and one.keep)
        batch.extend(self._as_wished([one for _, one in sorted(self.requisites, key=lambda pair: pair[0])]))
        self.documents_taken, self.held = len(self.fetched), 0
        self.requisites.clear()
        return batch

    def _as_wished(self, requisites: list[Fetched]) -> list[Fetched]:
        """What the document asks of its images, and a frame of its own, stands with these too."""
        pages = {page.candidate.url: wish_of(page) for page in (self.document, *(frame for frame, _ in self.frames))}
        if not any(pages.values()):
            return requisites
        return [self._wished(one, pages) if is_image(one) else one for one in requisites]

    def _wished(self, image: Fetched, pages: Mapping[str, ImageWish | None]) -> Fetched:
        via = image.candidate.via or ""
        wish = pages[via] if via in pages else pages[self.document.candidate.url]
        return image if wish is None or image.keep is None else replace(image, keep=wish.on(image.keep))

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
