"""`archiver verify` finds every kind of damage, names file and offset, and goes on behind it."""

from __future__ import annotations

import gzip
import json
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
