"""A page that tries to get out, and a live server that notes whoever comes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

INNER = """
<link rel="stylesheet" href="LIVE/stylesheet"><link rel="preload" as="fetch" href="LIVE/preload">
<img src="LIVE/image"><video src="LIVE/video"></video><object data="LIVE/object"></object>
<iframe src="LIVE/frame"></iframe><script src="LIVE/script"></script><style>@import url(LIVE/import);</style>
<form id="f" method="post" action="LIVE/form" target="inner"><input name="a" value="1"></form>
<iframe name="inner"></iframe>
<script>
  const attempt = async (name, what) => {
    let outcome;
    try { outcome = "let through: " + await what(); } catch (error) { outcome = "stopped: " + error; }
    parent.postMessage({name, outcome}, "*");
  };
  const later = (target, good, bad) => new Promise((yes, no) => {
    target[good] = event => yes(event.type); target[bad] = event => no(event.type); setTimeout(no, PATIENCE, "time");
  });
  document.getElementById("f").submit();
  Promise.all([
    attempt("fetch", () => fetch("LIVE/fetch").then(answer => answer.status)),
    attempt("opaque", () => fetch("LIVE/opaque", {mode: "no-cors"}).then(answer => answer.type)),
    attempt("other", () => fetch("OTHER").then(answer => answer.text())),
    attempt("beacon", () => navigator.sendBeacon("LIVE/beacon", "x")),
    attempt("events", () => later(new EventSource("LIVE/events"), "onopen", "onerror")),
    attempt("socket", () => later(new WebSocket("LIVE/socket".replace("http", "ws")), "onopen", "onerror")),
    attempt("module", () => import("LIVE/module")),
    attempt("worker", () => later(new Worker(URL.createObjectURL(new Blob(
      ["fetch('LIVE/worker').then(a => postMessage(a.status), () => { throw 1; })"]))), "onmessage", "onerror")),
    attempt("service worker", () => navigator.serviceWorker.register(location.ancestorOrigins[0] + "/SERVICE")),
    attempt("window", () => window.open("LIVE/window").name),
  ]).then(async () => {
    await attempt("top", () => { top.location.href = "LIVE/top"; });
    setTimeout(() => parent.postMessage({name: "end"}, "*"), 1000);
    setTimeout(() => { location.href = "LIVE/navigate"; }, 1200);
  });
</script>
"""

PAGE = """<!doctype html><meta charset="utf-8"><title>hostile</title><h1>Hostile page</h1>
<p>Archived scripts ran here; what they asked for stayed here.</p><pre id="log"></pre>
<script>
  window.addEventListener("message", event => {
    const told = event.data && event.data.message || event.data;
    if (!told || !told.name) return;
    document.getElementById("log").textContent += told.name + ": " + (told.outcome || "") + "\\n";
  });
</script>
<iframe srcdoc='INNER' width="300" height="100"></iframe>
<iframe src='data:text/html,<img src="LIVE/data-image">' width="50" height="50"></iframe>
"""


def page(live: str, other: str, patience: float = 4.0) -> bytes:
    """`live`: an origin outside the replay; `other`: a URL of another collection's replay; `patience`: seconds after
    which what gives neither a success nor a fault counts as stopped."""
    inner = INNER.replace("&", "&amp;").replace("'", "&#39;")
    inner = inner.replace("PATIENCE", str(int(patience * 1000)))
    return PAGE.replace("INNER", inner).replace("LIVE", live).replace("OTHER", other).encode()


@contextmanager
def live_server(content: bytes = b"") -> Iterator[tuple[str, list[str]]]:
    """Answers everything, to everybody; yields its origin and the paths that were asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Access-Control-Allow-Origin", "*")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.do_GET()

        do_OPTIONS = do_GET

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
