"""The rules for consent libraries: `@duckduckgo/autoconsent` as its makers publish it, read by path, never changed.

Installed at set-up with everything pinned; absent, the rules are off and only our own look is left. No Node is needed
to use it.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from archiver.clock import Clock

NAME = "@duckduckgo/autoconsent"
SCRIPT = "dist/autoconsent.cjs.js"
RULES = "rules/rules.json"
OLD_DAYS = 90
OFF = "the rules for consent libraries are not installed (`make setup`); notices are handled by wording alone"
_INSTALLED = Path("node_modules", NAME)
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def find_package(environ: Mapping[str, str]) -> Path | None:
    """The package's folder: the one that ARCHIVER_CONSENT_RULES names, the working tree's, the installation's."""
    named = environ.get("ARCHIVER_CONSENT_RULES")
    tree = Path(__file__).resolve().parents[2] / "infra" / "consent"
    places = (
        [Path(named)] if named else [tree / _INSTALLED, Path(sys.prefix, "share", "archiver", "consent") / _INSTALLED]
    )
    return next((place for place in places if (place / SCRIPT).is_file() and (place / RULES).is_file()), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """What is used of it. `released` is None when its list of changes does not say."""

    path: Path
    version: str
    script: str
    rules: tuple[Mapping[str, Any], ...]
    hashes: Mapping[str, str] = field(default_factory=dict)
    released: date | None = None

    @classmethod
    def load(cls, path: Path) -> Package:
        """Raises OSError and ValueError: not a package of this kind."""
        script, rules = (path / SCRIPT).read_bytes(), (path / RULES).read_bytes()
        about = json.loads((path / "package.json").read_text("utf-8"))
        return cls(
            path=path,
            version=str(about["version"]),
            script=script.decode("utf-8"),
            rules=tuple(json.loads(rules)["autoconsent"]),
            hashes={SCRIPT: hashlib.sha256(script).hexdigest(), RULES: hashlib.sha256(rules).hexdigest()},
            released=_released(path / "CHANGELOG.md"),
        )

    def age_days(self, clock: Clock) -> int | None:
        return None if self.released is None else (clock.now().date() - self.released).days

    def facts(self, clock: Clock) -> dict[str, Any]:
        """For records, `doctor` and the report."""
        age = self.age_days(clock)
        return {
            "package": NAME,
            "version": self.version,
            "sha256": dict(self.hashes),
            "rules": len(self.rules),
            "released": None if self.released is None else self.released.isoformat(),
            "ageDays": age,
            "old": age is not None and age > OLD_DAYS,
        }


def package_facts(environ: Mapping[str, str], clock: Clock) -> dict[str, Any]:
    """`{"off": why}` when there is no package, or none that can be read."""
    path = find_package(environ)
    if path is None:
        return {"off": OFF}
    try:
        return Package.load(path).facts(clock)
    except (OSError, ValueError, KeyError) as error:
        return {"off": f"{path}: {error}"}


def _released(changes: Path) -> date | None:
    """From the first headline, `# v16.23.0 (Tue Aug 18 2026)`: files in a package have no dates of their own."""
    try:
        with changes.open(encoding="utf-8") as lines:
            found = re.search(r"\(\w{3} (\w{3}) (\d{1,2}) (\d{4})\)", lines.readline())
    except OSError:
        return None
    if found is None or found[1] not in _MONTHS:
        return None
    return datetime(int(found[3]), _MONTHS.index(found[1]) + 1, int(found[2]), tzinfo=UTC).date()
