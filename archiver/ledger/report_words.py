"""The report's first screen: questions and answers in sentences, and the report as JSON. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from archiver.ledger.report import FORMAT, Host, Report
from archiver.ledger.sentences import meaning

_BIGGEST = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One question with its sentences."""

    question: str
    sentences: tuple[str, ...]


def answers(report: Report) -> tuple[Answer, ...]:
    """In the order in which an auditor asks."""
    parts = (
        ("Who ran this, for what, under which policy and basis?", _who(report)),
        ("Did it obey robots.txt?", _robots(report)),
        ("What was left out, and why?", _left_out(report)),
        ("Was a server strained?", _strain(report)),
        ("Was consent ever given?", _consent(report)),
        ("Is all stored and checked?", _stored(report)),
    )
    return tuple(Answer(question=question, sentences=tuple(filter(None, said))) for question, said in parts)


def as_json(report: Report) -> dict[str, Any]:
    """Plain data: everything the report holds, the answers included, and nothing that only a program of ours reads."""
    data = asdict(report)
    data["hosts"] = {name: data["hosts"][name] for name in sorted(data["hosts"])}
    for name in ("access", "statuses", "pages", "gap_reasons", "consents"):
        data[name] = dict(sorted(getattr(report, name).items()))
    for name in ("files", "stored"):
        data[name] = sorted(data[name])
    said = [{"question": one.question, "answer": list(one.sentences)} for one in answers(report)]
    return {"format": FORMAT, "answers": said, **data}


def busiest(report: Report, limit: int) -> list[tuple[str, Host]]:
    """The hosts that were asked most, then by name."""
    ranked = sorted(report.hosts.items(), key=lambda one: (-one[1].answers - one[1].failures, one[0]))
    return ranked[:limit]


def _who(report: Report) -> list[str]:
    if not report.runs:
        return ["The ledger has no row that says who ran this job."]
    run, config = report.runs[-1], report.config
    basis, labels = _part(config, "basis"), report.labels
    operator, legal = basis.get("operator"), basis.get("legal_basis")
    about = "; ".join(f"{name}: {_joined(labels[name])}" for name in ("note", "case", "tags") if labels.get(name))
    policy = f"It ran under the policy {run.policy.get('name') or 'unknown'}"
    digest = str(run.policy.get("sha256") or "")
    return [
        f"{run.actor or 'Somebody unnamed'} ran job {report.job} through {run.through or 'an unnamed way'}, beginning "
        f"{report.runs[0].began}, with archiver {run.software or 'of unknown version'}.",
        f"The operator named is {operator}." if operator else "No operator is named in the configuration.",
        f"Its purpose, as stated: {about}." if about else "No purpose was stated (note, case or tags).",
        f"{policy} (SHA-256 {digest})." if digest else f"{policy}.",
        f"Its stated legal basis: {legal}." if legal else "No legal basis was stated.",
        _ending(report),
    ]


def _ending(report: Report) -> str:
    killed = sum(1 for run in report.runs if not run.ended)
    number = len(report.runs)
    ran = "One run worked at it" if number == 1 else f"{number} runs worked at it"
    if killed:
        return f"{ran}; {killed} of them left no end row: killed, or still running."
    stopped = report.runs[-1].stopped
    return f"{ran}; the last was stopped early ({stopped})." if stopped else f"{ran}, and the last ended in order."


def _robots(report: Report) -> list[str]:
    refused = _sum(report, "robotsTxt")
    unreachable = _sum(report, "robotsUnreachable")
    lines = _part(_part(report.config, "policy"), "robots")
    exceptions = report.overridden.number + report.transcluded.number
    setting = lines.get("disallowed", "obey")
    first = "Yes, for every request that this ledger records." if not exceptions and setting == "obey" else (
        "Yes, but for the exceptions named here."
    )  # fmt: skip
    return [
        first,
        f"Refused because robots.txt disallows them: {_number(refused, 'URL')}.",
        f"Put off because robots.txt could not be had: {_number(unreachable, 'URL')}." if unreachable else "",
        f"Overrides by a named person: {report.overridden.number}.",
        f"Images, styles and scripts fetched though robots.txt refuses them (transclusion): "
        f"{report.transcluded.number}.",
        "" if setting == "obey" else f"The policy's line for refused pages is `{setting}`.",
    ]


def _left_out(report: Report) -> list[str]:
    counts = report.counts
    total = sum(counts[name] for name in ("refused", "failed", "pending"))
    said = [
        f"Of {counts['discovered']:,} URLs discovered, {counts['fetched']:,} were fetched, {counts['refused']:,} "
        f"refused, {counts['failed']:,} failed and {counts['pending']:,} are pending."
    ]
    if not total:
        said.append("Nothing that was discovered was left out.")
    missed = [one for one in report.reasons if one["state"] != "fetched"]
    for one in missed[:_BIGGEST]:
        said.append(f"{one['urls']:,} {one['state']}, {one['reason'] or 'no reason recorded'}: {one['meaning']}")
    if len(missed) > _BIGGEST:
        said.append(f"{len(missed) - _BIGGEST} more reasons stand in the table below.")
    if report.gaps.number:
        pages, files = _number(report.pages["gaps"], "kept page"), _number(report.gaps.number, "file")
        said.append(f"Gaps: {pages} with {files} missing.")
    return said


def _strain(report: Report) -> list[str]:
    gaps = [(host.smallest_gap, name) for name, host in report.hosts.items() if host.smallest_gap is not None]
    slow = sum(host.status_429 for host in report.hosts.values())
    busy = sum(host.status_503 for host in report.hosts.values())
    least = "No host was visited twice."
    if gaps:
        gap, name = min(gaps)
        least = f"The smallest gap between the begins of two visits to one host was {gap:.3f} s, at {name}."
    return [
        "No server said so." if not slow + busy else "At least one server asked for rest.",
        least,
        f"Answers 429 (too many requests): {slow:,}; 503 (unavailable): {busy:,}.",
    ]


def _consent(report: Report) -> list[str]:
    if not report.consents:
        return ["No. No consent notice was answered: the ledger has no consent row."]
    outcomes = ", ".join(f"{name or 'unnamed'} ({number:,})" for name, number in sorted(report.consents.items()))
    return [f"What was done about consent notices, by the ledger's consent rows: {outcomes}."]


def _stored(report: Report) -> list[str]:
    number, missing = len(report.files), len(report.files - report.stored)
    if missing:
        files = f"{missing} of {number} WARC files have no row that says that they are in the store."
    else:
        files = (
            f"In the store and compared there with what was written (size, SHA-256): {_number(number, 'WARC file')}."
        )
    chain = f"The ledger's hash chains hold ({_number(report.segments, 'file')})."
    return [
        "No." if missing or report.ledger else "Yes.",
        files if number else "No answer was kept, so there is no WARC file with one.",
        f"Repaired after a killed run: {_number(report.salvaged.number, 'file')}." if report.salvaged.number else "",
        f"The ledger does not hold: {report.ledger[0]}." if report.ledger else chain,
        "`archiver verify` checks every record. No independent time stamp was made.",
    ]


def _sum(report: Report, reason: str) -> int:
    return sum(int(one["urls"]) for one in report.reasons if one["reason"] == reason)


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _part(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key)
    return value if isinstance(value, Mapping) else {}


def _joined(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def reason_rows(reasons: Mapping[tuple[str, str], int]) -> list[dict[str, Any]]:
    """The index's reasons, most frequent first, each with its sentence."""
    ranked = sorted(reasons.items(), key=lambda one: (-one[1], one[0]))
    return [
        {
            "state": state,
            "reason": reason,
            "urls": number,
            "meaning": meaning(reason).says.replace("{host}", "the host") if reason or state != "fetched" else "",
        }
        for (state, reason), number in ranked
    ]
