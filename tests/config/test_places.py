"""Where things lie, and that nobody leads us elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from archiver.config import Places, for_save, from_environment
from archiver.errors import DiskError
from archiver.model import Access


def places(tmp_path: Path, out: str = "out") -> Places:
    environ = {"HOME": str(tmp_path / "home")}
    config = for_save(["https://example.org/"], {"out": str(tmp_path / out), "collection": "news"}, environ)
    return Places.of(config, from_environment(environ))


def test_every_folder_is_made_and_making_again_is_harmless(tmp_path: Path) -> None:
    made = places(tmp_path).create().create()
    root = tmp_path / "out/collections/news"
    assert made.root == root
    folders = {path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_dir()}
    assert folders == {
        "archive", "restricted", "restricted/indexes", "dark", "dark/indexes", "indexes", "pages", "logs", "reports",
        "state", "state/spool",
    }  # fmt: skip
    assert list(made.state.iterdir()) == [made.spool]
    assert made.hosts == tmp_path / "home/.local/state/archiver/hosts.sqlite"
    assert made.hosts.parent.stat().st_mode & 0o777 == 0o700


def test_paths_by_access_and_store_keys(tmp_path: Path) -> None:
    made = places(tmp_path)
    assert made.warcs(Access.OPEN).name == "archive"
    assert made.indexes() == made.root / "indexes"
    assert made.indexes(Access.DARK) == made.root / "dark/indexes"
    assert made.key(made.warcs(Access.RESTRICTED) / "x.warc.gz") == "collections/news/restricted/x.warc.gz"
    with pytest.raises(ValueError, match="not in the subpath"):
        made.key(tmp_path / "elsewhere")
    for path in (made.uploads, made.spool, made.pages, made.logs, made.reports):
        assert path.is_relative_to(made.root)


@pytest.mark.parametrize(
    "planted", ["collections", "collections/news", "collections/news/archive", "collections/news/state"]
)
def test_a_planted_symlink_is_not_followed(tmp_path: Path, planted: str) -> None:
    victim = tmp_path / "victim"
    victim.mkdir()
    link = tmp_path / "out" / planted
    link.parent.mkdir(parents=True)
    link.symlink_to(victim)
    with pytest.raises(DiskError, match="symbolic link") as caught:
        places(tmp_path).create()
    assert str(tmp_path / "out") in str(caught.value)
    assert list(victim.iterdir()) == []


@pytest.mark.parametrize("blocked", ["out", "out/collections", "out/collections/news/archive"])
def test_a_file_in_the_way_is_named(tmp_path: Path, blocked: str) -> None:
    path = tmp_path / blocked
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("")
    with pytest.raises(DiskError, match="a file is in the way"):
        places(tmp_path).create()


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    environ = {"HOME": str(tmp_path)}
    config = for_save(["https://example.org/"], {"out": "/proc/archiver"}, environ)
    with pytest.raises(DiskError, match="/proc/archiver"):
        Places.of(config, from_environment(environ)).create()


def test_xdg_places() -> None:
    given = from_environment({"XDG_STATE_HOME": "/s", "XDG_CONFIG_HOME": "relative", "HOME": "/h"})
    assert str(given.hosts) == "/s/archiver/hosts.sqlite"
    assert str(given.config_file) == "/h/.config/archiver/config.yaml"
