"""What each run records about itself: software, machine, clock, resolver. Cheap: it stands in front of every `save`."""

from __future__ import annotations

import ctypes
import locale
import os
import platform
import re
import socket
import ssl
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import archiver

LIBRARIES = (
    "aiohttp",
    "boto3",
    "brotli",
    "can-ada",
    "cryptography",
    "google-re2",
    "h11",
    "isal",
    "lxml",
    "orjson",
    "platformdirs",
    "playwright",
    "PyYAML",
    "rich",
    "scrapy",
    "tldextract",
    "trafilatura",
    "uvloop",
    "warcio",
    "zstandard",
)
"""The run-time dependencies of pyproject.toml (a test compares)."""

_TIME_ERROR = 5
_CERTIFICATE = b"-----BEGIN CERTIFICATE-----"


def run_facts(*, environ: Mapping[str, str], chromium: str | None = None) -> dict[str, Any]:
    """The data of a `run` row but policy and configuration, which the caller adds. Never raises for a missing file.

    `environ` is the process's (read in one place only); of it, only TZ, SSL_CERT_FILE and SSL_CERT_DIR are looked at.
    """
    return {
        "software": software(chromium),
        "machine": {
            "host": socket.gethostname(),
            "uid": os.getuid(),
            "pid": os.getpid(),
            "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        },
        "locale": locale.setlocale(locale.LC_CTYPE),
        "time_zone": _time_zone(environ),
        "clock": clock_state(),
        "resolver": resolver(Path("/etc/resolv.conf")),
        "trust": _trust(environ),
    }


def software(chromium: str | None = None) -> dict[str, Any]:
    """Versions as strings; a library that is not installed is left out."""
    versions: dict[str, Any] = {
        "archiver": archiver.__version__,
        "python": platform.python_version(),
        "openssl": ssl.OPENSSL_VERSION,
        "libraries": library_versions(sys.path),
    }
    if chromium is not None:
        versions["chromium"] = chromium
    return versions


def library_versions(folders: Iterable[str]) -> dict[str, str]:
    """Versions by the names of the `.dist-info` folders (name-version; binary distribution format).

    importlib.metadata parses each METADATA file: 35 ms for these, this takes under one.
    """
    wanted = {_normal(name): name for name in LIBRARIES}
    found: dict[str, str] = {}
    for folder in folders:
        try:
            names = os.listdir(folder or ".")
        except OSError:
            continue
        for entry in names:
            if not entry.endswith(".dist-info"):
                continue
            name, _, version = entry.removesuffix(".dist-info").partition("-")
            known = wanted.get(_normal(name))
            if known is not None:
                found.setdefault(known, version)
    return dict(sorted(found.items()))


def resolver(path: Path) -> list[str]:
    """The name servers of resolv.conf(5), in order."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return [found[1] for line in text.splitlines() if (found := re.match(r"\s*nameserver\s+(\S+)", line))]


class _Timex(ctypes.Structure):
    """The head of `struct timex` (adjtimex(2)), with room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * 256),
    )


def _adjtimex(timex: _Timex) -> int:
    return int(ctypes.CDLL(None).adjtimex(ctypes.byref(timex)))


def clock_state(adjtimex: Callable[[_Timex], int] = _adjtimex) -> dict[str, Any]:
    """`synchronised`: what the kernel says about NTP, None where it cannot be asked; errors in microseconds."""
    timex = _Timex()
    try:
        state = adjtimex(timex)
    except (OSError, AttributeError):
        state = -1
    if state < 0:
        return {"synchronised": None}
    synchronised = state != _TIME_ERROR
    errors = {"max_error_us": timex.maxerror, "estimated_error_us": timex.esterror} if synchronised else {}
    return {"synchronised": synchronised, **errors}


def _time_zone(environ: Mapping[str, str]) -> dict[str, Any]:
    now = time.localtime()
    name = environ.get("TZ", "").lstrip(":")
    if not name:
        target = os.path.realpath("/etc/localtime")
        name = target.partition("/zoneinfo/")[2]
    return {"name": name or now.tm_zone, "offset_seconds": now.tm_gmtoff}


def _trust(environ: Mapping[str, str]) -> list[dict[str, Any]]:
    """Roots that the operator added (SSL_CERT_FILE, SSL_CERT_DIR): path, and of a file its digest and count."""
    added: list[dict[str, Any]] = []
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        value = environ.get(name)
        if value:
            added.append({"variable": name, "path": value, **_certificates(Path(value))})
    return added


def _certificates(path: Path) -> dict[str, Any]:
    try:
        content = path.read_bytes()
    except OSError:
        return {}
    return {"sha256": sha256(content).hexdigest(), "certificates": content.count(_CERTIFICATE)}


def _normal(name: str) -> str:
    """The name as package indexes compare it: lower case, runs of `-_.` as one `-` (name normalisation rules)."""
    return re.sub(r"[-_.]+", "-", name).lower()
