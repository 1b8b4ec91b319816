"""One `archiver replay` a module, over the sample collection; its own home."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from tests.needs import need
from tests.replay.samples import places, replaying, save

Start = Callable[..., AbstractContextManager[tuple[int, str]]]


@pytest.fixture(scope="module")
def collections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds `collections/main`."""
    need("pywb")
    out = tmp_path_factory.mktemp("out")
    save(places(out))
    return out


@pytest.fixture(scope="module")
def owner(collections: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of the owner's view."""
    log = tmp_path_factory.mktemp("log") / "owner.log"
    with replaying(command(collections), log) as (port, _):
        yield port


def command(out: Path, *more: str) -> list[str]:
    """`archiver replay` on a free port, as a user types it."""
    os.environ["ARCHIVER_PYWB"] = str(need("pywb"))
    return [sys.executable, "-m", "archiver", "replay", "--out", str(out), "--port", "0", *more]
