"""The operator's lines about robots.txt, through the command line: what they do and what the ledger says of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.servers.raw import raw_server
from tests.system.robots_case import PAGE, Save, asked, robots, save

pytestmark = pytest.mark.system
__all__ = ["save"]

Lines = Callable[[str], None]


@pytest.fixture
def lines(save: Save) -> Lines:
    """Adds to the user's own configuration file."""

    def add(text: str) -> None:
        with Path(os.environ["HOME"], ".config", "archiver", "config.yaml").open("a") as file:
            file.write(text)

    return add


MANDATE = """
policy: legal-deposit
legalBasis: an act
operator: a library
robots: {mandate: [127.0.0.1]}
"""


def test_inside_a_mandate_a_refused_page_is_fetched_and_the_verdict_told(save: Save, lines: Lines) -> None:
    lines(MANDATE)
    rules = robots(b"User-agent: *\nDisallow: /page\n")
    with raw_server({"/robots.txt": rules, "/page": PAGE}) as inside, raw_server(inside.answers) as outside:
        url = outside.url("/page").replace("127.0.0.1", "localhost")
        saved = save(inside.url("/page"), servers=[inside])
        refused = save(url, servers=[outside])
    assert (saved.code, saved.one["status"]) == (0, "archived")
    (row,) = saved.rows(inside.url("/page"), "decision")
    assert (row["verdict"], row["rule"], row["line"]) == ("allow", "Disallow: /page", 2)
    assert row["notes"]["mandate"] == {"host": "127.0.0.1", "rule": "Disallow: /page", "line": 2}
    assert saved.record(row["evidence"]).block.endswith(b"Disallow: /page\n")
    assert (refused.code, refused.one["decision"]["reason"]) == (30, "robotsTxt")
    assert asked(outside) == ["/robots.txt"]


def test_a_further_token_refuses_and_is_named(save: Save, lines: Lines) -> None:
    lines("robots: {extraTokens: [archive.org_bot]}\n")
    rules = robots(b"User-agent: *\nAllow: /\n\nUser-agent: archive.org_bot\nDisallow: /page\n")
    with raw_server({"/robots.txt": rules, "/page": PAGE, "/free": PAGE}) as server:
        refused, archived = (save(server.url(path), servers=[server]) for path in ("/page", "/free"))
    assert (refused.code, archived.code) == (30, 0)
    decision = refused.one["decision"]
    assert decision["reason"] == "robotsTxt"
    assert (decision["rule"], decision["line"]) == (
        "Disallow: /page (for archive.org_bot, one of robots.extraTokens)",
        5,
    )
    assert decision["evidence"] is not None
    assert "/page" not in asked(server)


def test_a_delay_over_the_cap_leaves_the_host(save: Save) -> None:
    rules = robots(b"User-agent: *\nCrawl-delay: 301\n")
    with raw_server({"/robots.txt": rules, "/page": PAGE}) as server:
        saved = save(server.url("/page"), servers=[server])
    decision = saved.one["decision"]
    assert (saved.code, saved.one["status"], decision["reason"]) == (30, "refused", "crawlDelayBudget")
    assert "301 s" in decision["rule"] and "300 s" in decision["rule"]
    assert saved.robots_note(server.url("/page"))["delay"] == {
        "declared": 301.0, "source": "Crawl-delay: 301", "cap": 300.0, "then": "skip",
    }  # fmt: skip
    assert asked(server) == ["/robots.txt"]


def test_a_clamped_delay_is_waited_and_told(save: Save, lines: Lines) -> None:
    lines("legalBasis: an act\noperator: a library\nrobots: {delayCap: 1, beyondCap: clamp}\n")
    rules = robots(b"User-agent: *\nCrawl-delay: 301\n")
    with raw_server({"/robots.txt": rules, "/page": PAGE}) as server:
        saved = save(server.url("/page"), servers=[server])
    assert (saved.code, saved.one["status"]) == (0, "archived")
    assert saved.robots_note(server.url("/page"))["delay"] == {
        "declared": 301.0, "source": "Crawl-delay: 301", "cap": 1.0, "then": "clamp",
    }  # fmt: skip
    first, second = (request.at for request in server.requests if request.path in ("/robots.txt", "/page"))
    assert second - first >= 0.9
