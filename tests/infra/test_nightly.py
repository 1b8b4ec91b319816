"""`infra/nightly.sh`, which systemd, cron and the container run: what it calls, what exit codes and signals become."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from tests.needs import ROOT

SCRIPT = ROOT / "infra/nightly.sh"
STORE = {"STORE_BUCKET": "b"}


def wait_for(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not there():
        assert time.monotonic() < deadline, "it does not come"
        time.sleep(0.02)


class Night:
    """A folder with a config, and a command in the place of `archiver` that notes its arguments and ends as told."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "news.yaml"
        self.config.write_text("seeds: []\ncollection: 'papers'\n")
        self.notes = folder / "notes"
        self.command = folder / "archiver"
        self.command.write_text(
            "#!/bin/sh\n"
            f'echo "$*" >>{self.notes}\n'
            f'count=$(grep -c "^$1 " {self.notes})\n'
            f"codes=$(cat {folder}/$1.codes 2>/dev/null || echo 0)\n"
            f"while [ -e {folder}/held ]; do sleep 0.02; done\n"
            "set -- $codes\n"
            'while [ "$count" -gt 1 ] && [ $# -gt 1 ]; do shift; count=$((count - 1)); done\n'
            "exit $1\n"
        )
        self.command.chmod(0o755)

    def ends(self, verb: str, *codes: int) -> None:
        """The codes of the first call, the second ...; the last one stands for all further ones."""
        (self.folder / f"{verb}.codes").write_text(" ".join(map(str, codes)))

    def environment(self, more: dict[str, str]) -> dict[str, str]:
        ours = {"ARCHIVER": str(self.command), "OUT": str(self.folder / "out"), "UPLOAD_PAUSE": "0", **more}
        bare = {name: value for name, value in os.environ.items() if not name.startswith("STORE_")}
        return {**bare, **ours}

    def run(self, *arguments: str, **more: str) -> int:
        command = [str(SCRIPT), *(arguments or ("once", str(self.config)))]
        ran = subprocess.run(
            command, env=self.environment(more), capture_output=True, text=True, timeout=60, check=False
        )
        self.said = ran.stdout + ran.stderr
        return ran.returncode

    @property
    def verbs(self) -> list[str]:
        return [line.split()[0] for line in self.notes.read_text().splitlines()] if self.notes.exists() else []


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return Night(tmp_path)


def test_without_a_store_it_crawls_and_that_is_all(night: Night) -> None:
    assert night.run() == 0
    out = night.folder / "out"
    assert night.notes.read_text() == f"crawl {night.config} --collection papers --out {out}\n"


def test_with_a_store_it_uploads_what_is_left_and_checks_a_part(night: Night) -> None:
    assert night.run(**STORE) == 0
    assert night.verbs == ["crawl", "upload", "verify"]
    assert "--remote papers --sample 5%" in night.notes.read_text()


@pytest.mark.parametrize(
    ("crawl", "upload", "verify", "wanted", "verbs"),
    [
        ((9,), (0,), (0,), 9, ["crawl", "upload", "verify"]),
        ((22,), (0,), (0,), 0, ["crawl", "upload", "verify"]),
        ((22,), (22, 22, 0), (0,), 0, ["crawl", "upload", "upload", "upload", "verify"]),
        ((0,), (22,), (0,), 22, ["crawl", "upload", "upload"]),
        ((0,), (33,), (0,), 33, ["crawl", "upload"]),
        ((0,), (0,), (1,), 1, ["crawl", "upload", "verify"]),
        ((9,), (0,), (1,), 9, ["crawl", "upload", "verify"]),
        ((4,), (0,), (0,), 4, ["crawl"]),
        ((33,), (0,), (0,), 33, ["crawl"]),
    ],
    ids=["failed-seed", "up-now", "up-at-third", "store-away", "key-refused", "damage", "crawl-first", "config", "key"],
)
def test_exit_codes(
    night: Night,
    crawl: tuple[int, ...],
    upload: tuple[int, ...],
    verify: tuple[int, ...],
    wanted: int,
    verbs: list[str],
) -> None:
    for verb, codes in (("crawl", crawl), ("upload", upload), ("verify", verify)):
        night.ends(verb, *codes)
    assert night.run(UPLOAD_TRIES="3" if 0 in upload else "2", **STORE) == wanted, night.said
    assert night.verbs == verbs


def test_a_config_that_is_not_there(night: Night) -> None:
    assert night.run("once", str(night.folder / "absent.yaml")) == 4
    assert "absent.yaml cannot be read" in night.said and not night.verbs


def test_the_collection_is_the_files_name_where_it_names_none(night: Night) -> None:
    night.config.write_text("seeds: []\n")
    assert night.run() == 0
    assert "--collection news " in night.notes.read_text()


def test_one_night_at_a_time(night: Night) -> None:
    held = night.folder / "held"  # while it is there, a crawl does not end
    held.touch()
    with subprocess.Popen([str(SCRIPT), "once", str(night.config)], env=night.environment({})) as first:
        try:
            wait_for(night.notes.exists)
            assert night.run() == 0 and "still running" in night.said
        finally:
            held.unlink()
        assert first.wait(timeout=60) == 0
    assert night.verbs == ["crawl"]


def test_a_signal_reaches_the_crawl_whose_code_is_told(night: Night) -> None:
    night.command.write_text(
        f"#!/bin/sh\ntrap 'sleep 0.3; echo ended >>{night.notes}; exit 11' TERM\necho begun >{night.notes}\n"
        "while :; do sleep 0.05; done\n"
    )
    with subprocess.Popen([str(SCRIPT), "once", str(night.config)], env=night.environment(STORE)) as process:
        wait_for(night.notes.exists)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=60) == 11
    assert night.notes.read_text() == "begun\nended\n"


def test_the_loop_is_healthy_until_a_night_goes_wrong(night: Night) -> None:
    assert night.run("healthy") == 1, "nothing runs yet"
    night.ends("crawl", 22)
    # a `date` of our own, for which it is the second before three o'clock until the test lets the hour strike
    early, strikes = (int(datetime(2026, 11, 23, *at).timestamp()) for at in ((2, 59, 59), (3, 0, 0)))
    struck = night.folder / "struck"
    date = night.folder / "bin/date"
    date.parent.mkdir()
    date.write_text(
        f"#!/bin/sh\nnow={early}\n[ ! -e {struck} ] || now={strikes}\n"
        'case "$*" in\n+%s) echo $now ;;\n'
        '"-d today "*) exec /bin/date -d "2026-11-23 ${2#today }" "$3" ;;\n'
        '"-d tomorrow "*) exec /bin/date -d "2026-11-24 ${2#tomorrow }" "$3" ;;\n'
        '*) exec /bin/date "$@" ;;\nesac\n'
    )
    date.chmod(0o755)
    command = [str(SCRIPT), "loop", "03:00", str(night.config)]
    env = night.environment({"PATH": f"{date.parent}:{os.environ['PATH']}", **STORE, "UPLOAD_TRIES": "1"})
    night.ends("upload", 22)
    with subprocess.Popen(command, env=env, stderr=subprocess.DEVNULL) as process:
        try:
            state = night.folder / "out/.nightly"
            alive = state / "alive"
            wait_for(lambda: alive.exists() and alive.read_text() == f"{early}\n")
            assert night.run("healthy", PATH=env["PATH"]) == 0, night.said
            assert night.verbs == [], "before its time nothing runs"
            struck.touch()
            wait_for(lambda: (state / "failed").read_text() != "")
            assert night.run("healthy", PATH=env["PATH"]) == 1
            assert f"22 {night.config}" in night.said
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(timeout=60)
    assert night.verbs == ["crawl", "upload"]


@pytest.mark.parametrize("arguments", [(), ("once",), ("loop", "25:99", "x.yaml"), ("sometimes",)], ids=str)
def test_a_wrong_call_is_told_the_right_ones(night: Night, arguments: tuple[str, ...]) -> None:
    command = [str(SCRIPT), *arguments]
    ran = subprocess.run(command, env=night.environment({}), capture_output=True, text=True, timeout=60, check=False)
    assert ran.returncode == 2 and "nightly.sh once CONFIG.yaml" in ran.stderr, ran.stderr
