"""From what is known of an origin's robots.txt to the answer for one URL. No I/O; every URL comes through here."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from archiver import urls
from archiver.clock import Clock
from archiver.model import Candidate, Kind, Objection, Reason, Verdict
from archiver.policy.profiles import RobotsLines
from archiver.policy.robots import FetchState, RobotsFile, RobotsVerdict, parse
from archiver.policy.robots.mandate import Mandate
from archiver.policy.robots.pattern import Mode
from archiver.policy.visit_time import outside_hours
from archiver.ports import Declared, RobotsAnswer
from archiver.wire.robots_state import Copy

_PARSE_IN_THREAD = 65_536
_NOTHING_DECLARED = Declared()
_MODES: Mapping[str, tuple[Mode, ...]] = {
    "both": ("rfc9309", "google"),
    "rfc9309": ("rfc9309",),
    "google": ("google",),
}

Extra = tuple[tuple[RobotsFile, tuple[str]], ...]
Matched = tuple[Objection | None, str, int | None, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What holds for an origin until `until` (monotonic).

    `blanket` objects to every URL, `too_slow` too, and to URLs that a mandate covers besides; no `files` = no rules.
    `extra` are the further tokens that the file names. `original` is the record of the response whose bytes hold, in
    whichever job; `evidence` the record of this job. `unkept` is a copy that may not outlive the job.
    """

    state: FetchState
    until: float
    files: tuple[RobotsFile, ...] = ()
    extra: Extra = ()
    blanket: Objection | None = None
    too_slow: Objection | None = None
    evidence: str | None = None
    original: str | None = None
    attempts: int = 0
    detail: Mapping[str, Any] = field(default_factory=dict)
    declared: Declared = _NOTHING_DECLARED
    unkept: Copy | None = None


class Answers:
    """Reads files with the operator's tokens and lines, and matches URLs."""

    def __init__(self, clock: Clock, agents: Sequence[str], mode: str, lines: RobotsLines) -> None:
        self._clock = clock
        self._agents = tuple(agents)
        self._modes = _MODES[mode]
        self._lines = lines
        hosts = (urls.parse(f"http://{suffix.strip().strip('.')}/") for suffix in lines.mandate)
        named = (host.origin.host for host in hosts if host is not None)
        self._mandate = Mandate(named if lines.disallowed == "mandate" else ())

    # --- once a file --------------------------------------------------------------------------------------------------

    async def with_rules(self, known: Known, body: bytes) -> Known:
        """The same with what the file says; a large one is parsed in a thread."""
        if len(body) > _PARSE_IN_THREAD:
            files, extra = await asyncio.to_thread(self._parse, body)
        else:
            files, extra = self._parse(body)
        detail = {**known.detail, "truncated": True} if files[0].truncated else known.detail
        known = replace(known, files=files, extra=extra, detail=detail)
        return known if self._lines.delays == "floor" else self._with_pace(known)

    def _parse(self, body: bytes) -> tuple[tuple[RobotsFile, ...], Extra]:
        """The file in each reading, and the tokens of `robots.extraTokens` that it names.

        Those are looked for in RFC 9309's reading: Google's cuts a token that is none (`archive.org_bot`).
        """
        files = tuple(parse(body, mode) for mode in self._modes)
        tokens = self._lines.extra_tokens
        if not tokens:
            return files, ()
        file = files[0] if files[0].mode == "rfc9309" else parse(body, "rfc9309")
        return files, tuple((file, (token,)) for token in tokens if file.group((token,)) == token)

    def _with_pace(self, known: Known) -> Known:
        """The delay that is declared at any hour, and the shortest opening hours (several: the strictest reading)."""
        file = known.files[0]
        delay = file.crawl_delay(self._agents) or 0.0
        source = f"Crawl-delay: {delay:g}" if delay else ""
        for rate in file.request_rates(self._agents):
            # a rate for some hours of the day is kept all day: never faster than asked
            if rate.delay > delay:
                delay, source = rate.delay, f"Request-rate: {rate.requests}/{rate.seconds}"
        window = file.visit_time(self._agents)
        hours = ((window.start, window.end),) if window is not None else ()
        if delay > self._lines.delay_cap:
            known, delay, source = self._over_cap(known, delay, source)
        return replace(known, declared=Declared(delay=delay, visit_time_utc=hours, source=source))

    def _over_cap(self, known: Known, delay: float, source: str) -> tuple[Known, float, str]:
        """A delay longer than is waited for: the host is left, or asked each `delayCap` seconds, and told so."""
        cap, then = self._lines.delay_cap, self._lines.beyond_cap
        told = {"declared": delay, "source": source, "cap": cap, "then": then}
        known = replace(known, detail={**known.detail, "delay": told})
        if then == "clamp":
            return known, cap, f"{source} (clamped to {cap:g} s by robots.delayCap)"
        objection = Objection(
            verdict=Verdict.REFUSE,
            reason=Reason.CRAWL_DELAY_BUDGET,
            rule=f"{source} asks for {delay:g} s between requests, robots.delayCap waits for {cap:g} s at most",
            evidence=known.evidence,
        )
        return replace(known, too_slow=objection), delay, source

    # --- once a URL ---------------------------------------------------------------------------------------------------

    def answer(self, known: Known, candidate: Candidate) -> RobotsAnswer:
        """`/robots.txt` itself is always allowed (RFC 9309, 2.2.2)."""
        objection, rule, line, group = known.blanket, "", None, None
        mandate = None
        if candidate.url.endswith("/robots.txt") and candidate.url == f"{candidate.origin}/robots.txt":
            objection = None
        elif objection is None and known.files:
            objection, rule, line, group = self._match(known, candidate.url)
            if objection is not None and candidate.kind is Kind.DOCUMENT:
                suffix = self._mandate.covers(candidate.origin.host)
                if suffix is not None:
                    objection, mandate = None, {"host": suffix, "rule": rule, "line": line}
            objection = known.too_slow or objection
        if objection is None and known.declared.visit_time_utc:
            objection = outside_hours(known.declared.visit_time_utc, self._clock.epoch(), known.evidence)
        return RobotsAnswer(
            state=known.state.value,
            objection=objection,
            rule=rule,
            line=line,
            group=group,
            evidence=known.evidence,
            declared=known.declared,
            detail=known.detail,
            parsed=known.files[0] if known.files else None,
            mandate=mandate,
        )

    def _match(self, known: Known, url: str) -> Matched:
        first = None
        for file in known.files:
            verdict = file.match(self._agents, url)
            if not verdict.allowed:
                return _refused(known, verdict, " (as Google reads it)" if verdict.mode == "google" else "")
            first = first or verdict
        for file, token in known.extra:
            verdict = file.match(token, url)
            if not verdict.allowed:
                return _refused(known, verdict, f" (for {token[0]}, one of robots.extraTokens)")
        assert first is not None
        return None, f"Allow: {first.rule}" if first.rule else "", first.line, first.group


def _refused(known: Known, verdict: RobotsVerdict, whose: str) -> Matched:
    rule = f"Disallow: {verdict.rule}{whose}"
    objection = Objection(
        verdict=Verdict.REFUSE, reason=Reason.ROBOTS_TXT, rule=rule, line=verdict.line, evidence=known.evidence
    )
    return objection, rule, verdict.line, verdict.group
