"""`archiver import`: bytes unchanged, strict, restricted by default, told as theirs, never counted as ours."""

from __future__ import annotations

import gzip
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest

from archiver.clock import SYSTEM
from archiver.config import Places
from archiver.errors import DiskError
from archiver.ledger.imports import imported
from archiver.model import Access, Actor
from archiver.wiring.imported import Asked, Importer
from archiver.wiring.imported_files import plain_name
from tests.cli.conftest import Said, Verb
from tests.servers.raw import raw_server, respond
from tests.warc.foreign import SITE, a_wacz, answer, document, revisit, wacz, warcio_warc

HERE = Path("crawls/collections/main")
NOTE = ("--note", "from the estate")


def told(said: Said) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.out.splitlines()]


def rows(event: str) -> list[dict[str, Any]]:
    lines = [line for path in sorted((HERE / "logs").glob("ledger-*")) for line in path.read_text().splitlines()]
    return [body for line in lines if (body := json.loads(json.loads(line)["body"]))["event"] == event]


def seen() -> list[str]:
    """Everything under the classes' folders, their indexes and the quarantine."""
    names = ("archive", "indexes", "restricted", "dark", "quarantine")
    paths = [path for name in names for path in (HERE / name).rglob("*") if "merged" not in path.parts]
    return sorted(str(path.relative_to(HERE)) for path in paths if path.is_file() and "manifest" not in path.name)


def test_a_warc_is_taken_in_unchanged_and_told_as_theirs(verb: Verb, tmp_path: Path) -> None:
    path = warcio_warc(tmp_path / "old.warc.gz", document("resource", f"{SITE}/i", b"PNG", "image/png"))
    said = verb("import", str(path), *NOTE, "--origin", "A. Example", "--json")
    (one,) = told(said)
    assert said.code == 0 and (one["outcome"], one["file"], one["access"]) == ("imported", "old.warc.gz", "restricted")
    copy = HERE / "restricted/old.warc.gz"
    assert copy.read_bytes() == path.read_bytes() and stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert seen() == ["restricted/indexes/old.warc.gz.cdxj", "restricted/old.warc.gz"]

    (row,) = rows("imported")
    assert (row["policy"], row["note"], row["origin"], row["records"]) == ("unknown", NOTE[1], "A. Example", 8)
    assert row["claims"]["robots"] == "ignore" and row["sha256"] == one["sha256"] and "url" not in row
    assert {Path(row["uri"]).name for row in rows("stored")} == {"old.warc.gz", "old.warc.gz.cdxj"}

    listed = verb("list", "--format", "jsonl")
    captures = [json.loads(line) for line in listed.out.splitlines()]
    assert [one["url"] for one in captures] == [f"{SITE}/{number}" for number in range(3)]
    assert {(one["status"], one["access"], one["job"]) for one in captures} == {("imported", "restricted", "")}
    assert "1 imported captures are no documents" in listed.err
    assert len(verb("list", "--all").out.splitlines()) == 4

    why = verb("why", f"{SITE}/1")
    assert why.code == 0
    assert all(word in why.out for word in ("imported", "policy is unknown", NOTE[1], "A. Example", "robots ignore"))
    assert verb("why", f"{SITE}/9").code == 1
    assert verb("verify", str(HERE)).code == 0


def test_the_same_bytes_again_are_a_no_op_that_says_so(verb: Verb, tmp_path: Path) -> None:
    path = warcio_warc(tmp_path / "a.warc.gz")
    verb("import", str(path), *NOTE)
    before, logs = seen(), sorted((HERE / "logs").iterdir())
    (tmp_path / "renamed.warc.gz").write_bytes(path.read_bytes())
    said = verb("import", str(tmp_path / "renamed.warc.gz"), *NOTE, "--access", "open")
    assert said.code == 0 and "the same bytes are here as restricted/a.warc.gz" in said.out and "stays so" in said.out
    assert seen() == before and sorted((HERE / "logs").iterdir()) == logs


def test_a_collections_own_files_are_known(verb: Verb) -> None:
    with raw_server({"/a": respond(b"<p>ours</p>")}) as server:
        verb("save", server.url("/a"), "--allow-address", f"127.0.0.1:{server.port}", "--delay", "0")
    before = seen()
    (one,) = told(verb("import", str(HERE / "archive"), *NOTE, "--json"))
    assert (one["outcome"], one["access"], seen()) == ("known", "open", before) and rows("imported") == []


def test_a_name_that_is_taken_gets_a_digest(verb: Verb, tmp_path: Path) -> None:
    for number in range(2):
        (tmp_path / str(number)).mkdir()
        warcio_warc(tmp_path / str(number) / "a.warc.gz", pages=number + 1)
    (first,) = told(verb("import", str(tmp_path / "0"), *NOTE, "--json"))
    (second,) = told(verb("import", str(tmp_path / "1"), *NOTE, "--access", "dark", "--json"))
    assert first["file"] == "a.warc.gz"
    assert second["file"] == f"a-{second['sha256'][:12]}.warc.gz" and (HERE / "dark" / second["file"]).is_file()


def test_bad_files_are_quarantined_with_offsets_and_the_rest_goes_on(verb: Verb, tmp_path: Path) -> None:
    theirs = tmp_path / "theirs"
    theirs.mkdir()
    whole = warcio_warc(tmp_path / "whole.warc.gz", pages=5).read_bytes()
    (theirs / "cut.warc.gz").write_bytes(whole[:-40])
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 0x40
    (theirs / "flipped.warc.gz").write_bytes(flipped)
    (theirs / "good.warc.gz").write_bytes(whole)
    plain = warcio_warc(tmp_path / "p.warc", gzip=False).read_bytes()
    (theirs / "solid.warc.gz").write_bytes(gzip.compress(plain))
    (theirs / "page.warc").write_bytes(b"<html>404")
    (theirs / "z.warc.zst").write_bytes(b"\x28\xb5\x2f\xfd....")
    (theirs / "notes.txt").write_text("not looked at")
    said = verb("import", str(theirs), *NOTE, "--json")
    found = {Path(one["source"]).name: one for one in told(said)}
    assert said.code == 1
    assert {name for name, one in found.items() if one["outcome"] == "imported"} == {"good.warc.gz"}
    assert "truncated" in found["cut.warc.gz"]["problems"][0] or "lengthMismatch" in found["cut.warc.gz"]["problems"][0]
    assert "warcio recompress" in found["solid.warc.gz"]["problems"][0]
    assert "HTML" in found["page.warc"]["problems"][0] and "zstd" in found["z.warc.zst"]["problems"][0]
    for one in found.values():
        if one["outcome"] == "quarantined":
            assert all(problem.startswith("at ") for problem in one["problems"])
            report = json.loads((HERE / "quarantine" / f"{one['file']}.json").read_text())
            assert report["sha256"] == one["sha256"] and report["problems"]
            kept = (HERE / "quarantine" / one["file"]).read_bytes()
            assert kept == Path(one["source"]).read_bytes() == (theirs / Path(one["source"]).name).read_bytes()
    assert len(rows("quarantined")) == 5 and len(rows("imported")) == 1
    assert verb("verify", str(HERE)).code == 0
    before = seen()
    assert verb("import", str(theirs), *NOTE).code == 1
    assert seen() == before and len(rows("quarantined")) == 5


def test_a_wacz_brings_its_warcs_and_its_pages(verb: Verb, tmp_path: Path) -> None:
    path = a_wacz(tmp_path)
    (one,) = told(verb("import", str(path), *NOTE, "--json"))
    assert (one["outcome"], one["file"], one["pages"]) == ("imported", "data.warc.gz", 1)
    assert one["source"].endswith("theirs.wacz!archive/data.warc.gz")
    assert (HERE / "restricted/data.warc.gz").read_bytes() == (tmp_path / "in.warc.gz").read_bytes()
    assert "evil" not in (HERE / "restricted/indexes/data.warc.gz.cdxj").read_text()
    (row,) = rows("imported")
    assert row["container"]["name"] == "theirs.wacz" and row["container"]["title"] == "Theirs"
    listed = [json.loads(line) for line in verb("list", "--format", "jsonl").out.splitlines()]
    assert [one["title"] for one in listed] == ["A title of theirs", "", ""]
    (pages,) = (HERE / "restricted/pages").iterdir()
    assert json.loads(pages.read_text().splitlines()[1])["origin"] == "imported"
    assert not list((HERE / "pages").iterdir())  # nobody is told of a page that he may not see
    assert told(verb("import", str(path), *NOTE, "--json"))[0]["outcome"] == "known"


def test_a_bad_wacz_is_refused_as_a_whole(verb: Verb, tmp_path: Path) -> None:
    good = warcio_warc(tmp_path / "in.warc.gz").read_bytes()
    files = {"archive/a.warc.gz": good, "archive/b.warc.gz": b"x"}
    path = wacz(
        tmp_path / "x.wacz", files, {"resources": [{"path": "archive/a.warc.gz", "hash": "sha256:0", "bytes": 1}]}
    )
    (one,) = told(verb("import", str(path), *NOTE, "--json"))
    assert one["outcome"] == "quarantined" and (HERE / "quarantine" / one["file"]).read_bytes() == path.read_bytes()
    assert rows("imported") == [] and not (HERE / "restricted/indexes/a.warc.gz.cdxj").exists()


def test_open_is_shown_to_everybody_by_a_word_of_ones_own(verb: Verb, tmp_path: Path) -> None:
    said = verb("import", str(warcio_warc(tmp_path / "a.warc", gzip=False)), *NOTE, "--access", "open")
    assert said.code == 0 and "everybody may see it" in said.out
    assert (HERE / "archive/a.warc").is_file() and (HERE / "indexes/a.warc.cdxj").is_file()
    assert verb("verify", str(HERE)).code == 0


def test_no_figure_counts_them(verb: Verb, tmp_path: Path) -> None:
    with raw_server({"/a": respond(b"<p>ours</p>")}) as server:
        allow = ["--allow-address", f"127.0.0.1:{server.port}", "--delay", "0"]
        assert verb("save", server.url("/a"), *allow).code == 0
        before = [line for line in verb("report").out.splitlines() if "URLs discovered" in line]
        theirs = warcio_warc(
            tmp_path / "t.warc.gz", answer(server.url("/a"), b"theirs"), answer(server.url("/b"), b"b")
        )
        assert verb("import", str(theirs), *NOTE).code == 0
        said = verb("report")
        assert said.code == 0 and [line for line in said.out.splitlines() if "URLs discovered" in line] == before != []
        assert "1 file imported from others: their policy is unknown" in said.out
        table = tmp_path / "table.csv"
        verb("dataset", "--to", str(table), "--format", "csv")
        assert "site.test" not in table.read_text() and server.url("/b") not in table.read_text()
        both = verb("why", server.url("/a")).out
        assert both.splitlines()[1].startswith("kept") and "Somebody else captured it" in both
        # the next run takes what is ours only
        assert verb("save", server.url("/a"), *allow).code == 0


def test_hiding_binds_imported_captures(verb: Verb, tmp_path: Path) -> None:
    verb("import", str(warcio_warc(tmp_path / "a.warc.gz")), *NOTE)
    assert verb("hide", f"{SITE}/1", "--because", "asked to").code == 0
    assert f"{SITE}/1" not in verb("list").out and "(hidden)" in verb("list", "--hidden").out
    assert verb("why", f"{SITE}/1").out.splitlines()[1].startswith("hidden")


def test_a_revisit_without_its_original_is_noted(verb: Verb, tmp_path: Path) -> None:
    (one,) = told(verb("import", str(warcio_warc(tmp_path / "a.warc.gz", revisit(f"{SITE}/r"))), *NOTE, "--json"))
    assert one["outcome"] == "imported" and "1 revisits refer" in one["notes"][-1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere.warc.gz", *NOTE], "no such file"),
        (["empty", *NOTE], "nothing to import"),
        (["pipe.warc", *NOTE], "neither a file"),
        (["empty", "--note", " "], "--note"),
        (["empty"], "--note"),
        (["empty", *NOTE, "--access", "public"], "--access: 'public' is none of open, restricted, dark"),
        (["empty", *NOTE, "--collection", "../x"], "collection"),
    ],
    ids=["missing", "empty-folder", "fifo", "blank-note", "no-note", "access", "collection"],
)
def test_bad_input_is_one_line(verb: Verb, arguments: list[str], says: str) -> None:
    Path("empty").mkdir()
    os.mkfifo("pipe.warc")
    said = verb("import", *arguments)
    assert said.code == 2 and says in said.err and said.err.count("\n") == 1
    assert not Path("crawls").exists() or not list(Path("crawls").rglob("*.cdxj"))


def test_what_hides_in_a_folder_is_not_followed(verb: Verb, tmp_path: Path) -> None:
    folder = tmp_path / "theirs"
    folder.mkdir()
    (folder / "link.warc.gz").symlink_to(warcio_warc(tmp_path / "a.warc.gz"))
    os.mkfifo(folder / "pipe.warc.gz")
    assert "nothing to import" in verb("import", str(folder), *NOTE).err


@pytest.mark.parametrize(
    ("name", "gzip", "expected"),
    [
        ("a.warc.gz", True, "a.warc.gz"),
        ("a.warc", True, "a.warc.gz"),
        ("a.warc.gz", False, "a.warc"),
        ("a b/../c\n.warc.gz", True, "a-b-..-c.warc.gz"),
        ("..warc.gz", True, "imported.warc.gz"),
        ("-rf.warc", False, "rf.warc"),
        ("\u202egpj.warc.gz", True, "gpj.warc.gz"),
        ("x" * 400 + ".warc.gz", True, "x" * 150 + ".warc.gz"),
    ],
    ids=["plain", "packed", "unpacked", "path", "dots", "option", "bidi", "long"],
)
def test_names_are_safe(name: str, gzip: bool, expected: str) -> None:
    assert plain_name(name, gzip=gzip) == expected


def places(tmp_path: Path) -> Places:
    return Places(out=tmp_path / "crawls", name="main", hosts=tmp_path / "hosts.sqlite").create()


@pytest.mark.parametrize("stop", ["replace", "index"])
def test_an_import_that_is_killed_shows_nothing_and_is_finished_by_the_same_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stop: str
) -> None:
    """Killed behind the ledger's row, before the WARC has its name; and between the WARC and its index."""
    where, asked = places(tmp_path), Asked(note="n")
    path, real, calls = warcio_warc(tmp_path / "a.warc.gz"), os.rename, []

    def rename(source: Path, target: Path) -> None:
        calls.append(target)
        if len(calls) == (1 if stop == "replace" else 2):
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr("archiver.wiring.imported.os.rename", rename)
    importer = Importer(where, SYSTEM, Actor(name="ada"), asked)
    with pytest.raises(KeyboardInterrupt), importer.open():
        list(importer.take(path))
    assert len(imported(where.logs)) == 1 and not list(where.indexes(Access.RESTRICTED).glob("*.cdxj"))

    monkeypatch.undo()
    importer = Importer(where, SYSTEM, Actor(name="ada"), asked)
    with importer.open():
        (one,) = importer.take(path)
    assert (one.outcome, one.file) == ("imported", "a.warc.gz")
    assert [file.name for file in where.indexes(Access.RESTRICTED).glob("*.cdxj")] == ["a.warc.gz.cdxj"]
    assert len(imported(where.logs)) == 1 and not (where.state / "import").exists()


def test_one_import_at_a_time(tmp_path: Path) -> None:
    where, asked = places(tmp_path), Asked(note="n")
    first, second = (Importer(where, SYSTEM, Actor(name="ada"), asked) for _ in range(2))
    with first.open(), pytest.raises(Exception, match="another import"), second.open():
        pass


def test_no_room_is_told_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    where, path = places(tmp_path), warcio_warc(tmp_path / "a.warc.gz")
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr("archiver.wiring.imported_files.shutil.disk_usage", lambda folder: usage)
    importer = Importer(where, SYSTEM, Actor(name="ada"), Asked(note="n"))
    with importer.open(), pytest.raises(DiskError, match="1,000 bytes free"):
        list(importer.take(path))
    assert imported(where.logs) == ()
