"""Transfer codings besides chunked (RFC 9112, 7.2): `gzip, chunked` and the like, undone within bounds."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

from archiver.framing import uncoded_limit
from archiver.spooled import Spool

_WINDOW = {b"gzip": 31, b"x-gzip": 31, b"deflate": 15}
_PIECE = 1 << 18


def undo_codings(pieces: Iterable[bytes], codings: tuple[bytes, ...], *, wire_bytes: int, into: Spool) -> str | None:
    """Decode one coding into `into`; None when all went well, else why the entity cannot be determined.

    The output is bounded by `uncoded_limit`: a bomb stops there.
    """
    if len(codings) != 1 or codings[0] not in _WINDOW:
        return f"unknown transfer coding {b', '.join(codings).decode('latin-1')}"
    room = uncoded_limit(wire_bytes)
    decoder = zlib.decompressobj(_WINDOW[codings[0]])
    try:
        for piece in pieces:
            while piece and not decoder.eof:
                out = decoder.decompress(piece, _PIECE)
                piece = decoder.unconsumed_tail
                if into.size + len(out) > room:
                    return f"the transfer coding grows to more than {room} bytes"
                if out:
                    into.append(out)
    except zlib.error as exc:
        return f"broken transfer coding: {exc}"
    return None if decoder.eof else "the transfer coding ends too early"
