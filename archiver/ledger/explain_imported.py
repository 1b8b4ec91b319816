"""What `why` says of captures that others made: where they lie, who took them in, what their file claims. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from archiver.ledger.explain import Explanation
from archiver.ledger.imports import Imported

_TOLD = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedCapture:
    """One capture of the URL and the file it came in. `t` is when it says it was made; `status` None = it has none."""

    file: Imported
    t: str
    status: int | None
    mime: str
    offset: int

    def to_json(self) -> dict[str, Any]:
        return {
            "t": self.t,
            "http_status": self.status,
            "mime": self.mime,
            "file": self.file.file,
            "offset": self.offset,
            "access": self.file.access.value,
            "policy": "unknown",
            "origin": self.file.origin,
            "claims": dict(self.file.claims),
            "note": self.file.note,
            "by": self.file.by,
            "at": self.file.t,
        }


def with_imported(answer: Explanation, found: Sequence[ImportedCapture]) -> Explanation:
    """The answer with what was imported. Where nothing of ours is known of the URL, that is the whole answer."""
    if not found:
        return answer
    said = [*_sentences(found)]
    rows = tuple(one.to_json() for one in found)
    if answer.verdict != "unknown":
        return replace(answer, said=(*answer.said, *said), imported=rows)
    latest = found[-1]
    return replace(
        answer,
        verdict="imported",
        reason="",
        at=latest.file.t,
        access=latest.file.access.value,
        policy="unknown",
        said=tuple(said),
        advice=(),
        ways=(),
        imported=rows,
    )


def _sentences(found: Sequence[ImportedCapture]) -> list[str]:
    said = ["Somebody else captured it. Whether its site allowed that is not known here: the policy is unknown."]
    said += [_where(one) for one in found[-_TOLD:]]
    if len(found) > _TOLD:
        said.append(f"{len(found) - _TOLD} older captures of it were imported too.")
    for file in {one.file.file: one.file for one in found[-_TOLD:]}.values():
        said.append(f"{file.file} was imported by {file.by} on {file.t}: {file.note}.")
        if file.origin:
            said.append(f"It is said to come from: {file.origin}.")
        if file.claims:
            said.append(f"The file claims: {'; '.join(f'{name} {value}' for name, value in file.claims.items())}.")
    return said


def _where(one: ImportedCapture) -> str:
    status = f"HTTP status {one.status}" if one.status is not None else "without HTTP"
    return f"Captured {one.t} ({status}): in {one.file.file} at offset {one.offset}, {one.file.access.value}."
