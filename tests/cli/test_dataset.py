"""`archiver dataset`: who made it, what is left out, and that labels bind there and nowhere else."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest

from archiver.ledger.dataset import CODEBOOK
from tests.cli.conftest import Verb
from tests.servers.raw import RawServer, raw_server, respond

NASTY = "=cmd|' /C calc'!A0\x1b]0;x\x07\u202e\x9b31m".encode()
SITE = {
    "/": respond(b"<title>Plain</title>"),
    "/nasty": respond(b"<meta charset=utf-8><title>" + NASTY + b"</title>"),
    "/tdm": respond(b"<title>Reserved</title>", headers="tdm-reservation: 1\r\n"),
    "/ai": respond(b"<title>No training</title>", headers="Content-Usage: train-ai=n\r\n"),
    "/dark": respond(b"<title>Dark</title>", headers="X-Robots-Tag: noarchive\r\n"),
    "/old": respond(b"<title>Old</title>", headers="X-Robots-Tag: unavailable_after: 2020-01-01\r\n"),
    "/hide": respond(b"<title>Hide me</title>"),
    "/.well-known/tdmrep.json": respond(b'[{"location": "/late", "tdm-reservation": 1}]'),
    "/late": respond(b"<title>Late</title>"),
}
PAGES = ("/late", "/", "/nasty", "/tdm", "/ai", "/dark", "/old", "/hide")
LEFT = {"expired": 1, "hidden": 1, "noarchive": 1, "tdmReserved": 3}


@pytest.fixture
def kept(verb: Verb) -> RawServer:
    """A collection of one page of each sort, one of them hidden."""
    with raw_server(SITE) as server:
        allow = ["--allow-address", f"127.0.0.1:{server.port}", "--delay", "0"]
        assert verb("save", *map(server.url, PAGES), *allow).code == 0
        assert verb("hide", server.url("/hide"), "--because", "asked to").code == 0
    return server


def rows(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def dataset_rows() -> list[dict[str, Any]]:
    logs = Path("crawls/collections/main/logs").glob("ledger-*.jsonl")
    bodies = [json.loads(json.loads(line)["body"]) for path in sorted(logs) for line in path.read_text().splitlines()]
    return [body for body in bodies if body["event"] == "dataset"]


def test_what_is_reserved_hidden_dark_or_expired_is_left_out_and_counted(verb: Verb, kept: RawServer) -> None:
    said = verb("dataset")
    assert said.code == 0
    assert [row["url"] for row in rows(said.out)] == [kept.url("/"), kept.url("/nasty")]
    assert said.err == "2 captures; left out: 1 expired, 1 hidden, 1 noarchive, 3 tdmReserved\n"
    (row,) = dataset_rows()
    assert (row["rows"], row["left_out"], row["usage"], row["art3"]) == (2, LEFT, "exclude", False)
    assert row["reservations"] == {"ai-train": 1, "tdm": 2} and row["actor"]["through"] == "cli"
    assert row["sha256"] == hashlib.sha256(said.out.encode()).hexdigest()


def test_a_row_says_what_came_and_where_it_lies(verb: Verb, kept: RawServer) -> None:
    (row, _) = rows(verb("dataset").out)
    body = b"<title>Plain</title>"
    assert (row["http_status"], row["mime"], row["title"], row["access"]) == (200, "text/html", "Plain", "open")
    assert row["payload_digest"] == f"sha256:{hashlib.sha256(body).hexdigest()}"
    assert row["final_url"] == kept.url("/") and row["size"] > len(body)
    assert (Path("crawls/collections/main/archive") / row["file"]).exists()


def test_labels_bind_nowhere_else(verb: Verb, kept: RawServer) -> None:
    before = {path: path.read_bytes() for path in Path("crawls").rglob("*.warc.gz")}
    verb("dataset")
    assert {path: path.read_bytes() for path in Path("crawls").rglob("*.warc.gz")} == before
    listed = {row["url"]: row for row in rows(verb("list", "--format", "jsonl").out)}
    for path in ("/tdm", "/ai", "/late"):
        one = listed[kept.url(path)]
        assert (one["access"], one["status"], one["hidden"]) == ("open", "archived", False)
        assert "disallow" in {label["value"] for label in one["usage"].values()}
        why = verb("why", kept.url(path))
        assert why.code == 0 and "kept" in why.out
        assert "that binds data sets, and nothing else" in why.out
    index = "".join(path.read_text() for path in Path("crawls/collections/main/indexes").glob("*.cdxj"))
    assert all(kept.url(path) in index for path in ("/tdm", "/ai", "/late"))
    assert verb("verify", "crawls/collections/main").code == 0


LOOSE = "legalBasis: Article 3 of Directive (EU) 2019/790\noperator: Example University\n"


def test_under_article_3_what_is_reserved_goes_in_when_claimed(verb: Verb, kept: RawServer, tmp_path: Path) -> None:
    config = tmp_path / "research.yaml"
    config.write_text(f"policy: research\n{LOOSE}")
    assert len(rows(verb("dataset", "--config", str(config)).out)) == 2
    claimed = verb("dataset", "--config", str(config), "--art3")
    assert [row["title"] for row in rows(claimed.out) if row["labels"]["tdm"]] == ["Late", "Reserved"]
    assert len(rows(claimed.out)) == 5 and "taken in under `usage: art3`: 1 ai-train, 2 tdm" in claimed.err
    row = dataset_rows()[-1]
    assert (row["art3"], row["operator"], row["legal_basis"]) == (
        True, "Example University", "Article 3 of Directive (EU) 2019/790",
    )  # fmt: skip
    assert row["left_out"] == {name: number for name, number in LEFT.items() if name != "tdmReserved"}


def test_under_legal_deposit_all_goes_in_labelled(verb: Verb, kept: RawServer, tmp_path: Path) -> None:
    config = tmp_path / "deposit.yaml"
    config.write_text(f"policy: legal-deposit\n{LOOSE}")
    assert len(rows(verb("dataset", "--config", str(config)).out)) == 5


@pytest.mark.parametrize(
    ("arguments", "code", "word"),
    [
        (["--art3"], 2, "signals.usage: exclude"),
        (["--policy", "research"], 4, "legalBasis"),
        (["--format", "xml"], 2, "--format"),
        (["--since", "yesterday"], 2, "--since"),
        (["nothing"], 2, "no collection"),
        (["--to", "no/such/folder/x"], 3, "no/such/folder/x"),
        (["--config", "none.yaml"], 4, "none.yaml"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_no_row(
    verb: Verb, kept: RawServer, arguments: list[str], code: int, word: str
) -> None:
    said = verb("dataset", *arguments)
    assert (said.code, said.out) == (code, "") and word in said.err and said.err.count("\n") == 1
    assert dataset_rows() == []


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_file_is_whole_with_its_description_beside_it(verb: Verb, kept: RawServer, form: str) -> None:
    assert verb("dataset", "--to", f"out.{form}", "--format", form, "--url", kept.url("/")).code == 0
    text = Path(f"out.{form}").read_bytes()
    about = json.loads(Path(f"out.{form}.about.json").read_text())
    assert (about["rows"], about["left_out"], about["sha256"]) == (2, LEFT, hashlib.sha256(text).hexdigest())
    assert about["columns"] == CODEBOOK
    assert sorted(path.name for path in Path().glob("*out*")) == [f"out.{form}", f"out.{form}.about.json"]


@pytest.mark.parametrize("arguments", [["dataset"], ["list"]], ids=lambda arguments: arguments[0])
def test_what_a_site_wrote_runs_nothing_and_steers_no_terminal(
    verb: Verb, kept: RawServer, arguments: list[str]
) -> None:
    table = verb(*arguments, "--format", "csv").out
    cells = [cell for line in csv.reader(io.StringIO(table)) for cell in line]
    assert all(cell.isprintable() for cell in cells) and not any(cell.startswith("=") for cell in cells)
    assert any(cell.startswith("'=cmd") for cell in cells)
    lines = verb(*arguments, "--format", "jsonl").out
    assert all(line.isprintable() for line in lines.splitlines())
    assert any(row["title"].startswith("=cmd|' /C calc'!A0\x1b]0;x") for row in rows(lines))
