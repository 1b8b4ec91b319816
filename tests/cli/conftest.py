"""The verbs in this process, in an empty folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from archiver.cli.main import main


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """How a verb ended, and what it printed."""

    code: int
    out: str
    err: str


Verb = Callable[..., Said]


@pytest.fixture
def verb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Verb:
    """`verb("save", "http://...")`; stdin is no terminal."""
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)

    def run(*arguments: str) -> Said:
        code = main(arguments)
        out, err = capsys.readouterr()
        return Said(code=code, out=out, err=err)

    return run
