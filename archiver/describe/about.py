"""What is told of a collection, and `collection.json`, its form for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

FORMAT = "archiver-collection/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """WARC files of one access class: their number, and bytes in all."""

    count: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A page that anybody may see: its URL and 14-digit time."""

    url: str
    timestamp: str


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """`files` by access class. `policies`: SHA-256 by label. `counts`: URLs by their fate. `heads`: the ledger's ends,
    hash by file. `runs` in number, `latest` one by one. `warc`: the first open one. Times are ISO, "" = none yet.
    `imported`: files of others by access class; they are among `files`, and nothing else here is about them.
    """

    name: str
    title: str = ""
    description: str = ""
    operator: str = ""
    legal_basis: str = ""
    software: str = ""
    first: str = ""
    last: str = ""
    runs: int = 0
    files: Mapping[str, Files] = field(default_factory=dict)
    policies: Mapping[str, Sequence[str]] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    segments: int = 0
    heads: Mapping[str, str] = field(default_factory=dict)
    latest: Sequence[Mapping[str, Any]] = ()
    example: Example | None = None
    warc: str = ""
    imported: Mapping[str, int] = field(default_factory=dict)


def collection_json(about: About) -> bytes:
    """The content of `collection.json`; see docs/archivist/collections.md for its keys."""
    said = {
        "format": FORMAT,
        "name": about.name,
        "title": about.title or about.name,
        "description": about.description,
        "operator": about.operator,
        "legal_basis": about.legal_basis,
        "software": about.software,
        "first_run": about.first or None,
        "last_run": about.last or None,
        "files": {access: {"warcs": one.count, "bytes": one.size} for access, one in about.files.items()},
        "imported": {"policy": "unknown", "warcs": dict(about.imported)},
        "policies": [{"name": name, "sha256": list(digests)} for name, digests in sorted(about.policies.items())],
        "counts": dict(about.counts),
        "ledger": {
            "segments": about.segments,
            "heads": [{"file": file, "hash": digest} for file, digest in sorted(about.heads.items())],
        },
        "jobs": {"runs": about.runs, "latest": list(about.latest)},
    }
    return orjson.dumps(said, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
