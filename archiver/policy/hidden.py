"""What somebody hid is not fetched again. Pure: the hides are read when a run begins."""

from __future__ import annotations

from collections.abc import Mapping

from archiver.model import Candidate, Objection, Reason, Verdict

_BARE = ("https://www.", "http://www.", "https://", "http://")


def bare(key: str) -> str:
    """A canonical key without scheme and `www.`: replay does not tell these apart either (SURT)."""
    return next((key[len(start) :] for start in _BARE if key.startswith(start)), key)


class HiddenRule:
    """A `policy.decide.Rule`. `urls` and `prefixes` map canonical keys to what the ledger shall say of the hiding."""

    def __init__(self, *, urls: Mapping[str, str], prefixes: Mapping[str, str]) -> None:
        self._urls = {bare(key): says for key, says in urls.items()}
        self._prefixes = {bare(key): says for key, says in prefixes.items()}
        self._starts = tuple(self._prefixes)

    def __call__(self, candidate: Candidate) -> Objection | None:
        """None = not hidden. Binds seeds, redirects and requisites too."""
        says = self.covering(candidate.key)
        return None if says is None else Objection(verdict=Verdict.REFUSE, reason=Reason.HIDDEN, rule=says)

    def covering(self, key: str) -> str | None:
        """What is said of the hiding that covers `key`: the URL's own, else the first prefix's."""
        name = bare(key)
        said = self._urls.get(name)
        if said is None and name.startswith(self._starts):
            said = next(says for start, says in self._prefixes.items() if name.startswith(start))
        return said
