"""The reverse proxy in front of pywb: one origin a collection, nothing else answers."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, web
from yarl import URL

from archiver.replay.layout import CSP, host_of

_HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_RAW = re.compile(r"^/[^/]+/\d*(?:[a-z]{2}_|id_|if_|bn_)/")
_BODY = re.compile(rb"<body[^>]*>", re.IGNORECASE)
_QUIET = {"X-Robots-Tag": "noindex, noarchive", "Referrer-Policy": "same-origin", "X-Content-Type-Options": "nosniff"}


class ReplayProxy:
    """Serves one collection under its own host name; `banner` is put above pywb's frame (the owner's view)."""

    def __init__(self, *, collection: str, upstream_port: int, port: int, banner: str | None) -> None:
        self._collection = collection
        self._upstream = f"http://127.0.0.1:{upstream_port}"
        self._hosts = {f"{host_of(collection)}:{port}"} | ({host_of(collection)} if port == 80 else set())
        self._banner = banner
        self._session: ClientSession | None = None

    def application(self) -> web.Application:
        app = web.Application(client_max_size=1 << 20)
        app.router.add_route("*", "/{path:.*}", self._answer)
        app.on_startup.append(self._open)
        app.on_cleanup.append(self._close)
        return app

    async def _open(self, _: web.Application) -> None:
        self._session = ClientSession(
            auto_decompress=False, cookie_jar=DummyCookieJar(), timeout=ClientTimeout(total=300), trust_env=False
        )

    async def _close(self, _: web.Application) -> None:
        if self._session is not None:
            await self._session.close()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Host", "").lower() not in self._hosts:
            return web.Response(status=421, text="This server shows one collection, under its own name only.\n")
        if request.path == "/robots.txt":
            return web.Response(text="User-agent: *\nDisallow: /\n")
        if request.path == "/":
            raise web.HTTPFound(f"/{self._collection}/")
        if not request.path.startswith((f"/{self._collection}/", "/static/")):
            return web.Response(status=404, text="Not in this collection.\n")
        return await self._forward(request)

    async def _forward(self, request: web.Request) -> web.StreamResponse:
        assert self._session is not None
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP}
        body = await request.read() if request.can_read_body else None
        # The target goes on as it came: pywb reads the archived URL from the raw path, escapes and all.
        target = URL(self._upstream + request.raw_path, encoded=True)
        async with self._session.request(
            request.method, target, headers=headers, data=body, allow_redirects=False
        ) as upstream:
            out = _outgoing(upstream.headers)
            if self._banner is not None and _is_frame(request.path, upstream.headers):
                content = _with_banner(await upstream.read(), self._banner)
                return web.Response(status=upstream.status, headers=out, body=content)
            response = web.StreamResponse(status=upstream.status, reason=upstream.reason)
            response.headers.extend(out)
            if "Content-Length" in upstream.headers:
                response.content_length = int(upstream.headers["Content-Length"])
            await response.prepare(request)
            async for chunk in upstream.content.iter_chunked(1 << 16):
                await response.write(chunk)
            await response.write_eof()
            return response


def _outgoing(headers: Mapping[str, str]) -> list[tuple[str, str]]:
    kept = [
        (name, value)
        for name, value in headers.items()
        if name.lower() not in _HOP_BY_HOP and name.lower() not in ("content-length", "content-security-policy")
    ]
    return [*kept, *_QUIET.items(), ("Content-Security-Policy", CSP)]


def _is_frame(path: str, headers: Mapping[str, str]) -> bool:
    """pywb's own pages, never an archived one: those are shown as they were."""
    plain = "Content-Encoding" not in headers
    return plain and headers.get("Content-Type", "").startswith("text/html") and not _RAW.match(path)


def _with_banner(page: bytes, banner: str) -> bytes:
    strip = (
        '<div role="note" style="font:14px sans-serif;padding:4px 12px;background:#fff3cd;color:#3d3000">'
        f"{html.escape(banner)}</div>"
    ).encode()
    return _BODY.sub(lambda found: found[0] + strip, page, count=1)
