"""The one place where the environment is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_STORE = {
    "STORE_ENDPOINT_URL": "endpointUrl",
    "STORE_BUCKET": "bucket",
    "STORE_PATH": "path",
    "STORE_REGION": "region",
    "STORE_ACCESS_KEY": "accessKey",
    "STORE_SECRET_KEY": "secretKey",
    "STORE_SESSION_TOKEN": "sessionToken",
    "AWS_CA_BUNDLE": "caFile",
}
_IGNORED = {
    "STORE_FILENAME": "files keep the names they have locally",
    "STORE_USER": "set tenant in the config",
    "WEBHOOK_URL": "webhooks are not supported yet",
}
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What the environment says: `values` shaped like a config, and the user's own places (XDG base directories)."""

    values: Mapping[str, Any]
    config_file: Path
    state_dir: Path
    warnings: tuple[str, ...] = ()

    @property
    def hosts(self) -> Path:
        """The host budget's database, one a user (decision 13)."""
        return self.state_dir / "hosts.sqlite"

    @property
    def stores(self) -> Path:
        """What buckets proved (`archiver bucket check`), one file a user."""
        return self.state_dir / "stores.json"


def from_environment(environ: Mapping[str, str]) -> Environment:
    """Reads STORE_*, CRAWL_ID, SSL_CERT_FILE, AWS_CA_BUNDLE, AWS_EC2_METADATA_DISABLED, XDG_*. Unset = empty."""
    storage: dict[str, Any] = {key: environ[name] for name, key in _STORE.items() if environ.get(name)}
    if environ.get("AWS_EC2_METADATA_DISABLED", "").lower() == "false":
        storage["instanceMetadata"] = True
    values: dict[str, Any] = {}
    if storage:
        values["storage"] = storage
    if environ.get("SSL_CERT_FILE"):
        values["tls"] = {"caFile": environ["SSL_CERT_FILE"]}
    if environ.get("CRAWL_ID"):
        values["crawlId"] = environ["CRAWL_ID"]
    warnings = [f"{name} is ignored: {why}" for name, why in _IGNORED.items() if environ.get(name)]
    proxies = [name for name in _PROXIES if environ.get(name)]
    if proxies:
        warnings.append(f"{', '.join(proxies)}: proxy variables are ignored, sites are dialled directly")
    return Environment(
        values=values,
        config_file=_base(environ, "XDG_CONFIG_HOME", ".config") / "config.yaml",
        state_dir=_base(environ, "XDG_STATE_HOME", ".local/state"),
        warnings=tuple(warnings),
    )


def cache_folder(environ: Mapping[str, str]) -> Path:
    """`$XDG_CACHE_HOME/archiver`: what may be deleted any time."""
    return _base(environ, "XDG_CACHE_HOME", ".cache")


def _base(environ: Mapping[str, str], name: str, default: str) -> Path:
    given = environ.get(name, "")
    # A relative path is to be ignored (XDG Base Directory Specification).
    root = Path(given) if given.startswith("/") else Path(environ.get("HOME") or "/") / default
    return root / "archiver"
