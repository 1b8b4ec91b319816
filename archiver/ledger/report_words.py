"""The report's first screen: questions and answers in sentences, and the report as JSON. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from archiver.ledger.report import FORMAT, Host, Report
from archiver.ledger.report_browser import said_of_consent, said_of_lanes
from archiver.ledger.sentences import meaning

_BIGGEST = 5
_DIGITS = 16
_LONGEST = 160
"""Characters of somebody else's text in a sentence: the answers are to stand on one page. The JSON has it whole."""
ROBOTS_STATES = {
    "fresh": "had one",
    "stale-ok": "had one of which an earlier copy stood in",
    "unavailable": "had none to obey (4xx and the like), so nothing was forbidden",
    "unreachable": "could not be asked, so nothing was fetched",
}
"""States of `wire/robots` in the words of the report; one that is not listed is told by its own word."""


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
        ("How were pages captured?", said_of_lanes(report.browsing)),
        ("Was consent ever given?", said_of_consent(report.browsing)),
        ("Is all stored, checked and time-stamped?", _stored(report)),
    )
    return tuple(Answer(question=question, sentences=tuple(filter(None, said))) for question, said in parts)


def as_json(report: Report) -> dict[str, Any]:
    """Plain data: everything the report holds, the answers included, and nothing that only a program of ours reads."""
    data = asdict(report)
    del data["_asked"]
    hosts = sorted(report.hosts.items())
    data["hosts"] = {name: {**asdict(host), "robots": dict(sorted(host.robots.items()))} for name, host in hosts}
    for name in ("access", "statuses", "pages", "gap_reasons", "types"):
        data[name] = dict(sorted(getattr(report, name).items()))
    data["browsing"] = report.browsing.as_json()
    data["consents"] = data["browsing"]["consents"]
    for name in ("files", "stored"):
        data[name] = sorted(data[name])
    data["rules"] = [{**rule._asdict(), "decisions": number} for rule, number in report.rules.most_common()]
    data["usage"] = [
        {"label": label, "value": value, "answers": number} for (label, value), number in _sorted(report.usage)
    ]
    data["kept_because"] = [
        {"access": access, "reason": reason, "answers": number}
        for (access, reason), number in _sorted(report.kept_because)
    ]
    data["types"] = {name: {"answers": both[0], "bytes": both[1]} for name, both in data["types"].items()}
    said = [{"question": one.question, "answer": list(one.sentences)} for one in answers(report)]
    return {"format": FORMAT, "answers": said, **data}


def _sorted(counter: Counter[tuple[str, str]]) -> list[tuple[tuple[str, str], int]]:
    return sorted(counter.items())


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
    policy = f"It ran under the policy {_short(run.policy.get('name')) or 'unknown'}"
    digest = _short(run.policy.get("sha256"))
    return [
        f"{_short(run.actor) or 'Somebody unnamed'} ran job {report.job} through "
        f"{_short(run.through) or 'an unnamed way'}, beginning {report.runs[0].began}, with archiver "
        f"{_short(run.software) or 'of unknown version'}.",
        f"The operator named is {_short(operator)}." if operator else "No operator is named in the configuration.",
        f"Its purpose, as stated: {_short(about)}." if about else "No purpose was stated (note, case or tags).",
        f"{policy} (SHA-256 {digest[:_DIGITS]}...)." if digest else f"{policy}.",
        f"Its stated legal basis: {_short(legal)}." if legal else "No legal basis was stated.",
        _seeds(report),
        _ending(report),
    ]


def _seeds(report: Report) -> str:
    if not report.seeds.number:
        return ""
    first, others = _short(report.seeds.shown[0].get("url")), report.seeds.number - 1
    return f"It was to begin at {first}{f' and {others:,} more URLs' if others else ''}."


def _ending(report: Report) -> str:
    killed = sum(1 for run in report.runs if not run.ended)
    number = len(report.runs)
    ran = "One run worked at it" if number == 1 else f"{number} runs worked at it"
    if killed:
        return f"{ran}; {killed} of them left no end row: killed, or still running."
    stopped = _short(report.runs[-1].stopped)
    return f"{ran}; the last was stopped early ({stopped})." if stopped else f"{ran}, and the last ended in order."


def _robots(report: Report) -> list[str]:
    refused = _sum(report, "robotsTxt")
    unreachable = _sum(report, "robotsUnreachable")
    setting = _part(_part(report.config, "policy"), "robots").get("disallowed", "obey")
    exceptions = (report.overridden, report.transcluded, report.mandate)
    if any(some.number for some in exceptions):
        first = "Yes, but for the exceptions named here."
    else:
        first = "Yes, for every request that this ledger records." if report.requests else "Nothing was asked for."
    return [
        first,
        *_states(report),
        f"Refused because robots.txt disallows them: {_number(refused, 'URL')}.",
        f"Not fetched because robots.txt could not be had: {_number(unreachable, 'URL')}." if unreachable else "",
        _overrides(report),
        f"Images, styles and scripts fetched though robots.txt refuses them (transclusion): "
        f"{report.transcluded.number:,}.",
        f"Fetched though robots.txt refuses them, under a legal mandate: {report.mandate.number:,}."
        if report.mandate.number or setting != "obey"
        else "",
        f"Fetched without rules because robots.txt had been out of reach for longer than the policy waits: "
        f"{report.undefined.number:,}."
        if report.undefined.number
        else "",
    ]


def _states(report: Report) -> list[str]:
    """How many origins had which robots.txt. An origin that changed in between counts in each state it was in."""
    found = Counter(state for host in report.hosts.values() for state in host.robots)
    known = [f"{found.pop(state):,} {says}" for state, says in ROBOTS_STATES.items() if found[state]]
    known += [f"{number:,} in the state {_short(state)}" for state, number in sorted(found.items())]
    return [f"Origins by what their robots.txt said: {', '.join(known)}."] if known else []


def _overrides(report: Report) -> str:
    if not report.overridden.number:
        return "Overrides by a named person: 0."
    people = sorted({_short(one.get("by")) or "somebody unnamed" for one in report.overridden.shown})
    named = ", ".join(people[:_BIGGEST]) + (", ..." if len(people) > _BIGGEST else "")
    return f"Overrides by a named person: {report.overridden.number:,} (by {named}), listed below with their reasons."


def _left_out(report: Report) -> list[str]:
    counts = report.counts
    total = sum(counts[name] for name in ("refused", "failed", "pending"))
    said = [
        f"Of {counts['discovered']:,} URLs discovered, {counts['fetched']:,} were fetched, {counts['refused']:,} "
        f"refused, {counts['failed']:,} failed and {counts['pending']:,} are pending."
    ]
    if report.faults:
        said.insert(0, f"THE COUNT DOES NOT HOLD: {_short(report.faults[0])}.")
    elif report.rows:
        said.append(f"Counted anew from {_number(report.rows, 'ledger row')} about URLs, the sum is the same.")
    if not total:
        said.append("Nothing that was discovered was left out.")
    missed = [one for one in report.reasons if one["state"] != "fetched"]
    for one in missed[:_BIGGEST]:
        word = _short(one["reason"]) or "no reason recorded"
        said.append(f"{one['urls']:,} {one['state']}, {word}: {one['meaning']}")
    if len(missed) > _BIGGEST:
        said.append(f"{_others(len(missed) - _BIGGEST, 'reason')} stand in the tables.")
    if report.gaps.number:
        pages, files = _number(report.pages["gaps"], "kept page"), _number(report.gaps.number, "file")
        said.append(f"Gaps: {pages} with {files} missing.")
    hidden = report.kept_because
    closed = sum(number for (access, _), number in hidden.items() if access in ("dark", "restricted"))
    if closed:
        said.append(f"Kept but not shown to the public (dark or restricted): {_number(closed, 'answer')}.")
    if report.imported.number:
        said.append(
            f"Beside this job lie {_number(report.imported.number, 'file')} imported from others: their policy is "
            "unknown, and no figure here counts them."
        )
    if report.review.number:
        said.append(
            f"For a person to look at (402, 403, 451): {_number(report.review.number, 'answer')}, listed below."
        )
    return said


def _strain(report: Report) -> list[str]:
    slow = sum(host.status_429 for host in report.hosts.values())
    busy = sum(host.status_503 for host in report.hosts.values())
    rests = [host.rest for host in report.hosts.values() if host.rest is not None]
    held = _sum(report, "rateLimited")
    said = [
        "No server said so." if not slow + busy else "At least one server asked for rest.",
        _least(report, "smallest_gap", "the begins of two visits to one origin") or "No origin was visited twice.",
        _least(report, "request_gap", "two requests to one origin (a page and its files included)"),
        _configured(report),
        f"Answers 429 (too many requests): {slow:,}; 503 (unavailable): {busy:,}.",
    ]
    if rests:
        said.append(f"After such an answer the server was asked nothing for {min(rests):.3f} s or longer.")
    elif slow + busy:
        said.append("After such an answer that server was asked for nothing more.")
    if held:
        said.append(f"Left or put off to spare a server (rateLimited): {_number(held, 'URL')}.")
    return said


def _least(report: Report, name: str, between: str) -> str:
    gaps = [(getattr(host, name), origin) for origin, host in report.hosts.items() if getattr(host, name) is not None]
    if not gaps:
        return ""
    gap, origin = min(gaps)
    return f"The smallest gap between {between} was {gap:.3f} s, at {_short(origin)}."


def _configured(report: Report) -> str:
    """What the gaps are to be held against."""
    delay, network = _part(report.config, "pace").get("delay"), _part(report.config, "network")
    if not isinstance(delay, int | float):
        return ""
    own = [str(one) for name in ("allow_addresses", "own_hosts") for one in network.get(name) or ()]
    named = f"; named as one's own, where less is lawful: {_short(', '.join(own))}" if own else ""
    return f"The configuration wants {delay:g} s between the begins of visits{named}."


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
        "No." if missing or report.ledger else "Yes, but for time-stamps.",
        files if number else "No answer was kept, so there is no WARC file with one.",
        f"Repaired after a killed run: {_number(report.salvaged.number, 'file')}." if report.salvaged.number else "",
        f"The ledger does not hold: {_short(report.ledger[0])}." if report.ledger else chain,
        "There is no time-stamp by a third party: all times are this machine's.",
        _clock(report),
        "This report read the ledger, not the WARC files; `archiver verify` checks every record.",
    ]


def _clock(report: Report) -> str:
    said = {run.clock_synchronised for run in report.runs}
    if not said or None in said:
        return "Whether its clock was synchronised is not known."
    if said == {True}:
        return "Its clock was synchronised, by what its kernel said."
    return "Its clock was NOT synchronised."


def _sum(report: Report, reason: str) -> int:
    return sum(int(one["urls"]) for one in report.reasons if one["reason"] == reason)


def _others(number: int, noun: str) -> str:
    return f"{number:,} other {noun}{'' if number == 1 else 's'}"


def _short(value: object) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def _number(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _part(document: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = document.get(key)
    return value if isinstance(value, Mapping) else {}


def _joined(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _sentence(says: str) -> str:
    text = says.replace("{host}", "the host")
    return text[:1].upper() + text[1:]


def reason_rows(reasons: Mapping[tuple[str, str], int]) -> list[dict[str, Any]]:
    """The index's reasons, most frequent first, each with its sentence."""
    ranked = sorted(reasons.items(), key=lambda one: (-one[1], one[0]))
    return [
        {
            "state": state,
            "reason": reason,
            "urls": number,
            "meaning": _sentence(meaning(reason).says) if reason or state != "fetched" else "",
        }
        for (state, reason), number in ranked
    ]
