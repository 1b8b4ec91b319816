"""pywb's configuration for one collection. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from archiver.model import Access

CSP = (
    "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob: mediastream:; form-action 'self'; "
    "frame-ancestors 'self'; object-src 'self' data: blob:; base-uri 'self'"
)
"""Nothing that an archived page asks for leaves its own origin: `<iframe srcdoc>` and WebSockets would otherwise."""

SUFFIX = ".replay.localhost"


def folders(collection: Path, access: Access) -> tuple[Path, Path]:
    """(WARCs, indexes) of one access class (decision 5)."""
    if access is Access.OPEN:
        return collection / "archive", collection / "indexes"
    return collection / access.value, collection / access.value / "indexes"


def pywb_config(name: str, collection: Path, *, public: bool) -> Mapping[str, Any]:
    """The content of pywb's config.yaml. `public` serves the open class only, the owner's view every class."""
    shown = [Access.OPEN] if public else list(Access)
    pairs = [folders(collection, access) for access in shown]
    entry: dict[str, Any] = {
        "index_group": {access.value: f"{indexes}/" for access, (_, indexes) in zip(shown, pairs, strict=True)},
        "archive_paths": [f"{archive}/" for archive, _ in pairs],
    }
    acl = collection / "acl" / "access-rules.aclj"
    if public and acl.exists():
        entry["acl_paths"] = str(acl)
    return {
        "collections": {name: entry},
        "collections_root": "none",
        "enable_auto_colls": False,
        "enable_memento": True,
        "enable_auto_fetch": False,
        "framed_replay": True,
        "csp-header": CSP,
        "debug": False,
    }


def host_of(collection: str) -> str:
    """`news.replay.localhost`; underscores are no host characters, so they become `-u-`."""
    return collection.replace("_", "-u-") + SUFFIX


def replay_url(collection: str, port: int, *, timestamp: str = "", url: str = "") -> str:
    """Where a capture is shown: `http://main.replay.localhost:8090/main/20261123120000/https://example.org/`."""
    where = f"{timestamp}/{url}" if url else ""
    return f"http://{host_of(collection)}:{port}/{collection}/{where}"
