"""RSL 1.0 licence documents (namespace https://rslstandard.org/rsl): what they prohibit and permit, as usage labels.

Only ever a label: no term of a licence document gives or takes access here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lxml import etree

from archiver.policy.preferences import Usage, combine
from archiver.policy.robots.pattern import Pattern, path_and_query, rfc_target

NAMESPACE = "https://rslstandard.org/rsl"
_MAX_BYTES = 1 << 20
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
    """The contents of a document; None where it is no RSL. No entities, no network, at most 1 MiB."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(xml[:_MAX_BYTES], parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root.tag != f"{{{NAMESPACE}}}rsl":
        return None
    return tuple(_content(element) for element in root.iter(f"{{{NAMESPACE}}}content"))


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


def rsl_labels(contents: Iterable[RslContent], url: str) -> dict[str, Usage]:
    """The labels `ai-train`, `ai-input`, `search` that the contents covering `url` state; prohibits win."""
    said: dict[str, list[Usage]] = {name: [] for name in sorted(_EVERYTHING)}
    for content in contents:
        if not _covers(content.url, url):
            continue
        for uses, value in ((content.permits, Usage.ALLOW), (content.prohibits, Usage.DISALLOW)):
            for use in uses:
                for name in _GROUPS.get(use, {use} & _EVERYTHING):
                    said[name].append(value)
    return {name: combine(values) for name, values in said.items()}


def _covers(pattern: str, url: str) -> bool:
    """A path pattern as in robots.txt, or an absolute URL with one; the same host is the caller's knowledge."""
    if "://" in pattern:
        if pattern.split("/", 3)[:3] != url.split("/", 3)[:3]:
            return False
        pattern = path_and_query(pattern)
    return pattern[:1] in ("/", "*") and Pattern(pattern, "rfc9309").matches(rfc_target(url))
