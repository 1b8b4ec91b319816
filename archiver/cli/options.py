"""Options that `save` and `crawl` share, and how they become configuration overrides (YAML names)."""

from __future__ import annotations

import argparse
import os
import pwd
import sys
from collections.abc import Mapping
from typing import Any

from archiver.config import Config, contact_needed, store_contact, with_contact
from archiver.errors import UsageError
from archiver.model import Actor


def add_job_options(parser: argparse.ArgumentParser) -> None:
    """Everything here has a key in the config file; the option wins over it."""
    where = parser.add_argument_group("where it goes, and for what")
    where.add_argument("--collection", metavar="NAME", help="folder and replay name (default: main)")
    where.add_argument("--out", metavar="DIR", help="folder that holds collections/ (default: ./crawls)")
    where.add_argument("--note", help="stands in every ledger row")
    where.add_argument("--case", help="case or file number, in every row")
    where.add_argument("--tag", action="append", dest="tags", metavar="WORD", help="may be given more than once")
    how = parser.add_argument_group("how it is fetched")
    how.add_argument("--contact", metavar="URL|MAIL", help="where site owners reach you; asked once and kept")
    how.add_argument("--policy", help="strict (default), research, legal-deposit")
    how.add_argument("--requisites", metavar="obey|transclude", help="robots.txt for images, styles, scripts")
    how.add_argument("--lane", metavar="auto|http|browser", help="plain HTTP or Chromium (default: auto)")
    how.add_argument("--delay", metavar="SECONDS", help="between visits to a host (default 1; less on own hosts only)")
    how.add_argument("--concurrency", metavar="N", help="visits at a time over all hosts")
    how.add_argument(
        "--allow-address", action="append", dest="allow_address", metavar="HOST:PORT",
        help="a private or loopback address that may be dialled; may be given more than once",
    )  # fmt: skip
    how.add_argument("--require", metavar="complete", help="exit 31 when something is missing")


def overrides(options: argparse.Namespace) -> dict[str, Any]:
    """By YAML name; None = not given."""
    given = vars(options)
    names = ("collection", "out", "note", "case", "tags", "contact", "policy", "requisites", "lane", "require")
    found: dict[str, Any] = {name: given.get(name) for name in names}
    found["delay"] = number(given.get("delay"), "--delay")
    found["concurrency"] = number(given.get("concurrency"), "--concurrency", whole=True)
    found["allowAddresses"] = given.get("allow_address")
    return {name: value for name, value in found.items() if value is not None}


def number(text: str | None, option: str, *, whole: bool = False) -> float | int | None:
    """A number typed on the command line; the config's own check bounds it. Raises UsageError naming the option."""
    if text is None:
        return None
    try:
        return int(text) if whole else float(text)
    except ValueError:
        kind = "a whole number" if whole else "a number"
        raise UsageError(f"{option}: {text!r} is not {kind}") from None


def with_a_contact(config: Config, environ: Mapping[str, str]) -> Config:
    """Ask once on a terminal and keep the answer; elsewhere nothing starts without one. Loopback needs none."""
    if not contact_needed(config):
        return config
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UsageError(
            "contact: site owners must be able to reach you; give --contact you@example.org (or an https URL), "
            "or write `contact: ...` into your config file"
        )
    print("Site owners must be able to reach whoever archives their pages.", file=sys.stderr)
    print(
        "Your mail address or an https page about you (asked once, sent with every request): ", end="", file=sys.stderr
    )
    sys.stderr.flush()
    contact, path = store_contact(sys.stdin.readline().strip(), environ)
    print(f"Kept in {path}.", file=sys.stderr)
    return with_contact(config, contact)


def person(environ: Mapping[str, str], *, through: str) -> Actor:
    """Who runs this: the account's name, as the operating system has it."""
    try:
        name = pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        name = f"uid {os.getuid()}"
    return Actor(name=environ.get("SUDO_USER") or name, through=through)
