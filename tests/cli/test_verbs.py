"""What `list`, `why`, `doctor` and progress print, by form and exit code; the contact asked for once."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from archiver.cli.main import VERBS, main
from archiver.cli.schemas import RESULT_SCHEMA
from archiver.ledger.index import LedgerIndex
from tests.cli.conftest import Verb
from tests.servers.raw import RawServer, raw_server, respond
from tests.system.site import pages


@pytest.fixture
def archived(verb: Verb) -> Iterator[RawServer]:
    """A small site, crawled by the pump into `main`."""
    with raw_server(pages(12)) as server:
        allow = ["--allow-address", f"127.0.0.1:{server.port}", "--delay", "0"]
        said = verb("crawl", "--url", server.url("/"), "--scope-type", "host", "--driver", "pump", *allow, "--json")
        assert said.code == 0, said
        for line in said.out.splitlines():
            jsonschema.validate(json.loads(line), RESULT_SCHEMA)
        yield server


@pytest.mark.parametrize("name", VERBS)
def test_each_verb_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A percent sign in a help text is a fault that only `--help` meets."""
    assert main([name, "--help"]) == 0
    assert f"usage: archiver {name}" in capsys.readouterr().out


def test_list_in_all_its_formats(verb: Verb, archived: RawServer) -> None:
    rows = [json.loads(line) for line in verb("list", "--format", "jsonl").out.splitlines()]
    assert {archived.url("/"), archived.url("/p9")} <= {row["url"] for row in rows}
    table = verb("list").out
    assert table.count("\n") == len(rows) and archived.url("/p9") in table
    parsed = list(csv.DictReader(io.StringIO(verb("list", "--format", "csv").out)))
    assert [row["url"] for row in parsed] == [row["url"] for row in rows]
    one = verb("list", "--url", archived.url("/p1"), "--format", "jsonl").out.splitlines()
    assert 0 < len(one) < len(rows) and all(json.loads(line)["url"].startswith(archived.url("/p1")) for line in one)
    assert verb("list", "--since", "2999-01-01", "--format", "jsonl").out == ""
    assert verb("list", "nothing").code == 2


def test_why_knows_what_was_fetched_refused_and_never_seen(verb: Verb, archived: RawServer) -> None:
    fetched = verb("why", archived.url("/p3"))
    assert fetched.code == 0 and archived.url("/p3") in fetched.out
    refused = verb("why", archived.url("/p5"), "--json")
    answer = json.loads(refused.out)
    assert refused.code == 0 and answer["verdict"] == "refused"
    words = verb("why", archived.url("/p5")).out
    assert "robots.txt" in words and "Disallow: /p5$" in words and "line 2" in words.lower()
    assert verb("why", archived.url("/never")).code == 1


def ended(verb: Verb, root: Path) -> tuple[dict[str, int], dict[str, int], str | None]:
    """The frontier's own counts at the end, the index's of the same URLs, and why the crawl ended."""
    bodies = [
        json.loads(json.loads(line)["body"])
        for path in sorted((root / "logs").glob("ledger-*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    (end,) = (body for body in bodies if body["event"] == "end")
    # The index knows requisites, robots.txt and hops too; the frontier only what may be a page of its own.
    pages = {body["key"] for body in bodies if body["event"] in ("seed", "visit", "discovered", "pending")}
    with LedgerIndex(root / "state" / "ledger-index.sqlite", root / "logs") as index:
        counts = index.counts()
        assert counts.discovered == counts.fetched + counts.refused + counts.failed + counts.pending
        states = ("fetched", "refused", "failed", "pending")
        mine = {state: sum(key in pages for key, _ in index.urls(state)) for state in states}
    return end["frontier"], {"discovered": len(pages), **mine}, end["stopped"]


def test_the_index_counts_what_the_frontier_counted(verb: Verb, archived: RawServer) -> None:
    theirs, ours, stopped = ended(verb, Path("crawls/collections/main"))
    assert ours == theirs and ours["pending"] == 0 and ours["refused"] == 1 and stopped is None


def test_counts_of_a_crawl_that_a_limit_ended(verb: Verb) -> None:
    with raw_server(pages(30)) as server:
        allow = ["--allow-address", f"127.0.0.1:{server.port}", "--delay", "0", "--limit", "5"]
        command = ["crawl", "--url", server.url("/"), "--scope-type", "host", "--driver", "pump", *allow, "--json"]
        assert verb(*command).code == 0
    theirs, ours, stopped = ended(verb, Path("crawls/collections/main"))
    assert ours == theirs and ours["pending"] > 0 and stopped == "pageLimit"


def test_progress_is_json_lines_when_nobody_watches(verb: Verb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("archiver.cli.progress.EVERY", 0.0)
    with raw_server({"/": respond(b"<title>t</title>")}) as server:
        said = verb("save", server.url("/"), "--allow-address", f"127.0.0.1:{server.port}", "--delay", "0")
    lines = [json.loads(line) for line in said.err.splitlines() if line.startswith("{")]
    assert lines and set(lines[0]["progress"]) >= {"pages", "bytes", "queue", "pages_per_second", "refused"}


def test_doctor_without_its_optional_parts(verb: Verb, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("ARCHIVER_CHROMIUM", str(tmp_path / "none"))
    monkeypatch.setenv("ARCHIVER_PYWB", str(tmp_path / "none"))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "none"))
    said = verb("doctor", "--json")
    states = {one["name"]: one["state"] for one in json.loads(said.out)["findings"]}
    assert states["browser"] == "off" and states["archiver"] == "ok" and states["contact"] == "off"
    assert said.code == (1 if "bad" in states.values() else 0)
    assert said.err == ""


def test_doctor_tells_a_bad_store_before_any_crawl(verb: Verb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_ENDPOINT_URL", "http://s3.example.org/bucket")
    said = verb("doctor")
    assert said.code == 1 and "bad" in said.out and "https" in said.out


def test_a_browser_that_is_not_there_turns_off_its_lane_only(verb: Verb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ARCHIVER_CHROMIUM", "/nowhere/chromium")
    with raw_server({"/": respond(b"<title>t</title>")}) as server:
        said = verb("save", server.url("/"), "--allow-address", f"127.0.0.1:{server.port}", "--delay", "0")
    assert said.code == 0


def test_a_secret_stands_nowhere(verb: Verb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_ENDPOINT_URL", "https://127.0.0.1:9/bucket")
    monkeypatch.setenv("STORE_ACCESS_KEY", "AKhush")
    monkeypatch.setenv("STORE_SECRET_KEY", "hushhush")
    Path("crawl.yaml").write_text("seeds: [http://127.0.0.1:9/]\nstorage: {attempts: 1, patience: 0}\ndriver: pump\n")
    said = verb("crawl", "crawl.yaml", "--json")
    assert said.code in (22, 30), said
    assert b"hushhush" not in b"".join(path.read_bytes() for path in Path("crawls").rglob("*") if path.is_file())
    assert "hushhush" not in said.out + said.err


def test_the_index_can_be_thrown_away(verb: Verb, archived: RawServer) -> None:
    before = verb("list", "--format", "jsonl").out
    index = Path("crawls/collections/main/state/ledger-index.sqlite")
    index.write_bytes(b"not a database")
    assert verb("list", "--format", "jsonl").out == before
    with sqlite3.connect(index) as db:
        assert db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0] > 0


def test_the_contact_is_asked_once_on_a_terminal_and_kept(tmp_path: Path) -> None:
    """Outside loopback; the address is private, so nothing is dialled."""
    command = [sys.executable, "-m", "archiver", "save", "http://10.0.0.1/", "--json"]
    master, terminal = pty.openpty()
    with subprocess.Popen(command, cwd=tmp_path, stdin=terminal, stderr=terminal, stdout=subprocess.PIPE) as process:
        os.close(terminal)
        seen = b""
        while b"once" not in seen:
            seen += os.read(master, 1000)
        os.write(master, b"me@example.org\n")
        assert process.stdout is not None
        first = process.stdout.read()
        assert process.wait(30) == 30
    os.close(master)
    assert b'"privateAddress"' in first
    kept = Path(os.environ["HOME"], ".config/archiver/config.yaml")
    assert "me@example.org" in kept.read_text()
    again = subprocess.run(command, cwd=tmp_path, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    assert again.returncode == 30 and b"reach" not in again.stderr


def test_doctor_tells_how_old_the_consent_rules_are(
    verb: Verb, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    package = tmp_path / "rules"
    (package / "dist").mkdir(parents=True)
    (package / "rules").mkdir()
    (package / "dist" / "autoconsent.cjs.js").write_text("module.exports = {};")
    (package / "rules" / "rules.json").write_text('{"autoconsent": []}')
    (package / "package.json").write_text('{"version": "9.8.7"}')
    (package / "CHANGELOG.md").write_text("# v9.8.7 (Tue Aug 18 2020)\n")
    monkeypatch.setenv("ARCHIVER_CONSENT_RULES", str(package))
    monkeypatch.setenv("ARCHIVER_CHROMIUM", str(tmp_path / "none"))
    found = {one["name"]: one for one in json.loads(verb("doctor", "--json").out)["findings"]}
    assert found["consent"]["state"] == "off"
    assert "9.8.7" in found["consent"]["says"] and "renew them" in found["consent"]["says"]
    monkeypatch.setenv("ARCHIVER_CONSENT_RULES", str(tmp_path / "missing"))
    found = {one["name"]: one for one in json.loads(verb("doctor", "--json").out)["findings"]}
    assert "not installed" in found["consent"]["says"]
