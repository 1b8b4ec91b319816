"""Real Scrapy processes: `scrapy crawl` in a folder, and what is in the collection afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from archiver.warc.reader import iter_records
from tests.needs import ROOT
from tests.system.cli import Ran

PROJECT = {"SCRAPY_SETTINGS_MODULE": "archiver.crawl.project"}
"""`scrapy` finds our project from any folder."""


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), **(extra or {})}


def scrapy(*arguments: str, cwd: Path, env: Mapping[str, str] | None = None, seconds: float = 90) -> Ran:
    """Run `scrapy ARGUMENTS` in `cwd`, the caller's environment plus `env`."""
    done = subprocess.run(
        [sys.executable, "-m", "scrapy", *arguments],
        cwd=cwd, env=environment(env), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=seconds,
        check=False,
    )  # fmt: skip
    return Ran(code=done.returncode, out=done.stdout, err=done.stderr)


def write_spider(folder: Path, text: str) -> None:
    """A project of its own around one module of spiders that stand on ours; run it with `SCRAPY_SETTINGS_MODULE`."""
    (folder / "own.py").write_text(text)
    (folder / "own_settings.py").write_text(
        "from archiver.crawl.project import *\nSPIDER_MODULES = ['own']\n", encoding="ascii"
    )


OWN = {"SCRAPY_SETTINGS_MODULE": "own_settings"}


def targets(folder: Path, kind: str = "response") -> list[str]:
    """Target URIs of all records of a type in a collection's folder of WARCs, in order."""
    found = []
    for path in sorted(folder.glob("*.warc.gz")):
        found += [one.headers.target for one in iter_records(path) if one.headers.type == kind and one.headers.target]
    return found
