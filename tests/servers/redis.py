"""redis-server, memory only."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.needs import need
from tests.servers.ports import free_port
from tests.servers.process import listening, serving


@contextmanager
def redis_server(work: Path) -> Iterator[str]:
    """Yields `redis://127.0.0.1:PORT/0` of a server that keeps nothing on disk."""
    program = need("redis")
    port = free_port()
    work.mkdir(parents=True, exist_ok=True)
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", work]
    with serving([str(part) for part in command], ready=lambda: listening(port), log=work / "redis.log"):
        yield f"redis://127.0.0.1:{port}/0"
