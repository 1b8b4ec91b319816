"""One robots.txt fetched through the gateway, conditionally where a copy is on hand; what came as facts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from archiver import urls
from archiver.coding import decode
from archiver.model import Candidate, Exchange, Fetched, Kind, Origin, Truncated
from archiver.policy.robots import MAX_BYTES, MAX_REDIRECTS, validates, validators
from archiver.policy.robots.caching import Headers
from archiver.ports import FetchRobots

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What became of GET /robots.txt. Either `status` (with `body`, decoded, at most one byte over 512,000) or `error`.

    `redirects` are the targets followed; `evidence` the record id of the last response, or of what says why there is
    none; `postponed` the time before which our own rules, not the site, forbid to ask. `conditional`: the request asked
    whether a copy still holds, and a 304 speaks of that copy.
    """

    status: int | None = None
    error: str | None = None
    body: bytes = b""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    redirects: tuple[str, ...] = ()
    evidence: str | None = None
    postponed: datetime | None = None
    conditional: bool = False


def robots_url(origin: Origin) -> str:
    return f"{origin}/robots.txt"


def robots_candidate(origin: Origin) -> Candidate:
    """The request for an origin's robots.txt (a prerequisite, `P`)."""
    url = robots_url(origin)
    return Candidate(url=url, key=url, origin=origin, kind=Kind.ROBOTS, resource_type="robots", path="P")


async def fetch_robots(origin: Origin, fetch: FetchRobots, stored: Headers | None = None) -> Reply:
    """Ask, following at most five redirects across hosts (RFC 9309, 2.3.1.2). Logical redirects are not followed.

    `stored`: headers of a copy that came from this very URL; only the first request asks about it (RFC 9111, 4.3.1).
    """
    candidate = replace(robots_candidate(origin), headers=validators(stored or ()))
    redirects: list[str] = []
    while True:
        fetched = await fetch(candidate)
        exchange = fetched.exchange
        if exchange is None:
            return _no_answer(fetched, tuple(redirects))
        if candidate.headers and not _is_answered(exchange, stored or ()):
            candidate = replace(candidate, headers=())
            continue
        reply = Reply(
            status=exchange.status,
            conditional=bool(candidate.headers),
            headers=exchange.headers,
            redirects=tuple(redirects),
            evidence=fetched.response_id,
        )
        if exchange.status not in _REDIRECTS:
            return _read(exchange, reply) if 200 <= exchange.status < 300 else reply
        target = _target(exchange)
        if target is None:
            # leads nowhere that we can go: not a chain that is too long, so its Location must not look like one
            return replace(reply, headers=())
        if len(redirects) == MAX_REDIRECTS:
            return reply
        redirects.append(target.url)
        candidate = replace(
            candidate,
            url=target.url,
            key=target.key,
            origin=target.origin,
            headers=(),
            via=candidate.url,
            path=candidate.path + "R",
            hops=len(redirects),
        )


def _is_answered(exchange: Exchange, stored: Headers) -> bool:
    """Whether a conditional request got its answer; else it is made once more without conditions.

    A 304 about another entity tag says nothing of our copy (RFC 9111, 4.3.4). 400 and 412 may speak of the conditions
    only, and as statuses of the file itself they would mean that there are no rules.
    """
    if exchange.status == 304:
        return validates(stored, exchange.headers)
    return exchange.status not in (400, 412)


def _target(exchange: Exchange) -> urls.Url | None:
    location = exchange.header(b"location")
    if location is None:
        return None
    joined = urls.join(exchange.url, urls.of_header(location))
    return urls.of(joined) if joined is not None else None


def _no_answer(fetched: Fetched, redirects: tuple[str, ...]) -> Reply:
    decision = fetched.decision
    if fetched.failure is not None:
        error = f"{fetched.failure.code}: {fetched.failure.message}"
    else:
        error = f"{decision.reason}: {decision.rule}"
    return Reply(error=error, redirects=redirects, evidence=fetched.response_id, postponed=decision.not_before)


def _read(exchange: Exchange, reply: Reply) -> Reply:
    """The first 512,000 bytes after content decoding (RFC 9309, 2.5), or why they cannot be had."""
    coding = b", ".join(exchange.header_all(b"content-encoding")) or None
    decoded = decode(exchange.entity_chunks(), coding, limit=MAX_BYTES + 1)
    body = decoded.data
    if len(body) <= MAX_BYTES:
        if exchange.truncated is not None:
            how = "was cut off" if exchange.truncated is Truncated.DISCONNECT else "did not end in time"
            return replace(reply, status=None, error=f"the body {how}")
        if not decoded.complete:
            return replace(reply, status=None, error=f"the body cannot be decoded: {decoded.error}")
    return replace(reply, body=body)
