"""REQUIRE: an absent server is a skip that names it, and a failure where it was asked for."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.needs import REQUIREMENTS, ROOT, need, required

pytestmark = pytest.mark.system

SAMPLE = """
import pytest
from tests.needs import REQUIREMENTS, Requirement

REQUIREMENTS["unicorn"] = Requirement(find=lambda: None, get="a forest")

@pytest.mark.needs("unicorn")
def test_marked():
    raise AssertionError("must not run")

def test_asking(need):
    need("unicorn")
    raise AssertionError("must not get here")

@pytest.mark.skip(reason="some other reason")
def test_skipped():
    raise AssertionError("must not run")

@pytest.mark.xfail(strict=True)
def test_expected():
    raise AssertionError("expected")

def test_plain():
    pass
"""


def run_sample(folder: Path, require: str) -> str:
    (folder / "test_sample.py").write_text(SAMPLE)
    (folder / "test_module.py").write_text("import pytest\npytest.importorskip('no_such_module')\n")
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "tests.conftest",
        "-q",
        "-ra",
        "-p",
        "no:cacheprovider",
        str(folder),
    ]
    command += ["--continue-on-collection-errors", str(folder)]
    env = {**os.environ, "REQUIRE": require, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, env=env, cwd=folder, capture_output=True, text=True, check=False).stdout


def test_without_require_skips_name_what_is_missing(tmp_path: Path):
    output = run_sample(tmp_path, "")
    assert "1 passed, 4 skipped, 1 xfailed" in output
    assert "needs unicorn, which is not here (a forest)" in output


def test_a_named_requirement_fails_and_the_others_still_skip(tmp_path: Path):
    output = run_sample(tmp_path, "unicorn")
    assert "1 failed, 1 passed, 2 skipped, 1 xfailed, 1 error" in output


def test_all_lets_no_skip_pass_wherever_it_comes_from(tmp_path: Path):
    output = run_sample(tmp_path, "all")
    assert "REQUIRE=all: needs unicorn, which is not here (a forest)" in output
    assert "counts as a failure here: Skipped: some other reason" in output
    assert "no_such_module" in output
    assert "skipped" not in output.splitlines()[-1], output


def test_a_misspelt_name_is_an_error_not_a_skip():
    with pytest.raises(KeyError):
        need("ngnix")


def test_every_requirement_says_how_to_get_it():
    assert all(requirement.get for requirement in REQUIREMENTS.values())


@pytest.mark.parametrize(("value", "expected"), [("", False), ("all", True), ("redis", False), ("redis, nginx", True)])
def test_required(monkeypatch: pytest.MonkeyPatch, value: str, expected: bool):
    monkeypatch.setenv("REQUIRE", value)
    assert required("nginx") is expected
