"""The report as one HTML page: no script, nothing loaded, everything from a site escaped. Pure.

The first screen answers in sentences; tables follow. Made for reading aloud as for print: one language, headings in
order, a caption and scoped headers in each table, no meaning that colour alone carries (WCAG 2.2, 1.3.1, 1.4.1, 1.4.3).
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence

from archiver.ledger.report import Host, Report
from archiver.ledger.report_urls import printable
from archiver.ledger.report_words import answers, busiest

_HOSTS = 100
_HOST_HEADS = (
    "host", "answers", "failures", "refusals", "deferrals", "bytes", "visits", "smallest gap (s)", "429", "503",
)  # fmt: skip
_GAP = ("page", "url", "type", "reason", "rule")

_STYLE = """
body{font:1rem/1.45 system-ui,sans-serif;color:#1b1b1b;background:#fff;max-width:60rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem}h2{font-size:1.2rem;margin:1.4rem 0 .4rem}h3{font-size:1rem;margin:.9rem 0 .2rem}
p{margin:.2rem 0}.wide{overflow-x:auto}table{border-collapse:collapse;margin:.4rem 0}
caption{text-align:left;font-weight:600;padding:.3rem 0}
th,td{border:1px solid #767676;padding:.2rem .5rem;text-align:left;vertical-align:top;overflow-wrap:anywhere}
th{background:#f0f0f0}td.n{text-align:right;white-space:nowrap}
@media print{body{max-width:none;padding:0;font-size:10pt}.tables{break-before:page}.wide{overflow:visible}}
"""


def page(report: Report) -> Iterator[str]:
    """The page in pieces."""
    title = f"Report on collection {_safe(report.collection)}, job {_safe(report.job[:8])}"
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="robots" content="noindex">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n<h1>{title}</h1>\n"
        f"<p>Made {_safe(report.generated)} from the ledger of the collection.</p>\n"
        "<h2>In short</h2>\n"
    )
    for answer in answers(report):
        said = " ".join(_safe(sentence) for sentence in answer.sentences)
        yield f"<h3>{_safe(answer.question)}</h3>\n<p>{said}</p>\n"
    yield '<div class="tables">\n<h2>Tables</h2>\n'
    yield from _tables(report)
    yield "</div>\n</main>\n</body>\n</html>\n"


def _tables(report: Report) -> Iterator[str]:
    counts = [(name, report.counts[name]) for name in ("discovered", "fetched", "refused", "failed", "pending")]
    yield from _table("Distinct URLs: discovered = fetched + refused + failed + pending", ("URLs", "number"), counts)
    reasons = [(one["reason"] or "-", one["state"], one["urls"], one["meaning"]) for one in report.reasons]
    yield from _table("Reasons", ("reason", "state", "URLs", "meaning"), reasons)
    shown = busiest(report, _HOSTS)
    yield from _table(_of("Hosts, busiest first", len(shown), len(report.hosts)), _HOST_HEADS, map(_host_cells, shown))
    yield from _table("Answers by HTTP status", ("status", "answers"), sorted(report.statuses.items()))
    yield from _table("Answers by who may see them", ("access", "answers"), sorted(report.access.items()))
    yield from _table("Visits by completeness", ("visits", "number"), sorted(report.pages.items()))
    gaps = [tuple(one.get(name) for name in _GAP) for one in report.gaps.shown]
    caption = _of("Gaps: what kept pages lack", len(gaps), report.gaps.number)
    yield from _table(caption, ("page", "missing", *_GAP[2:]), gaps)
    yield from _exceptions(report)
    yield from _runs(report)


def _exceptions(report: Report) -> Iterator[str]:
    overrides = [
        (one.get("url"), one.get("what"), one.get("by"), one.get("because")) for one in report.overridden.shown
    ]
    caption = _of("Overrides of robots.txt by a named person", len(overrides), report.overridden.number)
    yield from _table(caption, ("URL", "what", "by", "because"), overrides)
    taken = [(one["url"], one["via"], one["rule"]) for one in report.transcluded.shown]
    caption = _of("Fetched as part of a page though robots.txt refuses it", len(taken), report.transcluded.number)
    yield from _table(caption, ("URL", "page", "rule"), taken)
    consents = sorted(report.consents.items())
    yield from _table("Consent notices by outcome", ("outcome", "rows"), consents)


def _runs(report: Report) -> Iterator[str]:
    runs = [
        (run.began, run.ended or "no end row", run.stopped or "-", run.actor, run.through, run.config_sha256)
        for run in report.runs
    ]
    yield from _table("Runs", ("began", "ended", "stopped by", "actor", "through", "configuration SHA-256"), runs)
    files = [(name, "yes" if name in report.stored else "no") for name in sorted(report.files)]
    yield from _table("WARC files of this job", ("file", "stored and compared"), files)


def _host_cells(named: tuple[str, Host]) -> tuple[object, ...]:
    name, host = named
    gap = "-" if host.smallest_gap is None else f"{host.smallest_gap:.3f}"
    counts = (host.answers, host.failures, host.refusals, host.deferrals, host.bytes, host.visits)
    return (name, *counts, gap, host.status_429, host.status_503)


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Nothing for a table without rows. A wide table scrolls in a region that the keyboard reaches."""
    lines = [_row(cells) for cells in rows]
    if not lines:
        return
    scoped = "".join(f'<th scope="col">{_safe(head)}</th>' for head in heads)
    yield f'<div class="wide" role="region" aria-label="{_safe(caption)}" tabindex="0">\n'
    yield f"<table>\n<caption>{_safe(caption)}</caption>\n<thead><tr>{scoped}</tr></thead>\n<tbody>\n"
    yield from lines
    yield "</tbody>\n</table>\n</div>\n"


def _row(cells: Sequence[object]) -> str:
    first, *rest = cells
    return f'<tr><th scope="row">{_cell(first)}</th>{"".join(map(_data, rest))}</tr>\n'


def _data(value: object) -> str:
    return f'<td class="n">{value:,}</td>' if isinstance(value, int) else f"<td>{_cell(value)}</td>"


def _cell(value: object) -> str:
    return "-" if value in (None, "") else _safe(str(value))


def _of(caption: str, shown: int, number: int) -> str:
    return caption if shown == number else f"{caption} ({shown:,} of {number:,} shown; all are in the JSON or the CSV)"


def _safe(text: str) -> str:
    return html.escape(printable(text), quote=True)
