"""Options that `save` and `crawl` share, and how they become configuration overrides (YAML names)."""

from __future__ import annotations

import argparse
import os
import pwd
import sys
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from archiver.config import Config, contact_needed, store_contact, with_contact
from archiver.config.foreign import MESSAGES
from archiver.config.kinds import read_seconds, read_text
from archiver.errors import ConfigError, UsageError
from archiver.model import Actor
from archiver.policy.override import Lift, Override


def add_job_options(parser: argparse.ArgumentParser) -> None:
    """Everything here has a key in the config file; the option wins over it."""
    where = parser.add_argument_group("where it goes, and for what")
    where.add_argument("--collection", metavar="NAME", help="folder and replay name (default: main)")
    where.add_argument("--out", metavar="DIR", help="folder that holds collections/ (default: ./crawls)")
    where.add_argument(
        "--wacz", action="store_const", const=True, help="pack a WACZ at the end: one a capture (crawl: one of all)"
    )
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


def add_override_options(parser: argparse.ArgumentParser) -> None:
    """Of `save` alone: an override has no key in any file."""
    lift = parser.add_argument_group("when a site's robots.txt stands in the way")
    lift.add_argument("--wait", metavar="TIME", help="such as 2h: wait for deferred URLs that long, in all")
    lift.add_argument(
        "--override", action="append", metavar="WHAT",
        help="one URL, one visit, by name: robots, robots-unreachable, requisites; more than one with commas",
    )  # fmt: skip
    lift.add_argument("--because", metavar="TEXT", help="with --override: why; stands in the ledger")
    lift.add_argument("--by", metavar="NAME", help="with --override: who answers for it; stands in the ledger")


def forbid_override(parser: argparse.ArgumentParser) -> None:
    """Where an override would bind more than one URL, it is told what it is instead of being called unknown."""
    parser.add_argument("--override", nargs="*", action=_Forbidden, help=argparse.SUPPRESS)


class _Forbidden(argparse.Action):
    def __call__(self, *_: object, **__: object) -> NoReturn:
        raise ConfigError(f"--override: {MESSAGES['override']}")


def override_of(options: argparse.Namespace, urls: Sequence[str]) -> Override | None:
    """What is lifted, None without `--override`. Raises UsageError naming what is missing and the fix."""
    named = [word.strip() for text in options.override or () for word in text.split(",")]
    if not named:
        for option in ("because", "by"):
            if getattr(options, option) is not None:
                raise UsageError(f"--{option} goes with --override: give both, or neither")
        return None
    if len(urls) != 1:
        raise UsageError(
            f"--override is for one URL and one visit; {len(urls)} URLs are given: run it for each by itself"
        )
    return Override(
        what=frozenset(_lift(word) for word in named),
        because=_said(options.because, "--because", "why; it stands in the ledger"),
        by=_said(options.by, "--by", "who answers for it; the name stands in the ledger"),
    )


def _lift(word: str) -> Lift:
    try:
        return Lift(word)
    except ValueError:
        known = ", ".join(Lift)
        raise UsageError(f"--override: {word!r} cannot be lifted; what can: {known}") from None


def _said(text: str | None, option: str, what: str) -> str:
    try:
        said = read_text(text or "")
    except ValueError as error:
        raise UsageError(f"{option}: {error}") from None
    if not said:
        raise UsageError(f"--override needs {option}: {what}")
    return said


def allowed_by(config: Config, override: Override | None) -> Override | None:
    """The override, where the configuration has nothing against any. Raises ConfigError."""
    if override is not None and not config.basis.overrides:
        raise ConfigError("overrides: is off in this configuration, so --override is refused; whoever set it decides")
    return override


def wait_of(options: argparse.Namespace) -> float:
    """Seconds of `--wait`; 0 without it. Raises UsageError."""
    try:
        return read_seconds(options.wait) if options.wait is not None else 0.0
    except ValueError as error:
        raise UsageError(f"--wait: {error}") from None


def overrides(options: argparse.Namespace) -> dict[str, Any]:
    """By YAML name; None = not given."""
    given = vars(options)
    names = ("collection", "out", "note", "case", "tags", "contact", "policy", "requisites", "lane", "require")
    found: dict[str, Any] = {name: given.get(name) for name in names}
    found["delay"] = number(given.get("delay"), "--delay")
    found["concurrency"] = number(given.get("concurrency"), "--concurrency", whole=True)
    found["allowAddresses"] = given.get("allow_address")
    found["generateWACZ"] = given.get("wacz")
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
