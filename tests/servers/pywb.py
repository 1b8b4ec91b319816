"""pywb over an archive: an independent reader of what we write."""

import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from tests.needs import need
from tests.servers.ports import free_port
from tests.servers.process import listening, serving


def make_collection(folder: Path, name: str, warcs: Sequence[Path]) -> None:
    """`wb-manager init` and `add`: pywb copies and indexes the files by itself."""
    manager = need("pywb").with_name("wb-manager")
    for arguments in (["init", name], ["add", name, *map(str, warcs)]):
        done = subprocess.run([manager, *arguments], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"wb-manager {arguments}: {done.stdout}{done.stderr}"


@contextmanager
def pywb(folder: Path) -> Iterator[str]:
    """Serves the collections in `folder`; yields `http://127.0.0.1:PORT`."""
    program = need("pywb")
    port = free_port()
    command = [program, "-b", "127.0.0.1", "-p", str(port), "-d", folder]
    with serving(command, ready=lambda: listening(port), log=folder / "wayback.log"):
        yield f"http://127.0.0.1:{port}"
