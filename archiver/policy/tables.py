"""Prints docs/auditor/policies.md from the policies: `python -m archiver.policy.tables > docs/auditor/policies.md`."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from typing import Any

from archiver.policy.profiles import PROFILES, Line, Profile, RobotsLines, SignalLines, camel

_HEAD = """# The policies, line by line

<!-- Printed by `python -m archiver.policy.tables`; change archiver/policy/profiles.py, not this page. -->

A policy is a name for a set of lines. Its version grows when a value changes or means something else. The hash is
that of all its values; it stands as `policySha256` in each WARC's `warcinfo` and in the ledger's `run` row, so that an
old archive can be compared with this page. A run that changes single lines has a hash of its own, and its name carries
the first eight digits (`strict/1+abcdef12`); its `run` row holds every line in full.

**Bold** values are looser than in `strict`: a run with one of them needs `legalBasis` and `operator`. *Free* lines are
a choice that `strict` offers too.
"""
_GROUPS: tuple[tuple[str, str, type], ...] = (
    ("robots", "What robots.txt binds", RobotsLines),
    ("signals", "What pages and headers ask for", SignalLines),
)


def page() -> str:
    """The whole page, Markdown."""
    parts = [_HEAD, "\n".join(_names())]
    parts += ["\n".join(_group(name, title, lines)) for name, title, lines in _GROUPS]
    return "\n".join(parts)


def _names() -> Iterator[str]:
    yield "| policy | SHA-256 of its values | looser than `strict` in |"
    yield "|---|---|---|"
    for profile in PROFILES.values():
        yield f"| `{profile.label}` | `{profile.sha256}` | {', '.join(profile.loosened) or 'nothing'} |"
    yield ""


def _group(name: str, title: str, lines: type) -> Iterator[str]:
    yield f"## {title}\n"
    yield f"| line | {' | '.join(PROFILES)} | what it says |"
    yield f"|---|{'---|' * len(PROFILES)}---|"
    for one in dataclasses.fields(lines):
        about: Line = one.metadata["line"]
        key = f"{name}.{camel(one.name)}"
        cells = " | ".join(_value(profile, name, one.name, key) for profile in PROFILES.values())
        yield f"| `{key}` | {cells} | {about.doc}.{' *Free.*' if about.free else ''} |"
    yield ""


def _value(profile: Profile, group: str, field: str, key: str) -> str:
    value: Any = getattr(getattr(profile, group), field)
    text = {True: "yes", False: "no", (): "none"}.get(value, f"{value:g}" if isinstance(value, float) else str(value))

    return f"**{text}**" if key in profile.loosened else text


if __name__ == "__main__":
    sys.stdout.write(page())
