"""Imported captures as `list` and `why` show them: read from the indexes of imported files, for want of rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from archiver import urls
from archiver.clock import iso
from archiver.config import Places
from archiver.ledger.explain_imported import ImportedCapture
from archiver.ledger.imports import Imported, imported
from archiver.ledger.index import Capture
from archiver.warc.imported_lines import IndexedCapture, captures, captures_of
from archiver.wiring.hidden import hidden_rule
from archiver.wiring.imported_files import placed
from archiver.wiring.imported_pages import titles

STATUS = "imported"
_DOCUMENTS = frozenset({"text/html", "application/xhtml+xml", "application/pdf"})


def imported_files(places: Places) -> list[Imported]:
    """Files that were taken in and lie where they belong. Raises LedgerError."""
    return [one for one in imported(places.logs) if placed(places, one.access, one.file)]


def imported_of(places: Places, url: str) -> list[ImportedCapture]:
    """Captures of one URL in imported files, oldest first. Raises LedgerError, OSError."""
    found = [
        ImportedCapture(file=file, t=one.t, status=one.status, mime=one.mime, offset=one.offset)
        for file in imported_files(places)
        for one in captures_of(places.indexes(file.access) / f"{file.file}.cdxj", url)
    ]
    return sorted(found, key=lambda one: one.t)


@dataclass(slots=True)
class ImportedList:
    """Rows for `list`, file by file in the order of their indexes. `left_out` counts what is no document."""

    places: Places
    prefix: str = ""
    since: datetime | None = None
    everything: bool = False
    left_out: int = 0

    def rows(self, now: datetime) -> Iterator[Capture]:
        """Raises LedgerError, OSError."""
        files = imported_files(self.places)
        if not files:
            return
        named, rule = titles(self.places), hidden_rule(self.places.logs, now)
        since = iso(self.since) if self.since is not None else ""
        for file in files:
            for one in captures(self.places.indexes(file.access) / f"{file.file}.cdxj"):
                if not one.url.startswith(self.prefix) or one.t < since:
                    continue
                if not self.everything and one.mime not in _DOCUMENTS and one.url not in named:
                    self.left_out += 1
                    continue
                url = urls.parse(one.url)
                hidden = rule is not None and url is not None and rule.covering(url.key) is not None
                yield self._row(file, one, named.get(one.url, ""), hidden=hidden)

    def _row(self, file: Imported, one: IndexedCapture, title: str, *, hidden: bool) -> Capture:
        """No id and no job of ours: nobody here captured it."""
        return Capture(
            capture_id="", url=one.url, t=one.t, status=STATUS, http_status=one.status, access=file.access.value,
            completeness="", title=title, file=file.file, offset=one.offset, collection=self.places.name, job="",
            hidden=hidden, final_url=one.url, mime=one.mime, size=one.length, payload_digest=one.digest or None,
            access_reason=STATUS,
        )  # fmt: skip
