"""Where pywb is looked for, and what it is told about its surroundings."""

import sys
from pathlib import Path

import pytest

from archiver.replay.pywb import _environment, find_pywb


def a_program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_one_named_wins_and_is_never_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    beside = a_program(tmp_path / ".venv-pywb" / "bin" / "wayback")
    named = a_program(tmp_path / "own")
    assert find_pywb({"ARCHIVER_PYWB": str(named)}) == named
    assert find_pywb({"ARCHIVER_PYWB": str(tmp_path / "none")}) is None
    assert find_pywb({}) == beside


def test_the_path_comes_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path / ".venv"))
    found = a_program(tmp_path / "bin" / "wayback")
    assert find_pywb({"PATH": str(tmp_path / "bin")}) == found
    assert find_pywb({"PATH": str(tmp_path)}) is None


def test_no_proxy_no_credentials_no_netrc(tmp_path: Path) -> None:
    given = {
        "PATH": "/bin", "HOME": "/home/me", "http_proxy": "http://x", "HTTPS_PROXY": "http://x",
        "STORE_SECRET_KEY": "s",
        "AWS_SECRET_ACCESS_KEY": "s", "PYWB_CONFIG_FILE": "/other.yaml", "PYTHONPATH": "/x",
    }  # fmt: skip
    told = _environment(given, tmp_path)
    assert set(told) == {"PATH", "HOME", "TMPDIR", "PYTHONUNBUFFERED"}
    assert told["HOME"] == str(tmp_path)
