"""Whose process is at the other end of a loopback connection (Linux: sock_diag(7), else /proc/net/tcp)."""

from __future__ import annotations

import contextlib
import os
import socket
import struct

_SOCK_DIAG_BY_FAMILY = 20
_NLM_F_REQUEST = 1
_NETLINK_SOCK_DIAG = 4
_NLMSGHDR = struct.Struct("=IHHII")
_REQUEST = struct.Struct("=BBBBI")
_NO_COOKIE = b"\xff" * 8
_UID_OFFSET = 16 + 4 + 48 + 12
"""Into the answer: netlink header, four bytes of state, the socket's id, then expires, rqueue and wqueue."""


def is_own(ours: tuple[str, int], peer: tuple[str, int]) -> bool:
    """Whether the IPv4 peer of a connection belongs to this process's user. Never raises: in doubt, no."""
    uid = _by_netlink(ours, peer)
    if uid is None:
        uid = _by_table(peer)
    return uid == os.getuid()


def _by_netlink(ours: tuple[str, int], peer: tuple[str, int]) -> int | None:
    """One question about one connection, from the peer's end; None when the kernel does not say."""
    ends = struct.pack("!HH", peer[1], ours[1])
    addresses = socket.inet_aton(peer[0]).ljust(16, b"\0") + socket.inet_aton(ours[0]).ljust(16, b"\0")
    wanted = _REQUEST.pack(socket.AF_INET, socket.IPPROTO_TCP, 0, 0, 0xFFFFFFFF)
    body = wanted + ends + addresses + struct.pack("=I", 0) + _NO_COOKIE
    header = _NLMSGHDR.pack(_NLMSGHDR.size + len(body), _SOCK_DIAG_BY_FAMILY, _NLM_F_REQUEST, 1, 0)
    try:
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as asked:
            asked.settimeout(1.0)
            asked.send(header + body)
            answer = asked.recv(4096)
    except (OSError, AttributeError):
        return None
    _, kind, *_ = _NLMSGHDR.unpack_from(answer)
    if kind != _SOCK_DIAG_BY_FAMILY or len(answer) < _UID_OFFSET + 4:
        return None
    return int(struct.unpack_from("=I", answer, _UID_OFFSET)[0])


def _by_table(peer: tuple[str, int]) -> int | None:
    (address,) = struct.unpack("=I", socket.inet_aton(peer[0]))
    end = f"{address:08X}:{peer[1]:04X}"
    with contextlib.suppress(OSError, ValueError, IndexError), open("/proc/net/tcp", encoding="ascii") as table:
        next(table)
        for line in table:
            fields = line.split()
            if fields[1] == end:
                return int(fields[7])
    return None
