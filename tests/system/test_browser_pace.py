"""Pace in the browser lane, as the site measures it: the same as over plain HTTP (decision 12).

Nothing is set: the delay is the default one of 1 s a visit.
"""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.servers.pages import Pages, Reply, Talk, event_stream, most_in_flight, page, serving, slow
from tests.servers.pages_everything import noise, png
from tests.system.browsing import DELAY, allowing, saved
from tests.system.cli import archiver, check_collection, collection, ledger_bodies, running

pytestmark = [pytest.mark.system, pytest.mark.browser, pytest.mark.needs("chromium")]


def pictured(name: str, count: int, seconds: float = 0.0, *, more: str = "") -> dict[str, Reply]:
    """A page `/NAME` that a script fills with pictures `/NAME-0.png` ... of its own."""
    names = [f"/{name}-{number}.png" for number in range(count)]
    script = f"for (const one of {names}) document.body.append(Object.assign(new Image(), {{src: one}}))"
    body = f"<!doctype html><title>{name}</title><link rel=icon href=data:,><body><h1>{name}</h1>{more}"
    pictures: dict[str, Reply] = {one: page(png(one), "image/png") for one in names}
    if seconds:
        pictures = {one: slow(page(png(one), "image/png"), seconds) for one in names}
    return {f"/{name}": page(f"{body}<script>{script}</script>"), **pictures}


def robots(text: str) -> bytes:
    return page(f"User-agent: *\n{text}\n", "text/plain")


def rows(folder: Path, event: str) -> list[dict[str, Any]]:
    return [row for row in ledger_bodies(collection(folder)) if row["event"] == event]


# --- one page ---------------------------------------------------------------------------------------------------------


def test_a_page_that_never_ends_by_itself_loads_completely(tmp_path: Path) -> None:
    """An open event stream, a paused video, thirty requisites of one origin: nothing waits for what never ends."""
    more = "<video src=/film.webm preload=metadata></video><script>new EventSource('/events')</script>"
    answers = pictured("page", 30, more=more) | {
        "/film.webm": page(noise("film", 200_000), "video/webm"),
        "/events": event_stream(),
    }
    with serving(answers) as site:
        ran = saved(tmp_path, "browser", site.url("/page"), site)
        asked = site.count()
    told = ran.objects[0]
    (document,), images = site.of("/page")[:1], site.of("/page-")
    loaded = max(one.done for one in images) - document.at
    print(f"{sum(asked.values())} requests, loaded in {loaded:.1f} s, kept in {told['seconds']:.1f} s ({DELAY})")
    assert (ran.code, told["completeness"]["verdict"]) == (0, "complete"), told
    assert asked == dict.fromkeys(answers, 1)
    assert told["completeness"]["kept"] == len(answers) - 1
    assert most_in_flight([hit for hit in site.hits if not hit.talked]) <= 4
    check_collection(collection(tmp_path))


def test_a_declared_delay_lies_between_any_two_requests(tmp_path: Path) -> None:
    """Whatever asks for them: the document over HTTP, pictures, a script's request, in the browser."""
    answers = pictured("page", 2, more="<script>fetch('/data.json')</script>") | {
        "/robots.txt": robots("Crawl-delay: 1"),
        "/data.json": page("{}", "application/json"),
    }
    with serving(answers) as site:
        ran = saved(tmp_path, "browser", site.url("/page"), site)
    told = ran.objects[0]
    print(f"{len(site.asked)} requests in {told['seconds']:.1f} s (Crawl-delay 1 s)")
    assert (ran.code, told["completeness"]["verdict"]) == (0, "complete"), told
    assert set(site.count()) == set(answers) - {"/robots.txt"}
    assert min(site.gaps()) >= 1.0, (site.gaps(), [hit.path for hit in site.hits])


def test_robots_of_each_origin_binds_the_browser(tmp_path: Path) -> None:
    """A picture, a script's request and a frame that their own site refuses: never asked for, told as gaps and rows."""
    with serving({"/robots.txt": robots("Disallow: /no"), "/yes.png": page(png("yes"), "image/png")}) as other:
        more = (
            f"<img src={other.url('/no.png')}><img src={other.url('/yes.png')}><iframe src={other.url('/no-frame')}>"
            f"</iframe><script>fetch('{other.url('/no.json')}', {{mode: 'no-cors'}}).catch(() => 0)</script>"
        )
        with serving(pictured("page", 1, more=more)) as site:
            ran = saved(tmp_path, "browser", site.url("/page"), site, other)
        told = ran.objects[0]
    assert [hit.path for hit in other.asked] == ["/yes.png"]
    refused = {other.url(path) for path in ("/no.png", "/no-frame", "/no.json")}
    assert (ran.code, told["completeness"]["verdict"]) == (0, "gaps"), told
    assert {gap["url"]: gap["reason"] for gap in told["completeness"]["matter"]} == dict.fromkeys(refused, "robotsTxt")
    found = {row["url"]: (row["line"], row["lane"]) for row in rows(tmp_path, "decision") if row["verdict"] == "refuse"}
    assert found == dict.fromkeys(refused, (2, "browser"))
    check_collection(collection(tmp_path))


def test_a_429_in_the_middle_stops_the_origin(tmp_path: Path) -> None:
    """Nothing more is asked there, whatever was in the queue; another origin has said nothing.

    What was on its way beside the 429 is answered when the other origin was asked, which the page does when it was
    refused all the rest: no answer of theirs can let another request through before the 429 was heard.
    """
    numbers = iter(range(100))

    async def busy(talk: Talk) -> None:
        number = next(numbers)
        if number == 5:
            headers = {"Retry-After": "30"}
            return await talk.send(page("slow down", "text/plain", status="429 Too Many", headers=headers))
        while number > 5 and not other.asked:
            await asyncio.sleep(0.005)
        await talk.send(page(png(talk.hit.path), "image/png"))

    with serving({"/far.png": page(png("far"), "image/png")}) as other:
        # an error does not bubble, but is heard on its way down
        later = (
            "<script>let left = 16; addEventListener('error', () => { if (--left === 0) new Image().src = "
            f"'{other.url('/far.png')}' }}, true)</script>"
        )
        answers = pictured("page", 24, more=later)
        with serving(answers | dict.fromkeys(set(answers) - {"/page"}, busy)) as site:
            ran = saved(tmp_path, "browser", site.url("/page"), site, other)
        assert [hit.path for hit in other.asked] == ["/far.png"]
    assert len([hit for hit in site.of("/page-") if b" 429 " in hit.sent[:14]]) == 1
    assert len(site.of("/page-")) <= 6 + 3
    refused = [row for row in rows(tmp_path, "decision") if row["verdict"] != "allow"]
    assert len(refused) >= 15 and {row["reason"] for row in refused} == {"rateLimited"}
    told = ran.objects[0]["completeness"]
    assert told["verdict"] == "gaps" and told["refused"] >= 15 and told["failed"] == 1


# --- more pages -------------------------------------------------------------------------------------------------------


def assert_one_pace(site: Pages, *names: str) -> None:
    """Visits at least a second apart, at most four requisites in flight, each burst paid back before the next visit."""
    visits = sorted(((site.of(f"/{name}")[0], site.of(f"/{name}-")) for name in names), key=lambda visit: visit[0].at)
    for (document, images), (following, _) in pairwise(visits):
        first, last = min(one.at for one in images), max(one.done for one in images)
        print(f"visits {following.at - document.at:.2f} s apart, a burst of {last - first:.2f} s ({DELAY})")
        assert following.at - document.at >= 1.0
        assert following.at - last >= last - first, "paid back"
    assert most_in_flight([image for _, images in visits for image in images]) <= 4


def test_visits_lie_apart_and_bursts_are_paid_back(tmp_path: Path) -> None:
    names = ("a", "b", "c")
    with serving(pictured("a", 12, 0.4) | pictured("b", 3, 0.1) | pictured("c", 1)) as site:
        urls = [site.url(f"/{name}") for name in names]
        ran = archiver("save", *urls, "--lane", "browser", *allowing(site), "--json", cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert len(site.asked) == 3 + 16
    assert_one_pace(site, *names)


def test_two_processes_in_two_lanes_keep_one_pace(tmp_path: Path) -> None:
    answers: dict[str, Reply] = {}
    for name in ("a", "b", "c", "d"):
        images = "".join(f"<img src=/{name}-{number}.png>" for number in range(5))
        static = page(f"<title>{name}</title><link rel=icon href=data:,>{images}")
        answers |= pictured(name, 5, 0.2) | {f"/{name}": static}
    with serving(answers) as site:
        first = ("save", site.url("/a"), site.url("/b"), "--lane", "browser", "--collection", "one", *allowing(site))
        second = ("save", site.url("/c"), site.url("/d"), "--lane", "http", "--collection", "two", *allowing(site))
        with running(*first, cwd=tmp_path) as process:
            ran = archiver(*second, cwd=tmp_path)
            process.communicate(timeout=100)
    assert (process.returncode, ran.code) == (0, 0), ran.err
    assert set(site.count().values()) == {1} and len(site.asked) == 24
    assert_one_pace(site, "a", "b", "c", "d")
