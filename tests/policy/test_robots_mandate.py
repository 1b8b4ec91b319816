"""Which hosts a mandate covers."""

from __future__ import annotations

import pytest

from archiver.policy.robots.mandate import Mandate


@pytest.mark.parametrize(
    ("host", "suffix"),
    [
        ("example.org", "example.org"),
        ("www.example.org", "example.org"),
        ("a.b.example.org", "b.example.org"),
        ("counterexample.org", None),
        ("example.org.net", None),
        ("org", None),
        ("127.0.0.1", "127.0.0.1"),
        ("10.0.0.1", None),
        ("::1", None),
        ("x.at", "at"),
    ],
)
def test_suffixes_end_at_labels(host: str, suffix: str | None) -> None:
    mandate = Mandate(["Example.org", ".b.example.org", "127.0.0.1", "0.1", "at.", " "])
    assert mandate.covers(host) == suffix


def test_none_covers_nothing() -> None:
    assert Mandate([]).covers("example.org") is None
    assert Mandate(["", "."]).covers("example.org") is None
