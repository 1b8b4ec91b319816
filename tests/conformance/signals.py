"""Signal vectors: one small adapter a category, from a case's `input` to the keys its `expect` may hold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from lxml import html

from archiver.policy.robots import (
    MAX_BYTES,
    FetchFacts,
    RobotsFile,
    classify,
    evaluate,
    origin_of,
    parse,
    same_robots,
)
from archiver.policy.signals import (
    LinkTag,
    MetaTag,
    PageSignals,
    may_follow,
    page_signals,
    retry_after,
    status_action,
)
from archiver.policy.signals.tdmrep import UNSET, Tdm, read_file, read_json

Input = dict[str, Any]
URL = "https://h.test/"
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def answer(case: dict[str, Any]) -> dict[str, Any]:
    """What the policy says about a case. Raises KeyError for a category that is not known."""
    return CATEGORIES[case["category"]](case["input"], (case["user_agent"],))


def comparable(key: str, expected: Any, got: dict[str, Any]) -> Any:
    """Our answer for `key` in the form in which it is compared; a minimum is met by more."""
    if key not in got:
        return f"no answer for {key}"
    value = got[key]
    if key == "parsed_bytes_min":
        return expected if value >= expected else value
    return json.loads(json.dumps(value))


def _headers(given: Input) -> list[tuple[str, str]]:
    return [(name, value) for name, value in given.get("headers") or ()]


def _robots(given: Input) -> RobotsFile | None:
    return parse(given["robots"].encode()) if given.get("robots") is not None else None


# HTML puts what follows </body> and </html> into the body; libxml2 drops it, so the end tags go first.
_ends = re.compile(r"</(?:body|html)\s*>", re.IGNORECASE).sub


def _tree(given: Input) -> html.HtmlElement | None:
    return html.document_fromstring(_ends("", given["html"])) if given.get("html") else None


def _live(tree: html.HtmlElement, *names: str) -> list[html.HtmlElement]:
    return [one for one in tree.iter(*names) if not any(above.tag == "template" for above in one.iterancestors())]


def _page(given: Input, agents: tuple[str, ...], tdm: Tdm = UNSET) -> PageSignals:
    tree = _tree(given)
    meta: list[MetaTag] = []
    links: list[LinkTag] = []
    if tree is not None:
        meta = [MetaTag(one.get("name", ""), one.get("content", "")) for one in _live(tree, "meta")]
        links = [
            LinkTag(one.get("rel", ""), one.get("href", ""), one.get("type", "")) for one in _live(tree, "link", "a")
        ]
    return page_signals(
        headers=_headers(given),
        meta=meta,
        links=links,
        agents=agents,
        url=given.get("url", URL),
        robots=_robots(given),
        tdm_file=tdm,
    )


def _fetch(given: Input, agents: tuple[str, ...]) -> bool:
    """Policy `strict`: both dialects must allow."""
    body = (given.get("robots") or "").encode()
    url = given.get("url", URL)
    return evaluate(body, agents, url, "rfc9309").allowed and evaluate(body, agents, url, "google").allowed


def _rules(given: Input, agents: tuple[str, ...]) -> dict[str, Any]:
    page = _page(given, agents)
    return {
        "rules": sorted(page.rules),
        "unavailable_after": None if page.expires is None else f"{page.expires:%Y-%m-%dT%H:%M:%SZ}",
        "params": dict(page.params),
        "unknown": list(page.unknown),
        "fetch": _fetch(given, agents),
    }


_EMBEDS = ("img", "script", "iframe", "frame", "embed", "object", "video", "audio", "source", "track", "input", "image")
_EMBED_RELS = {"stylesheet", "icon", "preload", "modulepreload", "manifest", "apple-touch-icon", "mask-icon"}


def _rel(given: Input, agents: tuple[str, ...]) -> dict[str, Any]:
    page = _page(given, agents)
    tree = _tree(given)
    anchors = [] if tree is None else [one for one in tree.iter("a", "area") if one.get("href") is not None]
    embeds = [] if tree is None else list(tree.iter(*_EMBEDS))
    if tree is not None:
        embeds += [one for one in tree.iter("link") if _EMBED_RELS & set(one.get("rel", "").lower().split())]
    return {
        "follow": any(may_follow(one.get("rel"), page_nofollow=page.nofollow) for one in anchors),
        "embed": bool(embeds),
    }


def _tdmrep(given: Input, agents: tuple[str, ...]) -> dict[str, Any]:
    document, url = given.get("tdmrep_json"), given.get("url", URL)
    file = UNSET
    if document is not None:
        file = read_json(document, url) if isinstance(document, str) else read_file(document, url)
    page = _page(given, agents, file)
    return {"reservation": page.tdm_reservation, "policy": page.tdm_policy, "error": file.error}


def _usage(given: Input, agents: tuple[str, ...]) -> dict[str, Any]:
    labels = _page(given, agents).usage
    stated: dict[str, Any] = {"train-ai": labels["ai-train"].value, "search": labels["search"].value}
    fetch = _fetch(given, agents)
    return stated | {"usage": stated if fetch else None, "fetch": fetch}


def _content_signal(given: Input, agents: tuple[str, ...]) -> dict[str, Any]:
    signal = parse(given["robots"].encode()).content_signal(agents)
    return {"signals": signal.labels, "extra": dict(signal.extra), "fetch": _fetch(given, agents)}


def _rsl(given: Input, agents: tuple[str, ...]) -> dict[str, Any]:
    page, robots = _page(given, agents), _robots(given)
    return {
        "licenses": list(page.licenses),
        "license_links": list(page.license_links),
        "invalid": [] if robots is None else list(robots.invalid_licenses),
        "fetch": _fetch(given, agents),
    }


def _directives(given: Input, agents: tuple[str, ...]) -> dict[str, Any]:
    robots = parse(given["robots"].encode())
    rate, visit = robots.request_rate(agents), robots.visit_time(agents)
    return {
        "crawl_delay": robots.crawl_delay(agents),
        "request_rate": None if rate is None else [rate.requests, rate.seconds],
        "window_utc": None if rate is None or rate.window is None else rate.window.clock,
        "visit_time_utc": None if visit is None else visit.clock,
        "sitemaps": robots.sitemaps,
        "host": robots.host,
        "clean_param": [[one.params, one.path] for one in robots.clean_param],
        "fetch": _fetch(given, agents),
    }


def _now(given: Input) -> datetime:
    return datetime.fromisoformat(given["now"]) if "now" in given else NOW


def _retry_after(given: Input, agents: tuple[str, ...]) -> dict[str, Any]:
    return {"delay_s": retry_after(_headers(given), _now(given))}


def _robots_fetch(given: Input, agents: tuple[str, ...]) -> dict[str, Any]:
    facts = FetchFacts(
        status=given.get("status"),
        error=given.get("error"),
        redirects=given.get("redirects") or (),
        headers=_headers(given),
        cached_age=given.get("cached_age_s"),
        unreachable_for=given.get("unreachable_since_s"),
    )
    decided = classify(facts, _now(given))
    return {
        "decision": decided.outcome.value,
        "retry": decided.retry,
        "retry_after_s": decided.retry_after,
        "basis": decided.basis,
        "context_origin": str(origin_of(given.get("url", URL))),
        "parsed_bytes_min": min(given.get("size", len(given.get("body", ""))), MAX_BYTES),
    }


def _robots_origin(given: Input, agents: tuple[str, ...]) -> dict[str, Any]:
    return {"same_robots": same_robots(given["a"], given["b"])}


def _status(given: Input, agents: tuple[str, ...]) -> dict[str, Any]:
    row = status_action(given["status"], _headers(given))
    return {"action": row.action, "scope": row.scope, "store": row.store, "replay": row.replay}


CATEGORIES: dict[str, Callable[[Input, tuple[str, ...]], dict[str, Any]]] = {
    "xrobots": _rules,
    "meta": _rules,
    "combo": _rules,
    "rel": _rel,
    "tdmrep": _tdmrep,
    "content-usage": _usage,
    "content-usage-combine": _usage,
    "content-usage-robots": _usage,
    "content-signal": _content_signal,
    "rsl": _rsl,
    "directives": _directives,
    "retry-after": _retry_after,
    "robots-fetch": _robots_fetch,
    "robots-origin": _robots_origin,
    "status": _status,
}
