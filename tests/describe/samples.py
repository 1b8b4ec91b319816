"""A collection's values, all filled in."""

from typing import Any

from archiver.describe.about import About, Example, Files


def about(**changes: Any) -> About:
    values: dict[str, Any] = {
        "name": "news",
        "title": "News of the town",
        "description": "What its papers wrote.",
        "operator": "City archive",
        "legal_basis": "deposit",
        "software": "archiver/1",
        "first": "2026-11-23T12:00:00.000Z",
        "last": "2026-11-24T12:00:00.000Z",
        "runs": 2,
        "files": {"open": Files(count=3, size=99), "dark": Files()},
        "policies": {"strict": ["ab" * 32]},
        "counts": {"fetched": 5},
        "segments": 2,
        "heads": {"ledger-2.jsonl": "cd" * 32},
        "latest": [{"job": "j1"}],
        "example": Example(url="http://site.test/a'b?c=1&d", timestamp="20261123120000"),
        "warc": "ARCH-1.warc.gz",
    }
    return About(**{**values, **changes})
