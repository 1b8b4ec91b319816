"""Free loopback ports."""

import socket


def free_port(*, below: int = 65536) -> int:
    """A TCP port on 127.0.0.1 that nobody listened on a moment ago."""
    return free_ports(1, below=below)[0]


def free_ports(count: int, *, below: int = 65536) -> list[int]:
    """`count` different free ports, all under `below` (SeaweedFS adds 10000 to each of its own)."""
    held: list[socket.socket] = []
    ports: list[int] = []
    try:
        while len(ports) < count:
            sock = socket.socket()
            held.append(sock)  # kept open, so that the next draw is another port
            sock.bind(("127.0.0.1", 0))
            port = sock.getsockname()[1]
            if port < below:
                ports.append(port)
    finally:
        for sock in held:
            sock.close()
    return ports
