from __future__ import annotations

import os

import pytest

from archiver.browser import flags


def test_features_are_named_once() -> None:
    """Chromium hears the last `--disable-features` only."""
    given = flags.arguments(spki="pin", sandbox=True)
    assert len([one for one in given if one.startswith("--disable-features=")]) == 1
    assert "--ignore-certificate-errors-spki-list=pin" in given and "--no-sandbox" not in given


@pytest.mark.parametrize(
    ("user", "environ", "sandbox"),
    [(0, {}, False), (1000, {"container": "podman"}, False), (1000, {"KUBERNETES_SERVICE_HOST": "x"}, False)],
    ids=["root", "podman", "kubernetes"],
)
def test_where_there_is_no_sandbox_it_is_said(
    monkeypatch: pytest.MonkeyPatch, user: int, environ: dict[str, str], sandbox: bool
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    assert flags.has_sandbox(environ) is sandbox
    assert "--no-sandbox" in flags.arguments(spki="pin", sandbox=sandbox)
    said = flags.told_without_sandbox(environ)
    assert said is not None and ("root" in said) == (user == 0)


def test_elsewhere_it_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setattr("pathlib.Path.exists", lambda path: False)
    assert flags.has_sandbox({}) and flags.told_without_sandbox({}) is None
