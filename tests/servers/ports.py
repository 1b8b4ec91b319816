"""Free loopback ports."""

import random
import socket

_HANDED_OUT_FROM = 32_768  # Linux, net.ipv4.ip_local_port_range


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listened on a moment ago."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return int(sock.getsockname()[1])


def free_pairs(count: int, *, apart: int) -> list[int]:
    """`count` different ports, each free together with the one `apart` higher: SeaweedFS listens on both. All lie below
    those that the kernel hands out, so that no connection of somebody else takes one in the meantime."""
    ports: list[int] = []
    while len(ports) < count:
        port = random.randrange(10_000, _HANDED_OUT_FROM - apart)
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
