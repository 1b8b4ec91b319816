"""Candidates and outcomes in few words."""

from typing import Any

from archiver.model import Candidate, Kind, Objection, Origin, Outlink, Reason, Verdict
from archiver.ports import VisitOutcome
from archiver.ports.frontier import Stretch

DONE = VisitOutcome(state="done")


def origin(host: str) -> Origin:
    return Origin("https", host, 443)


def candidate(host: str, path: str = "/", /, **fields: Any) -> Candidate:
    url = f"https://{host}{path}"
    return Candidate(**{"url": url, "key": url, "origin": origin(host), **fields})


def link(host: str, path: str = "/", /, **fields: Any) -> Outlink:
    return Outlink(candidate=candidate(host, path, **fields))


def refused(host: str, path: str = "/", reason: Reason = Reason.OUT_OF_SCOPE) -> Outlink:
    return Outlink(candidate=candidate(host, path), objection=Objection(verdict=Verdict.REFUSE, reason=reason))


def requisite(host: str, path: str) -> Candidate:
    return candidate(host, path, kind=Kind.REQUISITE, resource_type="image")


def key(host: str, path: str = "/") -> str:
    return f"https://{host}{path}"


def done(file: str, offset: int, *requisites: Candidate, more: tuple[Stretch, ...] = ()) -> VisitOutcome:
    """A visit of 100 bytes at `offset`."""
    records = (Stretch(file, offset, offset + 100), *more)
    return VisitOutcome(state="done", records=records, requisites=requisites)
