"""Whether a job's count holds: recomputed from its rows alone, beside what the index counted and the frontier knew.

`discovered = fetched + refused + failed + pending` is true of any four numbers once their sum is called `discovered`.
So five things are checked here that can fail: each URL's fate, worked out anew from its rows, is the one counted; no
row about a URL is left over; every file that a page lacks and every place where a visit ended has a fate of its own;
each link that a visit called new has a row; and the frontier, which counts for itself, knew of no URL that the ledger
lacks. Memory: a few numbers and the first faults.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from archiver import urls
from archiver.ledger.states import state_of
from archiver.model import Lane

STATES = ("fetched", "refused", "failed", "pending")
_NAMED = 5
_LINKED = frozenset({"seed", "visit", "discovered", "pending"})
"""Events about URLs that the frontier holds as pages; requisites, hops and robots.txt are the ledger's alone."""

_TELLING = _LINKED | {"decision", "outcome"}
"""Events that say something about the fate of their URL."""

HasFate = Callable[[str], bool]
Fate = tuple[str, str, str, list[dict[str, Any]]]


@dataclass(slots=True)
class Recount:
    """Feed it each row (`row`), then each fate (`watched`), then ask for `faults`. `has_fate` looks a key up."""

    has_fate: HasFate
    totals: Counter[str] = field(default_factory=Counter)
    rows: int = 0
    placed: int = 0
    new_links: int = 0
    discovered_rows: int = 0
    pages: int = 0
    frontier: int = 0
    _told: list[str] = field(default_factory=list)
    _faults: Counter[str] = field(default_factory=Counter)

    def row(self, body: Mapping[str, Any]) -> None:
        """One row of the job, in the ledger's order."""
        event = body.get("event")
        if event == "end":
            frontier = body.get("frontier")
            self.frontier = int(frontier.get("discovered") or 0) if isinstance(frontier, Mapping) else 0
        if not body.get("url"):
            return
        if event == "visit":
            self.new_links += int(body.get("discovered") or 0)
            self._visit(body)
        self.rows += event in _TELLING

    def watched(self, fates: Iterable[Fate]) -> Iterator[Fate]:
        """The same fates, each recounted from its rows as it passes."""
        for fate in fates:
            key, state, _, bodies = fate
            word = fate_of(bodies)
            if word != state:
                self._fault("fate", f"{key} was counted as {state}; its rows say {word}")
            self.totals[word] += 1
            events = {str(body.get("event")) for body in bodies}
            self.placed += sum(body.get("event") in _TELLING for body in bodies)
            self.discovered_rows += "discovered" in events
            self.pages += not events.isdisjoint(_LINKED)
            yield fate

    def faults(self, counts: Mapping[str, int]) -> list[str]:
        """What does not hold, in sentences; empty when everything does. `counts` are the index's."""
        said = [*self._told]
        said += [f"and {number - _NAMED:,} more ({kind})" for kind, number in self._faults.items() if number > _NAMED]
        for state in STATES:
            if self.totals[state] != counts[state]:
                said.append(f"{counts[state]:,} URLs are counted as {state}; their rows say {self.totals[state]:,}")
        if sum(self.totals.values()) != counts["discovered"]:
            said.append(f"{counts['discovered']:,} URLs are counted; the rows name {sum(self.totals.values()):,}")
        if self.placed != self.rows:
            said.append(f"rows about URLs that belong to no URL counted: {abs(self.rows - self.placed):,}")
        if self.new_links > self.discovered_rows:
            said.append(f"visits found {self.new_links:,} new URLs; {self.discovered_rows:,} have a row")
        if self.frontier > self.pages:
            said.append(f"the frontier ended with {self.frontier:,} URLs; the rows know {self.pages:,}")
        return said

    def _visit(self, body: Mapping[str, Any]) -> None:
        named = [gap.get("url") for gap in body.get("matter") or () if isinstance(gap, Mapping)]
        if body.get("final_url") != body.get("url") and body.get("lane") != Lane.BROWSER:  # scripts rename pages
            named.append(body.get("final_url"))
        for url in named:
            parsed = urls.parse(str(url)) if url else None
            if parsed is not None and not self.has_fate(parsed.key):
                self._fault(
                    "fate", f"{parsed.url} is named by the visit of {body.get('url')} and has no row of its own"
                )

    def _fault(self, kind: str, sentence: str) -> None:
        self._faults[kind] += 1
        if self._faults[kind] <= _NAMED:
            self._told.append(sentence)


def fate_of(bodies: Iterable[Mapping[str, Any]]) -> str:
    """The state that rows about one URL, oldest first, add up to: of the heaviest the latest. `none` without any."""
    word, weight = "none", -1
    for body in bodies:
        state = state_of(body)
        if state is not None and state.weight >= weight:
            word, weight = state.word, state.weight
    return word
