from __future__ import annotations

from pathlib import Path

from archiver.browser_binary import find_chromium


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n", encoding="ascii")
    path.chmod(0o755)
    return path


def test_the_one_named_then_the_systems_then_playwrights(tmp_path: Path) -> None:
    named, system = program(tmp_path / "named"), program(tmp_path / "bin/chromium")
    program(tmp_path / "home/.cache/ms-playwright/chromium-1000/chrome-linux/chrome")
    newer = program(tmp_path / "home/.cache/ms-playwright/chromium-1001/chrome-linux64/chrome")
    own = {"PATH": str(tmp_path / "none"), "HOME": str(tmp_path / "home")}
    assert find_chromium(own) == newer
    assert find_chromium(own | {"PATH": str(tmp_path / "bin")}) == system
    assert find_chromium(own | {"PATH": str(tmp_path / "bin"), "ARCHIVER_CHROMIUM": str(named)}) == named


def test_playwrights_own_folder_may_be_elsewhere(tmp_path: Path) -> None:
    shell = program(tmp_path / "there/chromium_headless_shell-1/chrome-linux/headless_shell")
    environ = {"PATH": "", "HOME": str(tmp_path), "PLAYWRIGHT_BROWSERS_PATH": str(tmp_path / "there")}
    assert find_chromium(environ) == shell


def test_one_that_is_named_and_not_there_is_not_replaced(tmp_path: Path) -> None:
    program(tmp_path / "bin/chromium")
    environ = {"PATH": str(tmp_path / "bin"), "ARCHIVER_CHROMIUM": str(tmp_path / "gone")}
    assert find_chromium(environ) is None
    assert find_chromium({"PATH": "", "HOME": str(tmp_path)}) is None
