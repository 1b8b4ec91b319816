"""Notices of every shape in a real Chromium: what was pressed is told by the page's own requests, not by us."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web

from archiver.browser import Chromium
from archiver.browser.consent import Consent
from archiver.browser.consent_package import Package, find_package
from archiver.browser.flags import has_sandbox
from archiver.clock import SYSTEM
from archiver.model import LedgerEntry
from archiver.ports.browser import Rendered
from tests.browser.kit import Rig, Site, steps
from tests.needs import need

pytestmark = [pytest.mark.browser, pytest.mark.needs("chromium"), pytest.mark.asyncio(loop_scope="session")]

FIXED = "position:fixed;bottom:0;left:0;right:0;background:#fff;z-index:99"
WORDS = "We use cookies to analyse traffic and personalise ads."
ARTICLE = "<h1>News</h1>" + "<p>The harbour museum reopened its eastern wing after two years of restoration.</p>" * 8
# each press is a request of the page's own, and stored state
SCRIPT = """
const press = (what, keep = true) => {
  new Image().src = '/pressed/' + what;
  if (keep) { document.cookie = 'choice=' + what + ';path=/'; }
  document.querySelectorAll('[data-n]').forEach(one => one.remove());
};
"""


def button(text: str, what: str) -> str:
    return f"<button onclick=\"press('{what}')\">{text}</button>"


YES, NO = button("Accept all", "accepted"), button("Reject all", "rejected")


def page(body: str = "", script: str = "", *, lang: str = "en", head: str = "") -> str:
    start = f"<!doctype html><html lang={lang}><meta charset=utf-8><title>News</title>{head}<body>{ARTICLE}"
    return f"{start}<script>{SCRIPT}</script>{body}<script>{script}</script>"


def bar(words: str, *buttons: str, style: str = FIXED, tag: str = "div", more: str = "") -> str:
    return f"<{tag} data-n style='{style}' {more}><p>{words}</p>{' '.join(buttons)}</{tag}>"


def shadow(mode: str) -> str:
    inner = f"<div style='{FIXED}'><p>{WORDS}</p><button id=y>Accept all</button><button id=n>Deny</button></div>"
    return (
        "customElements.define('x-n', class extends HTMLElement { constructor() { super();"
        f"const r = this.attachShadow({{mode: '{mode}'}}); r.innerHTML = `{inner}`;"
        "r.getElementById('n').onclick = () => press('rejected') } })"
    )


@dataclass(frozen=True, slots=True)
class Case:
    name: str
    html: str
    outcome: str
    pressed: tuple[str, ...] = ()


SETTINGS = (
    f"<div data-n style='{FIXED}'><p>{WORDS}</p>"
    f'<button onclick="more.hidden=false">Manage options</button>{YES}</div>'
    "<div data-n id=more hidden style='position:fixed;inset:10%;background:#eee;z-index:999'>"
    "<label><input type=checkbox checked disabled>Necessary</label>"
    "<label><input type=checkbox class=c checked>Analytics</label>"
    "<label><input type=checkbox class=c checked>Ads</label>"
    "<button onclick=\"press(document.querySelector('.c:checked') ? 'partial' : 'rejected')\">"
    "Confirm my choices</button>"
    f"{YES}</div>"
)
DIVS = [
    f"<div style='cursor:pointer' onclick=\"press('{what}')\">{text}</div>"
    for text, what in (("Accept all", "accepted"), ("Decline", "rejected"))
]
FIRST = (
    f"<div id=first style='{FIXED}'><p>This website uses cookies.</p>"
    "<button onclick=\"document.cookie='first=denied'; first.remove()\">Decline</button><button>Accept</button></div>"
)
LATE = f"setTimeout(() => document.body.insertAdjacentHTML('beforeend', `{bar(WORDS, YES, NO)}`), 1500)"
AGAIN = (
    "if (document.cookie.includes('choice=rejected')) setTimeout(() => location.reload(), 200);"
    "else document.addEventListener('click', () => setTimeout(() => location.reload(), 100))"
)
GERMAN = button("Alle akzeptieren", "accepted"), button("Nur notwendige Cookies", "rejected")
JAPANESE = button("すべて同意する", "accepted"), button("すべて拒否する", "rejected")
CLOSE = "<button aria-label=Close onclick=\"press('closed')\">×</button>"
UNKEPT = "<button onclick=\"press('unkept', false)\">Reject all</button>"
JOIN = "<input type=email>", button("Sign me up", "joined"), button("No thanks", "no")
AGE = button("Yes", "yes"), button("No", "no")
SUBSCRIBE = button("Reject and subscribe", "paid")

REFUSED = {
    "fixed": page(bar(WORDS, YES, NO)),
    "in-flow": page(bar(WORDS, YES, NO, style="background:#ffd")),
    "top-layer": page(bar(WORDS, YES, NO, tag="dialog", style=""), "document.querySelector('dialog').showModal()"),
    "clickable-divs": page(bar(WORDS, *DIVS)),
    "open-shadow": page("<x-n data-n></x-n>", shadow("open")),
    "closed-shadow": page("<x-n data-n></x-n>", shadow("closed")),
    "settings-and-switches": page(SETTINGS),
    "german": page(bar("Wir verwenden Cookies auf dieser Webseite.", *GERMAN), lang="de"),
    "japanese": page(bar("当サイトではCookieを使用しています。", *JAPANESE), lang="ja"),
    "late": page("", f"/* cookieconsent */ {LATE}"),
    "two": page(FIRST + bar(WORDS, YES, NO, style="position:fixed;top:0")),
}
NO_WAY = {
    "ok-only": page(bar("By using our website you consent to our use of cookies.", button("OK", "accepted"))),
    "pay-or-ok": page(bar("We use cookies. You can accept, or refuse and subscribe.", YES, SUBSCRIBE)),
    "close-only": page(bar(WORDS, CLOSE)),
}
NOT_ONE = {
    "age-gate": page(bar("Are you over 18 years old? We use cookies to remember your answer.", *AGE)),
    "newsletter": page(bar("Join our newsletter. By continuing you agree to our use of cookies.", *JOIN)),
    "cookie-policy": page(f"<h2>Cookie policy</h2><p>{WORDS}</p>{button('Withdraw consent', 'no')}{YES}"),
    "review": page(bar("3 suggested edits to this document", YES, NO)),
    "terms": page(bar("Please accept the exam rules and our privacy policy.", YES, button("I decline", "no"))),
    "plain": page(),
}
SCROLLED = bar("By scrolling you agree to our use of cookies on this site.", button("Got it", "accepted"))
BY_SCROLLING = "onscroll = () => { document.cookie = 'consent=accepted' }"
CASES = (
    *(Case(name, html, "rejected", ("rejected",)) for name, html in REFUSED.items()),
    *(Case(name, html, "no-reject-option") for name, html in NO_WAY.items()),
    *(Case(name, html, "absent") for name, html in NOT_ONE.items()),
    Case("nothing-stored", page(bar(WORDS, YES, UNKEPT)), "rejected-unverified", ("unkept",)),
    Case("lies", page(bar(WORDS, YES, button("Reject all", "accepted"))), "accepted-implied", ("accepted",)),
    Case("library-missing", page(head="<script src=/js/klaro.min.js></script>"), "not-loaded"),
    Case("scrolling", page("<div style='height:4000px'></div>" + SCROLLED, BY_SCROLLING), "accepted-implied"),
    Case("loads-again", page(bar(WORDS, YES, NO), AGAIN), "loop", ("rejected",)),
)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def rig(shared_rig: Rig) -> AsyncIterator[Rig]:
    """A Chromium with the step under test, with the rules when they are installed."""
    folder = find_package({})
    consent = Consent(SYSTEM, None if folder is None else Package.load(folder))
    chromium = Chromium(
        need("chromium"), shared_rig.proxy, replace(steps(), consent=consent), sandbox=has_sandbox(os.environ)
    )
    yield Rig(chromium, shared_rig.proxy, shared_rig.client)
    await chromium.close()


def pressed(site: Site) -> list[str]:
    return [path.removeprefix("/pressed/") for path in site.paths() if path.startswith("/pressed/")]


async def see(rig: Rig, site: Site, html: str, name: str, **changes: Any) -> Rendered:
    site.pages["/page"] = html
    return await rig.see(site.url("/page"), site=name, **changes)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
async def test_a_notice_is_refused_left_or_named(rig: Rig, site: Site, case: Case) -> None:
    views = frozenset({"view", "dom", "text"})
    rendered = await see(rig, site, case.html, case.name, behaviors=("scroll",), views=views)
    assert rendered.consent is not None
    details = rendered.consent.details
    assert rendered.consent.outcome == case.outcome, details
    assert pressed(site) == list(case.pressed)
    assert details["webdriver"] is True and details["policy"] == "reject"
    if case.pressed:
        assert "viewBefore" in {view.name for view in rendered.views}


async def test_the_intent_is_written_before_the_press(rig: Rig, site: Site) -> None:
    order: list[str] = []

    async def press(_: web.Request) -> web.StreamResponse:
        order.append("pressed")
        return web.Response()

    site.pages["/pressed/rejected"] = press
    visit = rig.visit()

    class Rows(list[LedgerEntry]):
        def append(self, row: LedgerEntry) -> None:
            order.append(f"row {row.data['stage']}")
            super().append(row)

    rows = visit.rows = Rows()
    await see(rig, site, page(bar(WORDS, YES, NO)), "intent", visit=visit)
    assert order[:2] == ["row intent", "pressed"]
    assert (
        rows[0].event == "consent"
        and rows[0].data["details"]["button"] == "Reject all"
        and rows[0].data["setBy"] == "policy"
    )


async def test_nothing_of_ours_is_in_the_page(rig: Rig, site: Site) -> None:
    script = """
    const then = new Set(Object.getOwnPropertyNames(globalThis));
    document.querySelector('button:last-of-type').addEventListener('click', () => {
      const more = Object.getOwnPropertyNames(globalThis).filter(one => !then.has(one));
      new Image().src = `/found/${more.join('+') || 'nothing'}/${/native code/.test(Element.prototype.attachShadow)}`;
    });"""
    await see(rig, site, page(bar(WORDS, YES, NO), f"{{ {script} }}"), "globals")
    assert [path for path in site.paths() if path.startswith("/found/")] == ["/found/nothing/true"]


async def test_the_document_stays_as_it_was_and_the_text_is_without_the_notice(rig: Rig, site: Site) -> None:
    html = page(bar("By using our website you consent to our use of cookies.", button("OK", "accepted")))
    rendered = await see(rig, site, html, "kept", views=frozenset({"dom", "text"}))
    assert b"you consent to our use of cookies" in rendered.dom
    assert "consent to our use" not in rendered.text and "harbour museum" in rendered.text


async def test_a_strict_content_security_policy_changes_nothing(rig: Rig, site: Site) -> None:
    policy = "default-src 'self'; script-src 'self'; style-src 'unsafe-inline'; require-trusted-types-for 'script'"
    html = page(bar(WORDS, "<button id=y>Accept all</button>", "<button id=n>Reject all</button>"), "")

    async def strict(_: web.Request) -> web.StreamResponse:
        body = html + "<script src=/own.js></script>"
        return web.Response(text=body, content_type="text/html", headers={"Content-Security-Policy": policy})

    own = SCRIPT + "document.getElementById('n').onclick = () => press('rejected')"
    site.pages |= {"/own.js": ("text/javascript", own.encode()), "/strict": strict}
    rendered = await rig.see(site.url("/strict"), site="strict")
    assert rendered.consent is not None and rendered.consent.outcome == "rejected"


async def test_a_frame_of_another_site(rig: Rig, site: Site, other: Site) -> None:
    other.host = "other.localhost"
    other.pages["/notice"] = (
        f"<!doctype html><body><p>{WORDS}</p><button onclick=\"parent.postMessage('accepted','*')\">Accept all</button>"
        "<button onclick=\"parent.postMessage('rejected','*')\">Reject all</button>"
    )
    frame = f"<iframe data-n src='{other.url('/notice')}' style='{FIXED};width:500px;height:200px'></iframe>"
    rendered = await see(rig, site, page(frame, "addEventListener('message', e => press(e.data))"), "frame")
    assert rendered.consent is not None and rendered.consent.outcome == "rejected", rendered.consent
    assert pressed(site) == ["rejected"]


@pytest.mark.parametrize(
    ("policy", "outcome", "expected"),
    [("leave", "left", []), ("hide", "hidden", []), ("accept", "accepted", ["accepted"])],
)
async def test_other_policies(rig: Rig, site: Site, policy: str, outcome: str, expected: list[str]) -> None:
    html = page(bar(WORDS, YES, NO))
    rendered = await see(rig, site, html, policy, consent=policy, consent_set_by="site example.org, by name")
    assert rendered.consent is not None and rendered.consent.outcome == outcome
    assert pressed(site) == expected
    assert rendered.consent.details["setBy"] == "site example.org, by name"
    if policy == "hide":
        assert b"adopted" not in rendered.dom and b"display: none !important" not in rendered.dom


@pytest.mark.needs("consent")
async def test_a_rule_refuses_and_may_not_press_a_yes(rig: Rig, site: Site) -> None:
    need("consent")
    onetrust = (
        "<div id=onetrust-consent-sdk data-n><div id=onetrust-banner-sdk style='{}' role=dialog><p>{}</p>"
        "<button id=onetrust-reject-all-handler onclick=\"press('{}')\">{}</button>"
        "<button id=onetrust-accept-btn-handler onclick=\"press('accepted')\">Accept all</button></div></div>"
    )
    rendered = await see(rig, site, page(onetrust.format(FIXED, WORDS, "rejected", "Reject all")), "onetrust")
    assert rendered.consent is not None and rendered.consent.outcome == "rejected"
    assert rendered.consent.engine == "rules" and rendered.consent.details["actions"][0]["rule"] == "Onetrust"
    trap = await see(rig, site, page(onetrust.format(FIXED, WORDS, "paid", "Subscribe for €3")), "trap")
    assert pressed(site) == ["rejected"], "a rule that presses a paid offer is stopped"
    assert trap.consent is not None and trap.consent.details["actions"][0]["pressed"][0]["stopped"]


async def test_consent_that_was_taken_ends_with_its_context(rig: Rig, site: Site) -> None:
    ask = (
        "onscroll = () => { document.cookie = 'consent=accepted' }; new Image().src = '/had/' + document.cookie.length"
    )
    html = page("<div style='height:4000px'></div>" + SCROLLED, ask)
    for _ in range(2):
        rendered = await see(rig, site, html, "spoiled", behaviors=("scroll", "details"))
        assert rendered.consent is not None and rendered.consent.outcome == "accepted-implied"
        assert rendered.behaviors["ended"] == "consent"
    assert [path for path in site.paths() if path.startswith("/had/")] == ["/had/0", "/had/0"]


async def test_the_lock_of_scrolling_is_recorded(rig: Rig, site: Site) -> None:
    tall = "<div style='height:3000px'></div>" + bar(WORDS, YES, NO)
    rendered = await see(rig, site, page(tall, "document.documentElement.style.overflow = 'hidden'"), "lock")
    assert rendered.consent is not None
    assert rendered.consent.details["scrollLock"] == {"before": True, "after": True}


async def test_an_answer_that_stands_is_not_asked_for_again(rig: Rig, site: Site) -> None:
    add = f"document.body.insertAdjacentHTML('beforeend', `{bar(WORDS, YES, NO)}`)"
    html = page("", f"/* cookieconsent */ if (!document.cookie.includes('choice=')) {add}")
    first = await see(rig, site, html, "stands")
    second = await see(rig, site, html, "stands")
    assert first.consent is not None and second.consent is not None
    assert (first.consent.outcome, second.consent.outcome) == ("rejected", "absent")
    assert second.consent.details["earlier"]["outcome"] == "rejected"
    assert pressed(site) == ["rejected"]


async def test_without_the_rules_wording_alone_refuses(shared_rig: Rig, site: Site) -> None:
    consent = Consent(SYSTEM, None)
    chromium = Chromium(
        need("chromium"), shared_rig.proxy, replace(steps(), consent=consent), sandbox=has_sandbox(os.environ)
    )
    try:
        rendered = await see(
            Rig(chromium, shared_rig.proxy, shared_rig.client), site, page(bar(WORDS, YES, NO)), "bare"
        )
    finally:
        await chromium.close()
    assert rendered.consent is not None and rendered.consent.outcome == "rejected"
    assert "make setup" in rendered.consent.details["rules"]["off"]
