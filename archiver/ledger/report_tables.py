"""The report's tables: caption, scoped headers, and a region that the keyboard can scroll where one is wide. Pure."""

from __future__ import annotations

import html
from collections.abc import Iterable, Iterator, Sequence

from archiver.ledger import report_charts as charts
from archiver.ledger.report import Host, Report, Run, Some
from archiver.ledger.report_browser import Browsing
from archiver.ledger.report_urls import printable
from archiver.ledger.report_words import busiest

_HOSTS, _RULES = 100, 100
_HOST_HEADS = (
    "origin", "answers", "failures", "refusals", "deferrals", "bytes", "visits", "smallest gap between visits (s)",
    "smallest gap between requests (s)", "429", "503", "pause after these (s)",
)  # fmt: skip
_GAP = ("page", "url", "type", "reason", "rule")
_REVIEW = ("url", "http_status", "rule", "access")
_EXCEPTION = ("URL", "found on", "rule")


def charted(report: Report, chart: str) -> Iterator[str]:
    """The numbers of one chart."""
    if chart == "outcomes":
        rows = [(one["state"], one["reason"] or "-", one["urls"], one["meaning"]) for one in report.reasons]
        yield from table("Distinct URLs by outcome and reason", ("state", "reason", "URLs", "meaning"), rows)
    elif chart == "requests":
        strips = report.timeline.busiest(charts.ORIGINS)
        most = [(name, sum(counts), max(counts)) for name, counts in strips]
        heads = ("origin", "requests", f"at most in {charts.seconds(report.timeline.width)}")
        yield from table("Requests by origin", heads, most)
    elif chart == "types":
        ranked = sorted(report.types.items(), key=lambda one: (-one[1][1], one[0]))
        yield from table(
            "Answers by media type", ("type", "answers", "bytes"), [(name, *both) for name, both in ranked]
        )


def detailed(report: Report) -> Iterator[str]:
    """All that is listed, what was not by the book first."""
    yield from _exceptions(report)
    yield from _refusals(report)
    gaps = [tuple(one.get(name) for name in _GAP) for one in report.gaps.shown]
    caption = _of("Gaps: what kept pages lack", len(gaps), report.gaps.number)
    yield from table(caption, ("page", "missing", *_GAP[2:]), gaps)
    yield from _origins(report)
    yield from _kept(report)
    yield from _runs(report)


def _exceptions(report: Report) -> Iterator[str]:
    faults = [(number, fault) for number, fault in enumerate(report.faults, 1)]
    yield from table("Faults of the count", ("number", "what does not hold"), faults)
    overrides = [
        (one.get("url"), one.get("what"), one.get("by"), one.get("because"), _instead(one.get("instead")))
        for one in report.overridden.shown
    ]
    caption = _of("Overrides of robots.txt by a named person", len(overrides), report.overridden.number)
    yield from table(caption, ("URL", "what", "by", "because", "the verdict without it"), overrides)
    for title, some in (
        ("Fetched as part of a page though robots.txt refuses it (transclusion)", report.transcluded),
        ("Fetched though robots.txt refuses it, under a legal mandate", report.mandate),
        ("Fetched without rules: robots.txt out of reach for too long", report.undefined),
    ):
        yield from table(_of(title, len(some.shown), some.number), _EXCEPTION, _listed(some))
    review = [tuple(one.get(name) for name in _REVIEW) for one in report.review.shown]
    caption = _of("To be looked at by a person: 402, 403 and 451", len(review), report.review.number)
    yield from table(caption, ("URL", "status", "says", "access"), review)
    hides = [(one.get("target"), one.get("match"), one.get("because"), one.get("until")) for one in report.hides.shown]
    yield from table(_of("Hidden", len(hides), report.hides.number), ("what", "matched as", "because", "until"), hides)
    yield from _browsing(report.browsing)


def _browsing(one: Browsing) -> Iterator[str]:
    given = [(page["url"], page["outcome"], page["policy"], page["setBy"]) for page in one.accepted]
    yield from table("Pages where consent was given", ("URL", "outcome", "policy", "set by"), given)
    yield from table("Consent notices by outcome", ("outcome", "rows"), sorted(one.consents.items()))
    yield from table("Pages by lane", ("lane", "pages"), sorted(one.lanes.items()))
    yield from table("What spoke for a browser", ("sign", "pages"), sorted(one.signs.items()))
    yield from table("Challenges in the place of a page", ("vendor", "pages"), sorted(one.challenges.items()))
    browsers = [
        (browser["version"], browser["rules"].get("version"), browser["rules"].get("released"),
         browser["rules"].get("ageDays"))
        for browser in one.browsers
    ]  # fmt: skip
    yield from table("Browsers", ("version", "consent rules", "released", "days old then"), browsers)


def _refusals(report: Report) -> Iterator[str]:
    ranked = sorted(report.rules.items(), key=lambda one: (-one[1], one[0].origin, one[0].reason, one[0].rule))[:_RULES]
    rows = [
        (rule.origin, rule.reason, rule.rule, "-" if rule.line is None else str(rule.line), number, rule.evidence)
        for rule, number in ranked
    ]
    caption = _of("Refused or put off, by rule", len(rows), len(report.rules))
    yield from table(caption, ("origin", "reason", "rule", "line", "decisions", "evidence (WARC record)"), rows)


def _origins(report: Report) -> Iterator[str]:
    shown = busiest(report, _HOSTS)
    caption = _of("Origins, busiest first", len(shown), len(report.hosts))
    yield from table(caption, _HOST_HEADS, map(_host_cells, shown))
    robots = [
        (name, ", ".join(f"{state} ({number:,})" for state, number in sorted(host.robots.items())), host.evidence)
        for name, host in shown
        if host.robots
    ]
    heads = ("origin", "state (decisions)", "evidence of the latest (WARC record)")
    yield from table("robots.txt by origin", heads, robots)


def _kept(report: Report) -> Iterator[str]:
    kept = [(access, reason, number) for (access, reason), number in sorted(report.kept_because.items())]
    yield from table("Answers by who may see them, and why", ("access", "reason", "answers"), kept)
    usage = [(label, value, number) for (label, value), number in sorted(report.usage.items())]
    yield from table("Usage labels that sites gave", ("label", "value", "answers"), usage)
    yield from table("Answers by HTTP status", ("status", "answers"), sorted(report.statuses.items()))
    yield from table("Visits by completeness", ("visits", "number"), sorted(report.pages.items()))


def _runs(report: Report) -> Iterator[str]:
    runs = [
        (run.began, run.ended or "no end row", run.stopped or "-", f"{run.actor}, {run.through}", *_under(run))
        for run in report.runs
    ]
    yield from table(
        "Runs", ("began", "ended", "stopped by", "actor", "policy", "its SHA-256", "the configuration's"), runs
    )
    files = [(name, "yes" if name in report.stored else "no") for name in sorted(report.files)]
    yield from table("WARC files of this job", ("file", "stored and compared"), files)


def _under(run: Run) -> tuple[object, ...]:
    return (run.policy.get("name"), run.policy.get("sha256"), run.config_sha256)


def _listed(some: Some) -> list[tuple[object, ...]]:
    return [(one.get("url"), one.get("via"), one.get("rule")) for one in some.shown]


def _instead(verdict: object) -> str:
    if not isinstance(verdict, dict):
        return "-"
    return " ".join(str(verdict[name]) for name in ("verdict", "reason", "rule", "evidence") if verdict.get(name))


def _host_cells(named: tuple[str, Host]) -> tuple[object, ...]:
    name, host = named
    counts = (host.answers, host.failures, host.refusals, host.deferrals, host.bytes, host.visits)
    gaps = (_gap(host.smallest_gap), _gap(host.request_gap))
    return (name, *counts, *gaps, host.status_429, host.status_503, _gap(host.rest))


def _gap(number: float | None) -> str:
    return "-" if number is None else f"{number:.3f}"


def table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[object]]) -> Iterator[str]:
    """Nothing for a table without rows."""
    filled = list(rows)
    if not filled:
        return
    numbers = [all(isinstance(row[at], int) for row in filled) for at in range(len(heads))]
    scoped = "".join(
        f'<th scope="col"{" class=" + chr(34) + "n" + chr(34) if number else ""}>{_safe(head)}</th>'
        for head, number in zip(heads, numbers, strict=True)
    )
    yield f'<div class="wide" role="region" aria-label="{_safe(caption)}" tabindex="0">\n'
    yield f"<table>\n<caption>{_safe(caption)}</caption>\n<thead><tr>{scoped}</tr></thead>\n<tbody>\n"
    for first, *rest in filled:
        yield f'<tr><th scope="row">{_cell(first)}</th>{"".join(map(_data, rest))}</tr>\n'
    yield "</tbody>\n</table>\n</div>\n"


def _data(value: object) -> str:
    return f'<td class="n">{value:,}</td>' if isinstance(value, int) else f"<td>{_cell(value)}</td>"


def _cell(value: object) -> str:
    return "-" if value in (None, "") else _safe(f"{value:,}" if isinstance(value, int) else str(value))


def _of(caption: str, shown: int, number: int) -> str:
    return caption if shown == number else f"{caption} ({shown:,} of {number:,} shown; the other files have more)"


def _safe(text: str) -> str:
    return html.escape(printable(text), quote=True)
