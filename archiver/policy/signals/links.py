"""Links: may they be followed, and do they name a licence (RSL 1.0, or any other `rel=license`)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from urllib.parse import urljoin

from archiver.policy.fields import parse_links
from archiver.policy.robots.directives import is_absolute
from archiver.policy.signals.values import LinkTag

RSL_TYPE = "application/rsl+xml"


def may_follow(rel: str | None, *, page_nofollow: bool = False) -> bool:
    """Whether a link with this `rel` may be enqueued. `ugc` and `sponsored` alone do not forbid it.

    Commas count as spaces: `nofollow,ugc` is common, and meant.
    """
    if page_nofollow:
        return False
    return not rel or "nofollow" not in rel.lower().replace(",", " ").split()


def licenses(
    headers: Iterable[str], links: Iterable[Sequence[str]], url: str, named: Iterable[str] = ()
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(RSL documents, other licence links), absolute, each once. `headers`: Link field lines; `links`: `LinkTag`s or
    plain (rel, href, type); `named`: those of robots.txt.
    """
    found = [(link.target, link.type) for line in headers for link in parse_links(line) if "license" in link.rel]
    for one in links:
        link = LinkTag(*one)
        if "license" in link.rel.lower().split():
            found.append((link.href.strip(), link.type.partition(";")[0].strip().lower()))
    rsl = dict.fromkeys(named)
    other: dict[str, None] = {}
    for target, kind in found:
        absolute = _absolute(url, target)
        if absolute:
            (rsl if kind == RSL_TYPE else other)[absolute] = None
    return tuple(rsl), tuple(other)


def _absolute(url: str, target: str) -> str | None:
    try:
        joined = urljoin(url, target)
    except ValueError:
        return None
    return joined if is_absolute(joined) else None
