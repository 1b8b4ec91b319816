"""What a config key is: its name in YAML, how its value is read, and what the documentation says of it.

The key stands on the dataclass field it fills (`model.py`), so that name, default, check and documentation cannot part.
A *kind* turns what YAML or the command line gave (text, number, list, mapping) into the field's value, or raises
ValueError with the rest of a sentence that starts with the key's name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Kind:
    """`name` as printed in the documentation; `read` gives the value or raises ValueError."""

    name: str
    read: Callable[[object], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key. `browsertrix` says where that program means something else by the name, or has another name for it."""

    name: str
    kind: Kind
    doc: str
    unit: str = ""
    browsertrix: str = ""
    aliases: tuple[str, ...] = ()
    secret: bool = False


def key(kind: Kind, doc: str, *, default: Any = dataclasses.MISSING, **more: Any) -> Any:
    """A field that can be set from outside. `name=` where it is not the field's own name in camelCase."""
    return field(default=default, metadata={"kind": kind, "doc": doc, **more})


def keys_of(section: type) -> dict[str, Key]:
    """The keys of a section by field name, in order."""
    found: dict[str, Key] = {}
    for one in dataclasses.fields(section):
        if "kind" in one.metadata:
            about = dict(one.metadata)
            found[one.name] = Key(name=about.pop("name", None) or camel(one.name), **about)
    return found


def camel(name: str) -> str:
    """`page_limit` -> `pageLimit`."""
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def kebab(name: str) -> str:
    """`pageLimit` -> `page-limit`, as on the command line."""
    return "".join(f"-{char.lower()}" if char.isupper() else char for char in name)
