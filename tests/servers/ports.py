"""Free loopback ports."""

import os
import random
import socket
from collections import deque

SHARES = 8
_LOWEST = 10_100  # Chromium refuses to dial 10080
_HANDED_OUT_FROM = 32_768  # Linux, net.ipv4.ip_local_port_range
_CHANCE = random.SystemRandom()  # not the one that a property seeds: processes beside each other would take turns alike
_LATELY: deque[int] = deque(maxlen=500)


def free_port() -> int:
    """A TCP port on 127.0.0.1 that nobody listened on a moment ago. It lies below those that the kernel hands out: no
    server of another test that asks for any port, and no connection, gets it before it is used or dialled in vain.
    Nor does a test of another worker: each has its share of them, and does not hand one out again soon."""
    while not _is_free(port := _one_of_ours(_HANDED_OUT_FROM)) or port in _LATELY:
        pass
    _LATELY.append(port)
    return port


def free_pairs(count: int, *, apart: int) -> list[int]:
    """`count` different ports, each free together with the one `apart` higher: SeaweedFS listens on both. All lie below
    those that the kernel hands out, so that no connection of somebody else takes one in the meantime."""
    assert apart % SHARES == 0, "the higher one would be another worker's"
    ports: list[int] = []
    while len(ports) < count:
        pair = (port := _one_of_ours(_HANDED_OUT_FROM - apart), port + apart)
        if all(_is_free(one) and one not in _LATELY for one in pair):
            ports.append(port)
            _LATELY.extend(pair)
    return ports


def _one_of_ours(below: int) -> int:
    """A port between the lowest and `below`; its remainder by SHARES is that of this worker's number."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return _CHANCE.randrange(_LOWEST - _LOWEST % SHARES + SHARES, below, SHARES) + worker % SHARES


def _is_free(port: int) -> bool:
    with socket.socket() as sock:
        try:
            sock.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
