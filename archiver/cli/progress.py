"""Progress: a live line on a terminal (rich), JSON lines elsewhere, nothing when asked to be quiet."""

from __future__ import annotations

import contextlib
import json
import sys
import time
from collections import Counter
from collections.abc import Iterator
from typing import Protocol, TextIO

from archiver.cli.output import plain
from archiver.model import Page, Status

EVERY = 5.0  # seconds between JSON lines


class Progress(Protocol):
    def page(self, page: Page) -> None: ...

    def queue(self, waiting: int) -> None: ...

    def put_off(self, page: Page, until: str) -> None: ...

    def note(self, text: str) -> None: ...


class Quiet:
    def page(self, page: Page) -> None:
        """Says nothing."""

    def queue(self, waiting: int) -> None:
        """Says nothing."""

    def put_off(self, page: Page, until: str) -> None:
        """Says nothing."""

    def note(self, text: str) -> None:
        """What the user has to know is said all the same, as warnings are."""
        _say(text, sys.stderr)


class Tally:
    """What both forms show."""

    def __init__(self) -> None:
        self.pages = 0
        self.wire_bytes = 0
        self.refused: Counter[str] = Counter()
        self.waiting = 0
        self.started = time.monotonic()

    def add(self, page: Page) -> None:
        self.pages += 1
        self.wire_bytes += page.wire_bytes
        if page.status in (Status.REFUSED, Status.DEFERRED):
            self.refused[page.decision.reason.value] += 1
        for gap in page.completeness.matter:
            self.refused[gap.reason] += 1

    @property
    def rate(self) -> float:
        return self.pages / max(0.001, time.monotonic() - self.started)


class JsonLines:
    """`{"progress": {...}}` on stderr every few seconds."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._tally = Tally()
        self._last = time.monotonic()

    def page(self, page: Page) -> None:
        self._tally.add(page)
        self._tell()

    def queue(self, waiting: int) -> None:
        self._tally.waiting = waiting

    def put_off(self, page: Page, until: str) -> None:
        """At once: nothing else may be said for hours."""
        waits = {"url": page.candidate.url, "reason": page.decision.reason.value, "until": until}
        with contextlib.suppress(OSError):
            print(json.dumps({"progress": {"waits": waits}}), file=self._out, flush=True)

    def note(self, text: str) -> None:
        _say(text, self._out)

    def _tell(self) -> None:
        now = time.monotonic()
        if now - self._last < EVERY:
            return
        self._last = now
        tally = self._tally
        line = {
            "pages": tally.pages,
            "bytes": tally.wire_bytes,
            "queue": tally.waiting,
            "pages_per_second": round(tally.rate, 2),
            "refused": dict(tally.refused),
        }
        with contextlib.suppress(OSError):
            print(json.dumps({"progress": line}), file=self._out, flush=True)


class Terminal:
    """One line that is redrawn."""

    def __init__(self, out: TextIO) -> None:
        from rich.console import Console
        from rich.live import Live

        self._tally = Tally()
        self._live = Live(console=Console(file=out), refresh_per_second=4, transient=True)

    def __enter__(self) -> Terminal:
        self._live.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._live.stop()

    def page(self, page: Page) -> None:
        self._tally.add(page)
        self._show(page.candidate.url)

    def queue(self, waiting: int) -> None:
        self._tally.waiting = waiting

    def put_off(self, page: Page, until: str) -> None:
        self._show(f"waiting until {until} ({page.decision.reason.value}): {page.candidate.url}")

    def note(self, text: str) -> None:
        """Above the live line."""
        self._live.console.print(f"archiver: note: {plain(text)}", markup=False, highlight=False, soft_wrap=True)

    def _show(self, url: str) -> None:
        from rich.text import Text

        tally = self._tally
        refused = ", ".join(f"{reason} {count}" for reason, count in tally.refused.most_common(4))
        line = f"{tally.pages} pages  {tally.wire_bytes / 1e6:.1f} MB  {tally.waiting} waiting  {tally.rate:.1f}/s" + (
            f"  refused: {refused}" if refused else ""
        )
        self._live.update(Text(f"{line}\n{url}", overflow="ellipsis", no_wrap=True))


def _say(text: str, out: TextIO) -> None:
    with contextlib.suppress(OSError):
        print(f"archiver: note: {plain(text)}", file=out, flush=True)


@contextlib.contextmanager
def progress_for(out: TextIO, *, quiet: bool) -> Iterator[Progress]:
    if quiet:
        yield Quiet()
    elif out.isatty():
        with Terminal(out) as terminal:
            yield terminal
    else:
        yield JsonLines(sys.stderr)
