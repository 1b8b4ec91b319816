"""`urls-JOB.csv`: a line for each distinct URL of a job, and the codebook that explains its columns. Pure."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

Fate = tuple[str, str, str, Sequence[Mapping[str, Any]]]
"""(key, state, reason, rows of the job about it, oldest first), as `LedgerIndex.fates` yields it."""

CODEBOOK: dict[str, tuple[str, str]] = {
    "url": ("text", "canonical URL; one line each, in byte order"),
    "state": ("fetched, refused, failed, pending", "what became of it in this job; the four add up to all"),
    "reason": ("word of docs/auditor/reasons.md", "why; empty for pending URLs that wait or were asked for in vain"),
    "kind": ("document, requisite, robots, sitemap, webhook, signals", "what it was wanted as, last time"),
    "resource_type": ("text", "what the page named it as: image, stylesheet, script, ..."),
    "http_status": ("integer", "status of the last answer; empty without one"),
    "mime": ("type/subtype", "media type that the last answer named, without parameters"),
    "access": ("open, restricted, dark", "who may see what was kept; empty when nothing was"),
    "rule": ("text", "the rule behind the reason, as the site or the configuration wrote it"),
    "line": ("integer, from 1", "its line in robots.txt"),
    "evidence": ("urn:uuid", "WARC record of the robots.txt the decision rests on"),
    "exception": (
        "override, transcluded, mandate",
        "why it was fetched though robots.txt refuses it; empty by the book",
    ),
    "review": ("yes", "a person should look at it: 402, 403, 451 under `signals.blocked: review`"),
    "failure": ("text", "what the network said, when it failed"),
    "via": ("URL", "the page it was found on; empty for a seed"),
    "path": ("letters", "how it was reached: L link, R redirect, E embed, X speculative, P prerequisite"),
    "first_seen": ("time, UTC, ISO 8601", "its first row in this job"),
    "last_seen": ("time, UTC, ISO 8601", "its last row in this job"),
    "asked": ("integer", "requests that were answered or failed"),
    "bytes": ("bytes", "of the last answer, as it came over the wire, head included"),
    "digest": ("sha256:hex", "of the last payload, transfer coding taken off"),
    "file": ("file name", "WARC of the last record"),
    "offset": ("bytes", "where the record begins in that file"),
}
"""Column: its values, its meaning."""

_OF_RECORD = ("file", "offset")
_EXCEPTIONS = ("override", "transcluded", "mandate")
_FROM_ROWS = ("kind", "resource_type", "http_status", "mime", "access", "rule", "line", "evidence", "via", "path")


def url_row(fate: Fate) -> dict[str, Any]:
    """One line's values by column; what is not known is left out. Later rows win where both say something."""
    key, state, reason, bodies = fate
    found: dict[str, Any] = {"url": key, "state": state, "reason": reason, "asked": 0}
    for body in bodies:
        found.setdefault("first_seen", body.get("t"))
        found["last_seen"] = body.get("t")
        if body.get("event") in ("decision", "discovered", "pending", "outcome"):
            found |= {name: body[name] for name in _FROM_ROWS if body.get(name) not in (None, "")}
        if body.get("event") == "decision":
            found |= _excepted(body)
        if body.get("event") == "outcome":
            _answer(found, body)
    return found


def _excepted(body: Mapping[str, Any]) -> dict[str, str]:
    """Under which exception a decision allowed what robots.txt refuses."""
    notes = body.get("notes")
    if body.get("verdict") != "allow" or not isinstance(notes, Mapping):
        return {}
    return next(({"exception": word} for word in _EXCEPTIONS if notes.get(word)), {})


def _answer(found: dict[str, Any], body: Mapping[str, Any]) -> None:
    found["asked"] += 1
    if body.get("status") == "failed":
        failure = body.get("failure")
        found["failure"] = failure.get("message", "") if isinstance(failure, Mapping) else ""
        return
    if body.get("review"):
        found["review"] = "yes"
    record = body.get("record")
    found |= {"bytes": body.get("size"), "digest": body.get("payload_digest")}
    if isinstance(record, Mapping):
        found |= {name: record.get(name) for name in _OF_RECORD}


def write_urls(out: TextIO, fates: Iterable[Fate]) -> None:
    """Header and lines (RFC 4180), one URL held at a time."""
    writer = csv.writer(out)
    writer.writerow(CODEBOOK)
    for fate in fates:
        row = url_row(fate)
        writer.writerow(["" if (value := row.get(name)) is None else cell(value) for name in CODEBOOK])


def write_codebook(out: TextIO) -> None:
    """What each column of the URL list holds."""
    writer = csv.writer(out)
    writer.writerow(("column", "values", "meaning"))
    writer.writerows((name, *about) for name, about in CODEBOOK.items())


def cell(value: object) -> object:
    """Text that begins like a formula is shown as text: spreadsheets run formulas (OWASP, CSV injection).

    Control characters are escaped, so that a site's text stays in its cell and on its line.
    """
    if value is None or isinstance(value, int):
        return "" if value is None else value
    text = printable(str(value))
    if text[:1].isalnum():
        return text
    return f"'{text}" if text.lstrip()[:1] in ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20") else text


def printable(text: str) -> str:
    """Control, format and direction characters as escapes: what a site wrote must not hide or reorder what is read."""
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text)
