"""Every carrier of a signal in a live run: what was sent, what the WARC, the policy record and the row say of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from archiver.warc.fields import parse_fields
from archiver.warc.reader import Record, iter_records
from tests.cli.conftest import Said, Verb
from tests.servers.raw import RawServer, raw_server, respond

ROBOTS = b"""User-agent: *
Allow: /
Content-Usage: /p train-ai=n
Content-Signal: search=yes, ai-input=no
License: http://127.0.0.1:9/robots.xml
License: /not-absolute
"""
HEADERS = (
    "X-Robots-Tag: NoAI, max-snippet:20\r\n"
    "X-Robots-Tag: otherbot: noarchive\r\n"
    "X-Robots-Tag: PoliteArchiver: unavailable_after: Fri, 25 Jun 2100 15:00:00 GMT, nofollow\r\n"
    "Robots-Tag: *=noindex, nosnippet; OtherBot=noarchive\r\n"
    "Content-Usage: train-ai=n;x=1, search=y\r\n"
    "TDM-Reservation: 0\r\n"
    "TDM-Policy: https://tdm.test/policy\r\n"
    'Link: </l/header.xml>; rel="license"; type="application/rsl+xml", </style.css>; rel=preload; as=style\r\n'
    'Link: <https://a.test/page>; rel="original", <https://a.test/map>; rel="timemap"\r\n'
    "Memento-Datetime: Thu, 31 May 2007 20:35:00 GMT\r\n"
    "Cache-Control: Private, max-age=0, no-store\r\n"
    "Crawler-Price:  USD 0.01\r\n"
    "X-Caf\xe9: none of ours\r\n"
)
HTML = b"""<!doctype html><title>All of it</title>
<meta name=ROBOTS content='noimageai, max-image-preview:none, frobnicate'>
<meta name="politearchiver" content="noml">
<meta name=otherbot content=noarchive>
<meta property=robots content=noarchive><meta http-equiv=robots content=noarchive>
<!-- <meta name=robots content=noarchive> --><script>"<meta name=robots content=noarchive>"</script>
<template><meta name=robots content=noarchive><link rel=license href=/l/template.xml></template>
<meta name=tdm-reservation content=" 1 "><meta name="tdm-policy" content="/tdm.json">
<link rel=license type="application/rsl+xml" href="/l/link.xml">
<body><p><a rel="license nofollow" href="https://cc.test/by/4.0/">CC BY</a>
<a href=/x rel="nofollow,ugc">x</a><a href=/y>y</a>
<meta name=robots content="nosnippet">
"""
RULES = ["max-image-preview", "noimageai"]
SIGNALS: list[tuple[str, str, str, Any]] = [
    ("x-robots-tag", "header", "NoAI, max-snippet:20",
     {"rules": ["max-snippet", "noai"], "params": {"max-snippet": 20}}),
    ("x-robots-tag", "header", "otherbot: noarchive", {"rules": []}),
    ("x-robots-tag", "header", "PoliteArchiver: unavailable_after: Fri, 25 Jun 2100 15:00:00 GMT, nofollow",
     {"rules": ["nofollow", "unavailable_after"], "unavailable_after": "2100-06-25T15:00:00.000Z"}),
    ("meta robots", "meta", "noimageai, max-image-preview:none, frobnicate",
     {"rules": RULES, "params": {"max-image-preview": "none"}, "unknown": ["frobnicate"]}),
    ("meta politearchiver", "meta", "noml", {"rules": ["noml"]}),
    ("meta robots", "meta", "nosnippet", {"rules": ["nosnippet"]}),
    ("robots-tag", "header", "*=noindex, nosnippet; OtherBot=noarchive", {"rules": ["noindex", "nosnippet"]}),
    ("content-usage", "header", "train-ai=n;x=1, search=y", {"train-ai": "disallow", "search": "allow"}),
    ("content-usage", "robots.txt", "/p train-ai=n", {"train-ai": "disallow", "search": "unknown"}),
    ("content-signal", "robots.txt", "search=yes, ai-input=no",
     {"search": True, "ai-input": False, "ai-train": None, "extra": {}}),
    ("license", "robots.txt", "http://127.0.0.1:9/robots.xml", "http://127.0.0.1:9/robots.xml"),
    ("license", "robots.txt", "/not-absolute", None),
    ("tdm-reservation", "header", "0", 0),
    ("tdm-policy", "header", "https://tdm.test/policy", "https://tdm.test/policy"),
    ("tdm-reservation", "meta", " 1 ", 1),
    ("tdm-policy", "meta", "/tdm.json", "/tdm.json"),
    ("license", "header",
     '</l/header.xml>; rel="license"; type="application/rsl+xml", </style.css>; rel=preload; as=style',
     {"rsl": ["ORIGIN/l/header.xml"], "other": []}),
    ("license", "link", "license /l/link.xml application/rsl+xml", {"rsl": ["ORIGIN/l/link.xml"], "other": []}),
    ("license", "link", "license nofollow https://cc.test/by/4.0/", {"rsl": [], "other": ["https://cc.test/by/4.0/"]}),
    ("cache-control", "header", "Private, max-age=0, no-store", ["cache-private", "cache-no-store"]),
    ("memento-datetime", "header", "Thu, 31 May 2007 20:35:00 GMT", "memento"),
    ("link original", "header", '<https://a.test/page>; rel="original", <https://a.test/map>; rel="timemap"',
     "https://a.test/page"),
    ("link timemap", "header", '<https://a.test/page>; rel="original", <https://a.test/map>; rel="timemap"',
     "https://a.test/map"),
    ("crawler-price", "header", "USD 0.01", "USD 0.01"),
]  # fmt: skip
USAGE = {
    "ai-train": {"value": "disallow", "sources": ["x-robots-tag noai", "meta politearchiver noml",
                                                  "header content-usage", "robots.txt content-usage"]},
    "ai-input": {"value": "disallow", "sources": ["robots.txt content-signal"]},
    "search": {"value": "allow", "sources": ["header content-usage", "robots.txt content-signal"]},
    "tdm": {"value": "disallow", "sources": ["meta tdm-reservation"]},
}  # fmt: skip


def save(verb: Verb, server: RawServer, *paths: str, config: str = "", more: tuple[str, ...] = ()) -> Said:
    Path("crawl.yaml").write_text("driver: pump\nlimit: 20\n" + config)
    urls = [part for path in paths for part in ("--url", server.url(path))]
    allow = ("--allow-address", f"127.0.0.1:{server.port}", "--delay", "0", "--json")
    return verb("crawl", "crawl.yaml", *urls, *allow, *more)


def rows(event: str, url: str) -> list[dict[str, Any]]:
    bodies = [
        json.loads(json.loads(line)["body"])
        for path in sorted(Path("crawls/collections/main/logs").glob("ledger-*.jsonl"))
        for line in path.read_text().splitlines()
    ]
    return [body for body in bodies if body["event"] == event and body.get("url") == url]


def records(url: str, type_: str = "response") -> Iterator[tuple[str, Record]]:
    """(folder, record) of every record about `url`."""
    for path in sorted(Path("crawls/collections/main").glob("*/*.warc.gz")):
        for record in iter_records(path):
            if record.headers.type == type_ and record.headers.target == url:
                yield path.parent.name, record


def policy(url: str) -> dict[str, Any]:
    ((_, record),) = records(f"urn:policy:{url}", "metadata")
    found: dict[str, Any] = json.loads(dict(parse_fields(record.block))["policy"])
    return found


def test_each_carrier_arrives_raw_and_read(verb: Verb) -> None:
    sent = respond(HTML, headers=HEADERS)
    robots = respond(ROBOTS, content_type="text/plain")
    with raw_server({"/robots.txt": robots, "/p": sent, "/y": respond(b"y")}) as server:
        said = save(verb, server, "/p", config="scopeType: host\nlane: http\n")
        url = server.url("/p")
        expected = [
            {"kind": kind, "carrier": carrier, "raw": raw,
             "parsed": json.loads(json.dumps(parsed).replace("ORIGIN", server.origin))}
            for kind, carrier, raw, parsed in SIGNALS
        ]  # fmt: skip
    assert said.code == 0, said.err
    told = policy(url)
    assert told["signals"] == expected
    assert told["usage"] == USAGE
    assert told["flags"] == ["cache-no-store", "cache-private", "memento"] and "review" not in told
    verdict = told["decision"]
    assert [verdict[name] for name in ("store", "replay", "index")] == ["store", "open", True], (
        "Robots-Tag binds nothing"
    )
    assert verdict["expires"] == "2100-06-25T15:00:00.000Z"
    (row,) = rows("outcome", url)
    assert row["usage"] == USAGE and row["flags"] == told["flags"] and row["expires"] == verdict["expires"]
    assert (row["access"], row["reason"]) == ("open", "allowed") and "listed" not in row and "review" not in row
    (visit,) = rows("visit", url)
    assert visit["expires"] == verdict["expires"]
    ((folder, record),) = records(url)
    assert folder == "archive" and record.block == sent, "the bytes stand as they were sent, carriers and all"
    for path in ("/x", "/y"):
        (link,) = rows("discovered", server.url(path))
        assert link["reason"] == "nofollow", "nofollow of the page binds all its links"
    assert verb("verify", "crawls/collections/main").code == 0


def test_an_image_is_judged_by_the_rules_for_images(verb: Verb) -> None:
    page = respond(b"<title>t</title><img src=/i.png>", headers="X-Robots-Tag: noimageindex, noimageai\r\n")
    image = respond(b"png", content_type="image/png", headers="X-Robots-Tag: noimageindex, noimageai\r\n")
    with raw_server({"/p": page, "/i.png": image}) as server:
        assert save(verb, server, "/p").code == 0
        (of_page,), (of_image,) = (rows("outcome", server.url(path)) for path in ("/p", "/i.png"))
    assert "listed" not in of_page and "usage" not in of_page
    assert of_image["listed"] is False
    assert of_image["usage"] == {"ai-train": {"value": "disallow", "sources": ["noimageai", "page noimageai"]}}


def test_what_a_page_asks_of_images_holds_for_its_own(verb: Verb) -> None:
    page = respond(b"<title>t</title><meta name=robots content='noimageindex, noimageai'><img src=/i.png>"
                   b"<link rel=stylesheet href=/s.css><iframe src=/f></iframe>")  # fmt: skip
    frame = respond(b"<title>f</title><img src=/j.png>")
    image, style = respond(b"png", content_type="image/png"), respond(b"p{}", content_type="text/css")
    answers = {"/p": page, "/i.png": image, "/j.png": image, "/f": frame, "/s.css": style}
    with raw_server(answers) as server:
        assert save(verb, server, "/p").code == 0
        said = {path: rows("outcome", server.url(path))[0] for path in answers}
        (signal,), source = policy(server.url("/i.png"))["signals"], server.url("/p")
    of_image = said.pop("/i.png")
    assert of_image["listed"] is False
    assert of_image["usage"] == {"ai-train": {"value": "disallow", "sources": ["page noimageai"]}}
    assert signal["source"] == {"page": source} and signal["raw"] == "noimageindex, noimageai"
    assert not any("listed" in row or "usage" in row for row in said.values()), "the frame's image is the frame's"


BLOCKED = [
    ("451 Unavailable", 'Link: <https://court.test/>; rel="blocked-by"\r\n', "unavailableForLegalReasons",
     "status 451, blocked by https://court.test/"),
    ("451 Unavailable", "", "unavailableForLegalReasons", "status 451"),
    ("403 Forbidden", "", "allowed", ""),
    ("402 Payment Required", "crawler-price: USD 1.50\r\n", "allowed", ""),
    ("401 Unauthorized", 'WWW-Authenticate: Basic realm="x"\r\n', "allowed", ""),
    ("407 Proxy Authentication Required", "", "allowed", ""),
    ("410 Gone", "", "allowed", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "headers", "reason", "rule"), BLOCKED, ids=["451-named", "451", "403", "402", "401", "407", "410"]
)
def test_a_refusal_by_the_site_is_kept_and_not_asked_again(
    verb: Verb, status: str, headers: str, reason: str, rule: str
) -> None:
    links = respond(b"<a href=/no>1</a><a href='/no#a'>2</a><a href=/b>3</a><img src=/no>")
    no = respond(b"<p>no", status=status, headers=headers)
    with raw_server({"/a": links, "/b": links, "/no": no}) as server:
        said = save(verb, server, "/no", "/a", config="scopeType: host\nlane: http\n")
        assert server.paths().count("/no") == 1, "no link, image or seed of this crawl asks again"
    assert said.code == 0, said.err
    one = next(json.loads(line) for line in said.out.splitlines() if json.loads(line)["url"].endswith("/no"))
    assert (one["status"], one["http_status"], one["access"]) == ("archived", int(status[:3]), "open")
    (row,) = rows("outcome", server.url("/no"))
    assert (row["reason"], row["rule"], row["http_status"]) == (reason, rule, int(status[:3]))
    assert "review" not in row
    told = [(one["kind"], one["raw"]) for one in policy(server.url("/no"))["signals"]]
    assert told == {
        "status 451, blocked by https://court.test/": [("link blocked-by", '<https://court.test/>; rel="blocked-by"')],
    }.get(rule, [("crawler-price", "USD 1.50")] if "crawler-price" in headers else [])
    ((folder, record),) = records(server.url("/no"))
    assert folder == "archive" and record.block == no


BASIS = "policy: legal-deposit\nlegalBasis: Deposit Act\nwarcinfo: {operator: Library}\n"


def test_lines_of_another_policy(verb: Verb) -> None:
    """legal-deposit: noindex goes to the reading room, a date is only recorded, blocked pages are for review."""
    dated = b"<meta name=robots content='unavailable_after: 2020-01-01'>d"
    pages = {
        "/i": respond(b"<meta name=robots content=noindex>i"),
        "/d": respond(dated, headers="Cache-Control: private\r\n"),
        "/f": respond(b"<meta name=robots content=nofollow><a href=/l>l</a>"), "/l": respond(b"l"),
        "/b": respond(b"b", status="403 Forbidden"), "/t": respond(b"t", status="451 No"),
    }  # fmt: skip
    with raw_server(pages) as server:
        said = save(verb, server, "/i", "/d", "/f", "/b", "/t", config=BASIS + "scopeType: host\n")
    assert said.code == 0, said.err
    found = {path: rows("outcome", server.url(path))[0] for path in pages}
    assert (found["/i"]["access"], found["/i"]["reason"]) == ("restricted", "noindex")
    assert found["/i"]["rule"] == "meta robots: noindex" and found["/i"]["listed"] is False
    assert "expires" not in found["/d"] and "flags" not in found["/d"]
    kinds = [one["kind"] for one in policy(server.url("/d"))["signals"]]
    assert kinds == ["meta robots", "cache-control"], "what the policy ignores is recorded too"
    assert "/l" in server.paths()
    assert [found[path].get("review") for path in pages] == [None, None, None, None, True, True]


@pytest.mark.parametrize(
    ("wish", "folder", "access"), [("dark", "dark", "dark"), ("restricted", "restricted", "restricted")]
)
def test_noarchive_is_kept_as_the_operator_wishes(verb: Verb, wish: str, folder: str, access: str) -> None:
    page = respond(b"<title>t</title>", headers="X-Robots-Tag: noarchive\r\n")
    with raw_server({"/p": page}) as server:
        assert save(verb, server, "/p", config=f"onNoarchive: {wish}\n").code == 0
    ((where, record),) = records(server.url("/p"))
    assert where == folder and record.block == page
    (row,) = rows("outcome", server.url("/p"))
    assert (row["access"], row["reason"], row["rule"]) == (access, "noarchive", "x-robots-tag: noarchive")


def test_noarchive_without_the_body(verb: Verb) -> None:
    body = b"<title>t</title><p>" + b"words " * 1000
    page = respond(body, headers="X-Robots-Tag: noarchive\r\n")
    with raw_server({"/p": page, "/same": page}) as server:
        assert save(verb, server, "/p", "/same", config="onNoarchive: drop-body\n").code == 0
        urls = [server.url("/p"), server.url("/same")]
    for url in urls:
        ((where, record),) = records(url)
        assert where == "dark" and record.block == page[: -len(body)]
        assert list(records(url, "revisit")) == [], "nothing refers to a body that is not there"
        (row,) = rows("outcome", url)
        assert row["payload_digest"].startswith("sha256:") and row["access"] == "dark"
        assert policy(url)["decision"]["store"] == "drop-body"
    held = b"".join(one.block for path in Path("crawls").rglob("*.warc.gz") for one in iter_records(path))
    assert b"words words" not in held
    assert verb("verify", "crawls/collections/main").code == 0


def test_a_late_meta_in_a_page_that_fills_the_visits_spool(verb: Verb) -> None:
    """The verdict comes before the write, whatever the page's size: the meta element is the last thing in it."""
    last = b"<img src=/i.png><meta name=robots content=noarchive>"
    page = respond(b"<title>t</title>" + b"<p>filler text</p>" * 20_000 + last)
    image = respond(b"x" * 5_000, content_type="image/png")
    with raw_server({"/p": page, "/i.png": image}) as server:
        assert save(verb, server, "/p", config="visitSpool: 4096\n").code == 0
    assert [where for where, _ in records(server.url("/p"))] == ["dark"]
    assert [where for where, _ in records(server.url("/i.png"))] == ["archive"]


def test_credentials_restrict_and_no_cache_rule_does(verb: Verb) -> None:
    private = "Cache-Control: private, no-cache, no-store, max-age=0, must-revalidate\r\n"
    with raw_server({"/p": respond(b"<p>hello", headers=private)}) as server:
        assert save(verb, server, "/p").code == 0
    (row,) = rows("outcome", server.url("/p"))
    assert (row["access"], row["flags"]) == ("open", ["cache-no-store", "cache-private"])


def test_list_leaves_out_what_asks_for_it_and_says_so(verb: Verb) -> None:
    pages = {
        "/a": respond(b"<p>a"), "/n": respond(b"<meta name=robots content=noindex>n"),
        "/e": respond(b"<meta name=robots content='unavailable_after: 2020-01-01'>e"),
        "/f": respond(b"<meta name=robots content='unavailable_after: 2100-01-01'>f"),
    }  # fmt: skip
    with raw_server(pages) as server:
        save(verb, server, *pages)
    listed = verb("list")
    found_marks = [line.split(maxsplit=4)[3:] for line in listed.out.splitlines()]
    marks = {url.removeprefix(server.origin): " ".join(mark) for url, *mark in found_marks}
    assert marks == {"/a": "", "/e": "(expired)", "/f": "(until 2100-01-01)"}
    assert listed.err == "archiver: 1 not listed, as the pages ask (noindex); --all shows them\n"
    everything = verb("list", "--all")
    assert "/n  (unlisted)" in everything.out and everything.err == ""
    found = {one["url"]: one for one in map(json.loads, verb("list", "--all", "--format", "jsonl").out.splitlines())}
    assert found[server.url("/n")]["listed"] is False and found[server.url("/e")]["expires"].startswith("2020-01-01")
