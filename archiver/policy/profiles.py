"""Policies as data: `strict`, `research`, `legal-deposit`. No rule asks for a policy's name; it reads a line of it.

Each line is a setting with its values in order, strictest first. A line moved past where `strict` has it *loosens*, and
the start is then refused without a legal basis and an operator (`config` does that; here it is only told). Lines which
`strict` itself offers as a choice (`requisites`, `noarchive` ...) carry no such duty.

The floor stands in no table, because no setting moves it: a truthful identity with a contact, back-off on 429, 503 and
Retry-After, no way round a captcha, a login or a paywall, every decision recorded.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

VERSION = "1"  # grows with every change of a value or of what a value means


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One setting: what it does and its values, strictest first (none = a list, a number or a flag).

    `free`: strict itself offers the choice. `falls`: a smaller number is looser. `paths`: a list of absolute paths.
    """

    doc: str
    values: tuple[str, ...] = ()
    free: bool = False
    falls: bool = False
    paths: bool = False


def line(
    default: Any, doc: str, *values: str, free: bool = False, falls: bool = False, paths: bool = False
) -> Any:
    """A dataclass field that carries its `Line`."""
    about = Line(doc=doc, values=values, free=free, falls=falls, paths=paths)
    return field(default=default, metadata={"line": about})


@dataclass(frozen=True, slots=True, kw_only=True)
class RobotsLines:
    """What robots.txt binds (RFC 9309; COMPLIANCE table in docs/auditor)."""

    matcher: str = line("both", "Readings that must agree to allow a URL", "both", "rfc9309", "google")
    disallowed: str = line("obey", "A refused page: never fetch, or fetch inside `mandate`", "obey", "mandate")
    mandate: tuple[str, ...] = line((), "Host suffixes of a legal mandate; outside of it robots.txt is obeyed")
    requisites: str = line("obey", "Images, styles, scripts that robots.txt refuses", "obey", "transclude", free=True)
    forbidden: str = line("allow", "robots.txt answers 401 or 403 (RFC 9309, 2.3.1.3: allow)", "disallow", "allow")
    unreachable: str = line("defer", "robots.txt answers 429, 5xx or not at all", "refuse", "defer")
    undefined: str = line("allow", "robots.txt was unreachable for `undefinedDays`", "disallow", "allow")
    undefined_days: int = line(30, "Days of unreachability after which `undefined` holds (2.3.1.4)", falls=True)
    many_redirects: str = line("allow", "More than five redirects (2.3.1.2: unavailable)", "disallow", "allow")
    extra_tokens: tuple[str, ...] = line((), "Further tokens that are obeyed; they can only refuse", free=True)
    delays: str = line("honour", "Crawl-delay, Request-rate, Visit-time", "honour", "floor")
    delay_cap: float = line(300.0, "Seconds of declared delay that are waited for", free=True)
    beyond_cap: str = line("skip", "A declared delay over the cap: leave the host, or wait the cap", "skip", "clamp")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalLines:
    """What a page or its headers ask for, and how we behave on it."""

    noarchive: str = line(
        "dark", "noarchive, nocache: how the page is kept", "drop-body", "dark", "restricted", free=True
    )
    noindex: str = line("unlisted", "noindex at replay", "reading-room", "unlisted", free=True)
    nofollow: str = line("obey", "nofollow of page or link", "obey", "follow")
    unavailable_after: str = line("expire", "unavailable_after: hide when past, or note it", "expire", "record")
    usage: str = line("exclude", "AI and TDM reservations in data-set exports", "exclude", "art3", "label")
    cache_control: str = line("flag", "Cache-Control no-store, private", "flag", "store")
    blocked: str = line("stop", "451, 403, 402: keep the record; stop, or list for review", "stop", "review")
    gpc: bool = line(True, "Send Sec-GPC: 1")
    consent: str = line(
        "reject", "Consent notices: reject all, leave untouched, or hide", "reject", "leave", "hide", free=True
    )
    fetch: tuple[str, ...] = line(
        (), "Further files of a seed's site asked for after its page, such as /llms.txt", free=True, paths=True
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A policy with every line of it. `sha256` names exactly these values in ledger rows and warcinfo."""

    name: str
    version: str = VERSION
    robots: RobotsLines = field(default_factory=RobotsLines)
    signals: SignalLines = field(default_factory=SignalLines)

    @property
    def sha256(self) -> str:
        """Hash of the canonical JSON (sorted keys, no spaces), hex."""
        return hashlib.sha256(canonical(dataclasses.asdict(self))).hexdigest()

    @property
    def label(self) -> str:
        """`strict/1`, with `+abcdef12` when lines were changed; stands in `Decision.policy`."""
        plain = PROFILES[self.name]
        return f"{self.name}/{self.version}" + ("" if plain == self else f"+{self.sha256[:8]}")

    @property
    def loosened(self) -> tuple[str, ...]:
        """Names of the lines that are looser than in `strict` (`robots.disallowed`), in order."""
        found: list[str] = []
        for group in ("robots", "signals"):
            mine, strict = getattr(self, group), getattr(STRICT, group)
            found += [
                f"{group}.{camel(f.name)}"
                for f in dataclasses.fields(mine)
                if _is_looser(f.metadata["line"], getattr(mine, f.name), getattr(strict, f.name))
            ]
        return tuple(found)

    def with_lines(self, robots: Mapping[str, Any], signals: Mapping[str, Any]) -> Profile:
        """These lines changed; keys are field names, values already checked."""
        return dataclasses.replace(
            self,
            robots=dataclasses.replace(self.robots, **robots),
            signals=dataclasses.replace(self.signals, **signals),
        )


def canonical(value: Any) -> bytes:
    """JSON with sorted keys, no spaces and no NaN: equal values give equal bytes."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def camel(name: str) -> str:
    """`delay_cap` -> `delayCap`, the form of names in YAML."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def _is_looser(about: Line, mine: Any, strict: Any) -> bool:
    if about.free or mine == strict:
        return False
    if about.values:
        return about.values.index(mine) > about.values.index(strict)
    if about.falls:
        return bool(mine < strict)
    return bool(mine) != bool(strict)  # a list that stands empty in strict, a flag that stands on


STRICT = Profile(name="strict")

RESEARCH = Profile(
    name="research",
    robots=RobotsLines(matcher="rfc9309", requisites="transclude", delay_cap=60.0, beyond_cap="clamp"),
    signals=SignalLines(noarchive="restricted", usage="art3"),
)

LEGAL_DEPOSIT = Profile(
    name="legal-deposit",
    robots=RobotsLines(matcher="rfc9309", disallowed="mandate", requisites="transclude", delays="floor"),
    signals=SignalLines(
        noarchive="restricted",
        noindex="reading-room",
        nofollow="follow",
        unavailable_after="record",
        usage="label",
        cache_control="store",
        blocked="review",
    ),
)

PROFILES: dict[str, Profile] = {profile.name: profile for profile in (STRICT, RESEARCH, LEGAL_DEPOSIT)}
