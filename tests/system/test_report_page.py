"""The report's page in a real browser: nobody is kept out of it, and its answers fit on the first sheet of paper."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from archiver.ledger.report import Report
from archiver.ledger.report_html import page as written
from archiver.ledger.report_words import answers
from tests.ledger import pdf_text
from tests.ledger.report_sample import sample
from tests.ledger.test_report_html import hostile

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium", "axe")]

WIDE, NARROW = 1100, 320
EMPTY = Report(job="0", collection="main", generated="now", counts=dict.fromkeys(
    ("discovered", "fetched", "refused", "failed", "pending"), 0))  # fmt: skip
LONG = "A very long purpose, " * 100
SAMPLES: dict[str, Callable[[], Report]] = {
    "everything": sample,
    "nothing": lambda: EMPTY,
    "hostile": hostile,
    "not whole": lambda: sample(faults=["rows about URLs that belong to no URL counted: 4"], ledger=["x.jsonl: cut"]),
    "long": lambda: sample(LONG),
}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    from tests.needs import need

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(need("chromium")), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def show(chromium: Any, tmp_path: Path) -> Iterator[Callable[[Report], Page]]:
    context = chromium.new_context(bypass_csp=True)  # for axe; the page's own policy is tested below

    def shown(report: Report) -> Page:
        (tmp_path / "report.html").write_text("".join(written(report)), "utf-8")
        page: Page = context.new_page()
        page.goto((tmp_path / "report.html").as_uri())
        return page

    yield shown
    context.close()


@pytest.mark.parametrize("name", ["everything", "hostile"])
def test_axe_finds_nothing(show: Callable[[Report], Page], need: Callable[[str], Path], name: str) -> None:
    page = show(SAMPLES[name]())
    page.evaluate(need("axe").read_text("utf-8"))
    for width in (WIDE, NARROW):
        for scheme in ("light", "dark"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
            assert found["violations"] == [], (width, scheme)
            assert "color-contrast" in {one["id"] for one in found["passes"]}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_narrow_screen_scrolls_in_one_direction(show: Callable[[Report], Page], name: str) -> None:
    """WCAG 2.2, 1.4.10: at 320 pixels only the tables may be wider."""
    page = show(SAMPLES[name]())
    page.set_viewport_size({"width": NARROW, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW


@pytest.mark.parametrize("name", SAMPLES)
def test_the_answers_are_on_the_first_sheet(show: Callable[[Report], Page], name: str) -> None:
    report = SAMPLES[name]()
    sheets = pdf_text.pages(show(report).pdf(prefer_css_page_size=True))
    first = squeezed(sheets[0])
    for answer in answers(report):
        assert squeezed(answer.question) in first
        for sentence in answer.sentences:
            assert printed(sentence) in first, sentence
    assert "Signature" in sheets[0]
    assert "Infigures" not in first
    assert "Infigures" in squeezed(sheets[1])


def printed(sentence: str) -> str:
    from archiver.ledger.report_urls import printable

    return squeezed(printable(sentence))


def squeezed(text: str) -> str:
    """Without blanks, which a line's end may swallow, and with ligatures taken apart."""
    for ligature, letters in (
        ("\ufb00", "ff"),
        ("\ufb01", "fi"),
        ("\ufb02", "fl"),
        ("\ufb03", "ffi"),
        ("\ufb04", "ffl"),
    ):
        text = text.replace(ligature, letters)
    return re.sub(r"\s", "", text)


def test_it_loads_nothing_and_runs_nothing(chromium: Any, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("".join(written(hostile())), "utf-8")
    page = chromium.new_page()
    asked: list[str] = []
    told: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: told.append(dialog.message))
    page.on("console", lambda message: told.append(message.text))
    page.goto((tmp_path / "report.html").as_uri())
    assert asked == [(tmp_path / "report.html").as_uri()]
    assert told == []
    page.close()
