"""Files in which a site says how its pages may be used: which there are, when one is due, what it says of a URL. Pure.

They are asked for after a page, never ahead of it, and at most every 30 days: what they say are labels, and a label
never stops a fetch.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from archiver import urls
from archiver.clock import iso
from archiver.model import Candidate, Keep, Kind, Origin
from archiver.model.site_file import SiteFile, SiteFileState
from archiver.model.usage import combined_usage
from archiver.policy.preferences import Usage
from archiver.policy.signals.rsl import RslTerms, parse_rsl
from archiver.policy.signals.tdmrep import TdmEntry, TdmFile, parse_file

TDMREP = "/.well-known/tdmrep.json"
LIFE = 30 * 86_400.0
"""Seconds for which an answer serves; a missing file is an answer."""
RETRY = 86_400.0
"""Seconds after which a file is asked for again that could not be had (no answer, 429, 5xx)."""
MAX_BYTES = 1 << 20
MAX_LICENSES = 3
"""Licences that a robots.txt names beyond these are noted, not fetched."""
_ORIGINS = 4_096
_RAW = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A file that an origin's seed makes us ask for. `kind` is `tdmrep`, `rsl` or `other` (parsed for the ledger only).

    `anywhere`: its redirects may lead to other hosts, as its own URL may.
    """

    url: str
    kind: str
    anywhere: bool = False


def wanted_of(origin: Origin, licenses: Sequence[str], extra: Sequence[str]) -> tuple[Wanted, ...]:
    """tdmrep.json, the licences of robots.txt (absolute URLs), then the paths that the operator listed."""
    found = {f"{origin}{TDMREP}": Wanted(url=f"{origin}{TDMREP}", kind="tdmrep")}
    for parsed in filter(None, map(urls.parse, licenses[:MAX_LICENSES])):  # which cuts credentials off
        found.setdefault(parsed.url, Wanted(url=parsed.url, kind="rsl", anywhere=True))
    for path in extra:
        found.setdefault(f"{origin}{path}", Wanted(url=f"{origin}{path}", kind="other"))
    return tuple(found.values())


def is_due(file: SiteFile | None, now: float) -> bool:
    """Whether the file may be asked for. `now` in epoch seconds; a clock that was set back makes nothing due."""
    if file is None:
        return True
    life = RETRY if file.state is SiteFileState.FAILED else LIFE
    return now - file.asked_at >= life


def state_of_answer(status: int) -> SiteFileState:
    """By the status alone: 2xx found, 429 and 5xx failed, everything else there is no such file."""
    if 200 <= status < 300:
        return SiteFileState.FOUND
    return SiteFileState.FAILED if status == 429 or status >= 500 else SiteFileState.ABSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one file says. `says` sums it up for the ledger, `error` is why nothing can be read from it."""

    file: SiteFile
    kind: str
    tdm: TdmFile | None = None
    terms: RslTerms | None = None
    says: Mapping[str, Any]
    error: str = ""
    _made: dict[str, tuple[dict[str, Any], dict[str, Any]]] = field(default_factory=dict, compare=False, repr=False)

    def about(self, url: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """(usage labels, evidence) for a URL of the origin; ({}, None) when it says nothing of it."""
        if self.tdm is not None:
            return self._reservation(self.tdm, url)
        if self.terms is None:
            return {}, None
        stated = {name: value for name, value in self.terms.labels(url).items() if value is not Usage.UNKNOWN}
        if not stated:
            return {}, None
        source = f"rsl {self.file.url}"
        labels = {name: {"value": value.value, "sources": [source]} for name, value in stated.items()}
        return labels, self._evidence("license", "rsl", self.file.url, stated)

    def _reservation(self, tdm: TdmFile, url: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
        entry = tdm.entry(url)
        if entry is None or entry.says.reservation is None:
            return {}, None
        made = self._made.get(entry.location)
        if made is None:  # the same for all the URLs that the entry covers
            made = self._made[entry.location] = self._of_entry(entry)
        return made

    def _of_entry(self, entry: TdmEntry) -> tuple[dict[str, Any], dict[str, Any]]:
        value = Usage.DISALLOW if entry.says.reservation else Usage.ALLOW
        parsed = {
            "location": entry.location, "tdm-reservation": entry.says.reservation, "tdm-policy": entry.says.policy,
        }  # fmt: skip
        label = {"tdm": {"value": value.value, "sources": ["tdmrep.json tdm-reservation"]}}
        return label, self._evidence("tdmrep", "tdmrep.json", json.dumps(parsed)[:_RAW], parsed)

    def _evidence(self, kind: str, carrier: str, raw: str, parsed: Mapping[str, Any]) -> dict[str, Any]:
        source = {"url": self.file.url, "record_id": self.file.record_id, "fetched_at": moment(self.file.fetched_at)}
        return {"kind": kind, "carrier": carrier, "raw": raw, "parsed": dict(parsed), "source": source}


def read(kind: str, file: SiteFile) -> Statement | None:
    """What the file's body says; None where there is none. Linear in the body, at most 1 MiB of it. Never raises."""
    if file.fetched_at is None:
        return None
    if kind == "tdmrep":
        tdm = parse_file(file.body)
        return Statement(file=file, kind=kind, tdm=tdm, says={"entries": len(tdm.entries)}, error=tdm.error or "")
    if kind == "rsl":
        contents = parse_rsl(file.body)
        if contents is None:
            return Statement(file=file, kind=kind, says={}, error="not-rsl")
        return Statement(file=file, kind=kind, terms=RslTerms(contents), says={"contents": len(contents)})
    return Statement(file=file, kind=kind, says=_other(file))


def _other(file: SiteFile) -> dict[str, Any]:
    """What further files say, for the ledger: none of it is a permission or a label."""
    text = file.body[:65_536].decode("utf-8", "replace")
    if file.url.endswith("/gpc.json"):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return {}
        return {"gpc": found.get("gpc") is True} if isinstance(found, dict) else {}
    if file.url.endswith("/security.txt"):
        lines = [line.partition(":") for line in text.splitlines()]
        fields = [(name.strip().lower(), value.strip()[:_RAW]) for name, colon, value in lines if colon]
        return {
            "contact": [value for name, value in fields if name == "contact"][:5],
            "expires": next((value for name, value in fields if name == "expires"), None),
        }
    if file.url.endswith("/ai.txt"):
        rules = [line.strip()[:_RAW] for line in text.splitlines() if line.strip()[:9].lower() == "disallow:"]
        return {"disallow": rules[:20]}
    return {"bytes": len(file.body)}


class Statements:
    """What is known of the sites of a job, by origin; at most 4,096 of them. The gateway labels every answer by it."""

    def __init__(self) -> None:
        self._of: OrderedDict[Origin, tuple[Statement, ...]] = OrderedDict()

    def put(self, origin: Origin, statements: Iterable[Statement]) -> None:
        self._of[origin] = tuple(statements)
        self._of.move_to_end(origin)
        if len(self._of) > _ORIGINS:
            self._of.popitem(last=False)

    def label(self, candidate: Candidate, keep: Keep) -> Keep:
        """The same verdict with the labels that files of the site add.

        Any disallow wins, whatever the policy: a header may take a reservation on, never off; the evidence of both
        stands in `signals`. What a site says in a file of signals is evidence, kept as robots.txt is: in the open.
        """
        if candidate.kind is Kind.SIGNALS:
            return _PLAIN
        statements = self._of.get(candidate.origin)
        return keep if not statements or candidate.kind is Kind.ROBOTS else labelled(keep, candidate.url, statements)


_PLAIN = Keep()


def labelled(keep: Keep, url: str, statements: Iterable[Statement]) -> Keep:
    """`keep` with what the statements say of `url`."""
    said = [one.about(url) for one in statements]
    evidence = [one for _, one in said if one is not None]
    if not evidence:
        return keep
    usage = combined_usage(keep.usage, *(labels for labels, _ in said))
    return replace(keep, usage=usage, signals=(*keep.signals, *evidence))


def moment(epoch: float | None) -> str | None:
    """A remembered time as it stands in rows."""
    return None if epoch is None else iso(datetime.fromtimestamp(epoch, UTC))
