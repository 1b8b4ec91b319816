"""Sites send the same line on each page: what it says is read once. Long lines are not kept, they would add up."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TypeVar, TypeVarTuple, cast

LINES = 512
LONGEST = 1_024
"""Characters."""

Beside = TypeVarTuple("Beside")
T = TypeVar("T")


def remembered(read: Callable[[str, *Beside], T]) -> Callable[[str, *Beside], T]:
    """`read` of a line (and of hashable things beside it), remembered. What it gives is shared: nobody changes it."""
    kept = cast("Callable[[str, *Beside], T]", lru_cache(maxsize=LINES)(read))

    def call(line: str, *beside: *Beside) -> T:
        return kept(line, *beside) if len(line) <= LONGEST else read(line, *beside)

    return call
