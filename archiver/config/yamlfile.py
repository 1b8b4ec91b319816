"""YAML in its plainest form: no tags, anchors or second documents, no key twice, nothing that grows while being read.

Built on parse events instead of PyYAML's constructors: those take the last of two equal keys in silence, expand
aliases without bound and read `lang: no` as false. Here a scalar stays the text it was written as, with its line; the
key's kind decides what it means.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from archiver.config.layers import Entry, Layer, Where
from archiver.errors import ConfigError

MAX_BYTES = 1_000_000
MAX_DEPTH = 12
_PLAIN_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "seq", "map"))
_NULLS = frozenset(("", "~", "null", "Null", "NULL"))
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where PyYAML was built with it


def read_yaml(path: Path) -> Layer:
    """The top-level mapping of a file. Raises ConfigError naming the line."""
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    if len(data) > MAX_BYTES:
        raise ConfigError(f"{path}: is larger than {MAX_BYTES} bytes; put long lists of seeds into several crawls")
    return parse_yaml(data, str(path))


def parse_yaml(data: bytes, source: str) -> Layer:
    """As `read_yaml`, for bytes that `source` names."""
    try:
        text = data.decode("utf-8-sig")
        events = iter(list(yaml.parse(text, Loader=_LOADER)))
    except UnicodeDecodeError as error:
        raise ConfigError(f"{source}: byte {error.start} is not UTF-8") from error
    except yaml.MarkedYAMLError as error:
        raise ConfigError(f"{source}, line {_line(error, data)}: {_why(error)}") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{source}: {' '.join(str(error).split())}") from error
    return _document(events, source)


def _line(error: yaml.MarkedYAMLError, data: bytes) -> int:
    mark: Any = error.problem_mark or error.context_mark
    return mark.line + 1 if mark is not None else data.count(b"\n") + 1


def _why(error: yaml.MarkedYAMLError) -> str:
    problem = error.problem or error.context or "not valid YAML"
    if "\\t" in problem or "'\t'" in problem or "cannot start any token" in problem:
        return "a tab or another character that YAML does not allow here; indent with spaces"
    return f"not valid YAML: {problem}"


def _document(events: Iterator[Any], source: str) -> Layer:
    reader = _Reader(events, source)
    root: Entry | None = None
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            if root is not None:
                raise reader.error(event, "a second document ('---') in one file")
            root = reader.node(next(events), 0)
    if root is None or root.value is None:
        return {}
    if not isinstance(root.value, dict):
        raise ConfigError(f"{source}: must hold 'key: value' lines at the top level")
    return root.value


def _line_of(event: Any) -> int:
    return int(event.start_mark.line) + 1


class _Reader:
    """Builds entries from events; refuses what a config never needs."""

    def __init__(self, events: Iterator[Any], source: str) -> None:
        self._events = events
        self._source = source

    def error(self, event: Any, message: str) -> ConfigError:
        return ConfigError(f"{self._source}, line {_line_of(event)}: {message}")

    def node(self, event: Any, depth: int) -> Entry:
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise self.error(event, "anchors and aliases (& and *) are not read; write the value out")
        if event.tag is not None and event.tag not in _PLAIN_TAGS:
            raise self.error(event, f"the tag {event.tag} is not allowed; write a plain value")
        if depth > MAX_DEPTH:
            raise self.error(event, f"nested deeper than {MAX_DEPTH} levels")
        where = Where(source=self._source, line=_line_of(event))
        if isinstance(event, yaml.ScalarEvent):
            is_null = event.style in (None, "") and event.value in _NULLS
            return Entry(value=None if is_null else event.value, where=where)
        if isinstance(event, yaml.SequenceStartEvent):
            return Entry(value=tuple(self._items(depth)), where=where)
        return Entry(value=self._mapping(depth), where=where)

    def _items(self, depth: int) -> Iterator[Entry]:
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            yield self.node(event, depth + 1)

    def _mapping(self, depth: int) -> Layer:
        found: Layer = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise self.error(event, "a key must be a plain word")
            name = str(self.node(event, depth).value)
            if name in found:
                raise self.error(event, f"{name}: stands twice, first in line {found[name].where.line}; remove one")
            entry = self.node(next(self._events), depth + 1)
            # An empty value has no line of its own that helps: the key's is meant.
            found[name] = Entry(value=entry.value, where=Where(source=self._source, line=_line_of(event)))
        return found
