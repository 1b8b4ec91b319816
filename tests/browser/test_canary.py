"""Nothing of Chromium's reaches the network but through the recording proxy: its system calls are looked at.

Chromium runs under strace while a page tries every way out that is known to us. Each address that any of its processes
connects or sends to must be the listener of its context.
"""

from __future__ import annotations

import os
import re
import socket
from pathlib import Path

import pytest
from aiohttp import web

from archiver.browser.flags import has_sandbox
from tests.browser.kit import Rig, Site
from tests.needs import need

pytestmark = [
    pytest.mark.browser,
    pytest.mark.needs("chromium", "strace"),
    pytest.mark.asyncio(loop_scope="session"),
]

_ADDRESS = re.compile(
    r"(connect|sendto|sendmsg|sendmmsg)\((?:\d+<(UDP)?)?.*?sa_family=(AF_INET6?).*?"
    r"sin6?_port=htons\((\d+)\).*?(?:inet_addr\(\"([^\"]+)\"\)|inet_pton\(AF_INET6, \"([^\"]+)\")"
)

NOBODY = ("127.0.0.1", 9)
"""Where Chromium's own requests end (flags.NOWHERE): nobody listens there."""
ROUTE_ONLY = {("2001:4860:4860::8888", 443), ("127.0.0.1", 443)}
"""Chromium asks the kernel which route it would take there (some versions for every address that is dialled): a
connected UDP socket on which nothing is ever sent."""
EXPECTED = {
    "/worker.js", "/script-of-worker.js", "/fetch-of-worker", "/shared.js", "/script-of-shared.js", "/fetch-of-shared",
    "/service.js", "/script-of-service.js", "/fetch-of-service", "/socket", "/events", "/beacon", "/keepalive",
    "/prefetch", "/frame", "/early", "/icon", "http://lookup-fetch.example.test/", "http://192.0.2.1/x.png",
}  # fmt: skip
"""Seen by the proxy: a page that stopped trying would prove nothing."""

PAGE = r"""<!doctype html><title>canary</title>
<link rel="preconnect" href="http://OTHER"><link rel="dns-prefetch" href="http://lookup-link.example.test">
<link rel="prefetch" href="http://OTHER/prefetch"><link rel="prerender" href="http://OTHER/prerender">
<link rel="manifest" href="/manifest"><link rel="icon" href="http://OTHER/icon">
<link rel="modulepreload" href="http://OTHER/module.js">
<script type="speculationrules">
{"prefetch": [{"source": "list", "urls": ["/speculated"]}],
 "prerender": [{"source": "list", "urls": ["/prerendered"]}]}
</script>
<img src="http://lookup-img.example.test/x.png"><img src="http://[::1]:TCP/x.png"><img src="http://192.0.2.1/x.png">
<img src="file:///etc/hostname"><iframe src="chrome://version"></iframe><iframe src="view-source:http://OTHER/"></iframe>
<iframe src="http://OTHER/frame"></iframe><embed src="http://OTHER/embed"><object data="http://OTHER/object"></object>
<a id="ping" href="#top" ping="http://OTHER/ping">x</a>
<script>
const quietly = work => { try { const made = work(); if (made && made.catch) made.catch(() => {}); } catch {} };
quietly(() => {
  const peer = new RTCPeerConnection({iceServers: [
    {urls: 'stun:127.0.0.1:UDP'}, {urls: 'turn:127.0.0.1:UDP?transport=udp', username: 'u', credential: 'c'},
    {urls: 'turn:127.0.0.1:TCP?transport=tcp', username: 'u', credential: 'c'},
    {urls: 'stun:lookup-stun.example.test:3478'}]});
  peer.createDataChannel('x');
  return peer.createOffer().then(offer => peer.setLocalDescription(offer));
});
quietly(() => new WebSocket('ws://OTHER/socket'));
quietly(() => new WebSocket('ws://lookup-socket.example.test/'));
quietly(() => new EventSource('http://OTHER/events'));
quietly(() => navigator.sendBeacon('http://OTHER/beacon', 'x'));
quietly(() => fetch('http://OTHER/keepalive', {keepalive: true, mode: 'no-cors', method: 'POST', body: 'x'}));
quietly(() => fetch('http://lookup-fetch.example.test/', {mode: 'no-cors'}));
quietly(() => new WebTransport('https://127.0.0.1:UDP/transport').ready);
quietly(() => new Worker('/worker.js'));
quietly(() => new SharedWorker('/shared.js').port.start());
quietly(() => navigator.serviceWorker.register('/service.js'));
quietly(() => navigator.serviceWorker.ready.then(ready => Promise.allSettled([
  ready.sync && ready.sync.register('x'),
  ready.backgroundFetch && ready.backgroundFetch.fetch('x', ['/background']),
  ready.pushManager.subscribe({userVisibleOnly: true, applicationServerKey: new Uint8Array(65).fill(4)})])));
quietly(() => document.getElementById('ping').click());
quietly(() => import('http://OTHER/imported.js'));
quietly(() => new Notification('x', {icon: 'http://OTHER/notification'}));
quietly(() => navigator.credentials.get({identity: {providers: [{configURL: 'http://OTHER/fedcm', clientId: 'x'}]}}));
quietly(() => { const audio = new Audio('http://OTHER/audio'); return audio.play(); });
addEventListener('pagehide', () => navigator.sendBeacon('http://OTHER/unload', 'x'));
</script>"""

WORKER = "try { importScripts('/script-of-NAME.js') } catch {}; fetch('/fetch-of-NAME').catch(() => {})"


def canary(site: Site, other: Site, udp: int, tcp: int) -> None:
    """Fills both sites."""
    script = "text/javascript"
    text = PAGE.replace("OTHER", f"{other.host}:{other.port}").replace("UDP", str(udp)).replace("TCP", str(tcp))

    async def page(request: web.Request) -> web.Response:
        csp = f"img-src 'self'; report-uri http://{other.host}:{other.port}/csp; report-to all"
        reporting = f'all="http://{other.host}:{other.port}/report"'
        nel = '{"report_to": "all", "max_age": 100, "success_fraction": 1.0}'
        return web.Response(
            text=text,
            content_type="text/html",
            headers={
                "Content-Security-Policy-Report-Only": csp, "Reporting-Endpoints": reporting, "NEL": nel,
                "Alt-Svc": f'h3="127.0.0.1:{udp}"; ma=1000',
                "Link": f"<http://{other.host}:{other.port}/early>; rel=preload; as=image",
            },
        )  # fmt: skip

    site.pages = {
        "/": page,
        "/worker.js": (script, WORKER.replace("NAME", "worker").encode()),
        "/shared.js": (script, WORKER.replace("NAME", "shared").encode()),
        "/service.js": (script, WORKER.replace("NAME", "service").encode()),
        "/manifest": ("application/manifest+json", b'{"name": "x", "icons": [{"src": "/m.png", "sizes": "144x144"}]}'),
        **{f"/script-of-{name}.js": (script, b"1") for name in ("worker", "shared", "service")},
    }
    other.pages = {"/frame": "<p>frame</p>", "/prefetch": "<p>x</p>"}


def destinations(log: str, *, udp: bool) -> set[tuple[str, int]]:
    """Where the traced processes connected or sent to: by UDP, or by anything else."""
    return {(match[5] or match[6], int(match[4])) for match in _ADDRESS.finditer(log) if bool(match[2]) is udp}


async def test_nothing_gets_out_but_through_the_proxy(tmp_path: Path, site: Site, other: Site) -> None:
    trace = tmp_path / "trace"
    traced = tmp_path / "chromium"
    calls = "trace=connect,sendto,sendmsg,sendmmsg"
    command = f'{need("strace")} -f -qq -yy -s 0 -e {calls} -o {trace} {need("chromium")} "$@"'
    traced.write_text(f"#!/bin/sh\nexec {command}\n", encoding="ascii")
    traced.chmod(0o755)
    udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    udp.bind(("127.0.0.1", 0))
    udp.setblocking(False)
    tcp = socket.create_server(("127.0.0.1", 0))
    tcp.setblocking(False)
    canary(site, other, udp.getsockname()[1], tcp.getsockname()[1])
    rig = Rig.make(traced, spool=tmp_path, sandbox=has_sandbox(os.environ))
    ports = set()
    listen = rig.proxy.listen

    async def noted() -> object:
        listener = await listen()
        ports.add(listener.port)
        return listener

    rig.proxy.listen = noted  # type: ignore[method-assign,assignment]
    try:
        visit = rig.visit(refuse=lambda request: not request.url.startswith((site.url(), other.url())))
        rendered = await rig.see(site.url(), seconds=40, visit=visit, behaviors=("scroll",))
        assert rendered.title == "canary"
    finally:
        await rig.close()
    log = trace.read_text("utf-8", "replace")
    listeners = {("127.0.0.1", port) for port in ports}
    assert listeners <= destinations(log, udp=False) <= listeners | {NOBODY}
    assert destinations(log, udp=True) <= ROUTE_ONLY
    assert not re.findall(r"send\w*\(\d+<UDP.*", log)
    for silent in (udp, tcp):
        with pytest.raises(BlockingIOError):
            silent.recv(1) if silent is udp else silent.accept()
        silent.close()
    asked = set(visit.urls())
    assert {str(one.url) for one in (*site.seen, *other.seen)} <= asked
    assert {url.removeprefix(site.url("")).removeprefix(other.url("")) for url in asked} >= EXPECTED
