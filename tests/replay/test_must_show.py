"""Pages of the ordinary web, saved with the default policy, shown by real pywb to the one who saved them."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from archiver.clock import ManualClock
from archiver.config import Places
from archiver.replay.serve import Wanted, serve
from tests.needs import need
from tests.replay.conftest import command
from tests.replay.samples import Answer, dial, replaying
from tests.servers.raw import RawServer, raw_server, respond
from tests.system.cli import archiver

pytestmark = [pytest.mark.system, pytest.mark.replay, pytest.mark.needs("pywb")]

RAILS = 'Cache-Control: max-age=0, private, must-revalidate\r\nETag: W/"1"\r\nVary: Accept\r\n'
NEXT = "Cache-Control: private, no-cache, no-store, max-age=0, must-revalidate\r\nx-powered-by: Next.js\r\n"
SOON = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=2)
UNTIL = f"X-Robots-Tag: unavailable_after: {SOON:%Y-%m-%dT%H:%M:%SZ}\r\n"
PAGES = {
    "/rails": respond(b"<title>Rails</title><p>rails page", headers=RAILS),
    "/next": respond(b"<title>Next</title><p>next page", headers=NEXT),
    "/noindex": respond(b"<title>No index</title><meta name=robots content=noindex><p>noindex page"),
    "/noarchive": respond(b"<title>No archive</title><meta name=robots content=noarchive><p>noarchive page"),
    "/plain": respond(b"<title>Plain</title><p>plain page"),
    "/expires": respond(b"<title>Expires</title><p>expires page", headers=UNTIL),
}
HOUR = 3600.0


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, RawServer]]:
    """(the folder that holds `collections/main`, the server it was saved from), by `archiver save` as users type it."""
    need("pywb")
    work = tmp_path_factory.mktemp("work")
    with raw_server(PAGES) as server:
        allow = ("--allow-address", f"127.0.0.1:{server.port}", "--delay", "0", "--json")
        ran = archiver("save", *(server.url(path) for path in PAGES), *allow, cwd=work)
        assert ran.code == 0, ran.err
        yield work / "crawls", server


def shown(port: int, url: str, how: str = "mp_") -> Answer:
    return dial(port, f"/main/{how}/{url}")


def searched(port: int, server: RawServer, query: str = "/*") -> set[str]:
    """The pages that the CDX API names."""
    body = dial(port, f"/main/cdx?url={server.url(query)}&output=json").body
    urls = {json.loads(line)["url"] for line in body.splitlines()}
    return {url.removeprefix(server.origin) for url in urls} & PAGES.keys()


@pytest.mark.parametrize("path", PAGES)
def test_the_owner_sees_what_was_saved(owners: int, saved: tuple[Path, RawServer], path: str) -> None:
    url = saved[1].url(path)
    answer = shown(owners, url)
    assert answer.status == 200 and f"<p>{path[1:]} page".encode() in answer.body
    assert shown(owners, url, "id_").body == PAGES[path].partition(b"\r\n\r\n")[2]
    assert b"Owner&#x27;s view" in dial(owners, f"/main/{datetime.now(UTC):%Y%m%d%H%M%S}/{url}").body


@pytest.fixture(scope="module")
def owners(saved: tuple[Path, RawServer], tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with replaying(command(saved[0]), tmp_path_factory.mktemp("log") / "owner.log") as (port, _):
        yield port


def test_the_owner_finds_everything(owners: int, saved: tuple[Path, RawServer]) -> None:
    assert searched(owners, saved[1]) == set(PAGES)


def test_the_public_sees_what_it_may_and_searches_what_is_listed(saved: tuple[Path, RawServer], tmp_path: Path) -> None:
    out, server = saved
    with replaying(command(out, "--public"), tmp_path / "log") as (port, _):
        statuses = {path: shown(port, server.url(path)).status for path in PAGES}
        assert statuses == dict.fromkeys(PAGES, 200) | {"/noarchive": 404}
        assert searched(port, server) == PAGES.keys() - {"/noarchive", "/noindex"}
        for how in ("cdx?url=", "c%64x?url=", "timemap/link/", "timemap/cdxj/", "%74imemap/json/"):
            said = dial(port, f"/main/{how}{server.url('/noindex')}").body
            assert b"noindex" not in said.replace(b"/timemap/link/" + server.url("/noindex").encode(), b""), how
        said = dial(port, f"/main/timemap/link/{server.url('/plain')}")
        assert said.status == 200 and b"memento" in said.body
        assert b"/main/" in said.body and b"_listed" not in said.body + repr(said.headers).encode()
        assert dial(port, f"/_listed-only/mp_/{server.url('/plain')}").status == 404
        assert b"noindex page" in shown(port, server.url("/noindex")).body
        assert b"Owner" not in dial(port, "/main/").body


@asynccontextmanager
async def in_process(out: Path, clock: ManualClock, *, public: bool) -> AsyncIterator[int]:
    """`archiver replay` with a clock of ours; yields its port."""
    os.environ["ARCHIVER_PYWB"] = str(need("pywb"))
    where = Places(out=out, name="main", hosts=out / "hosts.sqlite")
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    wanted = Wanted(places=where, port=0, public=public)
    task = asyncio.ensure_future(serve(wanted, clock, dict(os.environ), ready.set_result))
    try:
        await asyncio.wait({task, ready}, return_when=asyncio.FIRST_COMPLETED)
        yield int(ready.result().split(":")[2].split("/")[0])
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_what_expires_goes_while_replay_runs(saved: tuple[Path, RawServer]) -> None:
    out, server = saved
    url, rules = server.url("/expires"), out / "collections" / "main" / "acl" / "hidden.aclj"
    clock = ManualClock(datetime.now(UTC).timestamp())
    async with in_process(out, clock, public=True) as port:
        assert (await asyncio.to_thread(shown, port, url)).status == 200
        assert rules.read_text() == ""
        clock.advance(3 * HOUR)
        assert (await asyncio.to_thread(shown, port, url)).status == 404
        assert "/expires" not in await asyncio.to_thread(searched, port, server)
        assert (await asyncio.to_thread(shown, port, server.url("/plain"))).status == 200
        assert '"access": "exclude"' in rules.read_text() and "/expires###" in rules.read_text()
    async with in_process(out, clock, public=True) as port:
        assert (await asyncio.to_thread(shown, port, url)).status == 404, "at the next start as well"
    async with in_process(out, clock, public=False) as port:
        answer = await asyncio.to_thread(shown, port, url)
        assert answer.status == 200 and b"expires page" in answer.body, "the owner sees it all the same"


async def test_a_hiding_until_a_date_ends_while_replay_runs(saved: tuple[Path, RawServer]) -> None:
    out, server = saved
    until = datetime.now(UTC) + timedelta(hours=1)
    ran = archiver(
        "hide", server.url("/plain"), "--because", "embargo", "--until", f"{until:%Y-%m-%dT%H:%M:%S}", cwd=out.parent
    )
    assert ran.code == 0, ran.err
    clock = ManualClock(datetime.now(UTC).timestamp())
    async with in_process(out, clock, public=True) as port:
        assert (await asyncio.to_thread(shown, port, server.url("/plain"))).status == 404
        clock.advance(2 * HOUR)
        assert (await asyncio.to_thread(shown, port, server.url("/plain"))).status == 200
        assert "/plain" in await asyncio.to_thread(searched, port, server)
