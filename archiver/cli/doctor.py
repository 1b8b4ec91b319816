"""`archiver doctor`: what works on this machine, what is switched off, and what to do about it."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

from archiver import __version__
from archiver.browser_binary import find_chromium
from archiver.clock import SYSTEM
from archiver.config import Config, Places, from_environment, without_seeds
from archiver.errors import ArchiverError, BrowserError, StoreError, UsageError
from archiver.ledger.facts import clock_state
from archiver.replay.pywb import find_pywb

OK, OFF, BAD = "ok", "off", "bad"
LITTLE_SPACE = 2 << 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One line: `off` is a feature that is missing, `bad` something that stops a run."""

    name: str
    state: str
    says: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    parser.add_argument("--out", metavar="DIR", help="folder to look at (default: ./crawls)")


def run(options: argparse.Namespace) -> int:
    """0 when nothing stops a run, else 1. Raises UsageError for a bad option."""
    environ = dict(os.environ)
    findings = [Finding(name="archiver", state=OK, says=f"{__version__}, Python {platform.python_version()}")]
    try:
        given = {} if options.out is None else {"out": options.out}
        config = without_seeds(given, environ)
        findings += [check(config, environ) for check in CHECKS]
    except UsageError:
        raise
    except ArchiverError as error:
        findings.append(Finding(name="configuration", state=BAD, says=str(error)))
    if options.json:
        print(json.dumps({"findings": [asdict(one) for one in findings]}, indent=1))
    else:
        for one in findings:
            print(f"{one.state:<4} {one.name:<16} {one.says}")
    return 1 if any(one.state == BAD for one in findings) else 0


def _contact(config: Config, environ: Mapping[str, str]) -> Finding:
    if config.identity.contact:
        return Finding(name="contact", state=OK, says=config.identity.contact_uri)
    says = "none yet: asked for at the first `save` on a terminal, or give --contact; loopback needs none"
    return Finding(name="contact", state=OFF, says=says)


def _disk(config: Config, environ: Mapping[str, str]) -> Finding:
    places = Places.of(config, from_environment(environ))
    folder = places.out
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if not os.access(folder, os.W_OK):
        return Finding(name="disk", state=BAD, says=f"{folder} cannot be written; give another --out")
    state = OK if free > LITTLE_SPACE else BAD
    return Finding(name="disk", state=state, says=f"{free / 1e9:.1f} GB free at {folder}")


def _clock(config: Config, environ: Mapping[str, str]) -> Finding:
    state = clock_state().get("synchronised")
    says = {True: "synchronised by NTP", False: "not synchronised by NTP: dates are this machine's own word"}
    return Finding(name="clock", state=OK if state else OFF, says=says.get(bool(state), ""))


def _chromium(config: Config, environ: Mapping[str, str]) -> Finding:
    path = find_chromium(environ)
    if path is None:
        says = "no Chromium: the browser lane is off; `make setup`, or set ARCHIVER_CHROMIUM"
        return Finding(name="browser", state=OFF, says=says)
    from archiver.browser.probe import probe_chromium

    try:
        says = asyncio.run(probe_chromium(path, environ))
    except BrowserError as error:
        return Finding(name="browser", state=BAD, says=str(error))
    return Finding(name="browser", state=OK, says=f"{path} ({_version([str(path), '--version'])}): {says}")


def _consent(config: Config, environ: Mapping[str, str]) -> Finding:
    """The rules for consent notices age: libraries change their markup, and a rule that no longer fits says nothing."""
    from archiver.browser.consent_package import package_facts

    facts = package_facts(environ, SYSTEM)
    if "off" in facts:
        return Finding(name="consent", state=OFF, says=str(facts["off"]))
    days = facts["ageDays"]
    age = "of unknown age" if days is None else f"{days} days old"
    advice = "; renew them: docs/operator/consent.md names the command" if facts["old"] else ""
    says = f"rules {facts['version']} of autoconsent, {age}{advice}"
    return Finding(name="consent", state=OFF if facts["old"] else OK, says=says)


def _pywb(config: Config, environ: Mapping[str, str]) -> Finding:
    path = find_pywb(environ)
    if path is None:
        return Finding(name="replay", state=OFF, says="no pywb: `archiver replay` is off; `make setup` installs it")
    return Finding(name="replay", state=OK, says=f"pywb at {path}")


def _storage(config: Config, environ: Mapping[str, str]) -> Finding:
    if config.storage is None:
        return Finding(name="storage", state=OK, says="the local folder (set STORE_* for an S3 store besides)")
    from archiver.store.probe import probe
    from archiver.store.proofs import said_of
    from archiver.store.s3client import S3Settings

    settings = S3Settings(**config.storage.options())
    where = f"{config.storage.endpoint_url or 'AWS'}, bucket {config.storage.bucket}"
    try:
        remains = asyncio.run(probe(settings))
    except StoreError as error:
        return Finding(name="storage", state=BAD, says=f"{where}: {error}")
    says = f"but not deleted, as a crawler's key should not: {remains}" if remains else "and deleted"
    proof = said_of(settings, from_environment(environ).stores)
    says = f"{where}: an object was put, looked at, read back, {says}{f'; {proof}' if proof else ''}"
    return Finding(name="storage", state=OK, says=says)


def _version(command: list[str]) -> str:
    try:
        found = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"does not start: {error}"
    return found.stdout.strip() or "says nothing"


CHECKS: tuple[Callable[[Config, Mapping[str, str]], Finding], ...] = (
    _contact,
    _disk,
    _clock,
    _chromium,
    _consent,
    _pywb,
    _storage,
)
