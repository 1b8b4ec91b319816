"""Links in a frontier of which no row tells: a process died between the frontier's commit and the ledger's rows."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from archiver.clock import ManualClock
from archiver.frontier.memory import MemoryFrontier
from archiver.model import Candidate, LedgerEntry, Objection, Outlink, Reason, Verdict
from archiver.urls import canonical, origin_of
from archiver.wiring import untold_links as module
from archiver.wiring.untold_links import untold_links
from tests.system.cli import check_collection, collection, ledger_bodies
from tests.system.site import site
from tests.wiring.test_session import config_of, drive, opened
from tests.wiring.test_untold import job_of

OUT = Objection(verdict=Verdict.REFUSE, reason=Reason.OUT_OF_SCOPE, rule="not on the seed's host")


def link(url: str, objection: Objection | None = None) -> Outlink:
    candidate = Candidate(url=url, key=canonical(url), origin=origin_of(url), depth=1, via="https://a.test/", path="L")
    return Outlink(candidate=candidate, objection=objection)


def nothing_against(candidate: Candidate) -> None:
    return None


async def frontier_of(root: Path, *untold: Outlink) -> MemoryFrontier:
    """What the ledger of a collection tells of, and besides what it does not."""
    frontier = MemoryFrontier(ManualClock(), own=lambda origin: True)
    told = [str(row["url"]) for row in ledger_bodies(root) if row["event"] in ("seed", "discovered", "visit")]
    await frontier.add([*map(link, told), *untold])
    return frontier


def told_of(entry: LedgerEntry) -> tuple[str, str, str]:
    return entry.url, str(entry.data.get("verdict", "")), str(entry.data["reason"])


async def test_only_what_no_row_tells_of_is_told(root: Path) -> None:
    untold = [link("https://x.test/1", OUT), link("https://x.test/2"), link("https://x.test/3", OUT)]
    entries = await untold_links(await frontier_of(root, *untold), root / "logs", job_of(root), lambda candidate: OUT)
    assert [told_of(entry) for entry in entries] == [
        ("https://x.test/1", "refuse", "outOfScope"),
        ("https://x.test/2", "", "allowed"),
        ("https://x.test/3", "refuse", "outOfScope"),
    ]
    assert [entry.data.get("rule") for entry in entries] == [OUT.rule, None, OUT.rule]
    assert {entry.event for entry in entries} == {"discovered"}
    assert await untold_links(await frontier_of(root), root / "logs", job_of(root), nothing_against) == []


async def test_a_rule_that_is_not_found_again_leaves_its_reason(root: Path) -> None:
    other = replace(OUT, reason=Reason.NOFOLLOW)
    frontier = await frontier_of(root, link("https://x.test/1", other))
    for check in (nothing_against, lambda candidate: OUT):
        [entry] = await untold_links(frontier, root / "logs", job_of(root), check)
        assert told_of(entry) == ("https://x.test/1", "refuse", "nofollow")
        assert entry.data["rule"] not in ("", OUT.rule)


async def test_rows_of_another_job_tell_nothing(root: Path) -> None:
    frontier = await frontier_of(root)
    assert len(await untold_links(frontier, root / "logs", "0" * 32, nothing_against)) > 5


async def test_a_great_job_is_looked_at_no_further_back_than_it_need_be(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WINDOW", 3)
    monkeypatch.setattr(module, "_OLDEST", 2)
    monkeypatch.setattr(module, "_FURTHER", 0)
    new = [link("https://x.test/1", OUT), link("https://x.test/2", OUT)]
    frontier = await frontier_of(root, *new)
    entries = await untold_links(frontier, root / "logs", job_of(root), lambda candidate: OUT)
    assert [entry.url for entry in entries] == ["https://x.test/1", "https://x.test/2"]


async def test_the_run_that_goes_on_tells_of_them_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with site(8) as server:
        for untold in ([link("http://nowhere.test/", OUT), link(server.url("/new"))], [], []):
            async with opened(config_of(server)) as work:
                work.stop.set()
                await drive(work)
                await work.frontier.add(untold)
        async with opened(config_of(server)) as work:
            assert work.resumed
            await drive(work)
    folder = collection(tmp_path)
    told = [row for row in ledger_bodies(folder) if row["event"] == "discovered" and "nowhere" in str(row["url"])]
    assert [(row["verdict"], row["reason"]) for row in told] == [("refuse", "outOfScope")]
    assert len([row for row in ledger_bodies(folder) if row["event"] == "discovered" and "/new" in row["url"]]) == 1
    check_collection(folder)
