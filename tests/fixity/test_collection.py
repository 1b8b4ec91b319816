"""What the files of a collection say of one another, and every way in which it can stop being true."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from archiver.clock import SYSTEM, ManualClock
from archiver.fixity import pool
from archiver.fixity.collection import CollectionCheck
from archiver.fixity.files import Checked, contents
from archiver.fixity.state import OLDEST, Remembered
from archiver.ledger.chain import START, make_row
from archiver.warc.reader import iter_records


def check(root: Path, remembered: Remembered | None = None, *, at_once: int = 1) -> dict[str, Checked]:
    made = CollectionCheck(contents(root), remembered or Remembered(None, SYSTEM), at_once=at_once)
    made.run()
    return {one.name: one for one in made.checked}


def problems(root: Path) -> str:
    return "\n".join(f"{name}: {text}" for name, one in check(root).items() for text in one.problems)


def notes(root: Path) -> str:
    return "\n".join(f"{name}: {text}" for name, one in check(root).items() for text in one.notes)


def open_warcs(root: Path) -> list[Path]:
    return sorted((root / "archive").glob("*.warc.gz"))


def with_revisit(root: Path) -> Path:
    """The WARC that refers to a record of another one."""
    found = [path for path in open_warcs(root) for record in iter_records(path) if record.headers.type == "revisit"]
    assert len(found) == 1
    return found[0]


def without_manifests(root: Path) -> None:
    """So that what is told is told by something else."""
    for path in (root / "manifest-sha256.txt", root / "dark/manifest-sha256.txt"):
        path.unlink()


def rewritten(path: Path, change: Callable[[dict[str, object]], dict[str, object] | None]) -> None:
    """A ledger segment with other bodies and a chain that holds: somebody who knows how."""
    link, lines = START, []
    for line in path.read_bytes().splitlines():
        body = change(orjson.loads(orjson.loads(line)["body"]))
        if body is not None:
            made = make_row(link, orjson.dumps(body))
            link = made.link
            lines.append(made.line)
    path.write_bytes(b"".join(lines))


def ledger(root: Path) -> Path:
    (path,) = (root / "logs").glob("ledger-*.jsonl")
    return path


def test_a_collection_holds(root: Path) -> None:
    found = check(root)
    assert not problems(root)
    assert {name.split("/")[0] for name in found} == {"archive", "dark", "indexes", "logs", "manifest-sha256.txt"}
    assert len(open_warcs(root)) == 2 and with_revisit(root) != open_warcs(root)[0]


def test_a_revisit_without_its_original(root: Path) -> None:
    other = next(path for path in open_warcs(root) if path != with_revisit(root))
    other.unlink()
    said = problems(root)
    assert "unresolvedRevisit" in said
    assert f"{other.name}: the ledger says that it was stored here, and it is gone" in said
    assert f"archive/{other.name} is listed, and is not here" in said


def test_a_revisit_is_resolved_in_another_access_class(root: Path) -> None:
    """Rows then say that the file lies in the wrong place; the revisit holds."""
    other = next(path for path in open_warcs(root) if path != with_revisit(root))
    (root / "restricted").mkdir(exist_ok=True)
    shutil.move(other, root / "restricted" / other.name)
    assert "unresolvedRevisit" not in problems(root)


def test_a_record_that_its_row_calls_dark_in_the_open_folder(root: Path) -> None:
    (dark,) = (root / "dark").glob("*.warc.gz")
    shutil.move(dark, root / "archive" / dark.name)
    shutil.move(root / "dark/indexes" / f"{dark.name}.cdxj", root / "indexes" / f"{dark.name}.cdxj")
    assert f"archive/{dark.name}: {dark.name}: the ledger says that records of it are dark" in problems(root)


def test_another_file_of_the_same_name(root: Path) -> None:
    """A WARC that holds by itself, and is not the one that was stored."""
    first, second = open_warcs(root)
    first.write_bytes(second.read_bytes())
    without_manifests(root)
    said = problems(root)
    assert f"{first.name}: is not the file that was stored" in said and "indexExtra" in said


@pytest.mark.parametrize("change", ["extra", "missing", "offset", "twice", "unsorted", "cut", "gone"])
def test_an_index_that_is_not_its_warcs(root: Path, change: str) -> None:
    without_manifests(root)
    shutil.rmtree(root / "indexes/merged")
    path = root / "indexes" / f"{open_warcs(root)[0].name}.cdxj"
    lines = path.read_bytes().splitlines(keepends=True)
    code = {"extra": "indexExtra", "missing": "indexMissing", "offset": "indexExtra", "cut": "indexCut"}
    if change == "extra":
        lines[:0] = [b'aa)/ 20260101000000 {"url":"http://aa/","filename":"x"}\n']
    elif change == "missing":
        del lines[0]
    elif change == "offset":
        lines[0] = lines[0].replace(b'"offset":"', b'"offset":"9')
    elif change == "twice":
        lines.append(lines[-1])
    elif change == "unsorted":
        lines.reverse()
    elif change == "cut":
        lines[-1] = lines[-1][:-1]
    if change == "gone":
        path.unlink()
        assert f"{path.name}: the ledger says that it was stored here, and it is gone" in problems(root)
    else:
        path.write_bytes(b"".join(lines))
        assert code.get(change, "indexOrder") in problems(root)


@pytest.mark.parametrize("change", ["extra", "changed", "hidden", "unsorted", "away", "junk"])
def test_the_merged_index(root: Path, change: str) -> None:
    path = max((root / "indexes/merged").glob("*.cdxj"), key=lambda one: one.stat().st_size)
    lines = path.read_bytes().splitlines(keepends=True)
    words = {
        "extra": "which has no index here", "changed": "line 1: not a line of", "unsorted": "not in byte order",
        "away": "no index line", "junk": "no index line",
    }  # fmt: skip
    if change == "extra":
        lines.append(b'zz)/ 20260101000000 {"url":"http://zz/","filename":"other.warc.gz","offset":"0"}\n')
    elif change == "changed":
        lines[0] = lines[0].replace(b'"status":"200"', b'"status":"404"')
    elif change == "hidden":
        del lines[0]
    elif change == "unsorted":
        lines.reverse()
    elif change == "away":
        lines.append(b'zz)/ 20260101000000 {"filename":"../../secret.warc.gz"}\n')
    else:
        lines.append(b"zz\n")
    path.write_bytes(b"".join(lines))
    said = check(root)["indexes/merged"]
    if change == "hidden":
        assert not said.problems and "1 lines of" in said.notes[0] and "are left out" in said.notes[0]
    else:
        assert words[change] in "\n".join(said.problems)


def test_rows_that_name_records_which_are_not_there(root: Path) -> None:
    def moved(body: dict[str, object]) -> dict[str, object]:
        record = body.get("record")
        if body["event"] == "outcome" and isinstance(record, dict):
            record["offset"] += 1
        return body

    rewritten(ledger(root), moved)
    without_manifests(root)
    said = problems(root)
    assert "records that are not in" in said, said
    assert "names the ledger head" in said  # a chain that was made anew has other heads


def test_a_stored_row_of_another_file(root: Path) -> None:
    def other(body: dict[str, object]) -> dict[str, object]:
        return {**body, "sha256": "0" * 64} if body["event"] == "stored" else body

    rewritten(ledger(root), other)
    without_manifests(root)
    assert problems(root).count("is not the file that was stored") == 3
    assert "was made anew since it was stored" in notes(root)  # of an index, which agrees with its WARC


def test_rows_cut_from_the_end_are_missed_by_a_warc(root: Path) -> None:
    path = ledger(root)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:5]))
    without_manifests(root)
    said = problems(root)
    assert "names the ledger head" in said and "rows were cut off" in said


def test_a_segment_that_is_gone_is_missed_by_the_next(root: Path) -> None:
    path = ledger(root)
    row = {"event": "segment", "prev_head": "a" * 64, "prev_file": "ledger-gone.jsonl", "first_seq": 0}
    (root / "logs/ledger-99999999999999999-x-1.jsonl").write_bytes(make_row(START, orjson.dumps(row)).line)
    assert "ledger-gone.jsonl, is not in this folder" in problems(root)
    path.unlink()
    assert "names the ledger head" in problems(root)


def test_a_torn_last_line_is_told_and_no_damage(root: Path) -> None:
    path = ledger(root)
    data = path.read_bytes()
    path.write_bytes(data + data.splitlines()[-1][:-7])
    without_manifests(root)
    assert not problems(root)
    assert "an unfinished last line" in notes(root)


def test_what_salvage_cut_is_told_and_no_damage(root: Path) -> None:
    """Rows of records that did not reach the disk: the next run cut the file and says where."""
    first = open_warcs(root)[0]
    rows: list[int] = []

    def with_salvage(body: dict[str, object]) -> dict[str, object] | None:
        record = body.get("record")
        if body["event"] == "outcome" and isinstance(record, dict) and record["file"] == first.name:
            rows.append(record["offset"])
            record["offset"] += 1 << 30
        if body["event"] == "end":
            return {"event": "salvage", "file": first.name, "kept": 3, "cut": first.stat().st_size}
        return body

    rewritten(ledger(root), with_salvage)
    without_manifests(root)
    assert rows
    assert f"{len(rows)} records that it names were cut from {first.name} by salvage" in notes(root)
    assert "records that are not in" not in problems(root)


def test_a_warc_that_no_row_knows_is_told(root: Path) -> None:
    first = open_warcs(root)[0]
    shutil.copy(first, root / "archive/foreign.warc.gz")
    one = check(root)["archive/foreign.warc.gz"]
    assert not one.problems and "no ledger row knows this file" in "\n".join(one.notes)


def test_an_index_without_its_warc(root: Path) -> None:
    (root / "indexes/foreign.warc.gz.cdxj").write_text("")
    assert "foreign.warc.gz is not here: its lines lead nowhere" in problems(root)


def test_what_only_the_bucket_holds_is_told_and_a_copy_is_pointed_at(root: Path) -> None:
    """Freed after the upload, or damaged here."""
    first, second = open_warcs(root)

    def uploaded(body: dict[str, object]) -> dict[str, object]:
        if body["event"] == "stored":
            uri = str(body["uri"])
            return {**body, "uri": "s3://bucket/pre/collections/" + uri.partition("/collections/")[2]}
        return body

    rewritten(ledger(root), uploaded)
    without_manifests(root)
    shutil.rmtree(root / "indexes/merged")
    first.unlink()
    data = bytearray(second.read_bytes())
    data[len(data) // 2] ^= 1
    second.write_bytes(data)
    found = check(root)
    gone = found[f"archive/{first.name}"]
    assert not gone.problems and "s3://bucket/pre/collections/main/archive/" in gone.notes[0]
    damaged = found[f"archive/{second.name}"]
    assert damaged.problems and f"aws s3 cp s3://bucket/pre/collections/main/archive/{second.name}" in damaged.notes[0]


def test_files_given_up_after_their_upload_are_no_loss(root: Path) -> None:
    """Their indexes stay; the manifest still lists them, rows name their records, revisits refer to them."""
    freed = next(path for path in open_warcs(root) if path != with_revisit(root))

    def uploaded(body: dict[str, object]) -> dict[str, object]:
        if body["event"] != "stored":
            return body
        return {**body, "uri": "s3://b/collections/" + str(body["uri"]).partition("/collections/")[2]}

    rewritten(ledger(root), uploaded)
    freed.unlink()
    found = check(root)
    said = [text for one in found.values() for text in one.problems if "ledger head" not in text]
    assert said == [text for text in said if "logs/ledger-" in text], "but for the rows that this test wrote anew"
    assert not found[f"archive/{freed.name}"].missing
    assert any("the originals of 1 revisits are not here" in text for one in found.values() for text in one.notes)


def test_files_that_are_none_of_ours_are_left_alone(root: Path, tmp_path: Path) -> None:
    os.mkfifo(root / "archive/pipe.warc.gz")
    (root / "archive/link.warc.gz").symlink_to(tmp_path / "elsewhere.warc.gz")
    (root / "archive/x.warc.gz.open").write_bytes(b"")
    found = check(root)
    assert "archive/pipe.warc.gz" not in found and "archive/link.warc.gz" not in found
    assert "being written" in found["archive/x.warc.gz.open"].told


def test_an_interrupted_check_goes_on(root: Path, tmp_path: Path) -> None:
    clock, state = ManualClock(), tmp_path / "state.sqlite"
    warcs = open_warcs(root)
    expected = [(one.name, one.told, one.problems, one.notes, one.sha256) for one in check(root).values()]
    with Remembered(state, clock) as remembered:
        made = CollectionCheck(contents(root), remembered, at_once=1, progress=_interrupt_after(2))
        with pytest.raises(KeyboardInterrupt):
            made.run()
        assert made.read == 2
    with Remembered(state, clock) as remembered:
        made = CollectionCheck(contents(root), remembered, at_once=1)
        made.run()
        assert made.taken_over == 2
        assert [(one.name, one.told, one.problems, one.notes, one.sha256) for one in made.checked] == expected
    warcs[0].write_bytes(warcs[0].read_bytes()[:-1])  # another size: read again
    with Remembered(state, clock) as remembered:
        assert check(root, remembered)[f"archive/{warcs[0].name}"].problems
    clock.advance(OLDEST + 1)
    with Remembered(state, clock) as remembered:
        made = CollectionCheck(contents(root), remembered, at_once=1)
        made.run()
        assert made.taken_over == 0, "after a week all is read again"
        remembered.forget()
    assert not state.exists()


def _interrupt_after(files: int) -> Callable[[int, int, int, int], None]:
    def told(read: int, *_: int) -> None:
        if read == files:
            raise KeyboardInterrupt

    return told


def test_two_checks_at_once_and_a_damaged_state(root: Path, tmp_path: Path) -> None:
    state = tmp_path / "state.sqlite"
    with Remembered(state, SYSTEM) as one, Remembered(state, SYSTEM) as other:
        assert one.path == state and other.path is None, "the second keeps what it reads in memory"
        assert not any(found.problems for found in check(root, other).values())
    state.write_bytes(b"no database" * 1000)
    with Remembered(state, SYSTEM) as again:
        assert again.path == state


def test_processes_find_the_same(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_warcs(root)[0].write_bytes(open_warcs(root)[0].read_bytes()[:-1])
    alone = check(root)
    monkeypatch.setattr(pool, "PARALLEL_FROM", 0)
    assert json.dumps({name: one.problems for name, one in check(root, at_once=2).items()}) == json.dumps(
        {name: one.problems for name, one in alone.items()}
    )


def test_rows_cut_from_the_end_are_missed_by_collection_json(root: Path) -> None:
    without_manifests(root)
    lines = ledger(root).read_bytes().splitlines(keepends=True)
    (head,) = json.loads((root / "collection.json").read_bytes())["ledger"]["heads"]
    at = next(number for number, line in enumerate(lines) if orjson.loads(line)["hash"] == head["hash"])
    ledger(root).write_bytes(b"".join(lines[:at]))
    assert "collection.json: it names the ledger head" in problems(root)


@pytest.mark.parametrize(
    ("name", "line", "says"),
    [
        ("pages/pages.jsonl", b"{}", "no page"),
        ("pages/pages.jsonl", b"\0", "no page"),
        ("acl/all/access.aclj", b'a)/### - {"access": "ex|ude"}', "no access rule"),
        ("acl/all/access.aclj", b"a)/###", "no access rule"),
        ("acl/all/access.aclj", b'zz)/### - {"access": "allow"}', "not in reverse order"),
        ("collection.json", b"{", "damaged"),
    ],
    ids=["page", "page-zero", "rule-word", "rule-cut", "rule-order", "about"],
)
def test_what_it_says_of_itself(root: Path, name: str, line: bytes, says: str) -> None:
    with (root / name).open("ab") as file:
        file.write(line + b"\n")
    found = check(root)[name]
    assert any(says in problem for problem in found.problems), found


def test_an_emptied_segment_and_a_torn_page_are_told(root: Path) -> None:
    (root / "logs/ledger-29990101000000000-aaaaaaaa-1.jsonl").touch()
    with (root / "pages/pages.jsonl").open("ab") as file:
        file.write(b'{"id')
    said = notes(root)
    assert "has no rows" in said and "unfinished last line of 4 bytes" in said
