"""Signal vectors: one small adapter a category, from a case's `input` to the keys its `expect` may hold."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from archiver.extract.html import HtmlFacts, extract
from archiver.policy.robots import (
    MAX_BYTES,
    FetchFacts,
    RobotsFile,
    classify,
    evaluate,
    origin_of,
    parse,
    rfc_target,
    same_robots,
)
from archiver.policy.signals import (
    PageSignals,
    may_follow,
    page_signals,
    retry_after,
    status_action,
)
from archiver.policy.signals.tdmrep import UNSET, Tdm, read_file, read_json
from tests.conformance import robots as robots_vectors

Input = dict[str, Any]
URL = "https://h.test/"
AGENT = "FooBot"
NOW = datetime(2026, 11, 23, tzinfo=UTC)


def answer(case: dict[str, Any]) -> dict[str, Any]:
    """What the policy says about a case. Raises KeyError for a category that is not known."""
    agents = case.get("user_agent") or AGENT
    return CATEGORIES[case["category"]](case["input"], (agents,) if isinstance(agents, str) else tuple(agents))


def comparable(key: str, expected: Any, got: dict[str, Any]) -> Any:
    """Our answer for `key` in the form in which it is compared; a minimum is met by more."""
    if key not in got:
        return f"no answer for {key}"
    value = got[key]
    if key == "parsed_bytes_min":
        return expected if value >= expected else value
    return json.loads(json.dumps(value))


def _headers(given: Input) -> list[tuple[str, str]]:
    """Pairs in order, or a mapping of a name to its value or values."""
    headers = given.get("headers") or ()
    if not isinstance(headers, dict):
        return [(name, value) for name, value in headers]
    lists = {name: value if isinstance(value, list) else [value] for name, value in headers.items()}
    return [(name, value) for name, values in lists.items() for value in values]


def _url(given: Input) -> str:
    return robots_vectors.text(given["url"]) if given.get("url") else URL


def _robots_bytes(given: Input) -> bytes:
    """As in a robots case; `robots` is the usual name here."""
    if any(given.get(name) is not None for name in ("robots_b64", "robots_gen", "robots_txt")):
        return robots_vectors.body(given)
    return robots_vectors.text(given.get("robots")).encode("utf-8", "surrogatepass")


def _robots(given: Input) -> RobotsFile:
    return parse(_robots_bytes(given))


def _facts(given: Input) -> HtmlFacts:
    """What the extractor of the fetch loop takes from the document."""
    return extract(
        (given.get("html") or "").encode("utf-8", "surrogatepass"), base_url=_url(given), charset_hint="utf-8"
    )


def _page(given: Input, agents: tuple[str, ...], tdm: Tdm = UNSET) -> PageSignals:
    elements = _facts(given).elements
    return page_signals(
        headers=_headers(given),
        meta=elements.metas,
        links=elements.licenses,
        agents=agents,
        url=_url(given),
        robots=_robots(given),
        tdm_file=tdm,
    )


def _fetch(given: Input, agents: tuple[str, ...]) -> bool:
    """Policy `strict`: both dialects must allow; `/robots.txt` itself is always allowed (RFC 9309, 2.2.2)."""
    body, url = _robots_bytes(given), _url(given)
    if rfc_target(url) == "/robots.txt":
        return True
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


def _rel(given: Input, agents: tuple[str, ...]) -> dict[str, Any]:
    """One link or requisite a case: may any be enqueued, is any embedded."""
    page, facts = _page(given, agents), _facts(given)
    return {
        "follow": any(may_follow(" ".join(link.rel), page_nofollow=page.nofollow) for link in facts.links),
        "embed": bool(facts.requisites),
    }


def _tdmrep(given: Input, agents: tuple[str, ...]) -> dict[str, Any]:
    document, url = given.get("tdmrep_json"), _url(given)
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
    signal = _robots(given).content_signal(agents)
    return {"signals": signal.labels, "extra": dict(signal.extra), "fetch": _fetch(given, agents)}


def _rsl(given: Input, agents: tuple[str, ...]) -> dict[str, Any]:
    page, robots = _page(given, agents), _robots(given)
    return {
        "licenses": list(page.licenses),
        "license_links": list(page.license_links),
        "invalid": list(robots.invalid_licenses),
        "fetch": _fetch(given, agents),
    }


def _directives(given: Input, agents: tuple[str, ...]) -> dict[str, Any]:
    robots = _robots(given)
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
        "context_origin": str(origin_of(_url(given))),
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
