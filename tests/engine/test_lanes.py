"""The lane by evidence: what is looked at, and what is remembered of pages of the same kind."""

from __future__ import annotations

import pytest

from archiver.clock import ManualClock
from archiver.engine.lanes import PLAIN, SURE_AFTER, Lanes, pattern_of
from archiver.model import Exchange, Fetched, Framing, Lane
from archiver.policy.decide import decide
from archiver.spooled import Spool
from tests.engine.bench import candidate

APP = b"<div id=root></div><script src=a.js></script>"
PLAIN_PAGE = b"<title>plain</title><p>" + b"text " * 300


def document(path: str, body: bytes, *, status: int = 200) -> Fetched:
    head = b"HTTP/1.1 %d x\r\n\r\n" % status
    exchange = Exchange(
        url=candidate(path).url, method="GET", request=b"", response=Spool(head + body), head_start=0,
        body_start=len(head), status=status, reason="x", headers=((b"content-type", b"text/html"),),
        framing=Framing.CLOSE, ip="127.0.0.1", port=80, started_at=ManualClock().now(), seconds=0.0,
    )  # fmt: skip
    return Fetched(candidate=candidate(path), decision=decide([], policy="strict"), exchange=exchange)


@pytest.mark.parametrize(
    ("body", "title", "lane", "sign"),
    [
        (PLAIN_PAGE, "plain", Lane.HTTP, None),
        (PLAIN_PAGE + b"<script src=a.js></script>", "plain", Lane.HTTP, None),
        (APP, "", Lane.BROWSER, "emptyRoot"),
        (PLAIN_PAGE.replace(b"plain", b"{{ t }}"), "{{ t }}", Lane.BROWSER, "placeholder"),
    ],
    ids=["no script", "a script", "empty root", "title"],
)
async def test_the_lane_by_what_the_page_holds(body: bytes, title: str, lane: Lane, sign: str | None) -> None:
    choice = await Lanes(mode="auto", tools=None).choose(
        candidate("/a"), document("/a", body), is_html=True, title=title
    )
    assert choice.lane is lane
    assert choice.why.get("signs", [{"name": None}])[0]["name"] == sign


async def test_a_challenge_without_any_script_is_found() -> None:
    given = document("/a", b"Request unsuccessful. Incapsula incident ID: 1", status=403)
    choice = await Lanes(mode="auto", tools=None).choose(candidate("/a"), given, is_html=True)
    assert choice.challenge == "imperva"


async def test_pages_of_a_known_kind_are_not_looked_at() -> None:
    lanes = Lanes(mode="auto", tools=None)
    for number in range(SURE_AFTER):
        path = f"/news/{number}"
        assert await lanes.choose(candidate(path), document(path, PLAIN_PAGE), is_html=True) is PLAIN
    assert await lanes.choose(candidate("/news/x"), document("/news/x", APP), is_html=True) is PLAIN
    assert pattern_of(candidate("/news/x").url) == pattern_of(candidate("/news/1").url)
