"""What a job did, as values: filled row by row from the ledger, whatever its size. Pure.

Memory grows with the number of hosts and reasons, not with the number of rows. The words are `report_words`'s, the page
is `report_html`'s.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

FORMAT = "archiver-report/1"
SHOWN = 200
"""Of a list that may be endless (seeds, gaps, transcluded files): how many stand in the report; the count is whole."""


@dataclass(slots=True, kw_only=True)
class Host:
    """What one origin (scheme, host and port) was asked. `smallest_gap` in seconds, between the begins of visits."""

    answers: int = 0
    failures: int = 0
    refusals: int = 0
    deferrals: int = 0
    bytes: int = 0
    visits: int = 0
    smallest_gap: float | None = None
    status_429: int = 0
    status_503: int = 0


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
    """One job. `counts` and `reasons` are the index's; `files` the WARCs its records lie in, `stored` those of them
    that a row says are in the store; `ledger` names what is wrong with a chain, empty when all hold."""

    job: str
    collection: str
    generated: str
    runs: list[Run] = field(default_factory=list)
    labels: dict[str, Any] = field(default_factory=dict)
    seeds: Some = field(default_factory=Some)
    counts: dict[str, int] = field(default_factory=dict)
    reasons: list[dict[str, Any]] = field(default_factory=list)
    hosts: dict[str, Host] = field(default_factory=dict)
    access: Counter[str] = field(default_factory=Counter)
    statuses: Counter[str] = field(default_factory=Counter)
    pages: Counter[str] = field(default_factory=Counter)
    gap_reasons: Counter[str] = field(default_factory=Counter)
    gaps: Some = field(default_factory=Some)
    repeats: int = 0
    overridden: Some = field(default_factory=Some)
    transcluded: Some = field(default_factory=Some)
    consents: Counter[str] = field(default_factory=Counter)
    hides: Some = field(default_factory=Some)
    salvaged: Some = field(default_factory=Some)
    files: set[str] = field(default_factory=set)
    stored: set[str] = field(default_factory=set)
    segments: int = 0
    ledger: list[str] = field(default_factory=list)

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
        elif event == "consent":
            self.consents[str(body.get("outcome", ""))] += 1
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
        verdict = body.get("verdict")
        if verdict != "allow":
            host = self._host(origin(str(body.get("url", ""))))
            host.refusals += verdict == "refuse"
            host.deferrals += verdict == "defer"
            return
        notes = _mapping(body, "notes")
        if "transcluded" in notes:
            rule = _mapping(notes, "transcluded").get("rule", "")
            self.transcluded.add({"url": body.get("url"), "via": body.get("via"), "rule": rule})

    def _outcome(self, body: Mapping[str, Any]) -> None:
        host, status = self._host(origin(str(body.get("url", "")))), body.get("http_status")
        if body.get("status") != "captured":
            host.failures += 1
            return
        host.answers += 1
        host.bytes += int(body.get("size") or 0)
        host.status_429 += status == 429
        host.status_503 += status == 503
        self.statuses[str(status)] += 1
        self.access[str(body.get("access") or "open")] += 1
        file = _mapping(body, "record").get("file")
        if file:
            self.files.add(str(file))

    def _visit(self, body: Mapping[str, Any]) -> None:
        self.repeats += int(body.get("repeats") or 0)
        verdict = _mapping(body, "completeness").get("verdict")
        self.pages[str(verdict if body.get("fetched") and verdict else body.get("status"))] += 1
        for gap in body.get("matter") or ():
            self.gap_reasons[str(gap.get("reason", ""))] += 1
            self.gaps.add({"page": body.get("url"), **gap})

    def _host(self, name: str) -> Host:
        return self.hosts.setdefault(name, Host())


_LISTS = {"seed": "seeds", "override": "overridden", "hide": "hides", "salvage": "salvaged"}
_KEPT = ("t", "url", "what", "because", "by", "match", "target", "until", "file", "kept", "cut")


def origin(url: str) -> str:
    """`scheme://host:port` of a canonical URL, without credentials; text cut, nothing judged."""
    scheme, found, rest = url.partition("://")
    return f"{scheme}://{rest.partition('/')[0].partition('?')[0].rpartition('@')[2]}" if found else url[:80]


def _mapping(body: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = body.get(key)
    return value if isinstance(value, Mapping) else {}
