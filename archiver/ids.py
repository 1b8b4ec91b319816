"""Random identifiers, many cut out of one draw of the system's randomness: record ids (UUID version 4; RFC 9562, 5.4)
as URNs, and salts."""

from __future__ import annotations

import os

_BATCH = 64

_ready: list[str] = []
_salts: list[str] = []
os.register_at_fork(after_in_child=_ready.clear)  # else both processes would hand out the same ones
os.register_at_fork(after_in_child=_salts.clear)


def new_record_id() -> str:
    """`urn:uuid:...` (WARC 1.1, 5.2), without angle brackets. Any thread may ask."""
    while True:
        try:
            return _ready.pop()
        except IndexError:
            _ready.extend(_draw())


def new_capture_id() -> str:
    """A UUID version 4 as 32 hex digits."""
    return new_record_id()[9:].replace("-", "")


def new_salt() -> str:
    """32 hex digits of randomness. Any thread may ask."""
    while True:
        try:
            return _salts.pop()
        except IndexError:
            text = os.urandom(16 * _BATCH).hex()
            _salts.extend(text[at : at + 32] for at in range(0, len(text), 32))


def _draw() -> list[str]:
    text = os.urandom(16 * _BATCH).hex()
    return [
        f"urn:uuid:{text[at : at + 8]}-{text[at + 8 : at + 12]}-4{text[at + 13 : at + 16]}"
        f"-{'89ab'[int(text[at + 16], 16) & 3]}{text[at + 17 : at + 20]}-{text[at + 20 : at + 32]}"
        for at in range(0, len(text), 32)
    ]
