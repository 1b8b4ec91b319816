from __future__ import annotations

import pytest

from archiver.browser.text import LIMIT, main_text

PARAGRAPH = "The council met on Tuesday evening and decided, after a long debate, to keep the library open. "
ARTICLE = f"""<!doctype html><title>Library stays open</title>
<nav><a href=/>Home</a> <a href=/sport>Sport</a></nav>
<article><h1>Library stays open</h1>{"".join(f"<p>{n}. {PARAGRAPH * 2}</p>" for n in range(6))}</article>
<aside><h2>Most read</h2><a href=/x>Something else</a></aside><footer>Imprint</footer>"""
TEASERS = "".join(
    f"<div class=teaser><h2>Headline number {n}</h2><p>Short teaser text {n}.</p><a href=/{n}>more</a></div>"
    for n in range(8)
)
LISTING = f"""<!doctype html><title>News today</title><body><h1>News today</h1><div class=trending><ol><li>Trend one
<li>Trend two</ol></div><main>{TEASERS}</main></body>"""


def test_an_article_without_its_furniture() -> None:
    text = main_text(ARTICLE, "https://a.test/")
    assert text.startswith("Library stays open")
    assert all(f"{n}. The council met" in text for n in range(6))
    assert "Imprint" not in text and "Sport" not in text


def test_a_listing_keeps_every_headline() -> None:
    text = main_text(LISTING, "https://a.test/")
    assert text.startswith("News today")
    assert all(f"Headline number {n}" in text for n in range(8)) and "Short teaser text 7." in text


def test_a_listing_is_read_line_by_line_with_what_stands_beside_it() -> None:
    aside = "<aside><h2>Trending</h2><ol><li>Trend <b>three</b><!-- x --> more</ol></aside><script>no()</script>"
    lines = main_text(LISTING.replace("</main>", f"</main>{aside}<p hidden>unseen"), "https://a.test/").splitlines()
    assert lines[lines.index("Headline number 3") :][:2] == ["Headline number 3", "Short teaser text 3."]
    assert "Trend one" in lines and "Trend three more" in lines and "Trending" in lines
    assert not [line for line in lines if "no()" in line or "unseen" in line]


@pytest.mark.parametrize("document", ["", "   ", "<", "\0\0", "<!-- x -->", "<svg></svg>", "plain words", "<p>" * 5000])
def test_whatever_comes(document: str) -> None:
    assert len(main_text(document, "https://a.test/")) <= LIMIT


def test_scripts_and_styles_are_no_text() -> None:
    document = f"<title>T</title><h1>T</h1><style>p{{}}</style><script>let hidden = 1</script><p>{PARAGRAPH}</p>"
    text = main_text(document, "https://a.test/")
    assert "hidden" not in text and "p{" not in text and PARAGRAPH.strip() in text
