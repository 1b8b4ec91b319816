"""What `save` and `crawl` say of each URL, as the published JSON (archiver/cli/result.schema.json) and in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from archiver.clock import SYSTEM, iso, ts14
from archiver.engine.run import Shipped
from archiver.errors import ArchiverError
from archiver.model import Lane, Page, Reason, Status
from archiver.policy.override import Override
from archiver.policy.ways import WAYS, About, WayOn, wait_hours, ways_on
from archiver.replay.layout import replay_url


def shown_port(collection: str) -> int | None:
    """The port where `archiver replay` shows the collection at this moment, None when it does not."""
    from archiver.replay.probe import DEFAULT_PORT, is_shown

    return DEFAULT_PORT if is_shown(collection) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A page and what has become of its files. `override`: what a person asked to lift for it; `where`: the options
    that a command about it needs; `overrides`: whether the configuration lets any be; `wacz`: the package that
    was made of it."""

    page: Page
    shipped: Shipped
    collection: str
    replay_port: int | None
    override: Override | None = None
    where: str = ""
    overrides: bool = True
    wacz: Path | None = None

    @property
    def status(self) -> str:
        """`archived` only once every file that holds a record of it is stored and checked."""
        page = self.page
        files = {ref.file for ref in page.records}
        if page.status is Status.CAPTURED and files and files <= self.shipped.files:
            return Status.ARCHIVED.value
        return page.status.value

    def to_json(self) -> dict[str, Any]:
        page = self.page
        files = {ref.file for ref in page.records}
        stored = [one for one in self.shipped.stored if any(name in one.uri for name in files)]
        return {
            "url": page.candidate.url,
            "capture_id": page.capture_id,
            "status": self.status,
            "http_status": page.http_status,
            "lane": page.lane.value,
            "decision": {
                "verdict": page.decision.verdict.value,
                "reason": page.decision.reason.value,
                "rule": page.decision.rule,
                "line": page.decision.line,
                "evidence": page.decision.evidence,
                "not_before": iso(page.decision.not_before) if page.decision.not_before else None,
            },
            "completeness": {
                "verdict": page.completeness.verdict,
                "kept": page.completeness.kept,
                "refused": page.completeness.refused,
                "failed": page.completeness.failed,
                "matter": [
                    {"url": gap.url, "type": gap.type, "reason": gap.reason, "rule": gap.rule}
                    for gap in page.completeness.matter
                ],
            },
            "consent": _consent(page),
            "access": page.access.value,
            "records": [
                {
                    "file": ref.file,
                    "offset": ref.offset,
                    "length": ref.length,
                    "record_id": ref.record_id,
                    "type": ref.type,
                }
                for ref in page.records
            ],
            "stored": [{"uri": one.uri, "sha256": one.sha256, "size": one.size} for one in stored],
            "replay_url": self.replay_url,
            "final_url": page.final_url,
            "title": page.title,
            "started_at": iso(page.started_at),
            "seconds": round(page.seconds, 3),
            "error": self._error(),
            "ways": [way.to_json() for way in self.ways],
            **({"lane_why": dict(page.lane_why)} if page.lane_why else {}),
            **({"override": self._override()} if self.override else {}),
            **({"wacz": str(self.wacz)} if self.wacz else {}),
        }

    @property
    def ways(self) -> tuple[WayOn, ...]:
        """The lawful ways on where it was refused or put off."""
        page = self.page
        if page.status not in (Status.REFUSED, Status.DEFERRED):
            return ()
        decision = page.decision
        about = About(
            url=page.candidate.url,
            host=urlsplit(page.final_url).hostname or "",
            reason=decision.reason,
            where=self.where,
            seconds=wait_hours(decision.not_before, SYSTEM.now()),
            overrides=self.overrides,
        )
        return ways_on(WAYS[decision.reason], about)

    def _override(self) -> Mapping[str, Any]:
        assert self.override is not None
        return {**self.override.as_json(), "needed": list(self.page.overridden)}

    @property
    def replay_url(self) -> str | None:
        page = self.page
        if self.replay_port is None or page.status is not Status.CAPTURED:
            return None
        stamp = ts14(page.started_at)
        return replay_url(self.collection, self.replay_port, timestamp=stamp, url=page.candidate.url)

    def _error(self) -> Mapping[str, str] | None:
        failure = self.page.failure
        if failure is not None:
            return {"code": failure.code.value, "message": failure.message}
        if (
            self.page.status is Status.CAPTURED
            and self.status == Status.CAPTURED.value
            and self.shipped.error is not None
        ):
            return {"code": "notStored", "message": str(self.shipped.error)}
        return None


def _consent(page: Page) -> Mapping[str, Any] | None:
    if page.consent is None:
        return None
    return {"outcome": page.consent.outcome, "engine": page.consent.engine, **page.consent.details}


def sentence(told: Told) -> str:
    """One line a URL for a terminal: what was archived, or by which rule it was not."""
    page = told.page
    url, decision = page.candidate.url, page.decision
    if page.status is Status.FAILED and page.failure is not None:
        return f"Failed     {url}\n           {page.failure.code.value}: {page.failure.message}"
    if page.status is Status.DEFERRED:
        when = f", not before {iso(decision.not_before)}" if decision.not_before else ""
        return f"Deferred   {url}\n           {decision.reason.value}: {decision.rule or 'asked to wait'}{when}"
    if page.status is Status.REFUSED:
        line = f" (line {decision.line})" if decision.line else ""
        return f"Refused    {url}\n           {decision.reason.value}: {decision.rule}{line}"
    return _kept_sentence(told)


def _kept_sentence(told: Told) -> str:
    page = told.page
    completeness = page.completeness
    parts = [f"{told.status.capitalize():<10} {page.candidate.url}  HTTP {page.http_status}"]
    if completeness.kept:
        parts.append(f"{completeness.kept} requisites kept")
    if completeness.verdict == "gaps":
        parts.append(f"{completeness.refused + completeness.failed or len(completeness.matter)} missing")
    if page.lane is Lane.BROWSER:
        parts.append("seen in a browser")
    if page.consent is not None and page.consent.outcome != "absent":
        parts.append(f"consent notice: {page.consent.outcome}")
    if page.access.value != "open" and page.keep is not None:
        parts.append(f"{page.access.value}: {page.keep.reason.value} ({page.keep.rule})")
    lines = [", ".join(parts)]
    for gap in completeness.matter[:5]:
        lines.append(f"           missing: {gap.url} ({gap.type}) {gap.reason}: {gap.rule}")
    if len(completeness.matter) > 5:
        lines.append(
            f"           and {len(completeness.matter) - 5} more; `archiver why {page.candidate.url}` lists them"
        )
    if any(gap.reason == Reason.ROBOTS_TXT.value for gap in completeness.matter):
        lines.append("           --requisites transclude fetches what robots.txt keeps from a page, and says so")
    return "\n".join(lines)


def ways_said(told: Sequence[Told]) -> list[str]:
    """The ways on, once for each reason, with the commands for the first URL that has it."""
    lines: list[str] = []
    said: set[Reason] = set()
    for one in told:
        reason = one.page.decision.reason
        if reason in said or not one.ways:
            continue
        said.add(reason)
        lines.append(f"What you can do about {reason.value}:")
        for way in one.ways:
            lines.append(f"- {way.text}")
            if way.command:
                lines.append(f"      {way.command}")
    return lines


def override_said(told: Sequence[Told]) -> list[str]:
    """What was lifted in vain, or could not be: an override marks nothing that it was not needed for."""
    lines = []
    for one in told:
        asked = one.override
        if asked is None:
            continue
        if one.page.status in (Status.REFUSED, Status.DEFERRED):
            lines.append(f"--override does not lift this: {one.page.decision.reason.value}.")
            continue
        unneeded = sorted(asked.what - set(one.page.overridden))
        if unneeded:
            lines.append(f"Not needed: --override {','.join(unneeded)}. Nothing is marked for it.")
    return lines


STOP_CODES = {
    Reason.INTERRUPTED: 11, Reason.SIZE_LIMIT: 14, Reason.TIME_LIMIT: 15, Reason.DISK_UTILIZATION: 16,
    Reason.SPOOL_LIMIT: 22,
}  # fmt: skip
"""Exit codes of a run that ended before its work did (decision 21, Browsertrix's numbers)."""


def exit_code(statuses: list[str], *, gaps: bool, require_complete: bool, store_error: ArchiverError | None) -> int:
    """What needs a person first: 33, 22 no upload; 9 a seed failed; 30 all refused; 32 the rest deferred; 31 gaps."""
    if store_error is not None:
        return store_error.exit_code
    if Status.FAILED.value in statuses:
        return 9
    if statuses and all(status == Status.REFUSED.value for status in statuses):
        return 30
    if Status.DEFERRED.value in statuses:
        return 32
    if require_complete and (gaps or Status.REFUSED.value in statuses):
        return 31
    return 0
