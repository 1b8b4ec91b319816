"""RSL 1.0 licence documents (namespace https://rslstandard.org/rsl): what they prohibit and permit, as usage labels.

Only ever a label: no term of a licence document gives or takes access here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

from lxml import etree

from archiver.policy.preferences import Usage, combine
from archiver.policy.robots.pattern import Pattern, path_and_query, rfc_target

NAMESPACE = "https://rslstandard.org/rsl"
_MAX_BYTES = 1 << 20
MAX_CONTENTS = 1_000
"""Contents of a document that are looked at: each URL of its origin is compared with them."""
_MAX_PATTERN = 2_000
_EVERYTHING = frozenset({"ai-train", "ai-input", "search"})
_GROUPS = {"all": _EVERYTHING, "ai-all": frozenset({"ai-train", "ai-input"})}


@dataclass(frozen=True, slots=True, kw_only=True)
class RslContent:
    """One `<content>`: the URL or path pattern it covers, the uses it permits and prohibits, the kinds of payment."""

    url: str
    permits: tuple[str, ...] = ()
    prohibits: tuple[str, ...] = ()
    payment: tuple[str, ...] = ()


def parse_rsl(xml: bytes) -> tuple[RslContent, ...] | None:
    """The contents of a document, the first 1,000; None where it is no RSL. No entities, no network, at most 1 MiB."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(xml[:_MAX_BYTES], parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root.tag != f"{{{NAMESPACE}}}rsl":
        return None
    return tuple(_content(element) for element in islice(root.iter(f"{{{NAMESPACE}}}content"), MAX_CONTENTS))


def _content(element: etree._Element) -> RslContent:
    found: dict[str, list[str]] = {"permits": [], "prohibits": []}
    for name, uses in found.items():
        for rule in element.iter(f"{{{NAMESPACE}}}{name}"):
            if rule.get("type", "usage").strip().lower() == "usage":
                uses.extend((rule.text or "").replace(",", " ").lower().split())
    payment = (rule.get("type", "") for rule in element.iter(f"{{{NAMESPACE}}}payment"))
    return RslContent(
        url=element.get("url", "").strip(),
        permits=tuple(found["permits"]),
        prohibits=tuple(found["prohibits"]),
        payment=tuple(payment),
    )


@dataclass(frozen=True, slots=True)
class _Term:
    """One content, ready to be compared: `site` is None where the pattern is a path, on whatever host."""

    site: tuple[str, ...] | None
    pattern: Pattern
    permits: frozenset[str]
    prohibits: frozenset[str]


class RslTerms:
    """The contents of a document, compiled once for the many URLs of an origin."""

    def __init__(self, contents: Iterable[RslContent]) -> None:
        self._terms = tuple(filter(None, map(_term, contents)))

    def labels(self, url: str) -> dict[str, Usage]:
        """The labels `ai-train`, `ai-input`, `search` that the contents covering `url` state; prohibits win."""
        said: dict[str, list[Usage]] = {name: [] for name in sorted(_EVERYTHING)}
        target, site = rfc_target(url), tuple(url.split("/", 3)[:3])
        for term in self._terms:
            if term.site not in (None, site) or not term.pattern.matches(target):
                continue
            for uses, value in ((term.permits, Usage.ALLOW), (term.prohibits, Usage.DISALLOW)):
                for name in uses:
                    said[name].append(value)
        return {name: combine(values) for name, values in said.items()}


def rsl_labels(contents: Iterable[RslContent], url: str) -> dict[str, Usage]:
    """The same for one URL."""
    return RslTerms(contents).labels(url)


def _term(content: RslContent) -> _Term | None:
    """A path pattern as in robots.txt, or an absolute URL with one; the same host is the caller's knowledge."""
    pattern, site = content.url, None
    if "://" in pattern:
        site = tuple(pattern.split("/", 3)[:3])
        pattern = path_and_query(pattern)
    if pattern[:1] not in ("/", "*") or len(pattern) > _MAX_PATTERN:
        return None
    return _Term(site, Pattern(pattern, "rfc9309"), _uses(content.permits), _uses(content.prohibits))


def _uses(words: Iterable[str]) -> frozenset[str]:
    return frozenset(name for word in words for name in _GROUPS.get(word, {word} & _EVERYTHING))
