"""Extra roots add to the system's and are written down; a bad file is a config error at once."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from archiver.errors import ConfigError
from archiver.wire.tls import Trust


@pytest.mark.parametrize("content", [None, b"", b"no certificate", b"\xff\xfe"])
def test_a_bad_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "roots.pem"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=r"roots\.pem.*give a readable PEM file"):
        Trust([str(path)])


def test_verification_is_on() -> None:
    context = Trust().context
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


def test_the_variable_does_not_replace_the_systems_roots(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """OpenSSL itself would take SSL_CERT_FILE instead of its own roots; only `config` reads the environment here."""
    before = Trust().context.cert_store_stats()
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "absent.pem"))
    assert Trust().context.cert_store_stats() == before
