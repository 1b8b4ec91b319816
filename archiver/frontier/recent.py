"""A bounded set of what was seen lately: spares SQLite the links that every page of a site repeats."""

from __future__ import annotations

from collections.abc import Iterable


class RecentSet:
    """Holds about between `size` and `2 * size` texts; what is asked for stays, what is not goes.

    Two generations instead of a linked list: when the young one is full it becomes the old one. `in` is exact for what
    it holds (no false positives); a text that was forgotten is simply asked of the database again.
    """

    __slots__ = ("_old", "_size", "_young")

    def __init__(self, size: int = 1 << 15) -> None:
        self._size = size
        self._young: set[str] = set()
        self._old: set[str] = set()

    def __contains__(self, text: str) -> bool:
        if text in self._young:
            return True
        if text in self._old:
            self.add(text)
            return True
        return False

    def add(self, text: str) -> None:
        self._young.add(text)
        self._age()

    def update(self, texts: Iterable[str]) -> None:
        """All of them stay until as many others have come, however many they are."""
        self._young.update(texts)
        self._age()

    def missing(self, texts: Iterable[str]) -> set[str]:
        """Of these texts those that it does not hold; the others were asked for."""
        unknown = set(texts) - self._young
        if self._old:
            known = unknown & self._old
            self._young |= known
            unknown -= known
        return unknown

    def _age(self) -> None:
        if len(self._young) >= self._size:
            self._old, self._young = self._young, set()

    def clear(self) -> None:
        self._young, self._old = set(), set()
