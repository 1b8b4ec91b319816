"""Runs vector files (`robots-vectors/1`, `signal-vectors/1`) against the public API of `archiver.policy`.

    python -m tests.conformance FILE.json ...

Prints each failing id with what was expected and got, then `N passed, N failed`. Exit status 1 on a failure, and where
nothing was scored; 2 for a file that cannot be read. Cases marked `contested` or `informative` are not scored, only
counted. Where robots cases say `both`, or no standard, both modes must agree with them. A scored case of a kind that is
not known here fails, and says so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.conformance import robots, signals

UNSCORED = ("contested", "informative")


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


def cases_of(document: Any) -> list[dict[str, Any]]:
    """The cases of a file: under `cases`, or the file itself is their list; each with an id, the place if it has none.

    Raises ValueError where it is neither.
    """
    found = document.get("cases") if isinstance(document, dict) else document
    if isinstance(found, dict):
        found = [{"id": name, **case} for name, case in found.items()]
    if not isinstance(found, list) or not all(isinstance(case, dict) for case in found):
        raise ValueError("no list of cases")
    return [{"id": f"case {place}", **case} for place, case in enumerate(found, 1)]


def scored(case: dict[str, Any]) -> bool:
    return not any(case.get(mark) for mark in UNSCORED)


def outcomes(case: dict[str, Any]) -> list[Outcome]:
    """All questions of a case, both formats told apart by its keys. Never raises over what it holds."""
    try:
        return list(_answers(case))
    except Exception as exc:
        return [Outcome(case["id"], "case", "a case that can be asked", f"{type(exc).__name__}: {exc}")]


def _answers(case: dict[str, Any]) -> Iterator[Outcome]:
    if "expect_allowed" in case:
        for mode, allowed in robots.answers(case):
            yield Outcome(case["id"], mode, case["expect_allowed"], allowed)
        return
    kind = case.get("category")
    if kind not in signals.CATEGORIES:
        yield Outcome(case["id"], "category", f"one of {', '.join(signals.CATEGORIES)}", f"unknown kind {kind!r}")
        return
    if not case.get("expect"):
        raise ValueError("nothing is expected")
    got = signals.answer(case)
    for key, expected in case["expect"].items():
        yield Outcome(case["id"], key, expected, signals.comparable(key, expected, got))
