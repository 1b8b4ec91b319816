"""Where signals stand in one response, collected and hashable: pages of a site carry the same ones, read once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from archiver.policy.fields import Header, Link, as_text, parse_links
from archiver.policy.preferences import Usage
from archiver.policy.robots import RobotsFile
from archiver.policy.robots.directives import is_absolute
from archiver.policy.signals import tdmrep
from archiver.policy.signals.memo import LONGEST, remembered

_FIELDS = frozenset({
    "x-robots-tag", "content-usage", "tdm-reservation", "tdm-policy", "link", "cache-control", "memento-datetime",
    "robots-tag", "crawler-price",
})  # fmt: skip
# Fields that most responses have for other reasons: looked into only when they hold such a word.
_ONLY_WITH = {
    "link": ("license", "original", "timemap", "blocked-by"),
    "cache-control": ("no-store", "private"),
}
TDM = ("tdm-reservation", "tdm-policy")
_SPACE = " \t\r\n\f"


class RobotsSays(NamedTuple):
    """What robots.txt says about the use of one URL. `usage`: its preferences there, None where Disallow applies."""

    usage_lines: tuple[str, ...]
    usage: tuple[tuple[str, Usage], ...] | None
    signal_lines: tuple[str, ...]
    licenses: tuple[str, ...]
    invalid_licenses: tuple[str, ...]


class Carriers(NamedTuple):
    """Everything that `read` depends on. `fields` are (name, raw value), in wire order; `base` resolves relative
    licence links, "" where there are none; `image` = the response is an image."""

    fields: tuple[tuple[str, str], ...]
    metas: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str, str], ...]
    robots: RobotsSays | None
    tdm_file: tdmrep.Tdm
    agents: tuple[str, ...]
    base: str
    image: bool
    strict: bool

    @property
    def may_be_remembered(self) -> bool:
        """Longer ones are rare, and a few hundred of them would fill the memory."""
        return sum(len(text) for some in (self.fields, self.metas, self.links) for one in some for text in one) < 8_192


def collect(  # noqa: PLR0913 - one question, all of it named
    *,
    headers: Sequence[Header],
    meta: Iterable[Sequence[str]],
    links: Iterable[Sequence[str]],
    agents: tuple[str, ...],
    url: str,
    robots: RobotsFile | None,
    tdm_file: tdmrep.Tdm,
    strict: bool,
) -> Carriers | None:
    """None when nothing says anything, which is the rule."""
    fields, image = _fields_of(headers)
    metas = tuple(_metas_of(meta, agents)) if meta else ()
    named = tuple(_link(link) for link in links if "license" in link[0].lower()) if links else ()
    asked = _robots_says(robots, agents, url) if robots is not None and robots.has_preferences else None
    if not (fields or metas or named or asked or tdm_file is not tdmrep.UNSET):
        return None
    return Carriers(
        fields=fields,
        metas=metas,
        links=named,
        robots=asked,
        tdm_file=tdm_file,
        agents=agents,
        base=url if _is_relative(fields, named) else "",
        image=image,
        strict=strict,
    )


@remembered
def links_of(line: str) -> tuple[Link, ...]:
    """The links of a Link field line."""
    return tuple(parse_links(line))


@lru_cache(maxsize=64)
def names_of(agents: tuple[str, ...]) -> frozenset[str]:
    """Our tokens in lower case."""
    return frozenset(agent.lower() for agent in agents)


def _fields_of(headers: Iterable[Header]) -> tuple[tuple[tuple[str, str], ...], bool]:
    """(the fields that say something, whether the response is an image)."""
    found = []
    image = False
    for name, value in headers:
        wanted = _names.get(name)
        if wanted is None:
            wanted = _learn(name)
        if not wanted:
            continue
        if wanted == _TYPE:
            image = as_text(value[:20]).strip().lower().startswith("image/")
            continue
        text = _said(wanted, value) if len(value) <= LONGEST else _says(wanted, value)
        if text is not None:
            found.append((wanted, text))
    return tuple(found), image


_TYPE = "content-type"
_names: dict[bytes | str, str] = {}
"""Field names as sites write them: ours, or "" for what is none of ours."""


def _learn(name: bytes | str) -> str:
    if len(_names) >= 4_096:
        _names.clear()
    low = as_text(name).lower()
    wanted = low if low in _FIELDS or low == _TYPE else ""
    if len(name) <= LONGEST:
        _names[name] = wanted
    return wanted


def _says(name: str, value: bytes | str) -> str | None:
    """The value as text; None where the field speaks of something else."""
    text = as_text(value)
    words = _ONLY_WITH.get(name)
    if words is None:
        return text
    low = text.lower()
    return text if any(word in low for word in words) else None


_said = lru_cache(maxsize=2_048)(_says)


def _metas_of(meta: Iterable[Sequence[str]], agents: tuple[str, ...]) -> Iterable[tuple[str, str]]:
    ours = names_of(agents)
    for name, content in meta:
        key = name.strip(_SPACE).lower()
        if key == "robots" or key in TDM or key in ours:
            yield key, content


def _link(link: Sequence[str]) -> tuple[str, str, str]:
    return link[0], link[1], link[2] if len(link) > 2 else ""


@lru_cache(maxsize=16)  # asked twice a page: with its headers, and with its elements
def _robots_says(robots: RobotsFile, agents: tuple[str, ...], url: str) -> RobotsSays:
    preferences = robots.preferences(agents)
    usage = robots.content_usage(agents, url) if preferences.usage_lines else None
    return RobotsSays(
        preferences.usage_lines,
        None if usage is None else tuple(usage.items()),
        preferences.signal_lines,
        robots.licenses,
        robots.invalid_licenses,
    )


def _is_relative(fields: Iterable[tuple[str, str]], links: tuple[tuple[str, str, str], ...]) -> bool:
    """Whether a licence is named by a reference that needs the page's URL."""
    return (bool(links) and _any_relative(links)) or any(
        name == "link" and _line_relative(line) for name, line in fields
    )


@lru_cache(maxsize=512)
def _any_relative(links: tuple[tuple[str, str, str], ...]) -> bool:
    return any(not is_absolute(href.strip()) for _, href, _ in links)


@remembered
def _line_relative(line: str) -> bool:
    return any("license" in link.rel and not is_absolute(link.target) for link in links_of(line))
