"""`archiver verify` finds every kind of damage, names file and offset, and goes on behind it."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

from archiver.warc.reader import Record, iter_records
from tests.cli.conftest import Verb
from tests.servers.raw import raw_server, respond


@pytest.fixture
def warc(verb: Verb) -> Path:
    """A WARC of three pages with its index, as `save` leaves it."""
    pages = {f"/{name}": respond(f"<title>{name}</title>{name * 300}".encode()) for name in "abc"}
    with raw_server(pages) as server:
        allow = ["--allow-address", f"127.0.0.1:{server.port}", "--delay", "0"]
        assert verb("save", *(server.url(path) for path in pages), *allow).code == 0
    (path,) = Path("crawls/collections/main/archive").glob("*.warc.gz")
    return path


def response(path: Path, name: str) -> Record:
    """The answer to `/name`."""
    found = (record for record in iter_records(path) if record.headers.type == "response")
    return next(record for record in found if (record.headers.target or "").endswith(f"/{name}"))


def found(verb: Verb, path: Path) -> tuple[int, dict[str, object]]:
    said = verb("verify", str(path), "--json")
    (line,) = said.out.splitlines()
    return said.code, json.loads(line)


def members(path: Path) -> list[int]:
    return [record.headers.offset for record in iter_records(path)]


def test_what_save_leaves_holds(verb: Verb, warc: Path) -> None:
    said = verb("verify", "crawls")
    assert said.code == 0 and "all hold" in said.out
    assert warc.name in said.out and "ledger-" in said.out


@pytest.mark.parametrize("where", ["header", "body", "trailer", "flipped", "magic", "digest", "zeros"])
def test_damage(verb: Verb, warc: Path, where: str) -> None:
    data = bytearray(warc.read_bytes())
    offsets = [*members(warc), len(data)]
    count = len(offsets) - 1
    victim = response(warc, "b")
    offset = victim.headers.offset
    following = offsets[offsets.index(offset) + 1]
    checked = count - 1  # all but the damaged one
    if where in ("header", "body", "trailer"):
        size = following - offset
        cut = {"header": 10, "body": size // 2, "trailer": size - 4}[where]
        del data[offset + cut : following]
    elif where == "flipped":
        data[(offset + following) // 2] ^= 0x10
    elif where == "magic":
        data[offset] = 0
    elif where == "zeros":
        data[offset:following] = bytes(following - offset)
    else:
        text = gzip.decompress(data[offset:following]).replace(b"b" * 300, b"b" * 299 + b"c")
        data[offset:following] = gzip.compress(text)
        checked = count
    warc.write_bytes(data)
    code, report = found(verb, warc)
    assert code == 1
    problems = "\n".join(report["problems"])  # type: ignore[arg-type]
    assert f"{warc.name} at {offset}" in problems, problems
    assert report["checked"] == f"{checked} records", problems
    assert f"{warc.name} at {offsets[0]}:" not in problems, "the records before it hold"


def test_damage_in_two_places_is_found_in_both(verb: Verb, warc: Path) -> None:
    data = bytearray(warc.read_bytes())
    first, last = response(warc, "a").headers.offset, response(warc, "c").headers.offset
    for offset in (first, last):
        data[offset + 60] ^= 0xFF
    warc.write_bytes(data)
    _, report = found(verb, warc)
    problems = "\n".join(report["problems"])  # type: ignore[arg-type]
    assert f"at {first}:" in problems and f"at {last}:" in problems


def test_a_cut_end_is_found(verb: Verb, warc: Path) -> None:
    warc.write_bytes(warc.read_bytes()[:-3])
    assert found(verb, warc)[0] == 1


def test_an_index_that_says_something_else(verb: Verb, warc: Path) -> None:
    index = Path("crawls/collections/main/indexes", f"{warc.name}.cdxj")
    index.write_text(index.read_text().replace('"status":"200"', '"status":"404"', 1))
    code, report = found(verb, warc)
    assert code == 1 and report["problems"]


@pytest.mark.parametrize("change", ["body", "dropped", "swapped"])
def test_a_ledger_that_was_changed(verb: Verb, warc: Path, change: str) -> None:
    (path,) = Path("crawls/collections/main/logs").glob("ledger-*.jsonl")
    lines = path.read_bytes().splitlines(keepends=True)
    if change == "body":
        lines[3] = lines[3].replace(b"allow", b"alloW") if b"allow" in lines[3] else lines[3].replace(b"main", b"maim")
    elif change == "dropped":
        del lines[2]
    else:
        lines[2], lines[3] = lines[3], lines[2]
    path.write_bytes(b"".join(lines))
    code, report = found(verb, path)
    assert code == 1 and report["problems"]


def test_a_collection_by_its_name_and_what_is_said_of_it(verb: Verb, warc: Path) -> None:
    said = verb("verify", "main", "--json")
    *files, last = map(json.loads, said.out.splitlines())
    assert said.code == 0 and verb("verify").code == 0
    assert {"file", "checked", "problems", "notes"} == files[0].keys() and not any(one["problems"] for one in files)
    assert last["collection"] == "main" and last["log"] == "written"
    assert last["summary"]["files"] == len(files) and last["summary"]["damaged"] == 0


def test_the_log_says_when_each_file_was_read(verb: Verb, warc: Path) -> None:
    """A row for every check; its own segments are checked by the next one, and hold."""
    before = [json.loads(line) for line in verb("verify", "--log", "--json").out.splitlines()]
    assert before and all(one["local"] is None and one["remote"] is None for one in before)
    for _ in range(2):
        assert verb("verify").code == 0
    name = f"archive/{warc.name}"
    warc.write_bytes(warc.read_bytes()[:-3])
    assert verb("verify").code == 1
    log = {one["file"]: one for one in map(json.loads, verb("verify", "--log", "--json").out.splitlines())}
    assert log[name]["local"]["state"] == "damaged" and log[name]["remote"] is None
    assert log[f"indexes/{warc.name}.cdxj"]["local"]["state"] == "holds"
    warc.unlink()
    assert verb("verify").code == 1
    said = verb("verify", "--log").out
    assert "4 checks of main" in said
    assert next(line for line in said.splitlines() if line.endswith(name)).split()[1:3] == ["missing", "never"]


def test_a_check_may_leave_no_trace(verb: Verb, warc: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in Path("crawls").rglob("*")}
    assert verb("verify", "--no-log").code == 0
    assert {path: path.stat().st_mtime_ns for path in Path("crawls").rglob("*")} == before
    assert not list(Path(os.environ["HOME"]).rglob("verify/*")), "a check that ended leaves no state"


def test_a_log_that_cannot_be_written_is_told(verb: Verb, warc: Path) -> None:
    """As on read-only media, which a superuser's test cannot have: the folder's names are used up instead."""
    logs = Path("crawls/collections/main/logs")
    moved = logs.rename(logs.with_name("elsewhere"))
    Path("crawls/collections/main/logs").symlink_to("/proc/self/fdinfo")
    said = verb("verify")
    assert said.code in (0, 1) and "the fixity log of main is not written: cannot write the ledger" in said.err
    assert moved.is_dir()


def test_single_files_of_a_collection_leave_no_row(verb: Verb, warc: Path) -> None:
    logs = Path("crawls/collections/main/logs")
    before = sorted(logs.iterdir())
    assert verb("verify", str(warc)).code == 0 and verb("verify", str(warc.parent)).code == 0
    assert sorted(logs.iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--sample", "5%"], "--sample goes with --remote"),
        (["--remote", "--log"], "give one of them"),
        (["--remote", "a", "b"], "one collection at a time"),
        (["--remote", "--sample", "0"], "--sample: '0' is no percentage"),
        (["--remote", "--sample", "nan"], "--sample: 'nan' is no percentage"),
        (["--remote", "--sample", "101%"], "--sample: '101%' is no percentage"),
        (["--remote"], "no bucket is configured"),
        (["--log"], "nothing was archived"),
        ([], "nothing was archived"),
        (["none"], "none: no such file, folder or collection"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_arguments(verb: Verb, arguments: list[str], words: str) -> None:
    said = verb("verify", *arguments)
    assert said.code == 2 and words in said.err and len(said.err.splitlines()) == 1


def test_an_imported_file_names_a_head_of_another_ledger(verb: Verb, warc: Path) -> None:
    assert verb("import", str(warc), "--collection", "other", "--note", "n").code == 0
    said = verb("verify", "other")
    assert said.code == 0, said.out


def test_a_wacz_by_itself(verb: Verb, warc: Path) -> None:
    assert verb("wacz", "--to", "made.wacz").code == 0
    said = verb("verify", "made.wacz")
    assert said.code == 0 and f"made.wacz!archive/{warc.name}" in said.out, said.out
    with Path("made.wacz").open("ab") as file:
        file.write(b"x")
    said = verb("verify", "made.wacz")
    assert said.code == 1 and "made.wacz: 1 bytes before its first file or behind its end" in said.out
