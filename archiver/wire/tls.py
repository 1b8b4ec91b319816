"""Whom we trust: the system's roots, plus what the operator adds, and a record of what was added."""

from __future__ import annotations

import hashlib
import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from archiver.errors import ConfigError

# where distributions keep the roots when OpenSSL was built with paths of its own
_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem")


@dataclass(frozen=True, slots=True, kw_only=True)
class AddedRoots:
    """A file whose certificates are trusted besides the system's; for warcinfo and the ledger."""

    path: str
    sha256: str
    certificates: int


class Trust:
    """Verification on, TLS 1.2 at least, ALPN `http/1.1` only (decision 1).

    `extra` are PEM files (`SSL_CERT_FILE`, `tls.caFile`): OpenSSL lets that variable *replace* the system's roots, here
    it adds to them. Raises ConfigError at once when a file cannot be read or holds no certificate.
    """

    def __init__(self, extra: Sequence[str] = ()) -> None:
        self.added = tuple(_read(path) for path in dict.fromkeys(extra) if path)

    @cached_property
    def context(self) -> ssl.SSLContext:
        """Built at first use: reading the roots costs milliseconds that a plain http job need not spend."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        _load_system_roots(context)
        for roots in self.added:
            context.load_verify_locations(cafile=roots.path)
        return context


def _read(path: str) -> AddedRoots:
    try:
        data = Path(path).read_bytes()
        if path not in _BUNDLES:  # the system's own need no proof, and parsing one costs 50 ms
            probe = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            probe.load_verify_locations(cadata=data.decode("ascii"))
    except (OSError, ValueError) as exc:
        message = f"caFile / SSL_CERT_FILE {path}: {exc}; give a readable PEM file of certificates"
        raise ConfigError(message) from exc
    return AddedRoots(
        path=path, sha256=hashlib.sha256(data).hexdigest(), certificates=data.count(b"-----BEGIN CERTIFICATE-----")
    )


def _load_system_roots(context: ssl.SSLContext) -> None:
    """OpenSSL's compiled-in places, not its variables. A hashed folder is read lazily and therefore preferred."""
    paths = ssl.get_default_verify_paths()
    folder = paths.openssl_capath
    if folder and os.path.isdir(folder) and any(name.endswith(".0") for name in os.listdir(folder)):
        context.load_verify_locations(capath=folder)
        return
    for bundle in (paths.openssl_cafile, *_BUNDLES):
        if bundle and os.path.isfile(bundle):
            context.load_verify_locations(cafile=bundle)
            return
