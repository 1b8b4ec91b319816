"""The script that travels with a collection: what holds, what was changed, what was erased, what was torn."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from archiver.clock import ManualClock
from archiver.ledger.chain import erase
from archiver.ledger.segments import JsonlLedger, LedgerSegment
from archiver.model import Actor, LedgerEntry

SCRIPT = Path(__file__).resolve().parents[2] / "archiver/describe/check-ledger.sh"
pytestmark = pytest.mark.needs("jq", "openssl")
STRANGE = {"text": 'ä\u2028\x7f\\"\n\t\x00 %s %d \\n 🏛 $(id) `id`'}


@pytest.fixture
def segments(tmp_path: Path) -> list[LedgerSegment]:
    """Two of one chain."""
    ledger = JsonlLedger(tmp_path, ManualClock(), job="job", actor=Actor(name="Ann"))
    found = []
    for _ in range(2):
        ledger.append_many([LedgerEntry(event="end", data=STRANGE) for _ in range(3)])
        segment = ledger.rotate()
        assert segment is not None
        found.append(segment)
    return found


def check(*paths: Path) -> tuple[int, list[str]]:
    done = subprocess.run(["sh", str(SCRIPT), *map(str, paths)], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.returncode, done.stdout.splitlines()


def rows(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines(keepends=True)


def test_segments_that_hold(segments: list[LedgerSegment]) -> None:
    code, lines = check(*(one.path for one in segments))
    assert code == 0
    assert lines == [f"OK  {one.path}: {one.rows} rows, last hash {one.head}" for one in segments]


def test_an_erased_row_holds_by_its_leaf(segments: list[LedgerSegment]) -> None:
    path = segments[1].path
    for number in range(1, 4):
        whole = rows(path)
        whole[number] = erase(whole[number])
        path.write_bytes(b"".join(whole))
        assert check(path)[0] == 0, number


def test_an_unfinished_last_line_is_no_row(segments: list[LedgerSegment]) -> None:
    path = segments[0].path
    path.write_bytes(path.read_bytes() + rows(path)[-1][:40])
    assert check(path) == (0, [f"OK  {path}: 4 rows, last hash {segments[0].head}"])


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda found: [found[0], found[1].replace(b"%s", b"%x"), *found[2:]], "row 2: the body was changed"),
        (lambda found: [found[0], *found[2:]], "row 2: prev is not the hash before it"),
        (lambda found: [found[0], found[2], found[1], found[3]], "row 2: prev is not the hash before it"),
        (lambda found: [found[0], found[1], found[1], *found[2:]], "row 3: prev is not the hash before it"),
        (lambda found: [found[0].replace(b'"hash":"', b'"hash":"0'), *found[1:]], "row 1: hash does not follow"),
        (lambda found: found[1:], "row 1: prev is not the hash before it"),
        (lambda found: [b"no row\n", *found], ""),
        (lambda found: [], "no row"),
        (lambda found: [b"{}\n"], "row 1"),
    ],
    ids=["body", "cut", "order", "twice", "hash", "first", "text", "empty", "object"],
)
def test_what_does_not_hold(
    segments: list[LedgerSegment], change: Callable[[list[bytes]], list[bytes]], says: str
) -> None:
    path = segments[0].path
    path.write_bytes(b"".join(change(rows(path))))
    code, lines = check(path)
    assert (code, len(lines)) == (1, 1)
    assert lines[0].startswith(f"BAD {path}: ") and says in lines[0]


def test_one_that_does_not_hold_does_not_stop_the_others(segments: list[LedgerSegment]) -> None:
    segments[0].path.write_bytes(b"no row\n")
    code, lines = check(*(one.path for one in segments))
    assert code == 1
    assert [line[:4] for line in lines] == ["BAD ", "OK  "]


def test_no_argument_is_told() -> None:
    done = subprocess.run(["sh", str(SCRIPT)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.startswith("usage: ")) == (2, True)
