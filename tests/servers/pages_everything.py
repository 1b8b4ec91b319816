"""One page that asks for something of every kind, on three origins; what it reached is in `window.__done`.

Every answer differs from every other one, and those that never end by themselves stay open.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable

from tests.servers.pages import Hit, Pages, Reply, event_stream, moved, page, web_socket

BIG = 20_000_000
SOURCES = """
<!doctype html><html><head><meta charset=utf-8><title>loading</title>
<link rel=stylesheet href=/css/main.css>
<link rel=stylesheet href=/css/moved.css>
<link rel=icon href=/favicon.ico>
<link rel=manifest href=/site.webmanifest>
<link rel=preload as=image href=/img/preloaded.png>
<link rel=prefetch href=/prefetched.json>
<link rel=modulepreload href=/js/preloaded.js>
<script>
  window.__done = {};
  window.done = (name, value) => { window.__done[name] = value === undefined ? true : value; };
  window.addEventListener("message", event => { if (event.data && event.data.done) done(event.data.done); });
</script>
<script src=/js/classic.js></script>
<script type=module src=/js/module.js></script>
</head><body><h1>Everything</h1><p class=styled>A page that asks for something of every kind.</p>
<div class=pictured style="height:20px"></div>
<img src=/img/plain.png onload="done('img')">
<img src=/img/small.png srcset="/img/small.png 1x, /img/large.png 2x" onload="done('srcset')">
<picture><source type=image/png srcset=/img/source.png><img src=/img/fallback.png onload="done('picture')"></picture>
<img src=/img/old.png onload="done('moved image')">
<img src=B/img/other.png onload="done('image of another origin')">
<img src=/img/gone.png onerror="done('absent image')">
<img src=/img/drawing.svg onload="done('svg')">
<svg width=10 height=10><use href="/img/symbols.svg#one"></use></svg>
<object data=/img/object.svg type=image/svg+xml onload="done('object')"></object>
<iframe src=B/frame onload="done('frame of another port')"></iframe>
<iframe src=C/frame onload="done('frame of another host')"></iframe>
<iframe srcdoc="<img src=/img/inner.png onload=&quot;parent.done('srcdoc')&quot;>"></iframe>
<video src=/media/film.webm poster=/media/poster.png preload=metadata muted>
  <track default src=/media/words.vtt kind=subtitles srclang=en></video>
<audio src=/media/tone.wav preload=auto></audio>
<div style="height:3000px"></div><img loading=lazy src=/img/lazy.png onload="done('lazy image')">
<script src=/js/late.js></script>
</body></html>
"""

LATE = """
const text = answer => answer.ok ? answer.text() : Promise.reject(answer.status);
const want = (name, promise, wanted) => promise.then(got => {
  if (wanted === undefined || got === wanted) done(name); else console.log(name, got);
}, error => console.log(name, String(error)));
want("fetch", fetch("/api/get").then(text), "answer of get");
want("deflate", fetch("/api/deflate").then(text), "answer of deflate");
want("chunked", fetch("/api/chunked").then(text), "answer of chunked".repeat(100));
want("fetch redirected", fetch("/api/moved").then(text), "answer of target");
want("fetch no content", fetch("/api/nothing").then(answer => answer.status), 204);
want("fetch post", fetch("/api/post", {method: "POST", body: "a=1&b=2",
  headers: {"Content-Type": "application/x-www-form-urlencoded"}}).then(text), "answer of post: a=1&b=2");
want("fetch post json", fetch("B/api/post", {method: "POST", body: JSON.stringify({q: "x"}),
  headers: {"Content-Type": "application/json"}}).then(text), 'answer of post: {"q":"x"}');
want("fetch put", fetch("B/api/put", {method: "PUT", body: "put this", headers: {"X-Own": "1"}}).then(text),
  "answer of put: put this");
want("fetch opaque", fetch("B/api/opaque", {mode: "no-cors"}).then(() => true));
want("range", fetch("/range.bin", {headers: {Range: "bytes=10-19"}}).then(answer => answer.arrayBuffer())
  .then(buffer => buffer.byteLength), 10);
want("20 MB", fetch("/big.bin").then(answer => answer.arrayBuffer()).then(buffer => buffer.byteLength), BIG);
const xhr = new XMLHttpRequest();
xhr.open("GET", "/api/xhr"); xhr.onload = () => xhr.responseText === "answer of xhr" && done("xhr"); xhr.send();
const posted = new XMLHttpRequest();
posted.open("POST", "/api/xhr-post"); posted.onload = () => done("xhr post"); posted.send("form");
navigator.sendBeacon("/beacon", "seen") && done("beacon");
import("B/js/dynamic.js").then(module => done(module.name));
const worker = new Worker("/worker/dedicated.js"); worker.onmessage = event => done(event.data);
const moduleWorker = new Worker("/worker/module.js", {type: "module"});
moduleWorker.onmessage = event => done(event.data);
const shared = new SharedWorker("/worker/shared.js"); shared.port.onmessage = event => done(event.data);
const events = new EventSource("/events"); let seen = 0;
events.onmessage = () => { seen += 1; if (seen === 3) done("event stream"); };
const socket = new WebSocket("ws://SELF/socket");
socket.onmessage = event => { event.data === "hello" ? socket.send("me") : done("websocket: " + event.data); };
want("service worker", navigator.serviceWorker.register("/service.js").then(() => navigator.serviceWorker.ready)
  .then(() => new Promise(yes => navigator.serviceWorker.controller ? yes()
    : navigator.serviceWorker.addEventListener("controllerchange", yes)))
  .then(() => fetch("/api/served")).then(text), "answer of served");
document.querySelector("audio").addEventListener("loadedmetadata", () => done("audio"));
const track = document.querySelector("track"); track.track.mode = "hidden";
track.addEventListener("load", () => done("track"));
document.fonts.load("20px Own").then(() => done("font asked for"), () => done("font asked for"));
const late = document.createElement("img"); late.src = "/img/by-script.png"; late.onload = () => done("script image");
document.body.append(late);
setTimeout(() => { const p = document.createElement("p"); p.className = "rendered";
  p.textContent = "Rendered by a script."; document.body.prepend(p); document.title = "Everything loaded"; }, 50);
"""

SERVICE = """
addEventListener("install", event => { skipWaiting();
  event.waitUntil(caches.open("one").then(cache => cache.add("/service/kept.json"))); });
addEventListener("activate", event => event.waitUntil(clients.claim()));
addEventListener("fetch", event => { if (event.request.url.endsWith("/api/served"))
  event.respondWith(fetch("/service/served.txt")); });
"""

CROSS = {"Access-Control-Allow-Origin": "*"}
PREFLIGHT = {
    **CROSS, "Access-Control-Allow-Methods": "PUT, POST", "Access-Control-Allow-Headers": "x-own, content-type",
}  # fmt: skip
SCRIPT = "text/javascript"
PLAIN = "text/plain"

Own = Callable[[str], str]
"""Puts the running origins into a text."""


def png(name: str, width: int = 8, height: int = 8) -> bytes:
    """A valid picture of a colour of its own."""
    row = b"\0" + hashlib.sha256(name.encode()).digest()[:3] * width
    chunks = (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)), (b"tEXt", b"name\0" + name.encode()),
        (b"IDAT", zlib.compress(row * height)), (b"IEND", b""),
    )  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )


def wav() -> bytes:
    """A tenth of a second of silence."""
    samples = b"\x80" * 800
    form = b"WAVEfmt " + struct.pack("<IHHIIHH", 16, 1, 1, 8000, 8000, 1, 8) + b"data" + struct.pack("<I", 800)
    return b"RIFF" + struct.pack("<I", len(form) + 800) + form + samples


def noise(name: str, size: int) -> bytes:
    """Bytes that nothing shrinks."""
    return hashlib.shake_256(name.encode()).digest(size)


def everything(a: Pages, b: Pages, c: Pages) -> None:
    """Fills three origins: the page's, one on another port, one of another name; `/start` of `a` leads to the page."""

    def own(text: str) -> str:
        said = text.replace('"B/', f'"{b.origin}/').replace("=B/", f"={b.origin}/").replace("=C/", f"={c.origin}/")
        return said.replace("SELF", a.address).replace("BIG", str(BIG))

    a.answers |= _page(own) | _styles() | _scripts(own) | _pictures() | _workers() | _media() | _api()
    b.answers |= _other()
    c.answers |= {
        "/frame": page("<!doctype html><img src=/c.png><script src=/c.js></script>"),
        "/c.png": page(png("c"), "image/png"),
        "/c.js": page(
            "fetch('/c.json').then(a => a.json()).then(() => parent.postMessage({done: 'fetch in a frame'}, '*'))",
            SCRIPT,
        ),
        "/c.json": page('{"of": "c"}', "application/json"),
    }


def _page(own: Own) -> dict[str, Reply]:
    return {
        "/robots.txt": page("User-agent: *\nDisallow: /private/\n", PLAIN),
        "/start": moved("/page"),
        "/page": page(own(SOURCES.strip()), coding="br"),
        "/favicon.ico": page(png("icon", 16, 16), "image/png"),
        "/site.webmanifest": page(
            '{"name": "everything", "icons": [{"src": "/img/app.png", "sizes": "8x8"}]}', "application/manifest+json"
        ),
        "/prefetched.json": page('{"prefetched": true}', "application/json"),
        "/beacon": page("", PLAIN, status="204 No Content"),
        "/events": event_stream(),
        "/socket": web_socket,
    }


def _styles() -> dict[str, Reply]:
    main = (
        "@import url(/css/imported.css); @font-face { font-family: Own; src: url(/font/own.woff2) }"
        ".styled { font-family: Own; background: url(/img/background.png) }"
        ".pictured { background-image: image-set(url(/img/set.png) 1x, url(/img/set2.png) 2x) }"
    )
    return {
        "/css/main.css": page(main, "text/css", coding="gzip"),
        "/css/imported.css": page("@import '/css/deep.css'; h1 { color: navy }", "text/css", chunks=3),
        "/css/deep.css": page("h1 { margin: 1px }", "text/css", coding="deflate", chunks=2),
        "/css/moved.css": moved("/css/there.css", "301 Moved Permanently"),
        "/css/there.css": page("p { margin: 2px }", "text/css"),
        "/font/own.woff2": page(noise("font", 4000), "font/woff2"),
    }


def _scripts(own: Own) -> dict[str, Reply]:
    return {
        "/js/classic.js": page("done('classic script')", SCRIPT, coding="deflate"),
        "/js/module.js": page("import {name} from '/js/part.js'; done(name)", SCRIPT),
        "/js/part.js": page("import '/js/preloaded.js'; export const name = 'module script'", SCRIPT, coding="br"),
        "/js/preloaded.js": page("export const preloaded = 1", SCRIPT),
        "/js/late.js": page(own(LATE), SCRIPT, coding="gzip", chunks=4),
    }


def _pictures() -> dict[str, Reply]:
    names = "plain small large source fallback new inner lazy background set set2 by-script preloaded app"
    drawing = "<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'>{}</svg>"
    return {f"/img/{name}.png": page(png(name), "image/png") for name in names.split()} | {
        "/img/old.png": moved("/img/new.png"),
        "/img/drawing.svg": page(drawing.format("<circle r='4'/>"), "image/svg+xml"),
        "/img/object.svg": page(drawing.format("<rect width='3' height='3'/>"), "image/svg+xml"),
        "/img/symbols.svg": page(drawing.format("<symbol id='one'><path d='M0 0'/></symbol>"), "image/svg+xml"),
    }


def _workers() -> dict[str, Reply]:
    send = "fetch('/worker/{0}.json').then(answer => answer.json()).then(() => {1}('{2}'))"
    return {
        "/worker/dedicated.js": page(
            "importScripts('/worker/imported.js'); " + send.format("dedicated", "postMessage", "dedicated worker"),
            SCRIPT,
        ),
        "/worker/imported.js": page("self.imported = 1", SCRIPT),
        "/worker/dedicated.json": page('{"of": "dedicated"}', "application/json"),
        "/worker/module.js": page(
            "import '/worker/part.js'; " + send.format("module", "postMessage", "module worker"), SCRIPT
        ),
        "/worker/part.js": page("export const part = 1", SCRIPT),
        "/worker/module.json": page('{"of": "module"}', "application/json"),
        "/worker/shared.js": page(
            "onconnect = event => " + send.format("shared", "event.ports[0].postMessage", "shared worker"), SCRIPT
        ),
        "/worker/shared.json": page('{"of": "shared"}', "application/json"),
        "/service.js": page(SERVICE, SCRIPT),
        "/service/kept.json": page('{"kept": "by the service worker"}', "application/json"),
        "/service/served.txt": page("answer of served", PLAIN),
    }


def _media() -> dict[str, Reply]:
    return {
        "/media/film.webm": page(noise("film", 50_000), "video/webm"),
        "/media/poster.png": page(png("poster"), "image/png"),
        "/media/words.vtt": page("WEBVTT\n\n00:00.000 --> 00:01.000\nwords\n", "text/vtt"),
        "/media/tone.wav": page(wav(), "audio/wav"),
        "/range.bin": _ranged,
        "/big.bin": page(noise("big", BIG), "application/octet-stream"),
    }


def _ranged(hit: Hit) -> bytes:
    content = noise("range", 1000)
    if hit.header("range") == "bytes=10-19":
        where = {"Content-Range": "bytes 10-19/1000"}
        return page(content[10:20], "application/octet-stream", status="206 Partial Content", headers=where)
    return page(content, "application/octet-stream")


def _api() -> dict[str, Reply]:
    return {
        "/api/get": page("answer of get", PLAIN, coding="br"),
        "/api/deflate": page("answer of deflate", PLAIN, coding="deflate"),
        "/api/chunked": page("answer of chunked" * 100, PLAIN, coding="gzip", chunks=5),
        "/api/moved": moved("/api/target", "307 Temporary Redirect"),
        "/api/target": page("answer of target", PLAIN),
        "/api/nothing": b"HTTP/1.1 204 No Content\r\nX-Own: nothing\r\n\r\n",
        "/api/post": _echo("post"),
        "/api/xhr": page("answer of xhr", PLAIN),
        "/api/xhr-post": _echo("xhr-post"),
    }


def _other() -> dict[str, Reply]:
    return {
        "/robots.txt": page("User-agent: *\nDisallow: /private/\n# another origin\n", PLAIN),
        "/img/other.png": page(png("other"), "image/png"),
        "/frame": page(
            "<!doctype html><link rel=stylesheet href=/b.css><img src=/b.png><script src=/b.js></script><p>frame"
        ),
        "/b.css": page("p { background: url(/b-background.png) }", "text/css"),
        "/b.png": page(png("b"), "image/png"),
        "/b-background.png": page(png("b-background"), "image/png"),
        "/b.js": page("parent.postMessage({done: 'script in a frame'}, '*')", SCRIPT),
        "/js/dynamic.js": page("export const name = 'dynamic import'", SCRIPT, headers=CROSS),
        "/api/put": _crossing("put"),
        "/api/post": _crossing("post"),
        "/api/opaque": page("opaque", PLAIN),
    }


def _echo(name: str) -> Reply:
    return lambda hit: page(f"answer of {name}: {hit.body.decode()}", PLAIN, headers=CROSS)


def _crossing(name: str) -> Reply:
    def answer(hit: Hit) -> bytes:
        if hit.method == "OPTIONS":
            return page("", PLAIN, status="204 No Content", headers=PREFLIGHT)
        return page(f"answer of {name}: {hit.body.decode()}", PLAIN, headers=CROSS)

    return answer
