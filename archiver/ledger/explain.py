"""In plain words: what became of one URL, by which rule, on what evidence, and what to do next. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from archiver.clock import iso
from archiver.ledger.explain_lane import late_verdict, said_consent, said_lane, said_late
from archiver.ledger.reader import LedgerRow
from archiver.ledger.sentences import REASONS, Meaning, meaning
from archiver.ledger.states import State, state_of
from archiver.model import Kind, Reason
from archiver.model.usage import Usage, combined_usage
from archiver.policy.ways import About, Way, WayOn, wait_hours, ways_on

Body = Mapping[str, Any]
Locate = Callable[[str], "tuple[str, int] | None"]
"""Where the record with this id lies: (file, offset), as `LedgerIndex.locate` says it."""

_UNKNOWN = Meaning(
    says="This collection's ledger has no row about this URL: it was never asked for and no page that was kept links "
    "to it within what was looked at.",
    ways=(Way.WIDEN, Way.CHECK_URL),
)
_LISTED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The record a verdict rests on; file and offset where the ledger knows them."""

    record_id: str
    file: str | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """`verdict` is kept, hidden, refused, deferred, failed, pending, imported or unknown.

    `said`: the sentences, in order; `imported`: what others captured of it (`explain_imported`)."""

    url: str
    verdict: str
    reason: str
    at: str | None = None
    access: str | None = None
    rule: str = ""
    line: int | None = None
    evidence: Evidence | None = None
    not_before: str | None = None
    policy: str = ""
    said: tuple[str, ...] = ()
    missing: tuple[Mapping[str, Any], ...] = ()
    advice: tuple[str, ...] = ()
    ways: tuple[WayOn, ...] = ()
    history: tuple[Mapping[str, Any], ...] = ()
    rows: tuple[Mapping[str, Any], ...] = ()
    imported: tuple[Mapping[str, Any], ...] = ()

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    def text(self) -> str:
        """For a terminal; no colours, no wrapping."""
        reason = f" ({self.reason})" if self.reason else ""
        parts = [f"{self.url}\n{self.verdict}{reason}" + (f", {self.at}" if self.at else ""), "\n".join(self.said)]
        if self.missing:
            parts.append("Missing from the page:\n" + _bullets([_gap(gap) for gap in self.missing]))
        if self.advice:
            parts.append("What you can do:\n" + _bullets(self.advice))
        if len(self.history) > 1:
            parts.append("History:\n" + _bullets([_event(event) for event in self.history]))
        if self.rows:
            parts.append("Ledger rows: " + ", ".join(f"{row['file']} seq {row['seq']}" for row in self.rows))
        return "\n\n".join(parts) + "\n"


def explain(
    url: str,
    rows: Sequence[LedgerRow],
    *,
    locate: Locate | None = None,
    now: datetime | None = None,
    where: str = "",
) -> Explanation:
    """`rows` are those about `url`, oldest first (`LedgerIndex.rows_for`). `now` decides whether a hiding has ended.

    `where`: the options that name the collection, for the commands in `ways` (with a leading space).
    """
    told = [row for row in rows if row.body is not None]
    states = [(state, number) for number, row in enumerate(told) if (state := state_of(row.body or {})) is not None]
    hidden = _hidden(told, now)
    if not states:
        about = REASONS[Reason.HIDDEN] if hidden else _UNKNOWN
        base = _explanation(url, told, "hidden" if hidden else "unknown", "hidden" if hidden else "", about)
        base = replace(base, said=(*base.said, *_said_hidden(hidden)))
        return _with_ways(base, ways_on(about.ways, About(url=url, host=_host(url), where=where)))
    state, number = max(states, key=lambda found: (found[0].weight, found[1]))
    facts = _Facts(
        state=state,
        deciding=told[number].body or {},
        decision=_latest(told[: number + 1], "decision"),
        hidden=hidden,
        visit=_latest(told, "visit"),
        lane=_latest(told, "lane"),
        consent=_latest(told, "consent"),
        late=late_verdict(told, told[number].body or {}),
        usage=_usage(told, told[number].body or {}),
        locate=locate,
    )
    about = meaning(facts.reason) if facts.reason else Meaning(says=_plain_pending(facts.deciding), ways=(Way.RESUME,))
    base = _explanation(url, told, _verdict(facts), facts.reason, about)
    base = _with_ways(base, ways_on(about.ways, _about(url, facts, now, where)))
    return replace(
        base,
        said=(*base.said, *facts.sentences(), *_said_opened(told)),
        at=facts.deciding.get("t"),
        access=str((facts.late or facts.deciding).get("access") or "open") if facts.kept else None,
        rule=str(facts.ruling.get("rule") or ""),
        line=facts.ruling.get("line"),
        evidence=facts.evidence(),
        not_before=facts.deciding.get("not_before"),
        policy=str(facts.decision.get("policy") or ""),
        missing=_matter(facts.visit),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Facts:
    """The rows that matter: the one that decided, the decision it rests on, the visit, the hiding."""

    state: State
    deciding: Body
    decision: Body
    hidden: Body | None
    visit: Body
    lane: Body
    consent: Body
    late: Body
    usage: Usage
    locate: Locate | None

    @property
    def kept(self) -> bool:
        return self.state.word == "fetched"

    @property
    def reason(self) -> str:
        return self.state.reason or (str(Reason.ALLOWED) if self.kept else "")

    @property
    def ruling(self) -> Body:
        """The row that holds the rule: a signal on the answer outranks what robots.txt allowed."""
        return self.deciding if self.deciding.get("rule") or not self.kept else self.decision

    def evidence(self) -> Evidence | None:
        """The record that the ruling cites; of a signal on the answer, the answer's own record."""
        record = self.ruling.get("record")
        if isinstance(record, Mapping) and record.get("record_id"):
            return Evidence(record_id=record["record_id"], file=record.get("file"), offset=record.get("offset"))
        record_id = self.ruling.get("evidence")
        if not record_id:
            return None
        file, offset = (self.locate and self.locate(str(record_id))) or (None, None)
        return Evidence(record_id=str(record_id), file=file, offset=offset)

    def sentences(self) -> list[str]:
        said = [*_said_override(self.decision), _rule(self.ruling), _evidence(self.evidence())]
        said += [*_kept(self.deciding), _reserved(self.usage)] if self.kept else [_not_kept(self)]
        said += [said_late(self.late), said_lane(self.lane), said_consent(self.consent)]
        said += [_until(self.deciding), _completeness(self.visit), *_said_hidden(self.hidden), _actor(self.deciding)]
        return [sentence for sentence in said if sentence]


def _explanation(url: str, told: list[LedgerRow], verdict: str, reason: str, about: Meaning) -> Explanation:
    history = tuple(found for row in told if (found := _history(row.body or {})) is not None)
    return Explanation(
        url=url,
        verdict=verdict,
        reason=reason,
        said=(about.says.replace("{host}", _host(url)),),
        history=history[-_LISTED:],
        rows=tuple({"file": row.file, "seq": row.seq, "offset": row.offset} for row in told[-_LISTED:]),
    )


def _host(url: str) -> str:
    return urlsplit(url).hostname or "the host"


def _with_ways(base: Explanation, ways: tuple[WayOn, ...]) -> Explanation:
    return replace(base, ways=ways, advice=tuple(str(way) for way in ways))


def _about(url: str, facts: _Facts, now: datetime | None, where: str) -> About:
    """What the ways on are filled with; a requisite's override needs its page."""
    kind, reason, until = str(facts.deciding.get("kind")), facts.reason, facts.deciding.get("not_before")
    not_before = datetime.fromisoformat(str(until)) if until else None
    return About(
        url=url,
        host=_host(url),
        reason=Reason(reason) if reason in Reason._value2member_map_ else None,
        kind=Kind(kind) if kind in Kind._value2member_map_ else Kind.DOCUMENT,
        page=facts.decision.get("initiator"),
        where=where,
        seconds=wait_hours(not_before, now) if now is not None else 0.0,
    )


def _verdict(facts: _Facts) -> str:
    if facts.hidden is not None:
        return "hidden"
    if facts.kept:
        return "kept"
    return "deferred" if facts.deciding.get("verdict") == "defer" else facts.state.word


def _latest(told: Sequence[LedgerRow], event: str) -> Body:
    bodies = (row.body or {} for row in reversed(told))
    return next((body for body in bodies if body.get("event") == event), {})


def _hidden(told: list[LedgerRow], now: datetime | None) -> Body | None:
    """The last `hide` that neither an `unhide` of the same target nor its own end has lifted."""
    active: dict[tuple[Any, Any], Body] = {}
    for row in told:
        body = row.body or {}
        target = (body.get("match", "url"), body.get("target"))
        if body.get("event") == "hide":
            active[target] = body
        elif body.get("event") == "unhide":
            active.pop(target, None)
    lasting = [body for body in active.values() if not (now and body.get("until") and body["until"] <= iso(now))]
    return lasting[-1] if lasting else None


def _plain_pending(deciding: Body) -> str:
    if deciding.get("event") == "decision":
        return "It was allowed and asked for, and no answer was recorded: the run ended in between."
    return "Its turn has not come."


def _rule(ruling: Body) -> str:
    rule = ruling.get("rule")
    if not rule:
        return ""
    line = ruling.get("line")
    return f"Rule: {rule}" + (f" (line {line})." if line is not None else ".")


def _said_override(decision: Body) -> list[str]:
    """Both verdicts, and whose word made the difference."""
    note = (decision.get("notes") or {}).get("override")
    if not isinstance(note, Mapping):
        return []
    instead = note.get("instead") or {}
    line = f", line {instead['line']}" if instead.get("line") is not None else ""
    record = f", record {instead['evidence']}" if instead.get("evidence") else ""
    verdict = f"{instead.get('verdict')} ({instead.get('reason')})"
    return [
        f"The verdict by robots.txt: {verdict}, {instead.get('rule')}{line}{record}.",
        f"{note.get('by')} lifted that for this one visit (--override {note.get('what')}): {note.get('because')}.",
    ]


def _said_opened(told: Sequence[LedgerRow]) -> list[str]:
    opened = _latest(told, "open")
    if not opened:
        return []
    by = opened.get("by") or (opened.get("actor") or {}).get("name", "somebody")
    return [f"Opened to the public by {by} on {opened.get('t')}: {opened.get('because')}."]


def _evidence(evidence: Evidence | None) -> str:
    if evidence is None:
        return ""
    where = f", in {evidence.file} at offset {evidence.offset}" if evidence.file else ""
    return f"Evidence: record {evidence.record_id}{where}."


def _kept(outcome: Body) -> list[str]:
    record = outcome.get("record") or {}
    where = f" in {record['file']} at offset {record.get('offset')}" if record.get("file") else ""
    access = {"restricted": " It is shown to named readers only.", "dark": " It is kept dark: not shown to the public."}
    said = [f"Kept: HTTP status {outcome.get('http_status')}, {outcome.get('size', '?')} bytes on the wire{where}."]
    said[0] += access.get(str(outcome.get("access")), "")
    if outcome.get("revisit"):
        said.append("Its content was the same as in an earlier capture, which this record refers to.")
    if outcome.get("truncated"):
        said.append(f"The answer was cut ({outcome['truncated']}): the record holds what came before.")
    if outcome.get("malformed"):
        said.append(f"The answer breaks HTTP ({outcome['malformed']}); its bytes are kept as they came.")
    if outcome.get("listed") is False:
        said.append("It asks not to be listed (noindex): it is shown to who asks for its URL, and in no public list.")
    if outcome.get("expires"):
        said.append(f"It asks not to be shown after {outcome['expires']}: from then on the public does not see it.")
    return said


def _usage(told: Sequence[LedgerRow], deciding: Body) -> Usage:
    """The labels of the answer that decided, with those that came to its job later."""
    bodies = [row.body or {} for row in told]
    late = [body for body in bodies if body.get("event") == "labels" and body.get("job") == deciding.get("job")]
    return combined_usage(*(body["usage"] for body in (deciding, *late) if isinstance(body.get("usage"), Mapping)))


def _reserved(usage: Usage) -> str:
    names = [f"{name} ({', '.join(label['sources'])})" for name, label in usage.items() if label["value"] == "disallow"]
    if not names:
        return ""
    return f"Its site asks not to use it for {'; '.join(names)}: that binds data sets, and nothing else."


def _not_kept(facts: _Facts) -> str:
    challenge, record = facts.deciding.get("challenge"), facts.deciding.get("record") or {}
    if challenge:
        where = f" ({record.get('file')} at offset {record.get('offset')})" if record.get("file") else ""
        return f"botblock:{challenge}. The challenge itself is kept{where}; it is not the page."
    failure = facts.deciding.get("failure")
    if isinstance(failure, Mapping) and failure.get("message"):
        return f"What happened: {failure['message']}. Nothing was kept."
    return "Nothing was fetched, so nothing was kept." if facts.state.word == "refused" else "Nothing is kept so far."


def _until(deciding: Body) -> str:
    not_before = deciding.get("not_before")
    return f"Not before {not_before}." if not_before else ""


def _completeness(visit: Body) -> str:
    found = visit.get("completeness")
    if not isinstance(found, Mapping):
        return ""
    verdict = found.get("verdict")
    if verdict == "document-only":
        return "Only the document itself was asked for, not what the page is made of."
    kept, refused, failed = (int(found.get(name) or 0) for name in ("kept", "refused", "failed"))
    if verdict == "complete":
        return f"The page is complete: {kept} files that it is made of were kept."
    return f"The page has gaps: of the files it is made of {kept} were kept, {refused} refused, {failed} failed."


def _matter(visit: Body) -> tuple[Mapping[str, Any], ...]:
    return tuple(visit.get("matter") or ())


def _said_hidden(hidden: Body | None) -> list[str]:
    if hidden is None:
        return []
    actor = (hidden.get("actor") or {}).get("name", "somebody")
    until = f" until {hidden['until']}" if hidden.get("until") else ""
    return [f"Hidden by {actor} on {hidden.get('t')}{until}: {hidden.get('because') or 'no reason given'}."]


def _actor(deciding: Body) -> str:
    actor = deciding.get("actor")
    if not isinstance(actor, Mapping):
        return ""
    labels = [f"{name} {deciding[name]}" for name in ("case", "note") if deciding.get(name)]
    extra = f" ({'; '.join(labels)})" if labels else ""
    return f"Asked for by {actor.get('name')} through {actor.get('through')}, job {deciding.get('job')}{extra}."


def _history(body: Body) -> dict[str, Any] | None:
    state = state_of(body)
    if state is None and body.get("event") not in ("hide", "unhide", "override", "open", "visit"):
        return None
    word = body.get("verdict") or body.get("status") or ""
    reason = (state.reason if state else "") or body.get("because") or ""
    return {"t": body.get("t"), "event": body.get("event"), "verdict": word, "reason": reason, "job": body.get("job")}


def _event(event: Mapping[str, Any]) -> str:
    words = [str(event["event"]), str(event["verdict"])]
    reason = f" ({event['reason']})" if event["reason"] else ""
    return f"{event['t']} {' '.join(word for word in words if word)}{reason}"


def _gap(gap: Mapping[str, Any]) -> str:
    rule = f", {gap['rule']}" if gap.get("rule") else ""
    return f"{gap.get('url')} ({gap.get('type')}): {gap.get('reason')}{rule}"


def _bullets(lines: Sequence[str]) -> str:
    shown = [f"- {line}" for line in lines[:_LISTED]]
    if len(lines) > _LISTED:
        shown.append(f"- and {len(lines) - _LISTED} more")
    return "\n".join(shown)
