"""A canary that must see nothing, and runs of the real command line with short limits."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.system.cli import Ran, archiver

CONFIG = """
idleTimeout: 3
connectTimeout: 10
requestTimeout: 12
visitTimeout: 15
robotsTimeout: 10
maxBodySize: 2000000
"""


class Canary:
    """Listens on 127.0.0.1, 127.0.0.2 and ::1, at one port that nobody may dial."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._sockets: list[socket.socket] = []
        self.port = self._listen("127.0.0.1", 0)
        self._listen("127.0.0.2", self.port)
        if socket.has_ipv6:
            self._listen("::1", self.port)

    def _listen(self, host: str, port: int) -> int:
        listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        try:
            listener.bind((host, port))
        except OSError:  # a machine without IPv6
            listener.close()
            return port
        listener.listen()
        self._sockets.append(listener)
        threading.Thread(target=self._accept, args=(listener, host), daemon=True).start()
        return int(listener.getsockname()[1])

    def _accept(self, listener: socket.socket, host: str) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self.seen.append(host)
            connection.close()

    def close(self) -> None:
        for one in self._sockets:
            one.shutdown(socket.SHUT_RDWR)
            one.close()


@pytest.fixture
def canary() -> Iterator[Canary]:
    one = Canary()
    yield one
    one.close()


Save = Callable[..., Ran]


@pytest.fixture
def save(tmp_path: Path, _own_home: Path) -> Save:
    """`save(*urls, port=..., options=())`: one run with short limits, its JSON lines in the order of the URLs."""
    folder = Path(os.environ["HOME"], ".config", "archiver")
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(CONFIG)

    def run(*urls: str, port: int, options: tuple[str, ...] = ("--json",), **kwargs: object) -> Ran:
        own = ("--delay", "0", "--allow-address", f"127.0.0.1:{port}")
        return archiver("save", *urls, *own, *options, cwd=tmp_path, **kwargs)  # type: ignore[arg-type]

    return run
