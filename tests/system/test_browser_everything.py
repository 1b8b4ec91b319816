"""A page that asks for something of every kind: kept as it was sent, nothing twice, shown again without the site."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Frame, TimeoutError

from archiver.warc.reader import Record
from tests.servers.authority import make_authority
from tests.servers.pages import Pages, most_in_flight, serving
from tests.servers.pages_everything import BIG, everything
from tests.system.browsing import DELAY, PATIENCE, chromium, home, kept, made, named, saved, sent, shown
from tests.system.cli import Ran, archiver, check_collection, collection, ledger_bodies, records

pytestmark = [pytest.mark.system, pytest.mark.browser, pytest.mark.needs("chromium")]

IMPOSSIBLE = {
    "websocket: echo me",  # nothing answers a socket in replay
    "service worker",  # replay refuses them: a worker would outlive its page
    "module script",  # pywb 2.10 wraps scripts in a block, where `import` is an error
    "module worker",
    "dynamic import",
    "srcdoc",  # pywb 2.10 leaves paths in srcdoc and track as they are
    "track",
}
"""Milestones that live mode sets and replay does not."""
LIVE = 41
"""Milestones that live mode sets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    folder: Path
    sites: tuple[Pages, Pages, Pages]
    ran: Ran
    sent: Counter[tuple[str, str, str]]
    asked: Counter[tuple[str, str]]
    in_flight: int
    records: list[Record]

    @property
    def start(self) -> str:
        return self.sites[0].url("/start")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as running:
        yield running


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saved]:
    """Three origins, one of them https; the sites stay up, so that whoever comes later is seen."""
    folder = tmp_path_factory.mktemp("everything")
    authority = make_authority(folder)
    tls = authority.server_context()
    with serving() as a, serving() as b, serving(host="localhost", tls=tls) as c:
        everything(a, b, c)
        env = {**home(folder / "home"), "SSL_CERT_FILE": str(authority.ca_file)}
        ran = saved(folder, "browser", a.url("/start"), a, b, c, env=env)
        asked = Counter((hit.method, hit.url) for site in (a, b, c) for hit in site.hits)
        yield Saved(
            folder=folder, sites=(a, b, c), ran=ran, sent=sent(a, b, c), asked=asked,
            in_flight=max(most_in_flight([hit for hit in site.hits if not hit.talked]) for site in (a, b, c)),
            records=records(collection(folder)),
        )  # fmt: skip


def test_all_that_the_sites_saw_is_kept_exactly(archived: Saved) -> None:
    told = archived.ran.objects[0]
    assert archived.ran.code == 0, archived.ran.err
    print(f"{len(archived.sent)} requests in {told['seconds']:.1f} s ({DELAY})")
    assert (told["lane"], told["completeness"]["verdict"]) == ("browser", "complete")
    assert len(archived.sent) >= 75 and any(len(one.block) > BIG for one in archived.records)
    assert kept(archived.records) == archived.sent


def test_nothing_is_asked_for_twice(archived: Saved) -> None:
    assert {what: times for what, times in archived.asked.items() if times > 1} == {}


def test_no_origin_has_more_than_four_in_flight(archived: Saved) -> None:
    assert 1 <= archived.in_flight <= 4


def test_what_never_ended_is_kept_as_far_as_it_came(archived: Saved) -> None:
    cut = {one.headers.target: one for one in archived.records if one.headers.get("WARC-Truncated")}
    site = archived.sites[0]
    assert site.url("/events") in cut and set(cut) <= {site.url("/events"), site.url("/socket")}
    assert cut[site.url("/events")].block.endswith(b"data: event 2\n\n")
    (socket,) = [
        one for one in archived.records if one.headers.type == "response" and one.headers.target == site.url("/socket")
    ]
    assert b"echo me" in socket.block, "both ways of the conversation are the server's: it repeats what it heard"


def test_the_collection_is_sound(archived: Saved) -> None:
    folder = collection(archived.folder)
    check_collection(folder)
    assert archiver("verify", str(folder), cwd=archived.folder).code == 0


def test_every_request_has_its_decision_in_the_ledger(archived: Saved) -> None:
    rows = [row for row in ledger_bodies(collection(archived.folder)) if row["event"] == "decision"]
    assert {url for _, url in archived.asked} <= {row["url"] for row in rows if row["verdict"] == "allow"}
    ahead = archived.sites[0].url("/prefetched.json")  # what the page asks for ahead of its need is not fetched
    assert {row["url"] for row in rows if row["verdict"] != "allow"} == {ahead}
    assert {row["lane"] for row in rows if row["url"].endswith((".png", ".json"))} <= {"browser", "http"}


def test_page_information_names_every_request(archived: Saved) -> None:
    info = made(archived.folder, "pageinfo")
    asked = {url for _, url in archived.asked if "/robots.txt" not in url and "/.well-known/" not in url}
    assert asked <= set(info["urls"])
    types = {url.partition("//")[2].partition("/")[2]: one["type"] for url, one in info["urls"].items()}
    assert (types["css/main.css"], types["js/module.js"], types["font/own.woff2"]) == ("stylesheet", "script", "font")
    assert (types["socket"], types["worker/shared.js"], types["media/tone.wav"]) == ("websocket", "script", "media")
    assert named(archived.records, "text").block.decode().count("Rendered by a script.") == 1


# --- replay -----------------------------------------------------------------------------------------------------------


def milestones(frame: Frame, wanted: set[str], number: int = 0) -> set[str]:
    """What the page has reached, once it has all that is wanted and so many in all, or a minute after."""
    frame.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    script = """([wanted, number]) => wanted.every(name => name in window.__done) &&
        Object.keys(window.__done).length >= number"""
    with suppress(TimeoutError):
        frame.wait_for_function(script, arg=[sorted(wanted), number], timeout=60_000)
    return set(frame.evaluate("Object.keys(window.__done)"))


@pytest.mark.replay
@pytest.mark.needs("pywb")
def test_replay_reaches_what_the_page_reached_live(browser: Browser, archived: Saved) -> None:
    """But for what is listed; and no request goes to the sites, which are up and would answer."""
    tab = browser.new_context(ignore_https_errors=True).new_page()
    tab.set_default_timeout(PATIENCE)
    tab.goto(archived.start)
    live = milestones(tab.main_frame, IMPOSSIBLE | {"20 MB", "lazy image"}, LIVE)
    tab.context.close()
    assert live > IMPOSSIBLE and len(live) >= LIVE
    for site in archived.sites:
        site.hits.clear()
    with shown(browser, archived.folder, archived.start) as (tab, frame):
        reached = milestones(frame, live - IMPOSSIBLE)
        tab.screenshot(path=archived.folder / "replay.png")
    assert live - reached <= IMPOSSIBLE
    assert [hit.url for site in archived.sites for hit in site.hits] == []
