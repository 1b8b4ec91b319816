"""What a browser made of a page, as records: views, `urn:pageinfo:`, `urn:consent:`. Pure but for ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import orjson

from archiver.clock import iso
from archiver.engine.gathered import Gathered
from archiver.ids import new_record_id
from archiver.model import (
    Access,
    ConsentOutcome,
    DocumentItem,
    Fetched,
    Keep,
    Lane,
    LedgerEntry,
    Page,
    WarcItem,
    WarcRecordRef,
)
from archiver.ports import Recorded
from archiver.ports.browser import View

PICTURES = frozenset({"view", "viewBefore", "viewAfter", "fullPage", "thumbnail", "pdf"})
_TOLD_OF_CONSENT = ("policy", "setBy", "notices", "actions")
_STRICT = (Access.OPEN, Access.RESTRICTED, Access.DARK)


def items_of(gathered: Gathered, *, page_id: str, started_at: datetime, now: datetime) -> list[DocumentItem]:
    """The records beside the exchanges; all have the page's access class and name the page's response.

    Pictures show frames and images too: the strictest of these binds them. Of what is not to be stored, nothing is
    made that would hold it.
    """
    rendered, document = gathered.rendered, gathered.document
    if rendered is None or document.keep is None or document.response_id is None:
        return []
    url, access, response = document.candidate.url, document.keep.access, document.response_id
    strictest = max((access, *(keep.access for keep in gathered.pictured)), key=_STRICT.index)
    dropped = any(keep.drop_body for keep in gathered.pictured)
    found = [
        _view(view, url, strictest if view.name in PICTURES else access, response, now)
        for view in rendered.views
        if not document.keep.drop_body and not (dropped and view.name in PICTURES)
    ]
    info = page_info(gathered, page_id=page_id, started_at=started_at)
    found.append(_json("resource", f"urn:pageinfo:{url}", info, access, response, now))
    if rendered.consent is not None:
        told = consent_json(rendered.consent, page_id=page_id)
        found.append(_json("metadata", f"urn:consent:{url}", told, access, response, now))
    return found


def late_entries(gathered: Gathered, made: Sequence[WarcItem], recorded: Sequence[Recorded]) -> list[LedgerEntry]:
    """Verdicts that the files do not show: of a page judged after a full spool was written, and of what was made of a
    page that asks not to be listed, or not to be shown for ever. They change who sees a record, never the record."""
    rows = []
    for fetched in gathered.fetched:
        where, keep = gathered.recorded_as(fetched), fetched.keep
        before = gathered.written_as.get(fetched.response_id or "")
        if keep is not None and where is not None and before is not None and _shows(before) != _shows(keep):
            rows.append(_late(fetched.candidate.url, keep, keep.access, where.refs[0]))
    page = gathered.document.keep
    if page is not None and (not page.listed or page.expires is not None):
        for item, one in zip(made, recorded, strict=True):
            row = _late(gathered.document.candidate.url, page, item.access, one.refs[0])
            rows.append(replace(row, data={**row.data, "target": getattr(item, "target", "")}))
    return rows


def _shows(keep: Keep) -> tuple[object, ...]:
    return keep.access, keep.listed, keep.expires


def _late(url: str, keep: Keep, access: Access, where: WarcRecordRef) -> LedgerEntry:
    record = {"file": where.file, "offset": where.offset, "length": where.length, "record_id": where.record_id}
    data: dict[str, Any] = {"access": access, "reason": keep.reason, "rule": keep.rule, "record": record}
    if not keep.listed:
        data["listed"] = False
    if keep.expires is not None:
        data["expires"] = iso(keep.expires)
    return LedgerEntry(event="access", url=url, data=data)


def page_info(gathered: Gathered, *, page_id: str, started_at: datetime) -> dict[str, Any]:
    """Browsertrix's `urn:pageinfo:` form (`pageid`, `url`, `ts`, `urls`), with what we know besides."""
    rendered, document = gathered.rendered, gathered.document
    assert rendered is not None
    return {
        "pageid": page_id,
        "url": document.candidate.url,
        "ts": iso(started_at),
        "title": "" if document.keep is not None and document.keep.drop_body else rendered.title,
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


def lane_entries(gathered: Gathered, page: Page) -> list[LedgerEntry]:
    """In which lane a page was captured and on what evidence, where there was any; what became of its notice.

    The intents behind an outcome stand in rows of their own, written before each click.
    """
    url, rendered = page.candidate.url, gathered.rendered
    about = {"key": page.candidate.key, "capture_id": page.capture_id}
    found = []
    if gathered.lane_why:
        lane = Lane.BROWSER if rendered is not None else Lane.HTTP
        found.append(LedgerEntry(event="lane", url=url, data={**about, "lane": lane, **gathered.lane_why}))
    if rendered is not None and rendered.consent is not None:
        consent = rendered.consent
        data = {**about, "stage": "outcome", "outcome": consent.outcome, "engine": consent.engine}
        data.update((name, consent.details[name]) for name in _TOLD_OF_CONSENT if name in consent.details)
        found.append(LedgerEntry(event="consent", url=url, data=data))
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
