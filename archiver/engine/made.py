"""What a browser made of a page, as records: views, `urn:pageinfo:`, `urn:consent:`. Pure but for ids."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

from archiver.clock import iso
from archiver.engine.gathered import Gathered
from archiver.ids import new_record_id
from archiver.model import Access, ConsentOutcome, DocumentItem, Fetched, Lane, LedgerEntry
from archiver.ports_browser import View


def items_of(gathered: Gathered, *, page_id: str, started_at: datetime, now: datetime) -> list[DocumentItem]:
    """The records beside the exchanges; all have the page's access class and name the page's response."""
    rendered, document = gathered.rendered, gathered.document
    if rendered is None or document.keep is None or document.response_id is None:
        return []
    url, access, response = document.candidate.url, document.keep.access, document.response_id
    found = [_view(view, url, access, response, now) for view in rendered.views]
    info = page_info(gathered, page_id=page_id, started_at=started_at)
    found.append(_json("resource", f"urn:pageinfo:{url}", info, access, response, now))
    if rendered.consent is not None:
        told = consent_json(rendered.consent, page_id=page_id)
        found.append(_json("metadata", f"urn:consent:{url}", told, access, response, now))
    return found


def page_info(gathered: Gathered, *, page_id: str, started_at: datetime) -> dict[str, Any]:
    """Browsertrix's `urn:pageinfo:` form (`pageid`, `url`, `ts`, `urls`), with what we know besides."""
    rendered = gathered.rendered
    assert rendered is not None
    return {
        "pageid": page_id,
        "url": gathered.document.candidate.url,
        "ts": iso(started_at),
        "title": rendered.title,
        "finalUrl": rendered.final_url,
        "urls": dict(gathered.resources),
        "gaps": [{"url": gap.url, "type": gap.type, "reason": gap.reason} for gap in gathered.gaps],
        "views": {view.name: dict(view.about) for view in rendered.views},
        "behaviors": dict(rendered.behaviors),
        "notes": dict(rendered.notes),
        "settled": rendered.settled,
        "failed": rendered.failed,
        "seconds": round(rendered.seconds, 3),
    }


def resource_json(fetched: Fetched) -> dict[str, Any]:
    """What page information says of one request: type, status (0 = none), media type or reason."""
    exchange = fetched.exchange
    if exchange is None:
        return {"type": fetched.candidate.resource_type, "status": 0, "reason": fetched.decision.reason.value}
    mime = (exchange.header(b"content-type") or b"").decode("latin-1").partition(";")[0].strip()
    return {"type": fetched.candidate.resource_type, "status": exchange.status, "mime": mime}


def consent_json(consent: ConsentOutcome, *, page_id: str) -> dict[str, Any]:
    return {"pageid": page_id, "outcome": consent.outcome, "engine": consent.engine, **consent.details}


def consent_entry(url: str, consent: ConsentOutcome) -> LedgerEntry:
    """What became of the notice; the intents stand in rows of their own, written before each click."""
    data: dict[str, Any] = {"stage": "outcome", "outcome": consent.outcome, "engine": consent.engine}
    for name in ("policy", "setBy", "notices", "actions"):
        if name in consent.details:
            data[name] = consent.details[name]
    return LedgerEntry(event="consent", url=url, data=data)


def lane_entries(gathered: Gathered) -> list[LedgerEntry]:
    """In which lane a page was captured and on what evidence, where there was any; what became of its notice."""
    url, rendered = gathered.document.candidate.url, gathered.rendered
    found = []
    if gathered.lane_why:
        lane = Lane.BROWSER if rendered is not None else Lane.HTTP
        found.append(LedgerEntry(event="lane", url=url, data={"lane": lane.value, **gathered.lane_why}))
    if rendered is not None and rendered.consent is not None:
        found.append(consent_entry(url, rendered.consent))
    return found


def _view(view: View, url: str, access: Access, response: str, now: datetime) -> DocumentItem:
    return DocumentItem(
        type="resource",
        target=f"urn:{view.name}:{url}",
        content_type=view.content_type,
        payload=view.payload,
        record_id=new_record_id(),
        date=now,
        access=access,
        concurrent_to=response,
        about=view.about,
    )


def _json(
    kind: str, target: str, body: Mapping[str, Any], access: Access, response: str, now: datetime
) -> DocumentItem:
    return DocumentItem(
        type=kind,
        target=target,
        content_type="application/json",
        payload=orjson.dumps(body),
        record_id=new_record_id(),
        date=now,
        access=access,
        concurrent_to=response,
    )
