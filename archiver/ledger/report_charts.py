"""The report's charts: inline SVG without script, each beside a table that says the same in numbers. Pure.

Texts in a chart are few and escaped; colours come from the page's style sheet, and no meaning rests on colour alone:
every bar carries its number.
"""

from __future__ import annotations

import html
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from archiver.ledger.report import Report
from archiver.ledger.report_pace import PARTS, Timeline
from archiver.ledger.report_urls import printable

_WIDTH, _LABEL, _NUMBER, _ROW = 720, 250, 96, 24
_LONGEST = 38
_REASONS, ORIGINS = 10, 6
_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")

Bar = tuple[str, int, str]
"""Label, value, and the class that gives the bar its colour."""


def outcomes(report: Report) -> Iterator[str]:
    """URLs by state and reason, the most frequent first."""
    bars: list[Bar] = []
    for one in report.reasons[:_REASONS]:
        reason = one["reason"] if one["reason"] not in ("", "allowed") else ""
        bars.append((f"{one['state']}{f', {reason}' if reason else ''}", one["urls"], f"s-{one['state']}"))
    rest = sum(one["urls"] for one in report.reasons[_REASONS:])
    yield from bar_chart("outcomes", "URLs by outcome and reason", [*bars, *([("others", rest, "")] if rest else [])])


def media_types(report: Report) -> Iterator[str]:
    """Bytes as received, by media type."""
    ranked = sorted(report.types.items(), key=lambda one: (-one[1][1], one[0]))
    yield from bar_chart(
        "types", "Bytes received by media type", [(name, both[1], "") for name, both in ranked], octets
    )


def bar_chart(
    name: str, title: str, bars: Sequence[Bar], say: Callable[[int], str] = lambda one: f"{one:,}"
) -> Iterator[str]:
    """Horizontal bars with their numbers; nothing without a bar."""
    if not any(value for _, value, _ in bars):
        return
    most = max(value for _, value, _ in bars)
    said = ", ".join(f"{label} {say(value)}" for label, value, _ in bars)
    yield _opened(name, title, said, len(bars) * _ROW)
    room = _WIDTH - _LABEL - _NUMBER
    for number, (label, value, colour) in enumerate(bars):
        top, length = number * _ROW, max(1.5 if value else 0.0, room * value / most)
        yield (
            f'<text x="{_LABEL - 10}" y="{top + 16}" text-anchor="end">{_cut(label)}</text>'
            f'<rect class="bar {_safe(colour)}" x="{_LABEL}" y="{top + 4}" width="{length:.1f}" height="{_ROW - 8}"/>'
            f'<text x="{_LABEL + length + 8:.1f}" y="{top + 16}">{_safe(say(value))}</text>\n'
        )
    yield "</svg>\n</figure>\n"


def requests(timeline: Timeline) -> Iterator[str]:
    """A strip of columns for each of the busiest origins, all to one scale."""
    strips = timeline.busiest(ORIGINS)
    if not strips:
        return
    used = 1 + max(at for _, counts in strips for at in range(PARTS) if counts[at])
    most, height = max(max(counts) for _, counts in strips), 44
    title = f"Requests over time by origin, in parts of {seconds(timeline.width)}"
    said = ", ".join(
        f"{origin}: {sum(counts):,} requests, at most {max(counts):,} in one part" for origin, counts in strips
    )
    yield _opened("requests", title, said, len(strips) * height + 22)
    room, step = _WIDTH - _LABEL - _NUMBER, (_WIDTH - _LABEL - _NUMBER) / used
    for number, (origin, counts) in enumerate(strips):
        base = (number + 1) * height - 6
        yield f'<text x="{_LABEL - 10}" y="{base - 4}" text-anchor="end">{_cut(origin)}</text>'
        yield f'<line class="axis" x1="{_LABEL}" y1="{base}" x2="{_LABEL + room}" y2="{base}"/>'
        for at, count in enumerate(counts[:used]):
            tall = (height - 12) * count / most
            if count:
                yield (
                    f'<rect class="bar" x="{_LABEL + at * step:.1f}" y="{base - max(tall, 1.5):.1f}" '
                    f'width="{max(step - 0.7, 0.7):.1f}" height="{max(tall, 1.5):.1f}"/>'
                )
        yield f'<text x="{_LABEL + room + 8}" y="{base - 4}">{sum(counts):,}</text>\n'
    foot = len(strips) * height + 14
    end = _time(timeline.start + used * timeline.width)
    yield f'<text x="{_LABEL}" y="{foot}">{_time(timeline.start)}</text>'
    yield f'<text x="{_LABEL + room}" y="{foot}" text-anchor="end">{end}</text>\n'
    yield "</svg>\n</figure>\n"


def octets(number: int) -> str:
    """Bytes as people say them, in powers of 1000."""
    value, unit = float(number), 0
    while value >= 999.5 and unit < len(_UNITS) - 1:
        value, unit = value / 1000, unit + 1
    return f"{number:,} bytes" if unit == 0 else f"{value:.3g} {_UNITS[unit]}"


def seconds(number: float) -> str:
    """A width in seconds as people say it."""
    for size, word in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if number >= size:
            return f"{number / size:.3g} {word}"
    return f"{number:g} s"


def _opened(name: str, title: str, said: str, height: int) -> str:
    return (
        f'<figure>\n<figcaption id="c-{name}">{_safe(title)}</figcaption>\n'
        f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-labelledby="c-{name} d-{name}">'
        f'<desc id="d-{name}">{_safe(said)}. The table below has the numbers.</desc>\n'
    )


def _cut(text: str) -> str:
    return _safe(text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}...")


def _time(epoch: float) -> str:
    return f"{datetime.fromtimestamp(epoch, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _safe(text: str) -> str:
    return html.escape(printable(text), quote=True)
