"""Every fenced example marked `run` works: shell and Python blocks of a page, in one folder that begins empty."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.documents import ROOT, Block, blocks, pages
from tests.needs import need

pytestmark = pytest.mark.system

EXAMPLES = {page: [block for block in blocks(page) if "run" in block.words] for page in pages()}
PAGES = [page for page, examples in EXAMPLES.items() if examples]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_examples_run(page: Path, tmp_path: Path) -> None:
    """One after the other in one folder, as a reader would; those that need something absent are left out, and told."""
    skipped: list[str] = []
    for block in EXAMPLES[page]:
        try:
            _need(block)
        except pytest.skip.Exception as absent:
            skipped.append(f"{block}: {absent}")
            continue
        _run(block, tmp_path)
    if skipped:
        pytest.skip("; ".join(skipped))


def _need(block: Block) -> None:
    """Skips by name what is marked `needs=NAME`, and what calls jq or openssl."""
    named = [word.removeprefix("needs=") for word in block.words if word.startswith("needs=")]
    for name in [*named, *(tool for tool in ("jq", "openssl") if tool in block.text.split())]:
        need(name)


def _run(block: Block, folder: Path) -> None:
    command = {"sh": ["sh", "-eu", "-c", block.text], "python": [sys.executable, "-c", block.text]}[block.words[0]]
    ran = subprocess.run(
        command, cwd=folder, env=_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=110, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, f"{block}: {ran.stdout}\n{ran.stderr}"


def _environment() -> dict[str, str]:
    """The test's own home; `archiver`, the developers' tools and pywb's on the path."""
    tools = [str(Path(sys.executable).parent), str(ROOT / ".venv-pywb/bin")]
    return {**os.environ, "PATH": os.pathsep.join([*tools, os.environ["PATH"]])}


def test_there_are_examples_to_run() -> None:
    assert {block.words[0] for page in PAGES for block in EXAMPLES[page]} == {"sh", "python"}
    assert {page.name for page in PAGES} >= {"first-steps.md", "warc.md", "compliance.md", "from-ground-up.md"}
