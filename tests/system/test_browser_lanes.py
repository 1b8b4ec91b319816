"""Which lane a page is captured in, seen from outside: what is started, what is asked for, what is kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.servers.pages import Reply, moved, page, serving
from tests.servers.pages_everything import png
from tests.system.browsing import kept, made, named, saved, sent
from tests.system.cli import check_collection, collection, ledger_bodies, records

pytestmark = [pytest.mark.system, pytest.mark.browser, pytest.mark.needs("chromium")]

WORDS = "<p>" + "A page of words that stands there without any script. " * 20
HEAD = "<!doctype html><link rel=icon href=data:,>"
FILLED = f"<div id=app></div><script>document.getElementById('app').innerHTML = '<h1>Filled</h1>{WORDS}'</script>"


def lane_row(folder: Path) -> dict[str, Any]:
    (row,) = [row for row in ledger_bodies(collection(folder)) if row["event"] == "lane"]
    return row


def witness(folder: Path) -> tuple[dict[str, str], Path]:
    """A Chromium that writes down that it was started, and does nothing."""
    trace, program = folder / "started", folder / "chromium"
    program.write_text(f"#!/bin/sh\necho started >> {trace}\nexit 1\n")
    program.chmod(0o755)
    return {"ARCHIVER_CHROMIUM": str(program)}, trace


def test_a_static_page_starts_no_browser(tmp_path: Path) -> None:
    """Shown with a Chromium that would tell; a page that needs one starts it, is kept as it came, and says so."""
    env, trace = witness(tmp_path)
    answers = {"/": page(f"{HEAD}<title>S</title>{WORDS}"), "/app": page(f"{HEAD}<title>A</title>{FILLED}")}
    with serving(answers) as site:
        static = saved(tmp_path, "auto", site.url("/"), site, env=env)
        assert (static.code, static.objects[0]["lane"]) == (0, "http"), static.err
        assert not trace.exists()
        needs = saved(tmp_path, "auto", site.url("/app"), site, env=env)
    assert trace.exists() and (needs.code, needs.objects[0]["lane"]) == (0, "http"), needs.err
    told = needs.objects[0]["completeness"]
    assert told["verdict"] == "gaps" and "browser" in told["matter"][0]["rule"]
    assert site.count() == {"/": 1, "/app": 1}


def test_a_static_page_in_the_browser_lane(tmp_path: Path) -> None:
    body = f"{HEAD}<title>Static</title><link rel=stylesheet href=/s.css>{WORDS}<img src=/i.png>"
    answers: dict[str, Reply] = {
        "/": page(body), "/s.css": page("p { color: navy }", "text/css"), "/i.png": page(png("i"), "image/png"),
    }  # fmt: skip
    with serving(answers) as site:
        ran = saved(tmp_path, "browser", site.url("/"), site)
        found = records(collection(tmp_path))
        assert kept(found) == sent(site)
    told = ran.objects[0]
    assert (ran.code, told["lane"], told["title"]) == (0, "browser", "Static")
    assert told["completeness"]["verdict"] == "complete"
    assert site.count() == dict.fromkeys(answers, 1) and lane_row(tmp_path)["setting"] == "browser"


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/data.json", page('{"a": 1}', "application/json")),
        ("/paper.pdf", page(b"%PDF-1.4\n%%EOF", "application/pdf")),
        ("/image.png", page(png("alone"), "image/png")),
        ("/nothing", page("", "text/html", status="204 No Content")),
    ],
    ids=["json", "pdf", "image", "no-content"],
)
def test_what_is_no_page_is_kept_over_http(tmp_path: Path, path: str, answer: bytes) -> None:
    with serving({path: answer}) as site:
        ran = saved(tmp_path, "browser", site.url(path), site)
        assert kept(records(collection(tmp_path))) == sent(site)
    assert (ran.code, ran.objects[0]["lane"], ran.objects[0]["completeness"]["verdict"]) == (0, "http", "complete")
    assert site.count() == {path: 1}


def test_a_page_that_is_not_there(tmp_path: Path) -> None:
    """In `auto` an error page starts nothing; in the browser lane it is seen as it is."""
    gone = page(f"{HEAD}<title>Gone</title>{FILLED}", status="404 Not Found")
    with serving({"/a": gone, "/b": gone}) as site:
        auto = saved(tmp_path, "auto", site.url("/a"), site).objects[0]
        seen = saved(tmp_path, "browser", site.url("/b"), site).objects[0]
    assert (auto["lane"], auto["http_status"], auto["status"]) == ("http", 404, "archived")
    assert (seen["lane"], seen["http_status"], seen["title"]) == ("browser", 404, "Gone")
    assert site.count() == {"/a": 1, "/b": 1}
    assert b"Filled" in named(records(collection(tmp_path)), "dom").block


WAYS = {
    "server": lambda target: moved(target),
    "refresh": lambda target: page(f"{HEAD}<meta http-equiv=refresh content='0; url={target}'>"),
    "script": lambda target: page(f"{HEAD}<title>Stub</title><script>location.replace('{target}')</script>"),
}


@pytest.mark.parametrize(
    "way", [pytest.param(way, marks=pytest.mark.soak) if way == "refresh" else way for way in WAYS]
)
def test_a_redirect_across_origins_is_fetched_once(tmp_path: Path, way: str) -> None:
    """By the server, by an immediate refresh, by a script: the page at the end is seen, each hop asked for once."""
    with serving({"/end": page(f"{HEAD}<title>End</title>{FILLED}")}, host="localhost") as far:
        with serving({"/start": WAYS[way](far.url("/end"))}) as site:
            ran = saved(tmp_path, "auto", site.url("/start"), site, far)
            found = records(collection(tmp_path))
            assert kept(found) == sent(site, far)
    assert (site.count(), far.count()) == ({"/start": 1}, {"/end": 1})
    told = ran.objects[0]
    assert (ran.code, told["lane"], told["title"]) == (0, "browser", "End"), told
    assert told["final_url"] == far.url("/end")
    assert b"Filled" in named(found, "dom").block
    check_collection(collection(tmp_path))


def test_a_page_that_robots_refuses_starts_nothing(tmp_path: Path) -> None:
    env, trace = witness(tmp_path)
    with serving({"/robots.txt": page("User-agent: *\nDisallow: /\n", "text/plain")}) as site:
        ran = saved(tmp_path, "browser", site.url("/app"), site, env=env)
    told = ran.objects[0]
    assert (ran.code, told["status"]) == (30, "refused")
    assert (told["decision"]["reason"], told["decision"]["line"]) == ("robotsTxt", 2)
    assert not trace.exists() and site.asked == []


def test_a_script_may_ask_for_no_archive(tmp_path: Path) -> None:
    """What a rendered page says about its use binds like what came over the wire: nothing of it is open."""
    ask = "document.head.append(Object.assign(document.createElement('meta'), {name: 'robots', content: 'noarchive'}))"
    with serving({"/": page(f"{HEAD}<title>N</title>{FILLED}<script>{ask}</script>")}) as site:
        ran = saved(tmp_path, "auto", site.url("/"), site)
    told = ran.objects[0]
    assert (ran.code, told["lane"], told["access"]) == (0, "browser", "dark"), told
    folder = collection(tmp_path)
    held = [one.headers.target or "" for one in records(folder / "archive")]
    assert not [target for target in held if target == site.url("/") or target.startswith(("urn:dom", "urn:view"))]
    dark = {(one.headers.target or "").removesuffix(site.url("/")) for one in records(folder / "dark")}
    assert {"", "urn:dom:", "urn:view:", "urn:text:", "urn:pageinfo:", "urn:consent:"} <= dark


@pytest.mark.parametrize("lane", ["auto", "browser"])
def test_a_challenge_is_named_and_not_bypassed(tmp_path: Path, lane: str) -> None:
    env, trace = witness(tmp_path)
    wall = (
        "<!doctype html><title>Just a moment...</title><noscript>Enable JavaScript and cookies to continue</noscript>"
        "<script>window._cf_chl_opt = {cType: 'managed'}</script>"
        "<script src=/cdn-cgi/challenge-platform/h/b/orchestrate/chl_page/v1></script>"
    )
    answer = page(wall, status="403 Forbidden", headers={"cf-mitigated": "challenge", "Server": "cloudflare"})
    with serving({"/": answer}) as site:
        ran = saved(tmp_path, lane, site.url("/"), site, env=env)
    told = ran.objects[0]
    assert site.count() == {"/": 1} and not trace.exists()
    assert (ran.code, told["status"], told["error"]["code"]) == (9, "failed", "challenge"), told
    assert told["error"]["message"].startswith("botblock:cloudflare")
    assert lane_row(tmp_path)["challenge"] == "cloudflare"


def test_page_information_says_how_a_page_was_seen(tmp_path: Path) -> None:
    with serving({"/": page(f"{HEAD}<title>T</title>{FILLED}<script>alert('stay'); open('/popup')</script>")}) as site:
        ran = saved(tmp_path, "auto", site.url("/"), site)
    assert ran.code == 0, ran.err
    info = made(tmp_path, "pageinfo")
    assert info["settled"] and info["failed"] == "" and info["finalUrl"] == site.url("/")
    assert info["notes"]["dialogs"][0]["message"] == "stay"
    assert site.count() == {"/": 1}, "a window that the page opens is not loaded"
    (refused,) = [row for row in ledger_bodies(collection(tmp_path)) if row.get("verdict") == "refuse"]
    assert (refused["url"], refused["reason"]) == (site.url("/popup"), "outOfScope")
