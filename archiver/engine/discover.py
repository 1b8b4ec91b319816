"""From the links of a page to outlinks with a scope verdict, each URL looked at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from archiver import urls
from archiver.engine.lists import Lists
from archiver.engine.read import Reading
from archiver.model import Candidate, Keep, Kind, Objection, Outlink, Reason, Verdict

ScopeCheck = Callable[[Candidate], Objection | None]
ScopeTakes = Callable[[str, str], bool]
REMEMBERED = 200_000
_OF_ONE_LINK = frozenset({Reason.NOFOLLOW, Reason.DEPTH_LIMIT})

_NOFOLLOW_LINK = Objection(verdict=Verdict.REFUSE, reason=Reason.NOFOLLOW, rule='rel="nofollow" on the link')


class Discoverer:
    """Holds a bounded memory of URLs already committed to the frontier, so that most links cost one set look-up."""

    def __init__(
        self,
        check: ScopeCheck,
        *,
        obey_nofollow: bool = True,
        enabled: bool = True,
        takes: ScopeTakes | None = None,
        lists: Lists | None = None,
    ) -> None:
        """`takes` tells links that only extra hops let in (path letter X); None where there are none."""
        self.lists = lists
        self._check = check
        self._takes = takes
        self._obey_nofollow = obey_nofollow
        self._enabled = enabled
        self._known: set[str] = set()

    def outlinks(self, page: Candidate, reading: Reading, keep: Keep | None) -> tuple[list[Outlink], int]:
        """New-looking outlinks, and how many links led to URLs already known."""
        if not self._enabled:
            return [], 0
        found: list[Outlink] = []
        repeats = 0
        page_nofollow = self._page_objection(keep)
        if reading.listed and self.lists is not None:
            return self.lists.outlinks(page, reading.listed, page_nofollow), 0
        for url, nofollow in reading.links:
            if url in self._known:
                repeats += 1
                continue
            key = urls.canonical(url)
            letter = "L" if self._takes is None or self._takes(url, key) else "X"
            candidate = Candidate(
                url=url,
                key=key,
                origin=urls.origin_of(url),
                kind=Kind.DOCUMENT,
                depth=page.depth + 1,
                via=page.url,
                path=page.path + letter,
            )
            objection = self._check(candidate)
            if objection is None:
                objection = page_nofollow or (_NOFOLLOW_LINK if nofollow and self._obey_nofollow else None)
            found.append(Outlink(candidate=candidate, objection=objection))
        return found, repeats

    def remember(self, outlinks: Sequence[Outlink]) -> None:
        """Called once the frontier has them. A link refused for nofollow or depth may still be followed elsewhere."""
        if len(self._known) > REMEMBERED:
            self._known.clear()
        for outlink in outlinks:
            if outlink.objection is None or outlink.objection.reason not in _OF_ONE_LINK:
                self._known.add(outlink.candidate.url)

    def _page_objection(self, keep: Keep | None) -> Objection | None:
        if keep is None or keep.follow or not self._obey_nofollow:
            return None
        return Objection(verdict=Verdict.REFUSE, reason=Reason.NOFOLLOW, rule="the page says nofollow")
