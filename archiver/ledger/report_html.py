"""The report as one HTML page: no script, nothing loaded, everything from a site escaped. Pure.

The first page answers in sentences and has a place for a signature; charts and tables follow. Made for reading aloud as
for print: one language, headings in order, a caption and scoped headers in each table, a text beside each chart, no
meaning that colour alone carries (WCAG 2.2, 1.1.1, 1.3.1, 1.4.1, 1.4.3).
"""

from __future__ import annotations

import html
from collections.abc import Iterator

from archiver.ledger import report_charts as charts
from archiver.ledger.report import Report
from archiver.ledger.report_style import STYLE
from archiver.ledger.report_tables import charted, detailed
from archiver.ledger.report_urls import printable
from archiver.ledger.report_words import Answer, answers

_TITLE_SHOWN = 80


def page(report: Report) -> Iterator[str]:
    """The page in pieces."""
    title = f"Report on collection {_safe(report.collection[:_TITLE_SHOWN])}, job {_safe(report.job[:8])}"
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="robots" content="noindex">\n'
        f'<title>{title}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n<div class="first">\n'
        f"<h1>{title}</h1>\n"
        f'<p class="made">Made {_safe(report.generated)} from the ledger of the collection and from nothing else.</p>\n'
        f'<p class="sum">{_sum(report)}</p>\n<h2>In short</h2>\n<div class="answers">\n'
    )
    for answer in answers(report):
        yield _answer(answer)
    yield (
        '</div>\n<p class="sign"><span>Checked by</span> <span>Date</span> <span>Signature</span></p>\n</div>\n'
        '<div class="tables">\n<h2>In figures</h2>\n'
    )
    yield from charts.outcomes(report)
    yield from charted(report, "outcomes")
    yield from charts.requests(report.timeline)
    yield from charted(report, "requests")
    yield from charts.media_types(report)
    yield from charted(report, "types")
    yield "<h2>In detail</h2>\n"
    yield from detailed(report)
    yield "</div>\n</main>\n</body>\n</html>\n"


def _sum(report: Report) -> str:
    """The count as an equation; where its recount found a fault, it is not written as one."""
    counts = report.counts
    sign = "is not shown to be" if report.faults else "="
    parts = [f"<span><b>{counts[name]:,}</b> {name}</span>" for name in ("fetched", "refused", "failed", "pending")]
    return f"<span><b>{counts['discovered']:,}</b> URLs discovered</span> {sign} " + " + ".join(parts)


def _answer(answer: Answer) -> str:
    first, *rest = map(_safe, answer.sentences)
    said = " ".join([f"<strong>{first}</strong>", *rest])
    return f'<div class="answer">\n<h3>{_safe(answer.question)}</h3>\n<p>{said}</p>\n</div>\n'


def _safe(text: str) -> str:
    return html.escape(printable(text), quote=True)
