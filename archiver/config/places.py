"""Every path of a collection (decision 19), made without following a symlink that somebody planted there."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from archiver.config.environment import Environment
from archiver.config.model import Config
from archiver.errors import DiskError
from archiver.model import Access

_FOLDERS = (
    ("archive",), ("indexes",), ("restricted",), ("restricted", "indexes"), ("dark",), ("dark", "indexes"),
    ("pages",), ("logs",), ("reports",), ("state",), ("state", "spool"),
)  # fmt: skip
_OWNERS_ONLY = frozenset({"restricted", "dark", "state"})  # state/spool holds bodies that have no verdict yet
_FOLDER = {Access.OPEN: "archive", Access.RESTRICTED: "restricted", Access.DARK: "dark"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """`out` holds `collections/`; store keys are paths relative to it. `hosts` is the user's host budget."""

    out: Path
    name: str
    hosts: Path

    @classmethod
    def of(cls, config: Config, environment: Environment) -> Places:
        return cls(out=Path(config.job.out).absolute(), name=config.job.collection, hosts=environment.hosts)

    @property
    def root(self) -> Path:
        return self.out / "collections" / self.name

    def warcs(self, access: Access) -> Path:
        """`archive/`, `restricted/` or `dark/`: one stream an access class (decision 5)."""
        return self.root / _FOLDER[access]

    def indexes(self, access: Access = Access.OPEN) -> Path:
        """`indexes/` for what is open, else the folder's own."""
        return self.root / "indexes" if access is Access.OPEN else self.warcs(access) / "indexes"

    @property
    def pages(self) -> Path:
        return self.root / "pages"

    @property
    def logs(self) -> Path:
        """Ledger segments and logs."""
        return self.root / "logs"

    @property
    def reports(self) -> Path:
        return self.root / "reports"

    @property
    def state(self) -> Path:
        return self.root / "state"

    @property
    def spool(self) -> Path:
        """Where visits spool what has no verdict yet."""
        return self.state / "spool"

    @property
    def uploads(self) -> Path:
        """The journal of files that have to go up."""
        return self.state / "uploads.sqlite"

    def key(self, path: Path) -> str:
        """The store key of a file of this collection, `collections/NAME/archive/X.warc.gz`."""
        return path.absolute().relative_to(self.out).as_posix()

    def create(self) -> Places:
        """Make what is missing and prove that it can be written. Raises DiskError naming the path."""
        with _translated(self.out):
            self.out.mkdir(parents=True, exist_ok=True)
        with _translated(self.root):
            _open_chain(self.out, ("collections", self.name))
        for parts in _FOLDERS:
            with _translated(self.root.joinpath(*parts)):
                _open_chain(self.out, ("collections", self.name, *parts))
        with _translated(self.state):
            _prove_writable(self.out, ("collections", self.name, "state"))
        with _translated(self.hosts.parent):
            self.hosts.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self


def _open_chain(base: Path, parts: tuple[str, ...]) -> None:
    with _folder(base, parts, make=True):
        pass


@contextlib.contextmanager
def _folder(base: Path, parts: tuple[str, ...], *, make: bool) -> Iterator[int]:
    """A descriptor of base/parts, each part opened relative to the one before and never through a symlink."""
    handle = os.open(base, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts:
            if make:
                with contextlib.suppress(FileExistsError):
                    os.mkdir(part, 0o700 if part in _OWNERS_ONLY else 0o777, dir_fd=handle)
            inner = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=handle)
            os.close(handle)
            handle = inner
        yield handle
    finally:
        os.close(handle)


def _prove_writable(base: Path, parts: tuple[str, ...]) -> None:
    with _folder(base, parts, make=False) as handle:
        name = f".writable-{os.getpid()}"
        os.close(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=handle))
        os.unlink(name, dir_fd=handle)


@contextlib.contextmanager
def _translated(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DiskError(f"{path}: {_why(error, path)}") from error


def _why(error: OSError, path: Path) -> str:
    if error.errno == errno.ELOOP or (
        error.errno == errno.ENOTDIR and any(one.is_symlink() for one in (path, path.parent))
    ):
        return "is a symbolic link, or lies behind one; a collection's folders must be real folders"
    if error.errno in (errno.ENOTDIR, errno.EEXIST):
        return "is not a folder, or a file is in the way; move it, or give another --out"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"cannot be written ({error.strerror}); change its owner, or give another --out"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "has no room left; free some, or give another --out"
    return error.strerror or str(error)
