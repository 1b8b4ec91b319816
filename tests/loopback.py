"""The guard that keeps tests on loopback, as an audit hook: it sees every socket of this process that Python opens.

Not seen: child processes, and sockets that uvloop opens in C. Those tests rely on the product's own address check.
"""

import ipaddress
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_EVENTS = {"socket.connect": 1, "socket.sendto": 1, "socket.sendmsg": 1, "socket.getaddrinfo": 0,
           "socket.gethostbyname": 0}  # fmt: skip
_refused: list[str] | None = None  # None while no test runs
_installed = False


class OutsideLoopback(AssertionError):
    """Not an OSError: code that tries the next address must not take this for an unreachable host."""


def install() -> None:
    """Adds the hook once; it stays idle until `guarded`. (Audit hooks cannot be removed.)"""
    global _installed
    if not _installed:
        sys.addaudithook(_hook)
        _installed = True


@contextmanager
def guarded() -> Iterator[list[str]]:
    """While open, dials and look-ups outside loopback raise OutsideLoopback and are noted in the list given."""
    global _refused
    _refused = []
    try:
        yield _refused
    finally:
        _refused = None


def _hook(event: str, args: tuple[Any, ...]) -> None:
    position = _EVENTS.get(event)
    if position is None or _refused is None:
        return
    target = args[position]
    host = target[0] if isinstance(target, tuple) and target else target
    lookup = position == 0
    if not is_local(host, lookup=lookup, is_address=isinstance(target, tuple)):
        _refused.append(f"{event} {target!r}")
        raise OutsideLoopback(f"{event} {target!r}: tests stay on loopback")


def is_local(host: object, *, lookup: bool, is_address: bool = True) -> bool:
    """Whether `host` is ours: loopback, a Unix path or netlink; a look-up of a literal sends nothing."""
    if isinstance(host, bytes):
        host = host.decode("ascii", "replace")
    if not isinstance(host, str) or (not lookup and not is_address):
        return True
    name = host.rstrip(".").lower()
    if name in ("", "localhost") or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return lookup or (mapped or address).is_loopback
