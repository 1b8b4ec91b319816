"""A legal mandate as host suffixes: which hosts it covers."""

from __future__ import annotations

from collections.abc import Iterable


class Mandate:
    """Hosts whose pages are fetched whatever robots.txt says of them. `suffixes` are A-labels, such as `example.org`.

    A suffix covers the host of that name and all below it, on label borders: `ample.org` does not cover `example.org`.
    An address is covered by itself only.
    """

    def __init__(self, suffixes: Iterable[str]) -> None:
        self._suffixes = frozenset(suffix.strip().strip(".").lower() for suffix in suffixes) - {""}

    def covers(self, host: str) -> str | None:
        """The suffix, the longest where several fit, that covers a host (A-labels, lower case); else None."""
        if not self._suffixes:
            return None
        if ":" in host or host.rpartition(".")[2].isdigit():
            return host if host in self._suffixes else None
        labels = host.split(".")
        tails = (".".join(labels[at:]) for at in range(len(labels)))
        return next((tail for tail in tails if tail in self._suffixes), None)
