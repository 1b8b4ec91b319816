"""What a job did, as values: filled row by row from the ledger, whatever its size. Pure.

Memory grows with the number of origins and reasons, not with the number of rows. The words are `report_words`'s, the
page is `report_html`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from archiver.ledger.report_browser import Browsing
from archiver.ledger.report_pace import Asked, Timeline, epoch_of

FORMAT = "archiver-report/1"
SHOWN = 200
"""Of a list that may be endless (seeds, gaps, transcluded files): how many stand in the report; the count is whole."""
RULES = 1000
"""Rules that are told apart; refusals by what comes after are added up without rule and evidence."""
RESTS = frozenset({429, 503})


class Refusal(NamedTuple):
    """What kept URLs out: reason, their origin, the rule as written, its line, the record that holds it."""

    reason: str
    origin: str
    rule: str
    line: int | None
    evidence: str


@dataclass(slots=True, kw_only=True)
class Host:
    """What one origin (scheme, host and port) was asked. Gaps in seconds: `smallest_gap` between the begins of visits,
    `request_gap` between requests, `rest` from an answer 429 or 503 to the next request, at least.

    `robots`: decisions by the state of the robots.txt they rest on, `evidence` the record that the latest one cites.
    """

    answers: int = 0
    failures: int = 0
    refusals: int = 0
    deferrals: int = 0
    bytes: int = 0
    visits: int = 0
    smallest_gap: float | None = None
    status_429: int = 0
    status_503: int = 0
    request_gap: float | None = None
    rest: float | None = None
    robots: Counter[str] = field(default_factory=Counter)
    evidence: str = ""


@dataclass(slots=True, kw_only=True)
class Some:
    """The first `SHOWN` of a list and how many there are."""

    number: int = 0
    shown: list[dict[str, Any]] = field(default_factory=list)

    def add(self, one: dict[str, Any]) -> None:
        self.number += 1
        if len(self.shown) < SHOWN:
            self.shown.append(one)


@dataclass(slots=True, kw_only=True)
class Run:
    """One process that worked at the job. `ended` is empty when it was killed or still runs."""

    began: str
    ended: str = ""
    stopped: str = ""
    actor: str = ""
    through: str = ""
    resumed: bool = False
    software: str = ""
    clock_synchronised: bool | None = None
    policy: Mapping[str, Any] = field(default_factory=dict)
    config_sha256: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)
class Report:
    """One job. `counts` and `reasons` are the index's, `faults` what their recount found; `files` the WARCs its records
    lie in, `stored` those of them that a row says are in the store; `ledger` names what is wrong with a chain.

    `types`: answers and bytes by media type; `usage`: answers by label and value; `kept_because`: answers by access and
    the reason for it; `rules`: decisions that refused or put off, by what they rest on; `review`: kept answers that the
    policy wants a person to look at (`signals.blocked`); `imported`: files of others in the collection, which no figure
    of the job counts.
    """

    job: str
    collection: str
    generated: str
    runs: list[Run] = field(default_factory=list)
    labels: dict[str, Any] = field(default_factory=dict)
    seeds: Some = field(default_factory=Some)
    counts: dict[str, int] = field(default_factory=dict)
    rows: int = 0
    faults: list[str] = field(default_factory=list)
    reasons: list[dict[str, Any]] = field(default_factory=list)
    rules: Counter[Refusal] = field(default_factory=Counter)
    hosts: dict[str, Host] = field(default_factory=dict)
    timeline: Timeline = field(default_factory=Timeline)
    requests: int = 0
    access: Counter[str] = field(default_factory=Counter)
    kept_because: Counter[tuple[str, str]] = field(default_factory=Counter)
    usage: Counter[tuple[str, str]] = field(default_factory=Counter)
    types: dict[str, list[int]] = field(default_factory=dict)
    statuses: Counter[str] = field(default_factory=Counter)
    pages: Counter[str] = field(default_factory=Counter)
    gap_reasons: Counter[str] = field(default_factory=Counter)
    gaps: Some = field(default_factory=Some)
    repeats: int = 0
    overridden: Some = field(default_factory=Some)
    transcluded: Some = field(default_factory=Some)
    mandate: Some = field(default_factory=Some)
    undefined: Some = field(default_factory=Some)
    review: Some = field(default_factory=Some)
    browsing: Browsing = field(default_factory=Browsing)
    hides: Some = field(default_factory=Some)
    salvaged: Some = field(default_factory=Some)
    imported: Some = field(default_factory=Some)
    files: set[str] = field(default_factory=set)
    stored: set[str] = field(default_factory=set)
    segments: int = 0
    ledger: list[str] = field(default_factory=list)
    _asked: dict[str, Asked] = field(default_factory=dict)

    @property
    def config(self) -> Mapping[str, Any]:
        """The configuration of the newest run, as its `run` row has it; empty when it has none."""
        return self.runs[-1].config if self.runs else {}

    def take(self, body: Mapping[str, Any]) -> None:
        """One row of the job. Rows of other jobs are the caller's to leave out."""
        event = str(body.get("event"))
        if event == "run":
            self._run(body)
        elif event == "end" and self.runs:
            self.runs[-1].ended, self.runs[-1].stopped = str(body.get("t", "")), str(body.get("stopped") or "")
        elif event == "decision":
            self._decision(body)
        elif event == "outcome":
            self._outcome(body)
        elif event == "visit":
            self._visit(body)
        elif event == "labels":
            changed = body.get("changed") or ()
            self.usage.update(one for one in _labels(body.get("usage")) if one[0] in changed)
        elif event in ("consent", "lane", "browser"):
            self.browsing.take(body)
        elif event in _LISTS:
            some: Some = getattr(self, _LISTS[event])
            some.add({key: body[key] for key in _KEPT if body.get(key) is not None})

    def began(self, visits: Iterable[tuple[str, str]]) -> None:
        """The begins of all visits, oldest first: counts them and finds the smallest gap of each host."""
        last: dict[str, datetime] = {}
        for url, t in visits:
            name, moment = origin(url), datetime.fromisoformat(t)
            host = self._host(name)
            host.visits += 1
            if name in last:
                gap = round((moment - last[name]).total_seconds(), 3)
                host.smallest_gap = gap if host.smallest_gap is None else min(gap, host.smallest_gap)
            last[name] = moment

    def _run(self, body: Mapping[str, Any]) -> None:
        actor, config = _mapping(body, "actor"), _mapping(body, "config")
        policy = body.get("policy")
        self.runs.append(
            Run(
                began=str(body.get("t", "")),
                actor=str(actor.get("name", "")),
                through=str(actor.get("through", "")),
                resumed=bool(body.get("resumed")),
                software=str(_mapping(body, "software").get("archiver", "")),
                clock_synchronised=_mapping(body, "clock").get("synchronised"),
                policy=policy if isinstance(policy, Mapping) else {"name": str(policy or "")},
                config_sha256=str(config.get("sha256", "")),
                config=_mapping(config, "document"),
            )
        )
        self.labels = {key: body[key] for key in ("note", "case", "tags", "tenant") if body.get(key)}

    def _decision(self, body: Mapping[str, Any]) -> None:
        name = origin(str(body.get("url", "")))
        host, verdict, notes = self._host(name), body.get("verdict"), _mapping(body, "notes")
        robots = _mapping(notes, "robots")
        if robots.get("state"):
            host.robots[str(robots["state"])] += 1
            host.evidence = str(body.get("evidence") or host.evidence)
        if verdict == "allow":
            self._request(name, host, epoch_of(body.get("t")))
            self._exception(body, notes, robots)
            return
        host.refusals += verdict == "refuse"
        host.deferrals += verdict == "defer"
        line = body.get("line")
        rule = Refusal(
            reason=str(body.get("reason") or ""),
            origin=name,
            rule=str(body.get("rule") or ""),
            line=line if isinstance(line, int) else None,
            evidence=str(body.get("evidence") or ""),
        )
        full = len(self.rules) >= RULES and rule not in self.rules
        self.rules[Refusal(rule.reason, "", "", None, "") if full else rule] += 1

    def _request(self, name: str, host: Host, epoch: float | None) -> None:
        self.requests += 1
        if epoch is None:
            return
        asked = self._asked.setdefault(name, Asked())
        asked.request(epoch)
        host.request_gap, host.rest = asked.gap, asked.rest
        self.timeline.add(name, epoch)

    def _exception(self, body: Mapping[str, Any], notes: Mapping[str, Any], robots: Mapping[str, Any]) -> None:
        """What was asked for though robots.txt says no, or though nobody could say what it says."""
        one = {"url": body.get("url"), "via": body.get("via")}
        for word, some in (("transcluded", self.transcluded), ("mandate", self.mandate)):
            note = notes.get(word) or robots.get(word)
            if note:
                rule = note.get("rule", "") if isinstance(note, Mapping) else str(note)
                some.add({**one, "rule": rule})
        if str(robots.get("basis") or "").startswith("undefined"):
            self.undefined.add({**one, "rule": str(robots["basis"])})

    def _outcome(self, body: Mapping[str, Any]) -> None:
        name = origin(str(body.get("url", "")))
        host, status = self._host(name), body.get("http_status")
        if body.get("status") != "captured":
            host.failures += 1
            return
        size = int(body.get("size") or 0)
        host.answers += 1
        host.bytes += size
        host.status_429 += status == 429
        host.status_503 += status == 503
        if status in RESTS and (epoch := epoch_of(body.get("t"))) is not None:
            self._asked.setdefault(name, Asked()).told_to_rest(epoch)
        kind = self.types.setdefault(media(str(body.get("mime") or "")), [0, 0])
        kind[0] += 1
        kind[1] += size
        self.statuses[str(status)] += 1
        access = str(body.get("access") or "open")
        self.access[access] += 1
        self.kept_because[access, str(body.get("reason") or "")] += 1
        self.usage.update(_labels(body.get("usage")))
        if body.get("review"):
            self.review.add({name: body.get(name) for name in ("url", "http_status", "rule", "access")})
        file = _mapping(body, "record").get("file")
        if file:
            self.files.add(str(file))

    def _visit(self, body: Mapping[str, Any]) -> None:
        self.repeats += int(body.get("repeats") or 0)
        self.browsing.take(body)
        verdict = _mapping(body, "completeness").get("verdict")
        self.pages[str(verdict if body.get("fetched") and verdict else body.get("status"))] += 1
        for gap in body.get("matter") or ():
            self.gap_reasons[str(gap.get("reason", ""))] += 1
            self.gaps.add({"page": body.get("url"), **gap})

    def _host(self, name: str) -> Host:
        return self.hosts.setdefault(name, Host())


_LISTS = {"seed": "seeds", "override": "overridden", "hide": "hides", "salvage": "salvaged"}
_KEPT = ("t", "url", "what", "because", "by", "instead", "match", "target", "until", "file", "kept", "cut")
_MEDIA = (
    ("text/html", "HTML"), ("application/xhtml", "HTML"), ("image/", "images"), ("text/css", "styles"),
    ("text/javascript", "scripts"), ("application/javascript", "scripts"), ("application/x-javascript", "scripts"),
    ("font/", "fonts"), ("application/font", "fonts"), ("application/x-font", "fonts"), ("audio/", "audio and video"),
    ("video/", "audio and video"), ("application/pdf", "PDF"), ("application/json", "data"), ("text/xml", "data"),
    ("application/xml", "data"), ("text/", "other text"),
)  # fmt: skip


def media(mime: str) -> str:
    """A word for the kind of a media type; `no type stated` where the server named none."""
    if not mime:
        return "no type stated"
    return next((word for beginning, word in _MEDIA if mime.startswith(beginning)), "other")


def origin(url: str) -> str:
    """`scheme://host:port` of a canonical URL, without credentials; text cut, nothing judged."""
    scheme, found, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0].partition('?')[0].rpartition('@')[2]}" if found else url[:80]


def _labels(usage: object) -> Iterable[tuple[str, str]]:
    """(label, value) of an answer's usage labels."""
    if isinstance(usage, Mapping):
        for label, said in usage.items():
            yield str(label), str(said.get("value") if isinstance(said, Mapping) else said)


def _mapping(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = body.get(key)
    return value if isinstance(value, Mapping) else {}
