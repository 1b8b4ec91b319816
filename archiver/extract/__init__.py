"""What a body refers to: pure, bounded, one pass a document, no exception for what a site sends.

`requisites_of` knows which kind of body holds references; `html.extract` says all about a page, `text.text_facts`
what its visible text tells about the need for a browser. Bodies come content-decoded (`archiver.coding`).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from archiver.extract import charset, css, html
from archiver.extract.page import Link, References, Rel, Requisite

__all__ = ["Link", "Rel", "Requisite", "kind_of", "requisites_of"]

MAX_MANIFEST = 1 << 20
_HTML = ("text/html", "application/xhtml+xml", "application/vnd.wap.xhtml+xml")
_MANIFEST = ("application/manifest+json",)
_SNIFF = 1024
_HTML_MARKS = (b"<!doctype html", b"<html", b"<head", b"<body", b"<script", b"<title", b"<h1", b"<div", b"<p>", b"<a ")


def kind_of(content_type: str | None, body: bytes = b"", resource_type: str = "") -> str:
    """`html`, `css`, `svg`, `manifest` or "" (nothing we read).

    `resource_type` is what it was fetched as: a manifest is often served as plain JSON. Without a usable Content-Type
    the first bytes decide between HTML and nothing, as browsers sniff (MIME Sniffing, 7.1).
    """
    essence = (content_type or "").partition(";")[0].strip().lower()
    if essence in _HTML:
        return "html"
    if essence == "text/css":
        return "css"
    if essence == "image/svg+xml":
        return "svg"
    if essence in _MANIFEST or (resource_type == "manifest" and essence.endswith("json")):
        return "manifest"
    if "/" not in essence or essence in ("*/*", "unknown/unknown"):
        if resource_type in ("stylesheet", "manifest"):
            return {"stylesheet": "css"}.get(resource_type, resource_type)
        start = body[:_SNIFF].lstrip(b"\xef\xbb\xbf \t\r\n\f").lower()
        return "html" if start.startswith(_HTML_MARKS) or start.startswith(b"<!--") else ""
    return ""


def requisites_of(
    content_type: str | None, body: bytes, *, base_url: str, resource_type: str = ""
) -> tuple[Requisite, ...]:
    """What must be fetched too for this body to be shown: absolute, deduplicated, in order; () for other kinds.

    `content_type` is the header's value with its parameters. Never raises for what is in the body.
    """
    kind = kind_of(content_type, body, resource_type)
    hint = charset.label_of(content_type)
    if kind in ("html", "svg"):
        return html.extract(body, base_url=base_url, charset_hint=hint).requisites
    references = References(base_url)
    if kind == "css":
        references.style(charset.decode(body[: css.MAX_CSS], charset.css_codec(body, hint)))
    elif kind == "manifest" and len(body) <= MAX_MANIFEST:
        for raw in _icons(body):
            references.requisite(raw, "image")
    return tuple(references.requisites.values())


def _icons(body: bytes) -> Iterator[str]:
    """Icons and screenshots of a web app manifest, its shortcuts' too (Web App Manifest, 1.13)."""
    try:
        manifest: Any = orjson.loads(body)
    except orjson.JSONDecodeError:
        return
    holders = [manifest, *_dicts(manifest, "shortcuts")]
    for holder in holders:
        for name in ("icons", "screenshots"):
            for image in _dicts(holder, name):
                if isinstance(image.get("src"), str):
                    yield image["src"]


def _dicts(holder: Any, name: str) -> list[dict[str, Any]]:
    found = holder.get(name) if isinstance(holder, dict) else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
