"""A news listing with a policy notice that can only be agreed to, whose text a script fills in: `lane: auto`."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from archiver.warc.reader import Record
from tests.servers.pages import Pages, serving
from tests.servers.pages_news import ARTICLES, NOTICE, TITLE, TRENDING, news
from tests.system.browsing import DELAY, chromium, home, kept, made, named, saved, sent, shown
from tests.system.cli import Ran, check_collection, collection, ledger_bodies, records

pytestmark = [
    pytest.mark.system, pytest.mark.browser, pytest.mark.needs("chromium", "consent"),
]  # fmt: skip


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Pages, Ran]]:
    folder = tmp_path_factory.mktemp("news")
    with serving() as site:
        news(site)
        yield folder, site, saved(folder, "auto", site.url("/"), site, env=home(folder / "home"))


@pytest.fixture(scope="module")
def found(archived: tuple[Path, Pages, Ran]) -> list[Record]:
    return records(collection(archived[0]))


def test_the_placeholder_is_seen_and_the_document_fetched_once(archived: tuple[Path, Pages, Ran]) -> None:
    folder, site, ran = archived
    told = ran.objects[0]
    print(f"{len(site.asked)} requests in {told['seconds']:.1f} s ({DELAY})")
    assert (ran.code, told["lane"], told["title"]) == (0, "browser", TITLE), ran.err
    assert told["completeness"]["verdict"] == "complete"
    (lane,) = [row for row in ledger_bodies(collection(folder)) if row["event"] == "lane"]
    assert lane["lane"] == "browser" and lane["signs"][0] == {
        "name": "placeholder", "detail": "{{ subpage.title }}", "weak": False,
    }  # fmt: skip
    assert site.count() == dict.fromkeys(site.answers.keys() - {"/api/consent"}, 1)


def test_what_the_site_sent_is_kept_exactly(archived: tuple[Path, Pages, Ran], found: list[Record]) -> None:
    assert kept(found) == sent(archived[1])
    check_collection(collection(archived[0]))


def test_no_consent_was_given(archived: tuple[Path, Pages, Ran], found: list[Record]) -> None:
    """By the site, whose OK tells it; by the page's own state; by the ledger, where an intent stands before a click."""
    folder, site, ran = archived
    assert site.of("/api/consent") == []
    assert ran.objects[0]["consent"]["outcome"] == "no-reject-option"
    rows = [row for row in ledger_bodies(collection(folder)) if row["event"] == "consent"]
    assert {row["outcome"] for row in rows if row["stage"] == "outcome"} == {"no-reject-option"}
    assert [row for row in rows if row["stage"] == "intent"] == []
    told = made(folder, "consent")
    assert told["outcome"] == "no-reject-option" and told["policy"] == "reject"
    assert b"agreed" not in named(found, "consent").block and not told.get("actions")
    assert b"policy-update" in named(found, "dom").block, "the archived page is never edited"


def test_the_text_has_all_articles_and_not_the_notice(found: list[Record]) -> None:
    text = named(found, "text").block.decode()
    assert text.startswith(TITLE)
    flat = " ".join(text.split())
    assert [what for article in ARTICLES for what in article if what not in flat] == []
    assert {*TRENDING, *(title for title, _ in ARTICLES)} <= set(text.splitlines())
    assert NOTICE not in flat and "you consent" not in flat and "{{" not in flat


def test_pictures_show_the_whole_page(found: list[Record]) -> None:
    sizes = {}
    for name in ("view", "fullPage"):
        block = named(found, name).block
        assert block[:8] == b"\x89PNG\r\n\x1a\n"
        sizes[name] = struct.unpack(">II", block[16:24])
    assert sizes["view"] == (1280, 1024) and sizes["fullPage"][0] == 1280 and sizes["fullPage"][1] >= 1024
    assert named(found, "thumbnail").block[:3] == b"\xff\xd8\xff"


@pytest.mark.replay
@pytest.mark.needs("pywb")
def test_replay_shows_the_rendered_page(archived: tuple[Path, Pages, Ran]) -> None:
    folder, site, _ = archived
    site.hits.clear()
    with chromium() as browser, shown(browser, folder, site.url("/")) as (_, frame):
        frame.wait_for_selector("article")
        assert frame.text_content("h1") == TITLE
        assert frame.eval_on_selector_all("article h2", "all => all.map(one => one.textContent)") == [
            title for title, _ in ARTICLES
        ]
        # a script put them there, perhaps after the page had loaded
        loaded = "[...document.querySelectorAll('article img')].every(one => one.complete && one.naturalWidth === 80)"
        frame.wait_for_function(loaded)
        assert frame.locator("article img").count() == len(ARTICLES)
    assert site.hits == []
