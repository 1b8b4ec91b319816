"""`README.txt`: its words, and what must not get into a shell by them. That its commands work: tests/system."""

import json
import re
import shlex
from pathlib import Path

import pytest

from archiver.describe.about import About
from archiver.describe.readme import PYWB, REPLAYWEB, WIDTH, readme
from tests.describe.samples import about

ROOT = Path(__file__).resolve().parents[2]


def commands(text: str) -> list[str]:
    return [line.removeprefix("    $ ") for line in text.splitlines() if line.startswith("    $ ")]


def test_who_what_when_and_under_which_policy() -> None:
    text = readme(about())
    assert text.startswith("news: News of the town\n======================\n\nWhat its papers wrote.\n")
    for row in ("who:         City archive", "when:        since 2026-11-23", "policy:      strict", "basis: deposit"):
        assert row in text
    assert "made by archiver/1" in text


def test_a_new_run_does_not_change_it() -> None:
    later = about(last="2027-01-01T00:00:00.000Z", runs=9, counts={"fetched": 50}, segments=20, heads={}, latest=[])
    assert readme(later) == readme(about())


def test_of_an_empty_collection() -> None:
    text = readme(About(name="new"))
    assert "when:        nothing yet" in text
    assert "curl --fail --silent --show-error http://127.0.0.1:8090/new/\n" in text


def test_a_url_is_one_word_of_the_shell() -> None:
    curl = next(line for line in commands(readme(about())) if line.startswith("curl"))
    assert shlex.split(curl)[-1] == "http://127.0.0.1:8090/news/20261123120000id_/http://site.test/a'b?c=1&d"


def test_lines_are_short() -> None:
    text = readme(about(description="word " * 60))
    own = [line for line in text.splitlines() if not line.startswith("    ")]
    assert max(map(len, own)) <= WIDTH + 20


def test_pywb_is_the_one_that_is_tested_here() -> None:
    wanted = (ROOT / "infra/requirements/pywb.in").read_text()
    assert f"pywb=={PYWB}\n" in wanted
    assert "setuptools<81" in wanted and "'setuptools<81'" in readme(about())


def test_replayweb_page_is_the_one_that_is_tested_here() -> None:
    wanted = json.loads((ROOT / "infra/replaywebpage/package.json").read_text())
    assert wanted["devDependencies"]["replaywebpage"] == REPLAYWEB
    assert f"npm pack replaywebpage@{REPLAYWEB} " in readme(about())


@pytest.mark.parametrize("heading", ["Replay with pywb", "Replay with ReplayWeb.page"])
def test_three_commands_each(heading: str) -> None:
    section = readme(about()).partition(f"{heading}\n---")[2]
    assert len(commands(re.split(r"\n[A-Z][^\n]*\n-+\n", section)[0])) == 3
