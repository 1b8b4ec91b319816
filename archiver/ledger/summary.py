"""What a ledger says of its collection as a whole: runs, policies, operator, counts, heads. Read once, then from where
it ended.

Nothing here is evidence: it is told again from the segments whenever the kept state is gone or does not fit them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

from archiver.ledger.reader import segment_paths

LATEST = 100
"""So many runs are told one by one; of older ones the counts remain."""

# A row's body is JSON within JSON: its quotes are escaped.
_SAYS = tuple(rf"\"event\":\"{event}\"".encode() for event in ("run", "end", "segment", "stored"))
_BLOCK = 1 << 20

Body = Mapping[str, Any]


@dataclass(slots=True, kw_only=True)
class Summary:
    """`read`: bytes read, by segment. `heads`: the last hash of each segment that no later one names, by file.

    `counts`: URLs by what became of them, over all runs; `runs` their number, `latest` the last of them, by job.
    `policies`: SHA-256 by label, each that a run worked under. `about`: the last title, description and operator that a
    run was given, and its software. Times are ISO. `stored` is of what was read just now, not kept: SHA-256 by local
    path, as they were when the files were closed.
    """

    read: dict[str, int] = field(default_factory=dict)
    heads: dict[str, str] = field(default_factory=dict)
    named: list[str] = field(default_factory=list)
    runs: int = 0
    first: str = ""
    last: str = ""
    counts: dict[str, int] = field(default_factory=dict)
    policies: dict[str, list[str]] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)
    latest: list[dict[str, Any]] = field(default_factory=list)
    stored: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, said: object) -> Summary:
        """What `as_json` gave; an empty one where it is something else."""
        try:
            return cls(**said) if isinstance(said, dict) else cls()
        except TypeError:
            return cls()

    def as_json(self) -> dict[str, Any]:
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "stored"}


def summarised(logs: Path, before: Summary) -> Summary:
    """`before` with what was written since; begun anew where a segment shrank or went away. Raises OSError."""
    paths = segment_paths(logs)
    sizes = {path.name: path.stat().st_size for path in paths}
    summary = before
    if any(sizes.get(name, -1) < size for name, size in before.read.items()):
        summary = Summary()
    for path in paths:
        if sizes[path.name] > summary.read.get(path.name, 0):
            _take(summary, path)
    return summary


def _take(summary: Summary, path: Path) -> None:
    """One segment from where it was read to: whole lines only."""
    start = summary.read.get(path.name, 0)
    last = b""
    with path.open("rb") as file:
        file.seek(start)
        while block := file.read(_BLOCK):
            block += file.readline()
            block = block[: block.rfind(b"\n") + 1]
            start += len(block)
            if block:
                last = block[block.rfind(b"\n", 0, -1) + 1 :]
            for body in _bodies(block):
                _tell(summary, body)
    summary.read[path.name] = start
    digest = _row(last).get("hash")
    if isinstance(digest, str):
        summary.heads[path.name] = digest
    for file_name in [name for name in summary.named if name in summary.heads]:
        del summary.heads[file_name]
        summary.named.remove(file_name)


def _bodies(block: bytes) -> Iterator[Body]:
    if not any(word in block for word in _SAYS):
        return
    for line in block.split(b"\n"):
        if any(word in line for word in _SAYS):
            body = _parsed(_row(line).get("body"))
            if isinstance(body, dict):
                yield body


def _tell(summary: Summary, body: Body) -> None:
    tell = {"segment": _segment, "run": _run, "end": _end, "stored": _stored}.get(str(body.get("event")))
    if tell is not None:
        tell(summary, body)


def _segment(summary: Summary, body: Body) -> None:
    """The segment before this one is no end of the chain any more."""
    if isinstance(body.get("prev_file"), str):
        summary.named.append(body["prev_file"])


def _run(summary: Summary, body: Body) -> None:
    summary.runs += 1
    when, job = str(body.get("t", "")), str(body.get("job", ""))
    summary.first = min(filter(None, (summary.first, when)), default="")
    summary.last = max(summary.last, when)
    policy = _mapping(body.get("policy"))
    label = str(policy.get("name", ""))
    digests = summary.policies.setdefault(label, [])
    if str(policy.get("sha256", "")) not in digests:
        digests.append(str(policy.get("sha256", "")))
    version = str(_mapping(body.get("software")).get("archiver", ""))
    document = _mapping(_mapping(body.get("config")).get("document"))
    wishes, identity = _mapping(document.get("job")), _mapping(document.get("identity"))
    about = {
        "title": wishes.get("title"),
        "description": wishes.get("description"),
        "operator": _mapping(document.get("basis")).get("operator") or identity.get("contact"),
        "legal_basis": _mapping(document.get("basis")).get("legal_basis"),
        "software": f"archiver/{version}" if version else "",
    }
    summary.about.update({name: str(value) for name, value in about.items() if value})
    row: dict[str, Any] = {"job": job, "started": when, "ended": None, "policy": label, "stopped": None, "counts": {}}
    summary.latest = [*summary.latest, row][-LATEST:]


def _end(summary: Summary, body: Body) -> None:
    summary.last = max(summary.last, str(body.get("t", "")))
    row = next((one for one in reversed(summary.latest) if one["job"] == body.get("job")), None)
    counts = {name: count for name, count in _mapping(body.get("frontier")).items() if isinstance(count, int)}
    # A job that was interrupted and went on counts its URLs again from the beginning.
    earlier = next((one for one in reversed(summary.latest) if one["job"] == body.get("job") and one["counts"]), None)
    for name, count in counts.items():
        summary.counts[name] = summary.counts.get(name, 0) + count - (earlier["counts"].get(name, 0) if earlier else 0)
    if row is not None:
        row.update(ended=str(body.get("t", "")), stopped=body.get("stopped"), counts=counts)


def _stored(summary: Summary, body: Body) -> None:
    uri = urlsplit(str(body.get("uri", "")))
    if uri.scheme == "file":
        summary.stored[unquote(uri.path)] = str(body.get("sha256", ""))


def _row(line: bytes) -> Body:
    return _mapping(_parsed(line))


def _mapping(value: object) -> Body:
    return value if isinstance(value, dict) else {}


def _parsed(text: object) -> object:
    try:
        found: object = orjson.loads(text) if isinstance(text, str | bytes) else None
    except orjson.JSONDecodeError:
        return None
    return found
