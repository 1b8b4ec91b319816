"""Crawls of pages whose links only scripts write, with both drivers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.servers.pages import Reply, page, serving
from tests.servers.pages_everything import png
from tests.system.browsing import allowing, kept, sent
from tests.system.cli import archiver, check_collection, collection, ledger_bodies, records

pytestmark = [pytest.mark.system, pytest.mark.browser, pytest.mark.needs("chromium")]

WORDS = "<p>" + "A page of words that a script has written. " * 20
HEAD = "<!doctype html><link rel=icon href=data:,>"


def small_site() -> dict[str, Reply]:
    """Six pages whose links only scripts write; one picture each."""
    links = {"/": ["/p1", "/p2"], "/p1": ["/p3"], "/p2": ["/p4", "/p1"], "/p3": [], "/p4": ["/p5"], "/p5": ["/"]}
    answers: dict[str, Reply] = {}
    for path, targets in links.items():
        name = path[1:] or "home"
        script = "".join(
            f"document.body.append(Object.assign(document.createElement('a'), {{href: '{one}', textContent: 'on'}}));"
            for one in targets
        )
        answers[path] = page(
            f"{HEAD}<title>raw</title><div id=root></div><script>document.title = '{name}'; {script}"
            f"document.getElementById('root').innerHTML = '<img src=/{name}.png>{WORDS}'</script>"
        )
        answers[f"/{name}.png"] = page(png(name), "image/png")
    return answers


@pytest.mark.parametrize("driver", [pytest.param("pump", marks=pytest.mark.soak), "scrapy"])
def test_a_crawl_finds_what_only_scripts_link(tmp_path: Path, driver: str) -> None:
    with serving(small_site()) as site:
        given = ("--url", site.url("/"), "--driver", driver, *allowing(site), "--delay", "0")
        ran = archiver("crawl", *given, "--lane", "auto", cwd=tmp_path)
        assert ran.code == 0, ran.err
        assert kept(records(collection(tmp_path))) == sent(site)
    assert site.count() == dict.fromkeys(site.answers, 1)
    rows = [row for row in ledger_bodies(collection(tmp_path)) if row["event"] == "visit"]
    titles = ("home", "p1", "p2", "p3", "p4", "p5")
    assert {row["title"]: row["lane"] for row in rows} == dict.fromkeys(titles, "browser")
    check_collection(collection(tmp_path))
