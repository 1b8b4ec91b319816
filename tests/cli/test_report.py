"""`archiver report`: files that agree with each other and with the ledger, whichever job is meant."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lxml import html

from archiver.clock import ManualClock
from archiver.ledger.index import LedgerIndex
from archiver.ledger.segments import JsonlLedger
from archiver.model import Actor, LedgerEntry
from tests.cli.conftest import Verb
from tests.servers.raw import RawServer, raw_server
from tests.system.cli import collection, ledger_bodies
from tests.system.site import answer, pages

BUSY = answer(b"later", status="503 Service Unavailable", headers="Retry-After: 60\r\n")


@pytest.fixture
def server() -> Iterator[RawServer]:
    """A small site whose robots.txt forbids /p5, and a page that is busy."""
    with raw_server({**pages(12), "/busy": BUSY}) as running:
        yield running


def allow(server: RawServer) -> tuple[str, ...]:
    return ("--allow-address", f"127.0.0.1:{server.port}", "--delay", "0")


@pytest.fixture
def folder(verb: Verb, server: RawServer, tmp_path: Path) -> Path:
    """The site's collection after a crawl."""
    said = verb("crawl", "--url", server.url("/"), "--scope-type", "host", "--driver", "pump", *allow(server))
    assert said.code == 0, said
    return collection(tmp_path / "work")


def data_of(folder: Path, job: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"reports/report-{job[:8]}.json").read_text("utf-8"))
    return found


def jobs(folder: Path) -> list[str]:
    return list(dict.fromkeys(body["job"] for body in ledger_bodies(folder)))


def test_all_files_tell_the_same(verb: Verb, server: RawServer, folder: Path) -> None:
    said = verb("report")
    assert (said.code, said.err) == (0, "")
    (job,) = jobs(folder)
    reports = folder / "reports"
    assert {path.name for path in reports.iterdir()} == {
        f"report-{job[:8]}.html", f"report-{job[:8]}.json", f"urls-{job[:8]}.csv", "urls-codebook.csv",
        f"crawl-{job[:8]}.log",
    }  # fmt: skip
    data = data_of(folder, job)
    counts = data["counts"]
    assert counts["discovered"] == sum(counts[name] for name in ("fetched", "refused", "failed", "pending")) > 0
    with LedgerIndex(folder / "state/ledger-index.sqlite", folder / "logs") as index:
        found = index.counts(job=job)
    assert counts == {name: getattr(found, name) for name in counts}
    with (reports / f"urls-{job[:8]}.csv").open(encoding="utf-8", newline="") as file:
        lines = list(csv.DictReader(file))
    for state in ("fetched", "refused", "failed", "pending"):
        assert [line["state"] for line in lines].count(state) == counts[state]
    bodies = ledger_bodies(folder)
    assert {line["url"] for line in lines} == {body.get("key", body["url"]) for body in bodies if "url" in body}
    log = (reports / f"crawl-{job[:8]}.log").read_text("utf-8").splitlines()
    assert all(len(line.split()) == 12 for line in log)
    assert any(line.split()[1] == "-9998" and line.split()[3] == server.url("/p5") for line in log)
    assert sum(int(line.split()[1]) > 0 for line in log) == sum(body["event"] == "outcome" for body in bodies)


def test_the_page_and_the_terminal_answer_alike(verb: Verb, folder: Path) -> None:
    said = verb("report").out
    (job,) = jobs(folder)
    data = data_of(folder, job)
    root = html.document_fromstring((folder / f"reports/report-{job[:8]}.html").read_bytes())
    for one in data["answers"]:
        assert one["question"] in said
        assert all(f"  {sentence}\n" in said for sentence in one["answer"])
        paragraph = root.xpath("string(//h3[. = $question]/following-sibling::p[1])", question=one["question"])
        assert paragraph == " ".join(one["answer"])
    assert data["files"] == data["stored"] != []
    assert data["ledger"] == []


def test_what_strains_a_server_is_told(verb: Verb, server: RawServer, folder: Path) -> None:
    verb("save", server.url("/busy"), *allow(server))
    verb("report")
    first, second = jobs(folder)
    host = data_of(folder, second)["hosts"][f"http://127.0.0.1:{server.port}"]
    assert host["status_503"] == server.paths().count("/busy") > 0
    assert host["status_429"] == 0
    assert not (folder / f"reports/report-{first[:8]}.json").exists(), "only the newest job was asked for"


def test_a_job_is_named_by_its_beginning(verb: Verb, server: RawServer, folder: Path) -> None:
    verb("save", server.url("/p1"), *allow(server))
    first, second = jobs(folder)
    verb("report", "--job", first[:12])
    assert data_of(folder, first)["job"] == first
    assert not (folder / f"reports/report-{second[:8]}.json").exists()
    wrong = verb("report", "--job", "nothing")
    assert wrong.code == 2 and first[:8] in wrong.err and second[:8] in wrong.err
    assert verb("report", "--job", "").code == 2, "an empty beginning fits both"


def test_a_damaged_ledger_is_told(verb: Verb, folder: Path) -> None:
    (segment,) = (folder / "logs").glob("ledger-*.jsonl")
    segment.write_bytes(segment.read_bytes().replace(b"p3", b"q3", 1))
    said = verb("report")
    assert said.code == 1
    assert "The ledger does not hold: " in said.out


def test_a_count_that_does_not_hold_is_told(verb: Verb, folder: Path) -> None:
    (job,) = jobs(folder)
    ledger = JsonlLedger(folder / "logs", ManualClock(), job=job, actor=Actor(name="Mallory"))
    gap = {"url": "http://a.example/<b>never", "type": "image", "reason": "failed", "rule": ""}
    ledger.append(LedgerEntry(event="visit", url="http://a.example/", data={"capture_id": "c", "matter": [gap]}))
    ledger.close()
    said = verb("report")
    assert said.code == 1
    assert said.err.count("The count does not hold: ") == 2, said.err
    assert "never is named by the visit of http://a.example/ and has no row of its own" in said.err
    assert "rows about URLs that belong to no URL counted: 1" in said.err
    page = (folder / f"reports/report-{job[:8]}.html").read_text("utf-8")
    assert "THE COUNT DOES NOT HOLD" in page and "is not shown to be" in page and "<b>never" not in page
    assert data_of(folder, job)["faults"]


def test_a_link_in_the_place_of_a_report_is_replaced_not_followed(verb: Verb, folder: Path, tmp_path: Path) -> None:
    (job,) = jobs(folder)
    precious = tmp_path / "precious"
    precious.write_text("mine")
    (folder / f"reports/report-{job[:8]}.json").symlink_to(precious)
    assert verb("report").code == 0
    assert precious.read_text() == "mine"
    assert data_of(folder, job)["job"] == job


def test_where_nothing_can_be_written_it_says_so(verb: Verb, folder: Path) -> None:
    (folder / "reports").rmdir()
    (folder / "reports").write_text("a file")
    said = verb("report")
    assert said.code == 3 and "reports" in said.err


def test_no_rows_no_report(verb: Verb, tmp_path: Path) -> None:
    (collection(tmp_path / "work", "empty") / "logs").mkdir(parents=True)
    assert verb("report", "empty").code == 2
    assert verb("report", "never").code == 2
