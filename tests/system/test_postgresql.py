"""A real site against wget: the PostgreSQL manual, every URL and every body; then random pages replayed by pywb."""

from __future__ import annotations

import hashlib
import random
import subprocess
import urllib.request
from pathlib import Path

import pytest

from archiver.coding import decode
from archiver.warc.http import ChunkDecoder, parse_head
from archiver.warc.reader import iter_records
from tests.needs import need
from tests.servers.nginx import Nginx, nginx
from tests.servers.pywb import make_collection, pywb
from tests.system.cli import archiver, check_collection, collection, warcs

pytestmark = [
    pytest.mark.system,
    pytest.mark.replay,
    pytest.mark.needs("postgresql-doc", "nginx", "wget", "pywb"),
]


def bodies(paths: list[Path]) -> dict[str, str]:
    """SHA-256 of the content-decoded body of each answered URL. Revisits take their original's."""
    found: dict[str, str] = {}
    originals: dict[str, str] = {}
    for path in paths:
        for record in iter_records(path):
            target = (record.headers.target or "").partition("#")[0]
            if record.headers.type == "response" and target.startswith("http"):
                digest = hashlib.sha256(body_of(record.block)).hexdigest()
                found[target] = originals[record.headers.get("WARC-Payload-Digest") or ""] = digest
            elif record.headers.type == "revisit":
                found.setdefault(target, originals[record.headers.get("WARC-Payload-Digest") or ""])
    return found


def body_of(block: bytes) -> bytes:
    head = parse_head(block)
    body = block[head.end :]
    if head.chunked:
        body = b"".join(ChunkDecoder().feed(body))
    lines = (line.partition(b":") for line in block[head.start : head.end].splitlines())
    coding = next((value.strip() for name, _, value in lines if name.lower() == b"content-encoding"), None)
    return decode(body, coding, limit=1 << 30).data


def wget(server: Nginx, folder: Path) -> dict[str, str]:
    folder.mkdir()
    command = [need("wget"), "-q", "-r", "-l", "inf", "-p", "--no-parent", "--warc-file=wget", "-P", "files",
               "--no-verbose", f"{server.url}/index.html"]  # fmt: skip
    subprocess.run(command, cwd=folder, check=False, stdin=subprocess.DEVNULL, capture_output=True)
    return bodies(sorted(folder.glob("*.warc.gz")))


def test_every_url_that_wget_has_with_the_same_body(tmp_path: Path) -> None:
    root = Path("/usr/share/doc/postgresql-doc-15/html")
    with nginx(root, tmp_path / "nginx", extra="gzip on; gzip_types text/css image/svg+xml;") as server:
        theirs = wget(server, tmp_path / "wget")
        assert len(theirs) > 1000
        allow = ["--allow-address", f"127.0.0.1:{server.port}", "--delay", "0"]
        seed = f"{server.url}/index.html"
        ran = archiver("crawl", "--url", seed, "--scope-type", "host", "--driver", "pump", *allow, cwd=tmp_path)
        assert ran.code == 0, ran.err
    folder = collection(tmp_path)
    ours = bodies(warcs(folder))
    robots = f"{server.url}/robots.txt"
    missing = [url for url in theirs if url not in ours and url != robots]
    assert not missing
    differing = [url for url in theirs if url != robots and theirs[url] != ours[url]]
    assert not differing
    check_collection(folder)
    wayback = tmp_path / "wayback"
    wayback.mkdir()
    make_collection(wayback, "web", warcs(folder))
    seed_number = random.randrange(1 << 30)
    print(f"seed {seed_number}")
    pages = random.Random(seed_number).sample(sorted(url for url in ours if url.endswith(".html")), 50)
    with pywb(wayback) as origin:
        for url in pages:
            request = urllib.request.Request(f"{origin}/web/id_/{url}", headers={"Accept-Encoding": "identity"})
            with urllib.request.urlopen(request, timeout=10) as answer:
                body = decode(answer.read(), (answer.headers["Content-Encoding"] or "").encode(), limit=1 << 30).data
            assert hashlib.sha256(body).hexdigest() == ours[url], url
