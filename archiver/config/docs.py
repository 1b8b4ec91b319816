"""Prints docs/operator/config.md from the keys: `python -m archiver.config.docs > docs/operator/config.md`."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from typing import Any

from archiver.config.foreign import HARMLESS, MESSAGES
from archiver.config.identity import Identity
from archiver.config.model import Basis, Browsing, Job, Limits, Network, Pace, SeedRules, Timeouts, WarcInfo
from archiver.config.read import line_kind
from archiver.config.schema import Key, camel, keys_of
from archiver.config.secret import Secret
from archiver.config.storage import Storage
from archiver.policy.profiles import LEGAL_DEPOSIT, RESEARCH, STRICT, Line, RobotsLines, SignalLines

_HEAD = """# Configuration

<!-- Printed by `python -m archiver.config.docs`; change the keys in archiver/config, not this page. -->

A crawl is described by one YAML file with Browsertrix's key names:

```yaml
seeds:
  - url: https://example.org/
    scopeType: prefix
    exclude: ["/private/"]
collection: example
pageLimit: 500
contact: you@example.org
```

What counts, strongest first: options on the command line, the environment (`STORE_*` and the like), the YAML file,
your own `$XDG_CONFIG_HOME/archiver/config.yaml`, the defaults below. The options of a verb
are listed by `archiver VERB --help`. `archiver save` reads no YAML file but your own, and takes each URL as one page.

A file is refused, with the line and the nearest known name, for a key that nobody knows, a key that stands twice, a
value of the wrong type, tags (`!!python/...`), anchors and aliases, tabs, a second document, or more than 1 MB. A key
without a value counts as not given. Sizes take `k M G T` (powers of 1000) and `Ki Mi Gi Ti` (of 1024), seconds take
`ms s m h d`; negative numbers, `NaN` and infinity are refused.
"""

_SECTIONS: tuple[tuple[str, str, str, type], ...] = (
    ("Scope", "", "Of each seed; at the top level they are the default of all seeds.", SeedRules),
    ("Limits", "", "", Limits),
    ("Time-outs", "", "", Timeouts),
    ("Pace", "", "", Pace),
    ("Identity", "", "", Identity),
    ("Network", "", "", Network),
    ("Job", "", "", Job),
    (
        "Browser lane",
        "",
        "What Chromium claims to be and what is kept of a page it rendered: [browser.md](browser.md), "
        "[consent.md](consent.md).",
        Browsing,
    ),
    ("Who answers for it", "", "`operator` is read inside `warcinfo:` too, as in Browsertrix.", Basis),
    ("warcinfo:", "warcinfo", "", WarcInfo),
    ("storage:", "storage", "Without it the local folder is the store.", Storage),
)


def page() -> str:
    """The whole page, Markdown."""
    parts = [_HEAD, "\n".join(_seed_keys())]
    for title, mapping, prose, section in _SECTIONS:
        parts.append("\n".join(_section(title, mapping, prose, section)))
    parts += ["\n".join(_policies()), "\n".join(_foreign())]
    return "\n".join(parts)


def _seed_keys() -> Iterator[str]:
    yield "## Seeds\n"
    yield "| key | type | default | meaning |\n|---|---|---|---|"
    yield "| `seeds` | list of URLs or mappings | | Where the crawl starts. A mapping has `url` and the keys of Scope |"
    yield "| `url` | URL or list of URLs | | Short for `seeds` |\n"


def _section(title: str, mapping: str, prose: str, section: type) -> Iterator[str]:
    yield f"## {title}\n"
    if prose:
        yield prose + "\n"
    yield "| key | type | default | unit | meaning |\n|---|---|---|---|---|"
    defaults = {one.name: one.default for one in dataclasses.fields(section)}
    for field_name, about in keys_of(section).items():
        name = f"{mapping}.{about.name}" if mapping else about.name
        facts = f"{_cell(about.kind.name)} | {_shown(defaults[field_name])} | {about.unit}"
        yield f"| `{name}` | {facts} | {_meaning(about)} |"
    yield ""


def _meaning(about: Key) -> str:
    text = _cell(about.doc) + "."
    if about.aliases:
        text += f" Also `{'`, `'.join(about.aliases)}`."
    if about.secret:
        text += " Never shown, logged or stored; better set in the environment."
    if about.browsertrix:
        text += f" *Browsertrix: {_cell(about.browsertrix)}.*"
    return text


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _shown(default: Any) -> str:
    if isinstance(default, Secret) or default in ("", ()):
        return ""
    if isinstance(default, bool):
        return "`true`" if default else "`false`"
    return f"`{default:g}`" if isinstance(default, float) else f"`{default}`"


def _policies() -> Iterator[str]:
    yield "## Policies\n"
    yield (
        "`policy: strict` (default), `research` or `legal-deposit` sets every line below; a line can be set alone\n"
        "(`robots: {forbidden: disallow}`). `requisites` and `onNoarchive` at the top level are short for\n"
        "`robots.requisites` and `signals.noarchive`. Values stand strictest first. A policy or line that loosens\n"
        "what `strict` has needs `legalBasis` and `operator`; lines marked *free* are choices that strict offers.\n"
        "`profile` is a browser login profile to Browsertrix and is not used here; `useRobots: false` is refused.\n"
        "Never configurable: a truthful identity with a contact, back-off on 429, 503 and Retry-After, no way round a\n"
        "captcha, a login or a paywall, every decision recorded.\n"
    )
    yield "| key | values | strict | research | legal-deposit | meaning |\n|---|---|---|---|---|---|"
    for group, lines in (("robots", RobotsLines), ("signals", SignalLines)):
        for one in dataclasses.fields(lines):
            about: Line = one.metadata["line"]
            values = [getattr(getattr(profile, group), one.name) for profile in (STRICT, RESEARCH, LEGAL_DEPOSIT)]
            kind = _cell(line_kind(about, one.default).name)
            cells = " | ".join(_shown(value) for value in values)
            free = " *(free)*" if about.free else ""
            yield f"| `{group}.{camel(one.name)}` | {kind} | {cells} | {_cell(about.doc)}.{free} |"
    yield ""


def _foreign() -> Iterator[str]:
    yield "## Browsertrix keys that are refused\n"
    yield "Each is a config error with the words below. Values that ask for what happens anyway change nothing.\n"
    yield "| key | said | values that are let through |\n|---|---|---|"
    for name in sorted({*MESSAGES, *HARMLESS, "profile"}):
        fine = ", ".join(f"`{value}`" if value else "empty" for value in HARMLESS.get(name, ()))
        said = MESSAGES.get(name, "see Policies" if name in ("robots", "useRobots", "profile") else "")
        yield f"| `{name}` | {_cell(said)} | {fine} |"


if __name__ == "__main__":
    sys.stdout.write(page() + "\n")
