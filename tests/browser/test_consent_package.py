"""The rules as installed: found, hashed, dated; absent, they are off."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from archiver.browser.consent_package import NAME, RULES, SCRIPT, Package, find_package, package_facts
from archiver.clock import ManualClock


def install(folder: Path, *, changes: str = "# v1.2.3 (Tue Aug 18 2026)\n") -> Path:
    for name, text in ((SCRIPT, "module.exports = {}"), (RULES, json.dumps({"autoconsent": [{"name": "a"}]}))):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    (folder / "package.json").write_text('{"version": "1.2.3"}')
    (folder / "CHANGELOG.md").write_text(changes)
    return folder


def test_a_package_with_version_hashes_and_age(tmp_path: Path) -> None:
    package = Package.load(install(tmp_path))
    facts = package.facts(ManualClock(datetime(2026, 11, 23, tzinfo=UTC).timestamp()))
    assert (package.version, package.released, len(package.rules)) == ("1.2.3", date(2026, 8, 18), 1)
    assert facts["sha256"][SCRIPT] == hashlib.sha256(b"module.exports = {}").hexdigest()
    assert (facts["package"], facts["ageDays"], facts["old"]) == (NAME, 97, True)
    assert not package.facts(ManualClock(datetime(2026, 9, 1, tzinfo=UTC).timestamp()))["old"]


@pytest.mark.parametrize("changes", ["", "# v1.2.3\n", "# v1 (Tue Foo 18 2026)\n"])
def test_a_package_that_tells_no_date(tmp_path: Path, changes: str) -> None:
    facts = Package.load(install(tmp_path, changes=changes)).facts(
        ManualClock(datetime(2026, 9, 1, tzinfo=UTC).timestamp())
    )
    assert facts["released"] is None and facts["ageDays"] is None and facts["old"] is False


def test_where_it_is_looked_for(tmp_path: Path) -> None:
    assert find_package({"ARCHIVER_CONSENT_RULES": str(tmp_path)}) is None
    install(tmp_path)
    assert find_package({"ARCHIVER_CONSENT_RULES": str(tmp_path)}) == tmp_path


def test_what_is_said_without_it(tmp_path: Path) -> None:
    clock = ManualClock(datetime(2026, 9, 1, tzinfo=UTC).timestamp())
    assert "make setup" in package_facts({"ARCHIVER_CONSENT_RULES": str(tmp_path / "none")}, clock)["off"]
    install(tmp_path)
    (tmp_path / RULES).write_text("{")
    assert str(tmp_path) in package_facts({"ARCHIVER_CONSENT_RULES": str(tmp_path)}, clock)["off"]
