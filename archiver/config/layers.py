"""Values with the place they came from, so that an error can name file, line and key, or the option."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from archiver.config.schema import kebab
from archiver.errors import ArchiverError, ConfigError, UsageError

_OPTIONS = {"allowAddresses": "--allow-address", "pageLimit": "--limit", "tags": "--tag"}
"""Options that are not spelled as their key is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """`source` is a file, `environment` or `command line`; `line` counts from 1."""

    source: str = "command line"
    line: int | None = None

    def error(self, name: str, message: str) -> ArchiverError:
        """UsageError for an option, else ConfigError; `name` is the key's full name (`storage.path`)."""
        if self.source == "command line":
            return UsageError(f"{_OPTIONS.get(name) or '--' + kebab(name).replace('.', '-')}: {message}")
        line = "" if self.line is None else f", line {self.line}"
        return ConfigError(f"{self.source}{line}: {name}: {message}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A value: text, number, flag, None, a tuple of entries or a mapping of entries."""

    value: Any
    where: Where

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {name: entry.plain() for name, entry in self.value.items()}
        if isinstance(self.value, tuple):
            return [entry.plain() for entry in self.value]
        return self.value


Layer = dict[str, Entry]


def layer_of(values: Mapping[str, Any], source: str) -> Layer:
    """Python values (command line, environment) as a layer; None = not given."""
    return {name: _entry(value, Where(source=source)) for name, value in values.items() if value is not None}


def _entry(value: Any, where: Where) -> Entry:
    if isinstance(value, Mapping):
        return Entry(value=layer_of(value, where.source), where=where)
    if isinstance(value, list | tuple):
        return Entry(value=tuple(_entry(item, where) for item in value), where=where)
    return Entry(value=value, where=where)


def merge(*layers: Layer) -> Layer:
    """Later layers win key by key; mappings are merged, lists replaced; a key without a value counts as not given."""
    merged: Layer = {}
    for layer in layers:
        for name, entry in layer.items():
            if entry.value is None:
                continue
            below = merged.get(name)
            if below is not None and isinstance(below.value, dict) and isinstance(entry.value, dict):
                entry = replace(entry, value=merge(below.value, entry.value))
            merged[name] = entry
    return merged
