"""Free loopback ports."""

import random
import socket

_LOWEST = 10_100  # Chromium refuses to dial 10080
_HANDED_OUT_FROM = 32_768  # Linux, net.ipv4.ip_local_port_range
_CHANCE = random.SystemRandom()  # not the one that a property seeds: processes beside each other would take turns alike


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listened on a moment ago. It lies below those that the kernel hands out: no
    server of another test that asks for any port, and no connection, gets it before it is used or dialled in vain."""
    while not _is_free(port := _CHANCE.randrange(_LOWEST, _HANDED_OUT_FROM)):
        pass
    return port


def free_pairs(count: int, *, apart: int) -> list[int]:
    """`count` different ports, each free together with the one `apart` higher: SeaweedFS listens on both. All lie below
    those that the kernel hands out, so that no connection of somebody else takes one in the meantime."""
    ports: list[int] = []
    while len(ports) < count:
        port = _CHANCE.randrange(_LOWEST, _HANDED_OUT_FROM - apart)
        if all(_is_free(one) and one not in ports and one - apart not in ports for one in (port, port + apart)):
            ports.append(port)
    return ports


def _is_free(port: int) -> bool:
    with socket.socket() as sock:
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
