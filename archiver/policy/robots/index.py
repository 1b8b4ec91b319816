"""Path patterns with a rank each, arranged so that the best one for a URL is found without trying each of them.

Plain prefixes are kept sorted: of all prefixes of a URL the longest is reached from its place in the order in a few
steps. Patterns with `*` hang under their literal head in the same way, and where many share a head, under letters that
must occur: three, or as many as the pattern's longest piece has.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from typing import Generic, Protocol, TypeVar

from archiver.policy.robots.pattern import Pattern

_FEW = 8
_GRAM = 3


class Ranked(Protocol):
    """Something that holds where its pattern matches. `rank` is above -1; of two, the higher one holds."""

    @property
    def pattern(self) -> Pattern: ...

    @property
    def rank(self) -> int: ...


R = TypeVar("R", bound=Ranked)


class PatternIndex(Generic[R]):
    """Build once, ask often. Of two with one rank for one pattern the first stays."""

    def __init__(self, rules: Iterable[R]) -> None:
        plain: dict[str, R] = {}
        wild: dict[str, list[R]] = {}
        self._exact: dict[str, R] = {}
        for rule in rules:
            pattern = rule.pattern
            if pattern.wild:
                wild.setdefault(pattern.head, []).append(rule)
                continue
            place = self._exact if pattern.anchored else plain
            known = place.get(pattern.head)
            if known is None or known.rank < rule.rank:
                place[pattern.head] = rule
        self._heads, self._parents = _prefix_forest(plain)
        self._best = _best_on_path(self._heads, self._parents, plain)
        self._wild_heads, self._wild_parents = _prefix_forest(wild)
        self._wild = [_WildNode(wild[head]) for head in self._wild_heads]

    def best(self, target: str) -> R | None:
        """The one of highest rank that covers a path and query already normalised for the patterns' mode."""
        heads, parents = self._heads, self._parents
        best: R | None = None
        at = bisect_right(heads, target) - 1
        while at >= 0:
            if target.startswith(heads[at]):
                best = self._best[at]
                break
            at = parents[at]
        if self._exact:
            exact = self._exact.get(target)
            if exact is not None and (best is None or exact.rank > best.rank):
                best = exact
        return self._best_wild(target, best) if self._wild else best

    def _best_wild(self, target: str, best: R | None) -> R | None:
        heads, parents = self._wild_heads, self._wild_parents
        seen: dict[int, frozenset[str]] = {}
        at = bisect_right(heads, target) - 1
        while at >= 0:
            node = self._wild[at]
            if target.startswith(heads[at]):
                best = _first_match(node.always, target, best)
                for size, table in node.by_gram:
                    grams = seen.get(size)
                    if grams is None:
                        grams = seen[size] = _grams(target, size)
                    for gram in table.keys() & grams:
                        best = _first_match(table[gram], target, best)
            at = parents[at]
        return best


class _WildNode(Generic[R]):
    """The wildcard rules under one literal head, best first; many of them are filed under a rare gram each.

    `by_gram` holds (size, gram -> rules), `always` the rules without any piece of text.
    """

    __slots__ = ("always", "by_gram")

    def __init__(self, rules: list[R]) -> None:
        rules.sort(key=lambda rule: -rule.rank)
        self.always = rules
        self.by_gram: tuple[tuple[int, dict[str, list[R]]], ...] = ()
        if len(rules) <= _FEW:
            return
        filed: dict[int, list[tuple[R, frozenset[str]]]] = {}
        for rule in rules:
            pieces = (*rule.pattern.middle, rule.pattern.last)
            size = min(_GRAM, max(map(len, pieces)))
            filed.setdefault(size, []).append((rule, frozenset().union(*(_grams(piece, size) for piece in pieces))))
        self.always = [rule for rule, _ in filed.pop(0, [])]
        self.by_gram = tuple((size, _by_rarest(some)) for size, some in filed.items())


def _by_rarest(rules: list[tuple[R, frozenset[str]]]) -> dict[str, list[R]]:
    """Each rule under the one of its grams that fewest others have."""
    frequency = Counter(gram for _, grams in rules for gram in grams)
    table: dict[str, list[R]] = {}
    for rule, grams in rules:
        table.setdefault(min(grams, key=lambda gram: (frequency[gram], gram)), []).append(rule)
    return table


def _first_match(rules: list[R], target: str, best: R | None) -> R | None:
    floor = -1 if best is None else best.rank
    for rule in rules:
        if rule.rank <= floor:
            return best
        if rule.pattern.matches(target):
            return rule
    return best


def _grams(text: str, size: int) -> frozenset[str]:
    return frozenset([text[at : at + size] for at in range(len(text) - size + 1)])


def _prefix_forest(heads: Iterable[str]) -> tuple[list[str], list[int]]:
    """Heads in order, and for each the index of the longest other head that is its prefix (-1 = none)."""
    ordered = sorted(heads)
    parents: list[int] = []
    stack: list[int] = []
    for index, head in enumerate(ordered):
        while stack and not head.startswith(ordered[stack[-1]]):
            stack.pop()
        parents.append(stack[-1] if stack else -1)
        stack.append(index)
    return ordered, parents


def _best_on_path(heads: list[str], parents: list[int], rules: dict[str, R]) -> list[R]:
    """For each head the best rule among its own and those of its prefixes: a URL that has the head has them all."""
    best: list[R] = []
    for head, parent in zip(heads, parents, strict=True):
        rule = rules[head]
        if parent >= 0 and best[parent].rank > rule.rank:
            rule = best[parent]
        best.append(rule)
    return best
