"""The composed session: opened before anything is asked, closed whatever happens, gone on from where it stopped."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import sqlite3
import time
from pathlib import Path
from typing import Any

import pytest

from archiver.config import Config, for_save, from_environment, load
from archiver.errors import DiskError
from archiver.model import Actor, Page, Reason
from archiver.ports import VisitOutcome
from archiver.wiring.session import Session, session
from tests.servers.raw import RawServer
from tests.system.cli import archiver, check_collection, collection, ledger_bodies, records, running, warcs
from tests.system.site import asked, site

ACTOR = Actor(name="t", through="cli")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def config_of(server: RawServer, **given: Any) -> Config:
    own = {"allowAddresses": [f"127.0.0.1:{server.port}"], "delay": 0, "driver": "pump", "scopeType": "host"}
    return load(None, {"seeds": [server.url("/")], **own, **given}, dict(os.environ))


def opened(config: Config, *, saving: bool = False) -> Any:
    environ = dict(os.environ)
    return session(config, from_environment(environ), environ, ACTOR, saving=saving)


async def drive(work: Session) -> list[Page]:
    pages: list[Page] = []
    tally = await work.pump(patience=5.0).run(pages.append, concurrency=4)
    await work.run.finish(stopped=tally.stopped, counts=dict(tally.statuses))
    return pages


async def test_a_folder_that_cannot_be_is_known_before_anything_is_asked() -> None:
    Path("crawls").write_text("in the way")
    with site(3) as server:
        with pytest.raises(DiskError, match="crawls"):
            async with opened(config_of(server)):
                pytest.fail("the session opened")
        assert server.requests == []


async def test_a_fault_inside_comes_out_as_itself_and_leaves_what_was_captured() -> None:
    with site(10) as server:
        with pytest.raises(DiskError, match="mine"):
            async with opened(config_of(server)) as work:
                await work.pump(patience=5.0).run(lambda page: None, concurrency=2)
                raise DiskError("mine")
        before = asked(server.requests)
        async with opened(config_of(server)) as work:
            assert work.resumed
            await drive(work)
        assert asked(server.requests) == before, "everything was there already"
    folder = collection(Path.cwd())
    check_collection(folder)
    stored = {row["file"] for row in ledger_bodies(folder) if row["event"] == "stored"}
    assert {path.name for path in warcs(folder)} <= stored, "what the first run closed and did not store, the next does"


async def test_leases_are_renewed_while_a_visit_is_under_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archiver.engine.run.RENEW_SECONDS", 0.01)
    with site(2) as server:
        async with opened(config_of(server)) as work:
            claim = await (source := work.source(patience=None)).next()
            assert claim is not None
            [file] = work.places.state.glob("frontier-*.sqlite")
            state = sqlite3.connect(f"file:{file}?mode=ro", uri=True)
            lent = state.execute("SELECT lease_until FROM claims").fetchone()
            while state.execute("SELECT lease_until FROM claims").fetchone() <= lent:
                await asyncio.sleep(0.01)
            state.close()
            assert not (await work.frontier.complete(claim, VisitOutcome(state="done"), ())).lost
            source.done(claim, None)
            await drive(work)


async def test_an_interrupted_crawl_is_the_same_job_and_a_finished_one_is_not() -> None:
    with site(12) as server:
        async with opened(config_of(server)) as work:
            first = work.job
            work.stop.set()
            assert await drive(work) == []
        async with opened(config_of(server)) as work:
            assert (work.resumed, work.job) == (True, first)
            assert len(await drive(work)) > 10
        async with opened(config_of(server)) as work:
            assert (work.resumed, work.job != first) == (False, True)
            await work.run.finish(stopped=Reason.INTERRUPTED, counts={})


async def test_another_scope_is_another_job() -> None:
    with site(4) as server:
        async with opened(config_of(server)) as work:
            first = work.job
            work.stop.set()
            await drive(work)
        async with opened(config_of(server, scopeType="page")) as work:
            assert not work.resumed and work.job != first
            await drive(work)


async def test_save_keeps_its_rows_in_its_own_warc() -> None:
    with site(2) as server:
        given = {"allowAddresses": [f"127.0.0.1:{server.port}"], "delay": 0}
        config = for_save([server.url("/")], given, dict(os.environ))
        async with opened(config, saving=True) as work:
            await drive(work)
    (ledger,) = (one for one in records(collection(Path.cwd())) if (one.headers.target or "").startswith("urn:ledger:"))
    assert b'\\"event\\":\\"decision\\"' in ledger.block or b'"event":"decision"' in ledger.block
    (info,) = (one for one in records(collection(Path.cwd())) if one.headers.type == "warcinfo")
    fields = dict(line.split(": ", 1) for line in info.block.decode().splitlines() if ": " in line)
    assert fields["robots"] == "obey" and len(fields["configSha256"]) == 64 and len(fields["ledgerHead"]) == 64


@pytest.mark.system
def test_two_crawls_write_into_one_collection_at_once(tmp_path: Path) -> None:
    """Each has files of its own; what is there afterwards is the union."""
    with site(25, pause=0.01) as one, site(25, pause=0.01) as two:
        commands = [
            ["crawl", "--url", server.url("/"), "--scope-type", "host", "--driver", "pump", "--delay", "0",
             "--allow-address", f"127.0.0.1:{server.port}"]
            for server in (one, two)
        ]  # fmt: skip
        with running(*commands[0], cwd=tmp_path) as first, running(*commands[1], cwd=tmp_path) as second:
            for process in (first, second):
                _, err = process.communicate(timeout=60)
                assert process.returncode == 0, err
        wanted = {server.url(path) for server in (one, two) for path in asked(server.requests)}
    folder = collection(tmp_path)
    check_collection(folder)
    lines = [line for index in folder.rglob("*.gz.cdxj") for line in index.read_text().splitlines()]
    assert wanted <= {json.loads(line.split(" ", 2)[2])["url"] for line in lines}


@pytest.mark.system
def test_a_signal_ends_gracefully_and_the_same_command_goes_on(tmp_path: Path) -> None:
    told: list[bool] = []
    with site(40, pause=0.02, held=lambda: not told and len(server.requests) > 30) as server:
        command = ["crawl", "--url", server.url("/"), "--scope-type", "host", "--driver", "pump", "--delay", "0",
                   "--allow-address", f"127.0.0.1:{server.port}"]  # fmt: skip
        with running(*command, cwd=tmp_path) as process:
            while len(server.requests) < 20 and process.poll() is None:
                time.sleep(0.01)
            process.terminate()
            told.append(True)
            out, err = process.communicate(timeout=60)
        assert process.returncode == 11, err
        assert "goes on" in out
        before = asked(server.requests)
        assert archiver(*command, cwd=tmp_path).code == 0
        after = asked(server.requests)
    assert set(before) < set(after) and set(after.values()) == {1}, "nothing was asked for twice"
    check_collection(collection(tmp_path))


def test_asyncio_is_left_as_it_was() -> None:
    """`run_loop` brings its own loop and takes it away again."""
    from archiver.wiring.loop import run_loop

    async def nothing() -> int:
        assert gc.get_threshold() != before
        return 7

    before = gc.get_threshold()
    assert run_loop(nothing()) == 7
    assert gc.get_threshold() == before
    assert not gc.get_freeze_count()
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()
