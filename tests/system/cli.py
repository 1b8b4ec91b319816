"""The real command line in a process of its own, and what must hold of every collection it leaves behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from archiver.ledger.reader import verify_folder
from archiver.warc.reader import Record, iter_records
from archiver.warc.reindex import verify_index
from archiver.warc.verify import verify_file

ROOT = Path(__file__).resolve().parents[2]
_SCHEMA = json.loads((ROOT / "archiver/ledger/schema.json").read_text("utf-8"))
_ROW = jsonschema.Draft202012Validator(_SCHEMA)
_BODY = jsonschema.Draft202012Validator({**_SCHEMA["$defs"]["body"], "$defs": _SCHEMA["$defs"]})


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def objects(self) -> list[dict[str, Any]]:
        """stdout as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{")]

    @property
    def complaints(self) -> list[str]:
        """stderr without progress."""
        return [line for line in self.err.splitlines() if line and not line.startswith('{"progress"')]


def archiver(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None, seconds: float = 110) -> Ran:
    """Run `archiver ARGUMENTS` in `cwd`; the caller's environment (a fresh HOME in tests) plus `env`."""
    done = subprocess.run(
        [sys.executable, "-m", "archiver", *arguments],
        cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=seconds, check=False,
    )  # fmt: skip
    return Ran(code=done.returncode, out=done.stdout, err=done.stderr)


@contextmanager
def running(
    *arguments: str, cwd: Path, env: Mapping[str, str] | None = None, wrapper: tuple[str, ...] = ()
) -> Iterator[subprocess.Popen[str]]:
    """The same in the background; killed by its process id at the end of the block, when it still runs."""
    process = subprocess.Popen(
        [*wrapper, sys.executable, "-m", "archiver", *arguments],
        cwd=cwd, env={**os.environ, "PYTHONFAULTHANDLER": "1", **(env or {})}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str], seconds: float = 110) -> None:
    """Wait for the end of what `running` began, reading what it writes: a full pipe would hold it for ever. One that
    does not end is asked where it stands; the answer is in the failure."""
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGABRT)
        _, err = process.communicate()
        pytest.fail(f"did not end within {seconds} s:\n{err}")


def collection(cwd: Path, name: str = "main") -> Path:
    return cwd / "crawls" / "collections" / name


def warcs(folder: Path, access: str = "archive") -> list[Path]:
    """The closed WARCs of one access class."""
    return sorted((folder / access).glob("*.warc.gz"))


def records(folder: Path) -> list[Record]:
    """Every record of a collection."""
    return [record for path in sorted(folder.rglob("*.warc.gz")) for record in iter_records(path)]


def ledger_bodies(folder: Path) -> list[dict[str, Any]]:
    """The bodies of all rows of a collection, in order."""
    rows = []
    for path in sorted((folder / "logs").glob("ledger-*.jsonl")):
        rows += [json.loads(json.loads(line)["body"]) for line in whole_lines(path)]
    return rows


def whole_lines(path: Path) -> list[bytes]:
    """The rows of a segment, without the torn one that a killed process may leave."""
    return [line for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]


def check_collection(folder: Path) -> None:
    """All WARCs strict, each index exact and without a line twice, ledger chains whole, rows by the schema."""
    for path in folder.rglob("*.warc.gz"):
        assert verify_file(path).errors == []
        access = path.parent
        index = (folder / "indexes" if access.name == "archive" else access / "indexes") / f"{path.name}.cdxj"
        assert verify_index(index, path) == []
    own = [path for path in folder.rglob("*.cdxj") if path.parent.name != "merged"]
    lines = [line for index in own for line in index.read_text("utf-8").splitlines()]
    assert len(lines) == len(set(lines)), "an index line stands twice"
    assert list(folder.rglob("*.open")) == []
    report = verify_folder(folder / "logs")
    assert report.ok, report
    check_rows(folder)


def check_rows(folder: Path) -> None:
    """Each form that occurs among the rows is one that the published schema knows."""
    forms: set[object] = set()
    for path in folder.rglob("ledger-*.jsonl"):
        for line in whole_lines(path):
            row = json.loads(line)
            body = json.loads(row["body"])
            form = _form(body)
            if form not in forms:
                forms.add(form)
                _ROW.validate(row)
                _BODY.validate(body)


def _form(value: object, name: str = "") -> object:
    """A value without what differs from row to row: keys, types, and the texts that enumerations are made of."""
    if isinstance(value, dict):
        return frozenset((key, _form(item, key)) for key, item in value.items())
    if isinstance(value, list):
        return frozenset(_form(item) for item in value)
    if name in ("event", "verdict", "reason", "status", "access", "kind", "lane", "code", "http_status"):
        return value
    return type(value).__name__
