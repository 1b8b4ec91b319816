"""systemd's units and the cron line: read by the tools of their own kind where those are, and for what they promise.

No test starts them: that wants systemd as process 1.
"""

from __future__ import annotations

import os
import re
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest

from tests.needs import ROOT, need

UNITS = ROOT / "infra/systemd"
CRON = ROOT / "infra/cron/archiver"
EXPOSURE = 3.5  # of 10; `systemd-analyze security` calls what is below 5 "OK"; Chromium needs namespaces and JIT


def unit(name: str) -> ConfigParser:
    parsed = ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment,method-assign]
    parsed.read_string((UNITS / name).read_text("utf-8"))
    return parsed


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The units as systemd would find them, with this checkout as the installed one."""
    for path in UNITS.glob("*@.*"):
        text = path.read_text("utf-8").replace("/opt/archiver", str(ROOT))
        (tmp_path / path.name.replace("@.", "@news.")).write_text(text)
    return tmp_path


@pytest.mark.parametrize("name", ["archiver-nightly@news.service", "archiver-nightly@news.timer"])
def test_systemd_finds_nothing_wrong(installed: Path, name: str) -> None:
    tool = need("systemd-analyze")
    ran = subprocess.run([tool, "verify", "--man=no", installed / name], capture_output=True, text=True, check=False)
    ours = [line for line in ran.stderr.splitlines() if str(installed) in line or "archiver" in line]
    assert ran.returncode == 0 and not ours, ran.stderr


@pytest.mark.parametrize("name", ["archiver-nightly@news.service", "archiver-failed@news.service"])
def test_little_is_exposed(installed: Path, name: str) -> None:
    tool = need("systemd-analyze")
    command = [tool, "security", "--offline=true", f"--threshold={int(EXPOSURE * 10)}", "--no-pager", installed / name]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout[-300:] + ran.stderr


def test_the_timer_names_a_time_and_catches_up() -> None:
    timer = unit("archiver-nightly@.timer")["Timer"]
    assert timer["Persistent"] == "yes" and "RandomizedDelaySec" in timer
    ran = subprocess.run(
        [need("systemd-analyze"), "calendar", timer["OnCalendar"]], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0 and "Next elapse" in ran.stdout, ran.stderr


def test_no_secret_is_on_a_command_line_and_keys_come_from_a_file() -> None:
    service = unit("archiver-nightly@.service")["Service"]
    assert service["EnvironmentFile"] == "-/etc/archiver/store.env"
    assert not re.search("key|secret|token", service["ExecStart"] + service["Environment"], re.I)
    empty = dict(
        line.split("=", 1) for line in (UNITS / "store.env").read_text().splitlines() if line and line[0] != "#"
    )
    assert empty["STORE_ACCESS_KEY"] == empty["STORE_SECRET_KEY"] == ""


def test_exit_codes_that_stop_nothing_are_documented() -> None:
    """What is a success here is a row of the page of exit codes, and none that wants a person."""
    codes = {int(code) for code in unit("archiver-nightly@.service")["Service"]["SuccessExitStatus"].split()}
    documented = {
        int(code) for code in re.findall(r"^\| (\d+) \|", (ROOT / "docs/operator/exit-codes.md").read_text(), re.M)
    }
    assert codes <= documented
    assert not codes & {1, 2, 3, 4, 10, 13, 16, 22, 33}


def test_the_cron_line_is_one() -> None:
    lines = [line for line in CRON.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    (job,) = (line for line in lines if not re.match(r"[A-Z]+=", line))
    minute, hour, day, month, weekday, user, command = job.split(None, 6)
    assert int(minute) in range(60) and int(hour) in range(24)
    assert (day, month, weekday, user) == ("*", "*", "*", "archiver")
    assert "%" not in command, "cron reads it as a newline"
    assert subprocess.run(["sh", "-n", "-c", command], check=False).returncode == 0
    assert "/opt/archiver/infra/nightly.sh once /etc/archiver/news.yaml" in command


@pytest.mark.parametrize("bucket", ["", "b"], ids=["without-a-bucket", "with-its-keys"])
def test_the_cron_line_runs_with_and_without_a_bucket(tmp_path: Path, bucket: str) -> None:
    job = CRON.read_text("utf-8").splitlines()[-1].split(None, 6)[-1]
    if bucket:
        (tmp_path / "store.env").write_text(f"STORE_BUCKET={bucket}\n")
    script = tmp_path / "infra/nightly.sh"
    script.parent.mkdir()
    script.write_text('#!/bin/sh\necho "$1 $STORE_BUCKET."\n')
    script.chmod(0o755)
    for folder in ("/etc/archiver", "/var/lib/archiver", "/opt/archiver"):
        job = job.replace(folder, str(tmp_path))
    bare = {name: value for name, value in os.environ.items() if not name.startswith("STORE_")}
    ran = subprocess.run(["sh", "-c", job], env=bare, capture_output=True, text=True, timeout=60, check=False)
    assert (ran.returncode, ran.stdout) == (0, "")
    assert (tmp_path / "news.log").read_text() == f"once {bucket}.\n"
