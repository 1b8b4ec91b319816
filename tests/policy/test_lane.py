from __future__ import annotations

from dataclasses import dataclass

import pytest

from archiver.extract.html import extract
from archiver.extract.text import text_facts
from archiver.policy.lane import needs_browser, signs

PROSE = "<p>" + "Plain words that somebody wrote for readers. " * 40 + "</p>"
SCRIPT = "<script>var a = 1;</script>"
ASKS = f"<noscript>Please enable JavaScript.</noscript><p>{'word ' * 60}</p>{SCRIPT}"
TAGS = f'<noscript><iframe src="//g/ns.html"></iframe></noscript>{PROSE}{SCRIPT}'


@dataclass(frozen=True)
class Page:
    name: str
    html: str
    found: tuple[str, ...]
    browser: bool


PAGES = [
    Page("static", f"<title>x</title>{PROSE}", (), False),
    Page("static with scripts", f"<title>x</title>{PROSE}{SCRIPT * 3}", (), False),
    Page("placeholder in the text", f"<h1>{{{{ subpage.title }}}}</h1>{PROSE}", ("placeholder",), True),
    Page("placeholder in the title", f"<title>${{title}}</title>{PROSE}", ("placeholder",), True),
    Page("placeholder in a listing", f"<pre>{{{{ x }}}}</pre><code><%= y %></code>{PROSE}", (), False),
    Page("empty root", f'<div id=root></div>{PROSE}{SCRIPT}', ("emptyRoot",), True),
    Page("filled root", f'<div id=root>{PROSE}</div>{SCRIPT}', (), False),
    Page("noscript asks", ASKS, ("noscript",), True),
    Page("noscript of a tag manager", TAGS, (), False),
    Page("little text", f"<p>Loading</p>{SCRIPT}", ("littleText",), True),
    Page("little text, no script", "<p>Gone.</p>", (), False),
    Page("script leads elsewhere", "<script>location.href = '/next'</script>", ("scriptRedirect", "littleText"), True),
    Page("JSON inlined", f"{PROSE}<script>{'x' * 200_000}</script>{SCRIPT * 3}", ("thinText",), False),
]  # fmt: skip


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_evidence_of_a_page(page: Page) -> None:
    body = page.html.encode()
    found = signs(text_facts(body, extract(body, base_url="https://a.test/")))
    assert tuple(sign.name for sign in found) == page.found
    assert needs_browser(found) is page.browser
    assert all(sign.detail for sign in found)
