"""How values are read: one small function a kind. ValueError says what was expected, never what a secret was."""

from __future__ import annotations

import ipaddress
import math
import re
from collections.abc import Callable, Iterable
from typing import Any

import re2

from archiver.config.schema import Kind
from archiver.errors import ConfigError
from archiver.policy.address import AllowList

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*([kKmMgGtT]?)(i?)[bB]?")
_SPAN = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|s|m|h|d)?")
_POWER = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
_SECONDS = {"ms": 0.001, "": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0}
_WORDS = {"true": True, "yes": True, "on": True, "false": False, "no": False, "off": False}
COLLECTION = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
MAX_NUMBER = 2**53


def shown(value: object) -> str:
    """A value fit for a message: short, printable."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _text_of(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise ValueError(f"must be a text, not {_sort(value)}")
    return str(value)


def _sort(value: object) -> str:
    names = {"list": "a list", "tuple": "a list", "dict": "a mapping", "bool": "true or false", "NoneType": "nothing"}
    return names.get(type(value).__name__, "a number" if isinstance(value, int | float) else "a text")


def read_text(value: object, *, limit: int = 2_000) -> str:
    """One line of printable text, trimmed."""
    text = _text_of(value).strip()
    if len(text) > limit:
        raise ValueError(f"is longer than {limit} characters")
    if any(not char.isprintable() for char in text):
        raise ValueError("holds a line end or another control character; remove it")
    return text


def read_flag(value: object) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _WORDS:
        return _WORDS[value.lower()]
    raise ValueError(f"must be true or false, not {shown(value)}")


def read_int(value: object, *, low: int = 0, high: int = MAX_NUMBER) -> int:
    try:
        number = int(_text_of(value), 10)
    except ValueError:
        raise ValueError(f"must be a whole number, not {shown(value)}") from None
    if not low <= number <= high:
        raise ValueError(f"must be from {low} to {high}, not {number}")
    return number


def read_size(value: object) -> int:
    """Bytes: `10GB` (10^10), `1GiB` (2^30), `500000`."""
    text = _text_of(value).strip()
    found = _SIZE.fullmatch(text)
    if found is None or (found[3] and not found[2]):
        raise ValueError(f"must be a size such as 500000, 10GB or 1GiB, not {shown(value)}")
    size = float(found[1]) * (1024 if found[3] else 1000) ** _POWER[found[2].lower()]
    return int(_bounded(size, value))


def read_seconds(value: object) -> float:
    """Seconds: `90`, `1.5`, `2h`, `300s`, `7d`."""
    found = _SPAN.fullmatch(_text_of(value).strip())
    if found is None:
        raise ValueError(f"must be seconds such as 90, 1.5 or 2h, not {shown(value)}")
    return _bounded(float(found[1]) * _SECONDS[found[2] or ""], value)


def _bounded(number: float, value: object) -> float:
    if not math.isfinite(number) or number > MAX_NUMBER:
        raise ValueError(f"is too large: {shown(value)}")
    return number


def read_list(value: object, one: Callable[[object], Any]) -> tuple[Any, ...]:
    """A list, or one value that stands for a list of one."""
    if isinstance(value, dict) or value is None or isinstance(value, bool):
        raise ValueError(f"must be a list, not {_sort(value)}")
    items: Iterable[object] = value if isinstance(value, list | tuple) else [value]
    read = tuple(one(item) for item in items)
    return tuple(dict.fromkeys(read))


def read_pattern(value: object) -> str:
    """A regular expression in RE2's syntax: linear time, no look-around, no back-references."""
    text = read_text(value, limit=10_000)
    options = re2.Options()
    options.log_errors = False
    try:
        re2.compile(text, options)
    except re2.error as error:
        detail = error.args[0]
        said = detail.decode("utf-8", "replace") if isinstance(detail, bytes) else str(detail)
        raise ValueError(f"is not a pattern that RE2 can run in linear time: {said}") from None
    return text


def read_collection(value: object) -> str:
    text = _text_of(value)
    if not COLLECTION.fullmatch(text):
        raise ValueError(
            f"{shown(value)} is no collection name; use 1 to 63 of a-z, 0-9, _ and -, starting with a letter or digit"
        )
    return text


def read_folder(value: object) -> str:
    text = read_text(value)
    if not text:
        raise ValueError("is empty; give a folder, such as ./crawls")
    return text


def read_address(value: object) -> str:
    """`HOST:PORT` for --allow-address, as `policy.address` reads it: HOST a name, an IP, or an IP/CIDR; PORT or `*`."""
    text = read_text(value, limit=300).lower()
    try:
        AllowList.parse([text])
    except ConfigError as error:
        raise ValueError(f"{text!r}: {str(error).partition(f'{text!r}: ')[2]}") from None
    return text


def read_host(value: object) -> str:
    """A host name, an IP or an IP/CIDR, in lower case, without brackets."""
    host = read_text(value, limit=255).lower()
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        network = ipaddress.ip_network(bare, strict=False)
    except ValueError:
        if re.fullmatch(r"(?!-)[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?", bare) and not re.fullmatch(r"[0-9.]+", bare):
            return bare.rstrip(".")
        raise ValueError(f"{shown(value)} is no host name, IP address or IP/CIDR") from None
    return str(network) if "/" in bare else str(network.network_address)


def choice(*values: str) -> Kind:
    """One of these words."""

    def read(value: object) -> str:
        text = _text_of(value)
        if text not in values:
            raise ValueError(f"must be one of {', '.join(values)}, not {shown(value)}")
        return text

    return Kind(" | ".join(f"`{value}`" for value in values), read)


def whole(low: int = 0, high: int = MAX_NUMBER) -> Kind:
    return Kind("whole number", lambda value: read_int(value, low=low, high=high))


def list_of(kind: Kind) -> Kind:
    return Kind(f"list of {kind.name}", lambda value: read_list(value, kind.read))


TEXT = Kind("text", read_text)
FLAG = Kind("true | false", read_flag)
SIZE = Kind("size", read_size)
SECONDS = Kind("seconds", read_seconds)
PATTERN = Kind("pattern (RE2)", read_pattern)
COLLECTION_NAME = Kind("collection name", read_collection)
FOLDER = Kind("folder", read_folder)
ADDRESS = Kind("HOST:PORT", read_address)
HOST = Kind("host, IP or CIDR", read_host)
