"""The reverse proxy in front of pywb: one origin a collection, nothing else answers."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from urllib.parse import unquote

from aiohttp import web

from archiver.replay.headers import Headers, archived, to_pywb, to_visitor
from archiver.replay.layout import STATIC, origin_of
from archiver.replay.upstream import Answer, UpstreamFault, ask

BODY_LIMIT = 1 << 20
LINE_LIMIT = 1 << 16
PAGE_LIMIT = 4 << 20
STOP_SECONDS = 1.0  # what visitors still read then is cut off

_METHODS = ("GET", "HEAD", "POST", "PUT", "OPTIONS")
_OUR_FILES = re.compile(rf"/{STATIC}/(?!.*\.\.)[A-Za-z0-9_./-]+(\?.*)?")
_BODY = re.compile(rb"<body[^>]*>", re.IGNORECASE)
_SEARCH = re.compile(r"cdx(?:[?#]|$)|timemap/")
_TEXT = {"Content-Security-Policy": "default-src 'none'", "X-Robots-Tag": "noindex, noarchive"}


class ReplayProxy:
    """Serves one collection under its own host name.

    `banner` is put above pywb's frame (the owner's view); `refresh` is called before each request that reads the
    collection, so that new captures are seen. `listed` is the collection that searches are asked of: the same one, or
    that without what asked not to be listed; nobody sees its name.
    """

    def __init__(
        self,
        *,
        collection: str,
        upstream_port: int,
        port: int,
        banner: str | None,
        refresh: Callable[[], None],
        listed: str | None = None,
    ) -> None:
        self._listed = listed or collection
        self._collection = collection
        self._upstream = upstream_port
        self._origin = origin_of(collection, port)
        self._banner = banner
        self._refresh = refresh

    def runner(self) -> web.AppRunner:
        """Ready for a site; long request lines and headers pass, as archived URLs are long."""
        app = web.Application(client_max_size=BODY_LIMIT)
        app.router.add_route("*", "/{path:.*}", self._answer)
        app.on_response_prepare.append(_undo_defaults)
        return web.AppRunner(
            app,
            access_log=None,
            max_line_size=LINE_LIMIT,
            max_field_size=LINE_LIMIT,
            handler_cancellation=True,
            shutdown_timeout=STOP_SECONDS,
        )

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        refused = self._refuse(request)
        if refused is not None:
            return refused
        target = _target(request)
        if target == "/robots.txt":
            return _say(200, "User-agent: *\nDisallow: /\n")
        if target in ("/", f"/{self._collection}"):
            return web.Response(status=302, headers={**_TEXT, "Location": f"/{self._collection}/"})
        if not self._is_ours(target):
            return _say(404, "Not in this collection.\n")
        self._refresh()
        try:
            return await self._forward(request, target)
        except UpstreamFault as fault:
            return _say(502, f"Cannot be shown: {fault}.\n")

    def _refuse(self, request: web.Request) -> web.Response | None:
        host = request.headers.getall("Host", [])
        if [f"http://{one.lower()}" for one in host] != [self._origin]:
            return _say(421, f"This server shows one collection, at {self._origin}/ and under no other name.\n")
        if request.method not in _METHODS:
            return _say(405, "An archive is read with GET and HEAD.\n")
        if "Service-Worker" in request.headers:
            # An archived worker would stay between this origin and every later visit to it.
            return _say(403, "Archived service workers are not installed.\n")
        return None

    def _is_ours(self, target: str) -> bool:
        if _OUR_FILES.fullmatch(target):
            return True
        return target.startswith(f"/{self._collection}/") and not _climbs(target)

    def _asked(self, target: str) -> str:
        """A search (CDX API, time maps) is asked of the listed captures; pywb decodes a path before it looks at it."""
        prefix = f"/{self._collection}/"
        if self._listed == self._collection or not _SEARCH.match(unquote(target[len(prefix) :])):
            return target
        return f"/{self._listed}/{target[len(prefix) :]}"

    async def _forward(self, request: web.Request, target: str) -> web.StreamResponse:
        body = await request.read() if request.can_read_body else b""
        asked = self._asked(target)
        raw = asked.encode("utf-8", "surrogateescape")
        headers = to_pywb(request.headers.items())
        async with ask(self._upstream, request.method, raw, headers, body) as answer:
            if asked != target:
                answer = _renamed(answer, self._listed, self._collection)
            if self._banner is not None and request.method != "HEAD" and _is_own_page(target, answer):
                answer = await _with_banner(answer, self._banner)
            response = _AsSaid(answer, to_visitor(answer.headers, target=target, origin=self._origin))
            return await _stream(request, response, answer)


class _AsSaid(web.StreamResponse):
    """An answer with pywb's headers and none of the server's own (see `_undo_defaults`)."""

    def __init__(self, answer: Answer, headers: Headers) -> None:
        super().__init__(status=answer.status, reason=answer.reason)
        self.said = frozenset(name.lower() for name, _ in headers)
        for name, value in headers:
            self.headers.add(name, value)
        if answer.length is not None:
            self.content_length = answer.length


async def _undo_defaults(request: web.BaseRequest, response: web.StreamResponse) -> None:
    """An answer without a Content-Type has none: the browser looks into it, as it did on the live site."""
    if not isinstance(response, _AsSaid):
        return
    for name in ("Content-Type", "Server", "Date"):
        if name.lower() not in response.said:
            response.headers.popall(name, None)
    if request.method == "HEAD" and response.content_length is None:
        response.headers.popall("Content-Length", None)  # of a body without a known length (RFC 9110, 8.6)


async def _stream(request: web.Request, response: web.StreamResponse, answer: Answer) -> web.StreamResponse:
    await response.prepare(request)
    try:
        async for piece in answer.body:
            await response.write(piece)
    except UpstreamFault:
        # The head is out: only a broken connection tells the browser that this is not all.
        if request.transport is not None:
            request.transport.abort()
        return response
    await response.write_eof()
    return response


def _renamed(answer: Answer, name: str, shown: str) -> Answer:
    """An answer that speaks of another collection's name."""
    headers = [(key, value.replace(name, shown)) for key, value in answer.headers]
    return replace(answer, headers=headers, length=None, body=_replaced(answer.body, name.encode(), shown.encode()))


async def _replaced(body: AsyncIterator[bytes], old: bytes, new: bytes) -> AsyncIterator[bytes]:
    """Piece by piece; what may be the beginning of `old` waits for the next one."""
    held = b""
    async for piece in body:
        held = (held + piece).replace(old, new)
        cut = max(0, len(held) - len(old) + 1)
        if held[:cut]:
            yield held[:cut]
        held = held[cut:]
    if held:
        yield held


def _target(request: web.Request) -> str:
    """The request target as it came, in origin form (RFC 9112, 3.2.1)."""
    raw = request.raw_path
    if not raw.startswith("/"):
        raw = re.sub(r"^[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*", "", raw) or "/"
    return raw


def _climbs(target: str) -> bool:
    """`..` before the archived URL begins: a path, not a capture."""
    before = unquote(target).replace("\\", "/").partition("://")[0]
    return ".." in before.split("/")


def _is_own_page(target: str, answer: Answer) -> bool:
    """pywb's own pages, never an archived one: those are shown as they were."""
    kinds = [value for name, value in answer.headers if name.lower() == "content-type"]
    return archived(target) is None and bool(kinds) and kinds[0].startswith("text/html")


async def _with_banner(answer: Answer, banner: str) -> Answer:
    page = bytearray()
    async for piece in answer.body:
        page += piece
        if len(page) > PAGE_LIMIT:
            raise UpstreamFault("pywb's page is too long")
    strip = (
        '<div role="note" style="position:fixed;bottom:0;left:0;right:0;z-index:2147483647;font:14px sans-serif;'
        f'padding:4px 12px;background:#fff3cd;color:#3d3000;border-top:1px solid #e0c96b">{html.escape(banner)}</div>'
    ).encode()
    body = _BODY.sub(lambda found: found[0] + strip, bytes(page), count=1)
    return replace(answer, length=len(body), body=_one(body))


async def _one(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _say(status: int, text: str) -> web.Response:
    return web.Response(status=status, text=text, headers=_TEXT)
