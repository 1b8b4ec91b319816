"""The list of names survives whatever its writer did not."""

from __future__ import annotations

from pathlib import Path

import pytest

from archiver.errors import DiskError
from archiver.store.shipped import ShippedNames


def test_names_are_kept_and_a_torn_one_is_none(tmp_path: Path) -> None:
    path = tmp_path / "shipped"
    assert ShippedNames(path).names() == frozenset()
    for name in ("a.warc.gz", "b.warc.gz"):
        ShippedNames(path).add(name)
    with path.open("a") as file:
        file.write("c.war")
    assert ShippedNames(path).names() == {"a.warc.gz", "b.warc.gz"}


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "shipped").mkdir()
    with pytest.raises(DiskError, match="shipped"):
        ShippedNames(tmp_path / "shipped").add("a")
    with pytest.raises(DiskError, match="shipped"):
        ShippedNames(tmp_path / "shipped").names()
