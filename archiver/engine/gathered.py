"""What a visit has found so far: exchanges not yet written, gaps, counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from archiver.engine.read import Reading
from archiver.model import Candidate, Completeness, Fetched, Gap
from archiver.policy.override import lifted, restricted
from archiver.ports import Recorded


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


def _restricted(fetched: Fetched, note: Mapping[str, Any]) -> Fetched:
    """Told by its own override where it needed one."""
    if fetched.keep is None:
        return fetched
    return replace(fetched, keep=restricted(fetched.keep, lifted(fetched) or note))
