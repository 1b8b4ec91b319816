"""nginx over a folder of files."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.needs import need
from tests.servers.authority import Authority
from tests.servers.ports import free_port
from tests.servers.process import listening, serving

_CONFIG = """\
{user}
daemon off;
worker_processes 1;
error_log stderr warn;
pid {work}/nginx.pid;
events {{ worker_connections 1024; }}
http {{
    include {mime_types};
    default_type application/octet-stream;
    log_format seen '$msec\\t$status\\t$request_method\\t$request_uri\\t$http_user_agent';
    access_log {work}/access.log seen;
    client_body_temp_path {work}/body;
    proxy_temp_path {work}/proxy;
    fastcgi_temp_path {work}/fastcgi;
    uwsgi_temp_path {work}/uwsgi;
    scgi_temp_path {work}/scgi;
    keepalive_requests 100000;
    server {{
        listen 127.0.0.1:{port}{ssl};
        {certificate}
        root {root};
        index index.html;
        {extra}
    }}
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Nginx:
    """A running nginx. `requests()` gives what it was asked, in order."""

    url: str
    port: int
    access_log: Path

    def requests(self) -> list[tuple[float, int, str, str, str]]:
        """(unix time, status, method, request target, user agent) of each request logged so far."""
        rows = (line.split("\t") for line in self.access_log.read_text().splitlines())
        return [(float(when), int(status), method, target, agent) for when, status, method, target, agent in rows]


@contextmanager
def nginx(root: Path, work: Path, *, tls: Authority | None = None, extra: str = "") -> Iterator[Nginx]:
    """Serves `root` on a free port, logging to `work`; `extra` goes into the server block as it is."""
    program = need("nginx")
    port = free_port()
    work.mkdir(parents=True, exist_ok=True)
    config = work / "nginx.conf"
    config.write_text(
        _CONFIG.format(
            user="user root;" if os.geteuid() == 0 else "",  # else its worker cannot read pytest's private folders
            work=work,
            mime_types="/etc/nginx/mime.types",
            port=port,
            ssl=" ssl" if tls else "",
            certificate=f"ssl_certificate {tls.cert_file}; ssl_certificate_key {tls.key_file};" if tls else "",
            root=root,
            extra=extra,
        )
    )
    command = [program, "-c", config, "-p", work, "-e", "stderr"]
    with serving(command, ready=lambda: listening(port), log=work / "nginx.log"):
        scheme = "https" if tls else "http"
        yield Nginx(url=f"{scheme}://127.0.0.1:{port}", port=port, access_log=work / "access.log")
