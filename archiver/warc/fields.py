"""Named fields: the one place where text becomes WARC header bytes, so nothing can forge a field."""

from __future__ import annotations

import re
from collections.abc import Iterable

WARC_FIELDS = "application/warc-fields"

# C0, DEL, C1, the two Unicode line separators and lone surrogates: whatever some reader may take for the end of a line.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_UNSAFE_IN_URI = re.compile("[\x00-\x20\x7f-\x9f\\s\ud800-\udfff<>]")  # \\s: every space that Unicode knows
_PRINTABLE = re.compile(rb"[ -~]*")
_PLAIN_URI = re.compile("[!-;=?-~]*")


def _percent(match: re.Match[str]) -> str:
    return "".join(f"%{byte:02X}" for byte in match[0].encode("utf-8", "surrogatepass"))


def safe(value: str) -> str:
    """A field value with control characters percent-encoded (a CR LF in a value would forge fields; WARC 1.1, 4)."""
    return value if value.isascii() and value.isprintable() else _UNSAFE.sub(_percent, value)


def safe_uri(value: str) -> str:
    """As `safe`; spaces and angle brackets too, which no URI holds (WARC 1.1, 4: `uri` is RFC 3986)."""
    return value if _PLAIN_URI.fullmatch(value) else _UNSAFE_IN_URI.sub(_percent, value)


def _json_escape(match: re.Match[str]) -> str:
    return " " if match[0] in "\t\n\r" else f"\\u{ord(match[0]):04x}"


def safe_json(text: str) -> str:
    """JSON text on one line: the same value, with structural line breaks and unsafe characters spelled otherwise."""
    return text if text.isascii() and text.isprintable() else _UNSAFE.sub(_json_escape, text)


def json_fields(name: str, payload: bytes, *, rows: bool = False) -> bytes:
    """JSON as a `warc_fields` block with one field, or with one field a line of it (`rows`)."""
    if not rows and _PRINTABLE.fullmatch(payload):
        return b"%b: %b\r\n" % (name.encode(), payload.strip())
    text = payload.decode("utf-8", "replace")
    texts = [row for row in text.split("\n") if row.strip()] if rows else [text]
    return "".join([f"{name}: {safe_json(row).strip()}\r\n" for row in texts]).encode()


def warc_fields(pairs: Iterable[tuple[str, str]]) -> bytes:
    """A block of `application/warc-fields`: one `name: value` a line, UTF-8, CR LF (WARC 1.1, 6.2)."""
    return "".join(f"{safe(name)}: {safe(value)}\r\n" for name, value in pairs).encode()


def parse_fields(block: bytes) -> list[tuple[str, str]]:
    """The pairs of a `warc_fields` block, in order; continuation lines are unfolded with `\\n`."""
    pairs: list[tuple[str, str]] = []
    for line in block.decode("utf-8", "replace").split("\r\n"):
        if line[:1] in (" ", "\t") and pairs:
            name, value = pairs[-1]
            pairs[-1] = (name, f"{value}\n{line.strip()}".lstrip("\n"))
        elif line:
            name, _, value = line.partition(":")
            pairs.append((name, value.strip()))
    return pairs


def field_value(block: bytes, name: str) -> str | None:
    """The first value of a field in a `warc_fields` block, names compared without case."""
    wanted = name.lower()
    return next((value for key, value in parse_fields(block) if key.lower() == wanted), None)
