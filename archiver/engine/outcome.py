"""From what a visit gathered to the page and to what the frontier keeps of it. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from archiver.engine.gathered import Gathered
from archiver.gateway.record import media_type
from archiver.model import (
    Access,
    Candidate,
    Decision,
    Failure,
    FailureCode,
    Fetched,
    Lane,
    Page,
    Reason,
    Status,
    Verdict,
    WarcRecordRef,
)
from archiver.model.usage import combined_usage
from archiver.ports import Recorded, VisitOutcome, Wait
from archiver.ports.frontier import Stretch

COME_BACK = frozenset({429, 503})


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    started_at: datetime
    started: float


def page_of(
    gathered: Gathered,
    capture_id: str,
    records: tuple[WarcRecordRef, ...],
    started_at: datetime,
    seconds: float,
    *,
    wanted: bool,
) -> Page:
    """The visit as its user sees it. Its usage labels are those of the hops as well: any disallow wins."""
    shown = shown_document(gathered)
    exchange, keep, rendered = shown.exchange, shown.keep, gathered.rendered
    recorded = gathered.recorded_as(shown)
    return Page(
        candidate=gathered.fetched[0].candidate,
        capture_id=capture_id,
        status=_status(shown) if gathered.challenge is None else Status.FAILED,
        lane=Lane.BROWSER if rendered is not None else shown.candidate.lane,
        decision=shown.decision,
        started_at=started_at,
        seconds=seconds,
        final_url=shown.candidate.url,
        http_status=exchange.status if exchange is not None else None,
        title=gathered.reading.title if gathered.reading is not None else "",
        access=keep.access if keep is not None else Access.OPEN,
        keep=keep,
        completeness=gathered.completeness(wanted=wanted and exchange is not None),
        records=records,
        consent=rendered.consent if rendered is not None else None,
        failure=shown.failure if gathered.challenge is None else _challenged(gathered.challenge),
        wire_bytes=gathered.wire_bytes,
        fetched=gathered.answers,
        usage=combined_usage(*(one.keep.usage for one in gathered.fetched if one.keep is not None)),
        mime=media_type(exchange) if exchange is not None else "",
        payload_digest=recorded.payload_digest if recorded is not None else None,
        overridden=tuple(sorted(gathered.overridden)),
        lane_why=gathered.lane_why or {},
    )


def _challenged(vendor: str) -> Failure:
    """The answer is kept, and is not the page: nobody gets past it here."""
    message = f"botblock:{vendor}: the site asks for proof that no robot is asking"
    return Failure(code=FailureCode.CHALLENGE, message=message, transient=False)


def shown_document(gathered: Gathered) -> Fetched:
    """What stands for the visit: for a seed where its redirects led; for a link found, the last answer we have.

    A seed that redirects to a refused page was refused, as far as its user can tell. A page of a crawl that redirects
    out of scope was captured: its answer is that redirect.
    """
    last = gathered.document
    if last.exchange is not None or (last.candidate.seed and last.decision.reason is not Reason.DUPLICATE):
        return last
    answered = [one for one in gathered.fetched if one.exchange is not None]
    return answered[-1] if answered else last


def outcome_of(gathered: Gathered, page: Page) -> VisitOutcome:
    """`deferred` where the site said to come back (429, 503), `failed` where there is no answer at all."""
    first = gathered.fetched[0]
    state, reason, not_before = "done", page.decision.reason.value, None
    if first.exchange is None:
        state = "failed" if first.failure is not None else "refused"
        reason = Reason.FAILED.value if first.failure is not None else reason
    elif first.exchange.status in COME_BACK:
        state, reason = "deferred", Reason.RATE_LIMITED.value
    elif gathered.document.decision.verdict is Verdict.DEFER:
        state, not_before = "deferred", _epoch(gathered.document.decision.not_before)
    where = next((ref for ref in page.records if ref.type in ("response", "revisit")), None)
    kept = {candidate.key: candidate for candidate in gathered.answered}
    kept.pop(first.candidate.key, None)
    return VisitOutcome(
        state=state,
        reason=reason,
        not_before=not_before,
        records=stretches(gathered.recorded) if where is not None else (),
        requisites=tuple(kept.values()),
    )


def stretches(recorded: Sequence[Recorded]) -> tuple[Stretch, ...]:
    """What a visit's replay rests on: its records, those that follow one another as one, then its revisits' originals
    where they lie elsewhere."""
    found: list[Stretch] = []
    for ref in (ref for one in recorded for ref in one.refs):
        last, stop = found[-1] if found else None, ref.offset + ref.length
        if last is not None and (last.file, last.stop) == (ref.file, ref.offset):
            found[-1] = last._replace(stop=stop)
        else:
            found.append(Stretch(ref.file, ref.offset, stop))
    originals = {one.original: None for one in recorded if one.original is not None}
    found.extend(one for one in originals if not any(_holds(own, one) for own in found))
    return tuple(found)


def _holds(outer: Stretch, inner: Stretch) -> bool:
    return outer.file == inner.file and outer.start <= inner.start and inner.stop <= outer.stop


def _status(shown: Fetched) -> Status:
    if shown.exchange is not None:
        return Status.CAPTURED
    if shown.failure is not None:
        return Status.FAILED
    return Status.DEFERRED if shown.decision.verdict is Verdict.DEFER else Status.REFUSED


def _epoch(moment: datetime | None) -> float | None:
    return None if moment is None else moment.astimezone(UTC).timestamp()


def not_visited(candidate: Candidate, *, now: datetime, until: float | None, wait: Wait | None = None) -> Page:
    """A seed whose turn did not come in this run; `until` (epoch) is when its host may be asked again.

    `wait`: why its turn did not come, where the host budget said so and that time is still to come.
    """
    reason, rule = Reason.INTERRUPTED, "the run ended before its turn"
    if until is not None:
        reason, rule = Reason.RATE_LIMITED, "the host asked for a rest"
    elif wait is not None and wait.until > now.timestamp():
        until, rule = wait.until, wait.rule or "the host is not to be asked now"
        reason = Reason(wait.why) if wait.why in Reason._value2member_map_ else Reason.RATE_LIMITED
    decision = Decision(verdict=Verdict.DEFER, reason=reason, rule=rule, not_before=moment(until))
    return Page(
        candidate=candidate,
        capture_id="",
        status=Status.DEFERRED,
        lane=candidate.lane,
        decision=decision,
        started_at=now,
        seconds=0.0,
        final_url=candidate.url,
    )


def moment(epoch: float | None) -> datetime | None:
    """Epoch seconds as a time in UTC. None as well past the year 9999, which a site may ask for."""
    try:
        return None if epoch is None else datetime.fromtimestamp(epoch, UTC)
    except (ValueError, OverflowError, OSError):
        return None
