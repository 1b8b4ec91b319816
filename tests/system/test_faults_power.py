"""Power loss: whatever was reported `archived` is there, whatever of the rest had reached the disk (F-08)."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.raw import RawServer
from tests.system.cli import archiver, collection
from tests.system.invariant import Acknowledged, check_invariant, holdings, listed_by_path
from tests.system.powerloss import Call, Disk, lay_out, traced
from tests.system.site import site

pytestmark = [pytest.mark.system, pytest.mark.needs("strace")]

PAGES = 12


@dataclass(slots=True)
class Recorded:
    """A crawl that nothing disturbed, call by call, and what it came to."""

    server: RawServer
    folder: Path
    command: list[str]
    calls: list[Call]
    holdings: dict[str, frozenset[str]]
    listed: dict[str, str]

    def moments(self) -> list[int]:
        """After which calls something on the disk is different."""
        disk = Disk(self.folder)
        return [number for number, call in enumerate(self.calls, 1) if disk.apply(call)]

    def cut(self, moment: int, rng: random.Random | None) -> Acknowledged:
        """The disk after the power went at that moment is laid out; what `archiver list` had shown until then."""
        disk = Disk(self.folder)
        for call in self.calls[:moment]:
            disk.apply(call)
        told = Acknowledged()
        for files in (disk.as_seen(), disk.after_power_loss(rng)):
            shutil.rmtree(self.folder)
            self.folder.mkdir()
            if files is not None:
                lay_out(files, self.folder)
            if not told.kept:
                told.note(collection(self.folder))
        return told

    def check(self, moment: int, rng: random.Random | None) -> None:
        told = self.cut(moment, rng)
        self.server.requests.clear()
        (self.folder / "crawl.yaml").write_text(CONFIG)
        ran = archiver(*self.command, cwd=self.folder, env={"HOME": str(self.folder)})
        assert ran.code == 0, ran.err
        folder = collection(self.folder)
        check_invariant(folder, told, self.server, rows_lost=True)
        # What a site answered to /.well-known/ is remembered for all collections of a user, in a file of its own.
        held = holdings(folder, self.server)
        assert {**self.holdings, REMEMBERED: frozenset()} == {**held, REMEMBERED: frozenset()}
        assert listed_by_path(folder, self.server) == self.listed


REMEMBERED = "/.well-known/tdmrep.json"
CONFIG = "rolloverSize: 20000\nscopeType: host\n"


@contextmanager
def recorded(tmp_path: Path) -> Iterator[Recorded]:
    folder = tmp_path / "crawl"
    folder.mkdir()
    with site(PAGES) as server:
        (folder / "crawl.yaml").write_text(CONFIG)
        allow = ["--allow-address", f"127.0.0.1:{server.port}", "--delay", "0", "--driver", "pump"]
        command = ["crawl", str(folder / "crawl.yaml"), "--url", server.url("/"), *allow]
        calls = traced(command, folder, tmp_path / "calls", {**os.environ, "HOME": str(folder)})
        main = collection(folder)
        yield Recorded(
            server=server, folder=folder, command=command, calls=calls, holdings=holdings(main, server),
            listed=listed_by_path(main, server),
        )  # fmt: skip


def test_the_power_goes(tmp_path: Path) -> None:
    with recorded(tmp_path) as run:
        moments = run.moments()
        run.check(moments[len(moments) * 3 // 4], None)


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_the_power_goes_at_any_moment(tmp_path: Path) -> None:
    """Half of them with nothing but what was flushed, half with some of the rest, by chance."""
    seed = int(os.environ.get("SEED", 0)) or random.randrange(1, 1 << 30)
    print(f"seed {seed}")
    rng = random.Random(seed)
    with recorded(tmp_path) as run:
        for number, moment in enumerate(sorted(rng.sample(run.moments(), 40))):
            print(f"moment {moment}")
            run.check(moment, rng if number % 2 else None)
