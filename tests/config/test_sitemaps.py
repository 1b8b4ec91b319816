"""Keys about sitemaps and feeds, with Browsertrix's names for them."""

from __future__ import annotations

from pathlib import Path

import pytest

from archiver.config import Config, load
from archiver.errors import ConfigError
from archiver.model import Kind
from archiver.wiring.lists import seeds_of

SEED = "http://127.0.0.1:1/"


def loaded(folder: Path, text: str) -> Config:
    path = folder / "c.yaml"
    path.write_text(text)
    return load(path, {}, {})


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("true", "detect"),
        ("false", ""),
        ("http://127.0.0.1:1/s.xml", "http://127.0.0.1:1/s.xml"),
        ("detect", "detect"),
    ],
)
@pytest.mark.parametrize("key", ["sitemap", "useSitemap"])
def test_a_seeds_sitemap(tmp_path: Path, key: str, value: str, expected: str) -> None:
    (of_seed,) = loaded(tmp_path, f"seeds:\n- url: {SEED}\n  {key}: {value}\n").seeds
    (of_all,) = loaded(tmp_path, f"seeds: [{SEED}]\n{key}: {value}\n").seeds
    assert of_seed.sitemap == of_all.sitemap == expected


@pytest.mark.parametrize("key", ["sitemapFromDate", "sitemapFrom", "since"])
def test_dates_as_they_are_written(tmp_path: Path, key: str) -> None:
    for text in ("2026-01-02", '"2026-01-02"'):
        assert loaded(tmp_path, f"seeds: [{SEED}]\n{key}: {text}\n").limits.sitemap_from == "2026-01-02"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("sitemap: some.xml", "true, false or the URL"),
        ("sitemap: ftp://x/s.xml", "true, false or the URL"),
        ("sitemapToDate: soon", "must be a date"),
        ("seedType: rss", "must be one of page, sitemap, feed"),
    ],
)
def test_bad_values_name_key_and_fix(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigError, match=f"{text.partition(':')[0]}.*{says}"):
        loaded(tmp_path, f"seeds: [{SEED}]\n{text}\n")


def test_seeds_that_are_lists(tmp_path: Path) -> None:
    text = f"seeds:\n- {SEED}\n- url: {SEED}s.xml\n  seedType: sitemap\n- url: {SEED}f\n  seedType: feed\n"
    made = [(seed.kind, seed.resource_type, seed.seed) for seed in seeds_of(loaded(tmp_path, text))]
    assert made == [
        (Kind.DOCUMENT, "document", True), (Kind.SITEMAP, "sitemap", True), (Kind.SITEMAP, "feed", True),
    ]  # fmt: skip
