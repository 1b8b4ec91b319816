"""The request headers that say who asks: the same on every request of every lane."""

from __future__ import annotations

Headers = tuple[tuple[bytes, bytes], ...]

ACCEPT = b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
CODINGS = b"gzip, deflate, br"  # pywb cannot decode zstd: a page sent so could be kept, but not shown


def request_headers(*, user_agent: str, mailbox: str | None, gpc: bool, lang: str) -> tuple[Headers, Headers]:
    """(always sent, sent where a request brings none of its own).

    `From` only with a mailbox (RFC 9110, 10.1.2); `Sec-GPC: 1` is the only value there is (W3C GPC, 3.1).
    """
    always: list[tuple[bytes, bytes]] = [(b"User-Agent", user_agent.encode("ascii"))]
    if mailbox:
        always.append((b"From", mailbox.encode("ascii")))
    if gpc:
        always.append((b"Sec-GPC", b"1"))
    defaults = [(b"Accept", ACCEPT), (b"Accept-Encoding", CODINGS)]
    if lang:
        defaults.append((b"Accept-Language", lang.encode("ascii")))
    return tuple(always), tuple(defaults)
