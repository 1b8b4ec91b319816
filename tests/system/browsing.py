"""What the tests of whole pages share: saving in a lane, what was kept beside what was sent, replay in a browser."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import orjson
from playwright.sync_api import Browser, Frame, Page, sync_playwright

from archiver.warc.reader import Record
from tests.needs import need
from tests.replay.samples import replaying
from tests.servers.pages import Pages
from tests.system.cli import Ran, archiver, collection, records

DELAY = "delay 1 s, the default"
PATIENCE = 90_000
"""Milliseconds after which a browser of a test is given up."""


def home(folder: Path) -> dict[str, str]:
    """An environment for what is shared by the tests of a module: nothing of the user's is read."""
    return {
        "HOME": str(folder), "XDG_STATE_HOME": str(folder / "state"), "XDG_CONFIG_HOME": str(folder / "config"),
        "ARCHIVER_CHROMIUM": str(need("chromium")),
    }  # fmt: skip


def allowing(*sites: Pages) -> list[str]:
    return [part for site in sites for part in ("--allow-address", site.address)]


def saved(folder: Path, lane: str, url: str, *sites: Pages, env: dict[str, str] | None = None, more: Any = ()) -> Ran:
    """`archiver save URL --lane LANE` at the default pace."""
    return archiver("save", url, "--lane", lane, *allowing(*sites), "--json", *more, cwd=folder, env=env)


Sent = tuple[str, str, str]
"""Method, URL, SHA-256 of the answer as it crossed the wire."""


def sent(*sites: Pages) -> Counter[Sent]:
    """What the servers answered."""
    return Counter(
        (hit.method, hit.url, hashlib.sha256(bytes(hit.sent)).hexdigest()) for site in sites for hit in site.hits
    )


def kept(found: list[Record]) -> Counter[Sent]:
    """What the WARCs hold: each response with the method of the request that it belongs to."""
    methods = {
        (record.headers.get("WARC-Concurrent-To") or "").strip("<>"): record.block.split(b" ")[0].decode()
        for record in found if record.headers.type == "request"
    }  # fmt: skip
    return Counter(
        (methods[record.headers.record_id], record.headers.target or "", hashlib.sha256(record.block).hexdigest())
        for record in found if record.headers.type == "response"
    )  # fmt: skip


def named(found: list[Record], name: str) -> Record:
    """The one record `urn:NAME:...`."""
    (record,) = [one for one in found if (one.headers.target or "").startswith(f"urn:{name}:")]
    return record


def made(folder: Path, name: str) -> Any:
    """The JSON of `urn:NAME:...` in a collection of one page; that of a metadata record stands in one field."""
    record = named(records(collection(folder)), name)
    block = record.block
    if record.headers.get("Content-Type") == "application/warc-fields":
        block = block.partition(b"\r\n")[0].removeprefix(f"{name}: ".encode())
    return orjson.loads(block)


# --- replay -----------------------------------------------------------------------------------------------------------


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser that resolves nothing but names of this machine."""
    arguments = ["--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE *.localhost, EXCLUDE localhost, EXCLUDE 127.0.0.1"]
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(
            executable_path=need("chromium"), args=arguments, chromium_sandbox=os.geteuid() != 0, timeout=PATIENCE
        )
        yield running
        running.close()


@contextmanager
def shown(browser: Browser, folder: Path, url: str) -> Iterator[tuple[Page, Frame]]:
    """`archiver replay` of `folder`'s collection at `url`: the tab, and the frame in it that shows the page."""
    os.environ["ARCHIVER_PYWB"] = str(need("pywb"))
    program = [sys.executable, "-m", "archiver", "replay", "--out", str(folder / "crawls"), "--port", "0"]
    with replaying(program, folder / "replay.log") as (_, address):
        tab = browser.new_context(viewport={"width": 1280, "height": 1024}).new_page()
        tab.set_default_timeout(PATIENCE)
        tab.goto(address + url)
        element = tab.wait_for_selector("#replay_iframe")
        frame = element.content_frame() if element is not None else None
        assert frame is not None
        # until it has loaded: an empty document, which counts as loaded too, stands there first
        frame.wait_for_url(re.compile("mp_/"), timeout=PATIENCE)
        yield tab, frame
        tab.context.close()
