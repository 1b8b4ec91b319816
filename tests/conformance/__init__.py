"""Runs vector files (`robots-vectors/1`, `signal-vectors/1`) against the public API of `archiver.policy`.

    python -m tests.conformance FILE.json ...

Prints each failing id with what was expected and got, then `N passed, N failed`; exit status 1 on a failure. Cases
marked `contested` or `informative` are not scored. Where robots cases say `both`, both modes must agree with them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.conformance import robots, signals


@dataclass(frozen=True, slots=True)
class Outcome:
    """One scored question: the case, the key or mode it is about, and both answers."""

    id: str
    what: str
    expected: Any
    got: Any

    @property
    def passed(self) -> bool:
        return bool(self.expected == self.got)


def run(document: dict[str, Any]) -> Iterator[Outcome]:
    """All scored questions of a vector file, both formats told apart by their `format`, else by their cases' keys."""
    for case in document["cases"]:
        if case.get("contested") or case.get("informative"):
            continue
        if "expect_allowed" in case:
            for mode, got in robots.answers(case):
                yield Outcome(case["id"], mode, case["expect_allowed"], got)
        else:
            got = signals.answer(case)
            for key, expected in case["expect"].items():
                yield Outcome(case["id"], key, expected, signals.comparable(key, expected, got))
