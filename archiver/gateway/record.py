"""From what was fetched to WARC items and ledger rows. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import orjson

from archiver.clock import iso
from archiver.ids import new_record_id
from archiver.model import (
    Access,
    Candidate,
    CaptureItem,
    Decision,
    DocumentItem,
    Exchange,
    Fetched,
    Keep,
    Kind,
    Lane,
    LedgerEntry,
    WarcItem,
)
from archiver.policy.httpdates import parse_http_date
from archiver.policy.override import lifted
from archiver.ports import Recorded

_SECRET_REQUEST_HEADERS = (b"cookie", b"authorization", b"proxy-authorization")


def item(fetched: Fetched, *, now: datetime, page_id: str | None) -> WarcItem:
    """The record(s) for one candidate: an exchange with its decision, or the decision alone."""
    if fetched.exchange is None or fetched.keep is None or fetched.response_id is None:
        return DocumentItem(
            type="metadata",
            target=f"urn:policy:{fetched.candidate.url}",
            content_type="application/json",
            payload=policy_json(fetched, ()),
            record_id=new_record_id(),
            date=now,
        )
    given = fetched.candidate.headers and fetched.candidate.lane is Lane.HTTP  # a browser's cookies are the site's own
    exchange, redacted = redact(fetched.exchange) if given else (fetched.exchange, ())
    keep = fetched.keep
    return CaptureItem(
        exchange=exchange,
        response_id=fetched.response_id,
        policy_json=policy_json(fetched, redacted),
        access=keep.access,
        drop_body=keep.drop_body,
        dedupe=fetched.challenge is None and (keep.access is Access.OPEN or not keep.drop_body),
        page_id=page_id,
        resource_type=fetched.candidate.resource_type,
        hop_path=fetched.candidate.path,
        via=fetched.candidate.via,
    )


def redact(exchange: Exchange) -> tuple[Exchange, tuple[str, ...]]:
    """Cut credentials that the operator supplied out of the request, before any digest is taken (decision 5)."""
    head, separator, body = exchange.request.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    names = [line.split(b":", 1)[0].strip().lower() for line in lines[1:]]
    cut = tuple(name.decode("latin-1") for name in names if name in _SECRET_REQUEST_HEADERS)
    if not cut:
        return exchange, ()
    kept = [line for line, name in zip(lines[1:], names, strict=True) if name not in _SECRET_REQUEST_HEADERS]
    return replace(exchange, request=b"\r\n".join([lines[0], *kept]) + separator + body), cut


def policy_json(fetched: Fetched, redacted: tuple[str, ...]) -> bytes:
    """Body of the `urn:policy:<url>` record; the form is docs/auditor/ledger.md's `decision`, with what was kept."""
    candidate, decision, keep = fetched.candidate, fetched.decision, fetched.keep
    body: dict[str, Any] = {
        "url": candidate.url,
        "kind": candidate.kind,
        "decision": {"fetch": decision.verdict, "reason": decision.reason, **_keep_verdict(keep)},
        "rule": decision.rule,
        "line": decision.line,
        "evidence": decision.evidence,
        "policy": decision.policy,
        "via": candidate.via,
        "initiator": candidate.initiator,
        "notes": decision.notes,
    }
    if decision.not_before is not None:
        body["notBefore"] = iso(decision.not_before)
    if keep is not None:
        body["usage"] = keep.usage
        body["signals"] = keep.signals
        if keep.flags:
            body["flags"] = keep.flags
        if keep.review:
            body["review"] = True
    if fetched.exchange is not None:
        _wire_facts(body, fetched.exchange)
    if fetched.failure is not None:
        body["failure"] = {"code": fetched.failure.code, "message": fetched.failure.message}
    if redacted:
        body["redacted"] = redacted
    if fetched.challenge is not None:
        body["challenge"] = fetched.challenge
    return orjson.dumps(body)


def _wire_facts(body: dict[str, Any], exchange: Exchange) -> None:
    if exchange.malformed:
        body["malformed"] = exchange.malformed
    if exchange.truncated:
        body["truncated"] = exchange.truncated
    if exchange.tls is not None:
        body["tls"] = {"version": exchange.tls.version, "cipher": exchange.tls.cipher, "chain": exchange.tls.chain_id}


def _keep_verdict(keep: Keep | None) -> Mapping[str, Any]:
    if keep is None:
        return {}
    return {
        "store": "drop-body" if keep.drop_body else "store",
        "replay": keep.access,
        "index": keep.listed,
        "expires": iso(keep.expires) if keep.expires else None,
        "keepReason": keep.reason,
        "keepRule": keep.rule,
    }


def decision_entry(candidate: Candidate, decision: Decision) -> LedgerEntry:
    """The row before the dial (or instead of it)."""
    data: dict[str, Any] = {
        "key": candidate.key,
        "verdict": decision.verdict,
        "reason": decision.reason,
        "rule": decision.rule,
        "line": decision.line,
        "evidence": decision.evidence,
        "policy": decision.policy,
        "kind": candidate.kind,
        "resource_type": candidate.resource_type,
        "lane": candidate.lane,
        "via": candidate.via,
        "initiator": candidate.initiator,
        "path": candidate.path,
    }
    if decision.not_before is not None:
        data["not_before"] = iso(decision.not_before)
    if decision.notes:
        data["notes"] = decision.notes
    return LedgerEntry(event="decision", url=candidate.url, data=data)


def override_entry(fetched: Fetched) -> LedgerEntry | None:
    """The row that names who lifted what, beside the decision that it allowed."""
    note = lifted(fetched)
    if note is None:
        return None
    data = {"key": fetched.candidate.key, **{name: note[name] for name in ("what", "because", "by", "instead")}}
    return LedgerEntry(event="override", url=fetched.candidate.url, data=data)


def outcome_entry(fetched: Fetched, recorded: Recorded) -> LedgerEntry | None:
    """The row after the record. A refused candidate has its `decision` row and needs none."""
    candidate, exchange, keep = fetched.candidate, fetched.exchange, fetched.keep
    if exchange is None or keep is None:
        if fetched.failure is None:
            return None
        failure = fetched.failure
        data: dict[str, Any] = {
            "key": candidate.key,
            "kind": candidate.kind,
            "status": "failed",
            "reason": "failed",
            "failure": {"code": failure.code, "message": failure.message, "transient": failure.transient},
        }
        return LedgerEntry(event="outcome", url=candidate.url, data=data)
    where = recorded.refs[0]
    data = {
        "key": candidate.key,
        "kind": candidate.kind,
        "status": "captured",
        "http_status": exchange.status,
        "access": keep.access,
        "reason": keep.reason,
        "rule": keep.rule,
        "record": {"file": where.file, "offset": where.offset, "length": where.length, "record_id": where.record_id},
        "payload_digest": recorded.payload_digest,
        "revisit": recorded.revisit,
        "ip": exchange.ip,
        "size": exchange.response.size,
        "seconds": round(exchange.seconds, 4),
    }
    mime = media_type(exchange)
    if mime:
        data["mime"] = mime
    if keep.usage:
        data["usage"] = keep.usage
    if not keep.listed:
        data["listed"] = False
    if keep.expires is not None:
        data["expires"] = iso(keep.expires)
    data.update(_marks(fetched, keep))
    if candidate.kind is Kind.ROBOTS:
        data["clock_offset"] = clock_offset(exchange)
    _wire_facts(data, exchange)
    return LedgerEntry(event="outcome", url=candidate.url, data=data)


def _marks(fetched: Fetched, keep: Keep) -> dict[str, Any]:
    """What a person may want to look at."""
    marks: dict[str, Any] = {"flags": keep.flags} if keep.flags else {}
    if keep.review:
        marks["review"] = True
    if fetched.challenge is not None:
        marks["challenge"] = fetched.challenge
    return marks


def media_type(exchange: Exchange) -> str:
    """The type/subtype that the answer names, in lower case, without parameters; empty where it names none."""
    value = exchange.header(b"content-type") or b""
    return value.partition(b";")[0].strip().lower().decode("latin-1")[:100]


def clock_offset(exchange: Exchange) -> float | None:
    """Seconds by which the server's Date is ahead of our clock at the answer; None without a readable Date.

    Told once an origin and job, with robots.txt: whether our times can be trusted is asked years later.
    """
    date = exchange.header(b"date")
    moment = parse_http_date(date.decode("latin-1"), exchange.started_at) if date else None
    if moment is None:
        return None
    answered = exchange.started_at + timedelta(seconds=exchange.first_byte_seconds)
    return round((moment - answered).total_seconds(), 1)
