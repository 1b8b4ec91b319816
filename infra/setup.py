#!/usr/bin/env python3
"""Sets up a working tree: `.venv` with `archiver`, pywb's environment, a browser, the consent rules.

    python3 infra/setup.py            what a user needs (`make setup`)
    python3 infra/setup.py --tests    what `make test` needs beside it: developers' tools and servers

Standard library only: on a fresh machine there is nothing else. Everything from a registry is pinned by hash in
infra/requirements and in the folders with a package-lock.json. A second run finds its stamps and does nothing. What is
optional and cannot be had turns its feature off in one line; only Python and the runtime set are indispensable.
"""

from __future__ import annotations  # an older Python must get as far as the sentence that refuses it

import argparse
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = ROOT / "infra" / "requirements"
VENV = ROOT / ".venv"
PYWB = ROOT / ".venv-pywb"
CONSENT = ROOT / "infra" / "consent"
AXE = ROOT / "infra" / "axe"
VIEWER = ROOT / "infra" / "replaywebpage"
OLDEST = (3, 11)
RETRY_AFTER = 3600.0  # seconds for which a failed optional step is not tried again
PIP_INSTALL = ("-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--no-deps")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
SERVERS = {  # Debian's package -> what it brings
    "curl": "curl",  # named by a collection's README.txt
    "jq": "jq",
    "nginx": "nginx",
    "openssl": "openssl",
    "postgresql-doc-15": "/usr/share/doc/postgresql-doc-15/html/index.html",
    "redis-server": "redis-server",
    "strace": "strace",
    "systemd": "systemd-analyze",  # checks the units that ship; nothing is started
    "wget": "wget",
}
# Installs without starting any service, and with the documentation that container images leave out.
APT = """
export DEBIAN_FRONTEND=noninteractive
if [ ! -e /usr/sbin/policy-rc.d ]; then
    printf '#!/bin/sh\\nexit 101\\n' > /usr/sbin/policy-rc.d && chmod 755 /usr/sbin/policy-rc.d
    trap 'rm -f /usr/sbin/policy-rc.d' EXIT
fi
apt-get update -q || true
apt-get install -q -y --no-install-recommends -o 'Dpkg::Options::=--path-include=/usr/share/doc/postgresql-doc-*' "$@"
"""


class SetupFailed(Exception):
    """A step did not work; the message is one line for the user, `output` what the failed program had to say."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output


def main() -> int:
    parser = argparse.ArgumentParser(description="Sets up this working tree.")
    parser.add_argument("--tests", action="store_true", help="also the developers' tools and the test servers")
    parser.add_argument("--retry", action="store_true", help="try again what failed within the last hour")
    options = parser.parse_args()
    try:
        check_python()
        environment(VENV, "runtime", ["build", "runtime"], finish=install_project)
        if options.tests:
            environment(VENV, "dev", ["dev"])
    except SetupFailed as failure:
        print(f"{failure.output}setup: {failure}", file=sys.stderr)
        return 1
    optional("replay (pywb)", lambda: environment(PYWB, "pywb", ["pywb-build", "pywb"]), retry=options.retry)
    if not has_browser():
        optional("the browser lane", install_browser, retry=options.retry)
    optional("consent notices", lambda: packages(CONSENT, "the consent rules"), retry=options.retry)
    if options.tests:
        check = "the accessibility check of reports"
        optional(check, lambda: packages(AXE, check), retry=options.retry)
        optional("WACZ files in ReplayWeb.page", lambda: packages(VIEWER, "ReplayWeb.page"), retry=options.retry)
    missing = [package for package, brings in SERVERS.items() if not present(brings)]
    if options.tests and missing:
        optional("some tests", lambda: apt_install(missing, why="servers are missing"), retry=options.retry)
    say("ready: .venv/bin/archiver")
    return 0


def say(text: str) -> None:
    print(f"setup: {text}", flush=True)


def optional(feature: str, step: Callable[[], None], *, retry: bool) -> None:
    """Runs `step`; a failure costs the feature and one line, not the set-up, and is not repeated within the hour."""
    note = VENV / f".off-{hashlib.sha256(feature.encode()).hexdigest()[:8]}"
    if not retry and note.exists() and time.time() - note.stat().st_mtime < RETRY_AFTER:
        say(f"{note.read_text()} (`make setup RETRY=1` tries again)")
        return
    note.unlink(missing_ok=True)
    try:
        step()
    except (SetupFailed, OSError) as failure:
        log = note.with_suffix(".log")
        log.write_text(getattr(failure, "output", ""))
        note.write_text(f"{feature}: off. {failure}" + (f" ({log.relative_to(ROOT)})" if log.stat().st_size else ""))
        say(note.read_text())


def run(command: Sequence[str | Path], *, cwd: Path = ROOT) -> None:
    """Runs `command` quietly and without input; raises SetupFailed with the line that tells most, and all it said."""
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        lines = [line.strip() for line in done.stdout.splitlines() if line.strip()] or [f"exit {done.returncode}"]
        telling = next((line for line in lines if line.lower().startswith(("error", "e:", "npm err"))), lines[-1])
        raise SetupFailed(f"{Path(str(command[0])).name} failed: {telling[:200]}", done.stdout)


# ---- Python ---------------------------------------------------------------------------------------------------------


def check_python() -> None:
    """Python is new enough and can make environments; Debian packs the second apart."""
    if sys.version_info < OLDEST:
        raise SetupFailed(f"Python {OLDEST[0]}.{OLDEST[1]} or newer is needed: make setup PYTHON=/path/to/python3")
    if importlib.util.find_spec("ensurepip") and importlib.util.find_spec("venv"):
        return
    of_system = os.path.realpath(sys.executable) == os.path.realpath("/usr/bin/python3")
    package = "python3-venv" if of_system else f"python{sys.version_info.major}.{sys.version_info.minor}-venv"
    apt_install([package], why="Python's venv module is missing")


def environment(
    venv: Path, name: str, locks: Sequence[str], finish: Callable[[Path], None] = lambda python: None
) -> None:
    """Brings `venv` to the state of `locks`, unless its stamp says that it is there already."""
    stamp = venv / f".stamp-{name}"
    wanted = fingerprint([LOCKS / f"{lock}.txt" for lock in locks] + [ROOT / "pyproject.toml"])
    if stamp.exists() and stamp.read_text() == wanted and (venv / "bin" / "python").exists():
        return
    python = make_environment(venv)
    for lock in locks:
        say(f"installing infra/requirements/{lock}.txt into {venv.name}")
        pip_install(python, LOCKS / f"{lock}.txt")
    finish(python)
    stamp.write_text(wanted)


def fingerprint(files: Sequence[Path]) -> str:
    """Changes with the files, with Python's version and with the place of this tree."""
    digest = hashlib.sha256(f"{sys.version_info[:2]} {ROOT}".encode())
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def make_environment(venv: Path) -> Path:
    """The Python of `venv`: kept when it is of this version and has pip, else made anew."""
    python = venv / "bin" / "python"
    probe = f"import pip, sys; sys.exit(sys.version_info[:2] != {sys.version_info[:2]} or sys.prefix != {str(venv)!r})"
    if not python.exists() or subprocess.run([python, "-c", probe], capture_output=True, check=False).returncode:
        say(f"making {venv.name}")
        run([sys.executable, "-m", "venv", "--clear", venv])
    return python


def pip_install(python: Path, lock: Path) -> None:
    """Installs a complete lock: every file by its hash, wheels only but for surt, which has none."""
    wheels = ["--only-binary", ":all:", "--no-binary", "surt", "--use-pep517", "--no-build-isolation"]
    run([python, *PIP_INSTALL, "--require-hashes", *wheels, "-r", lock])


def install_project(python: Path) -> None:
    """The project itself, editable; what builds it is in the environment already, so nothing is fetched."""
    local = ["--no-index", "--no-build-isolation", "--config-settings", "editable_mode=compat"]
    run([python, *PIP_INSTALL, *local, "--editable", ROOT])


# ---- optional parts -------------------------------------------------------------------------------------------------


def has_browser() -> bool:
    """Whether a Chromium is there and starts: the one named, the system's, Playwright's."""
    named = os.environ.get("ARCHIVER_CHROMIUM")
    names = [named] if named else CHROMIUM
    found = next(filter(None, map(shutil.which, names)), None) or (None if named else playwright_chromium())
    return bool(found) and subprocess.run([str(found), "--version"], capture_output=True, check=False).returncode == 0


def install_browser() -> None:
    """Debian's package where we may, else Playwright's download."""
    named = os.environ.get("ARCHIVER_CHROMIUM")
    if named:
        raise SetupFailed(f"ARCHIVER_CHROMIUM={named} does not start")
    may_install = root_prefix() is not None
    if may_install and distribution() == "debian":
        apt_install(["chromium"], why="no Chromium")
        return
    say("downloading Playwright's Chromium")
    with_libraries = ["--with-deps"] if may_install else []
    try:
        run([VENV / "bin" / "playwright", "install", *with_libraries, "chromium"])
    except SetupFailed as failure:
        raise SetupFailed(f"Install Chromium, or name one in ARCHIVER_CHROMIUM: {failure}", failure.output) from None
    if not has_browser():
        raise SetupFailed(
            "Playwright's Chromium lacks libraries. As root run: .venv/bin/playwright install-deps chromium"
        )


def playwright_chromium() -> str | None:
    home = Path(os.environ.get("PLAYWRIGHT_BROWSERS_PATH") or Path.home() / ".cache" / "ms-playwright")
    return next((str(path) for path in sorted(home.glob("chromium-*/chrome-linux*/chrome"), reverse=True)), None)


def packages(home: Path, what: str) -> None:
    """What `home` locks, by npm, to the byte; where there is no npm, by one from a throw-away environment."""
    stamp = home / "node_modules" / ".stamp"
    wanted = fingerprint([home / "package-lock.json"])
    if stamp.exists() and stamp.read_text() == wanted:
        return
    say(f"installing {what}")
    command = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    if shutil.which("npm"):
        run(["npm", *command], cwd=home)
    else:
        with tempfile.TemporaryDirectory(prefix="archiver-node-") as folder:
            venv = Path(folder) / "venv"
            run([sys.executable, "-m", "venv", venv])
            pip_install(venv / "bin" / "python", LOCKS / "node.txt")
            run([venv / "bin" / "npm", *command], cwd=home)
    stamp.write_text(wanted)


def present(what: str) -> bool:
    """Whether a program, or a file given by its path, is there: what the system tests talk to."""
    folders = f"{os.environ.get('PATH', '')}:/usr/sbin"
    return Path(what).exists() if what.startswith("/") else shutil.which(what, path=folders) is not None


# ---- the system -----------------------------------------------------------------------------------------------------


def apt_install(packages: Sequence[str], *, why: str) -> None:
    """Installs with apt where this user may; else raises SetupFailed with the line to run."""
    prefix = root_prefix()
    if prefix is None or not shutil.which("apt-get"):
        names = " ".join(packages)
        raise SetupFailed(f"{why[0].upper()}{why[1:]}. As root run: apt-get update && apt-get install -y {names}")
    say(f"installing {' '.join(packages)} with apt")
    run([*prefix, "sh", "-c", APT, "sh", *packages])


def root_prefix() -> list[str] | None:
    """What to put before a command to run it as root: nothing, sudo when it asks no password, None when we may not."""
    if os.geteuid() == 0:
        return []
    sudo = shutil.which("sudo")
    if sudo and not subprocess.run([sudo, "-n", "true"], capture_output=True, check=False).returncode:
        return [sudo, "-n"]
    return None


def distribution() -> str:
    """ID of /etc/os-release; Ubuntu's `chromium` is a snap that containers cannot run."""
    try:
        lines = Path("/etc/os-release").read_text().splitlines()
    except OSError:
        return ""
    return next((line[3:].strip('"') for line in lines if line.startswith("ID=")), "")


if __name__ == "__main__":
    sys.exit(main())
