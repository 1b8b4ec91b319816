"""`scrapy crawl site -a KEY=VALUE`: keys of the config file, values as texts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from archiver.config import Config, contact_needed, load
from archiver.config.layers import Where
from archiver.errors import ArchiverError, UsageError

_PARTED = frozenset({"tags", "allowAddresses", "ownHosts"})
_LISTS = _PARTED | {"include", "exclude", "seeds"}
_MAPPINGS = frozenset({"warcinfo", "storage", "robots", "signals", "tls"})


def options_of(arguments: Mapping[str, str]) -> dict[str, Any]:
    """`url` holds one or more URLs, parted by blanks; addresses, hosts and tags are parted by commas; a pattern is one
    pattern. Lists and mappings may be JSON. Raises UsageError."""
    options: dict[str, Any] = {}
    for name, text in arguments.items():
        if name == "url":
            options["seeds"] = text.split()
        elif name != "config":
            options[name] = _value(name, text)
    return options


def _value(name: str, text: str) -> Any:
    if (name in _LISTS and text.startswith("[")) or name in _MAPPINGS:
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise UsageError(f"-a {name}: not JSON ({error})") from None
    if name in _PARTED:
        return [part.strip() for part in text.split(",") if part.strip()]
    return [text] if name in _LISTS else text


def config_of(
    arguments: Mapping[str, str], defaults: Mapping[str, Any], environ: Mapping[str, str], *, scope_type: str = ""
) -> Config:
    """The configuration of a crawl by its spider's arguments: over `-a config=FILE`, over the setting ARCHIVER.

    `scope_type` is the spider's own, where nobody says otherwise. Raises ConfigError, UsageError naming the argument.
    """
    options = {**defaults, **options_of(arguments)}
    if scope_type and "scopeType" not in options:
        options["scopeType"] = scope_type
    file = arguments.get("config")
    try:
        config = load(Path(file) if file else None, options, environ)
    except UsageError as error:
        raise _as_argument(error, options) from None
    if contact_needed(config):
        raise UsageError("contact: site owners must be able to reach you; give -a contact=you@example.org")
    return config


def _as_argument(error: ArchiverError, options: Mapping[str, Any]) -> UsageError:
    """The configuration names options as the command line spells them; here they are arguments."""
    message = str(error)
    for name in options:
        option = str(Where().error(name, ""))
        if message.startswith(option):
            return UsageError(f"-a {name}: {message[len(option) :]}")
    return UsageError(message.replace("--url URL or a config file with seeds:", "-a url=URL or -a config=FILE"))
