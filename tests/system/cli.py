"""The real command line in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


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


def archiver(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None, seconds: float = 110) -> Ran:
    """Run `archiver ARGUMENTS` in `cwd`; the caller's environment (a fresh HOME in tests) plus `env`."""
    done = subprocess.run(
        [sys.executable, "-m", "archiver", *arguments],
        cwd=cwd, env={**os.environ, **(env or {})}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=seconds, check=False,
    )  # fmt: skip
    return Ran(code=done.returncode, out=done.stdout, err=done.stderr)


def collection(cwd: Path, name: str = "main") -> Path:
    return cwd / "crawls" / "collections" / name


def ledger_bodies(folder: Path) -> list[dict[str, Any]]:
    """The bodies of all rows of a collection, in order."""
    rows = []
    for path in sorted((folder / "logs").glob("ledger-*.jsonl")):
        for line in path.read_text("utf-8").splitlines():
            rows.append(json.loads(json.loads(line)["body"]))
    return rows
