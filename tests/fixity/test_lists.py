"""Lists over a collection: what a manifest is by itself, and against the files that it lists."""

from __future__ import annotations

from pathlib import Path

import pytest

from archiver.clock import SYSTEM
from archiver.fixity.collection import CollectionCheck
from archiver.fixity.files import Checked, contents
from archiver.fixity.lists import manifest_problems, read_manifest
from archiver.fixity.state import Remembered

DIGEST = "0123456789abcdef" * 4


def check(root: Path) -> Checked:
    made = CollectionCheck(contents(root), Remembered(None, SYSTEM), at_once=1)
    made.run()
    return next(one for one in made.checked if one.name == "manifest-sha256.txt")


@pytest.mark.parametrize("line", [f"{DIGEST}  archive/a b.warc.gz", f"{DIGEST} *README.txt"], ids=["text", "binary"])
def test_a_line_of_sha256sum(line: str) -> None:
    assert list(read_manifest(line + "\n")) == [(line[66:], DIGEST)] and manifest_problems(line) == []


@pytest.mark.parametrize(
    "line",
    ["half", f"{DIGEST.upper()}  a", f"{DIGEST[:-1]}  a", f"{DIGEST}  ", f"{DIGEST}  /a", f"{DIGEST}  a/../../b"],
    ids=["words", "capitals", "short", "no-name", "root", "outside"],
)
def test_no_line_of_sha256sum(line: str) -> None:
    assert list(read_manifest(line)) == [(line, "")]
    assert manifest_problems(line) == [f"no line of sha256sum: {line[:120]!r}"]


@pytest.mark.parametrize("text", ["", "\n \n"], ids=["empty", "blank"])
def test_a_list_of_nothing(text: str) -> None:
    assert manifest_problems(text) == ["it lists no file"]


def test_the_manifest(root: Path) -> None:
    path = root / "manifest-sha256.txt"
    (root / "README.txt").write_text("changed\n")
    (root / "ledger.schema.json").unlink()
    path.write_text(path.read_text() + "not a line\n" + "a" * 64 + "  ../../etc/passwd\n")
    one = check(root)
    text = "\n".join(one.problems)
    assert "ledger.schema.json is listed, and is not here" in text
    assert "'not a line'" in text and "../../etc/passwd'" in text
    assert "README.txt" not in text and "README.txt has been written on" in "\n".join(one.notes)


def test_an_emptied_manifest(root: Path) -> None:
    (root / "manifest-sha256.txt").write_text("")
    assert check(root).problems == ["manifest-sha256.txt: it lists no file"]
