"""What a site says, and what becomes of it: statuses, exit codes, folders (decision 21). On a server of exact bytes."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from archiver.warc.reader import iter_records
from tests.cli.conftest import Said, Verb
from tests.servers.raw import Answer, RawServer, Reply, raw_server, respond

PAGE = respond(b"<title>Page</title><p>text")
ALLOW_ALL = respond(b"User-agent: *\nAllow: /\n", content_type="text/plain")


def save(verb: Verb, server: RawServer, *paths: str, options: tuple[str, ...] = ("--delay", "0")) -> Said:
    allow = ("--allow-address", f"127.0.0.1:{server.port}", "--json")
    return verb("save", *(server.url(path) for path in paths), *allow, *options)


def objects(said: Said) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said.out.splitlines()]


def rows(event: str) -> list[dict[str, Any]]:
    found = []
    for path in sorted(Path("crawls").rglob("ledger-*.jsonl")):
        found += [json.loads(json.loads(line)["body"]) for line in path.read_text().splitlines()]
    return [row for row in found if row["event"] == event]


def blocks(folder: str) -> dict[str, bytes]:
    """Response blocks by URL below a collection's folder."""
    records = [one for path in Path("crawls/collections/main", folder).glob("*.warc.gz") for one in iter_records(path)]
    return {one.headers.target or "": one.block for one in records if one.headers.type == "response"}


ROBOTS: list[tuple[str, Reply, int, str, str]] = [
    ("404", respond(b"", status="404 Not Found"), 0, "archived", "allowed"),
    ("403", respond(b"", status="403 Forbidden"), 0, "archived", "allowed"),
    ("allowed", ALLOW_ALL, 0, "archived", "allowed"),
    ("refused", respond(b"User-agent: *\nDisallow: /p", content_type="text/plain"), 30, "refused", "robotsTxt"),
    ("refused by name", respond(b"User-agent: politearchiver\nDisallow: /", content_type="text/plain"), 30, "refused",
     "robotsTxt"),
    ("another is refused", respond(b"User-agent: PoliteArchiverX\nDisallow: /", content_type="text/plain"), 0,
     "archived", "allowed"),
    ("500", respond(b"User-agent: *\nAllow: /", status="500 Oops"), 32, "deferred", "robotsUnreachable"),
    ("429", respond(b"", status="429 Slow Down"), 32, "deferred", "robotsUnreachable"),
    ("reset", Answer(parts=(b"HTTP/1.1 200",), abort=True), 32, "deferred", "robotsUnreachable"),
    ("closed", Answer(parts=(b"",)), 32, "deferred", "robotsUnreachable"),
    ("redirected", respond(b"", status="301 Moved", headers="Location: /r2\r\n"), 30, "refused", "robotsTxt"),
    ("redirected for ever", respond(b"", status="302 Found", headers="Location: /robots.txt\r\n"), 0, "archived",
     "allowed"),
    ("a page instead", respond(b"<html>Disallow: /"), 0, "archived", "allowed"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "robots", "code", "status", "reason"), ROBOTS, ids=[case[0] for case in ROBOTS])
def test_robots(verb: Verb, name: str, robots: Reply, code: int, status: str, reason: str) -> None:
    rules = respond(b"User-agent: *\nDisallow: /page", content_type="text/plain")
    with raw_server({"/robots.txt": robots, "/r2": rules, "/page": PAGE}) as server:
        said = save(verb, server, "/page")
    (one,) = objects(said)
    assert (one["status"], one["decision"]["reason"], said.code) == (status, reason, code), said
    assert ("/page" in server.paths()) == (status == "archived")
    if status == "deferred":
        assert one["decision"]["not_before"] > one["started_at"]
    if status == "refused":
        assert one["decision"]["line"] == 2 and one["decision"]["evidence"].startswith("urn:uuid:")


def test_robots_that_hangs_is_unreachable(verb: Verb) -> None:
    def hang(request: object) -> Answer:
        return Answer(parts=(b"HTTP/1.1 200 OK\r\n", b"\r\n"), pause=60)

    Path("crawl.yaml").write_text("robotsTimeout: 1\ndriver: pump\ntimeLimit: 3\n")
    with raw_server({"/robots.txt": hang, "/page": PAGE}) as server:
        allow = ["--allow-address", f"127.0.0.1:{server.port}", "--delay", "0", "--json"]
        said = verb("crawl", "crawl.yaml", "--url", server.url("/page"), *allow)
    (one,) = objects(said)
    assert (one["status"], one["decision"]["reason"]) == ("deferred", "robotsUnreachable")
    assert said.code in (15, 32) and server.paths() == ["/robots.txt"]


def test_a_host_that_asks_for_a_rest_gets_it(verb: Verb) -> None:
    busy = respond(b"busy", status="429 Too Many", headers="Retry-After: 3600\r\n")
    with raw_server({"/robots.txt": ALLOW_ALL, "/a": busy, "/b": PAGE}) as server:
        said = save(verb, server, "/a")
        later = save(verb, server, "/b")
    assert [one["http_status"] for one in objects(said)] == [429]
    (one,) = objects(later)
    assert (one["status"], one["decision"]["reason"], later.code) == ("deferred", "rateLimited", 32)
    assert "/b" not in server.paths(), "the rest is remembered by the next process"


def test_the_delay_that_a_site_declares_holds_for_each_request(verb: Verb) -> None:
    robots = respond(b"User-agent: *\nCrawl-delay: 1\n", content_type="text/plain")
    page = respond(b"<title>t</title><link rel=stylesheet href=/s.css><img src=/i.png>")
    style = respond(b"body{}", content_type="text/css")
    with raw_server({"/robots.txt": robots, "/": page, "/s.css": style}) as server:
        said = save(verb, server, "/")
    assert said.code == 0
    starts = [request.at for request in server.requests if request.path != "/robots.txt"]
    assert len(starts) == 4  # the last for tdmrep.json
    assert all(later - earlier >= 0.95 for earlier, later in pairwise(starts))


def test_the_configured_delay_lies_between_visits(verb: Verb) -> None:
    with raw_server({"/robots.txt": ALLOW_ALL, "/a": PAGE, "/b": PAGE}) as server:
        assert save(verb, server, "/a", "/b", options=("--delay", "1.2")).code == 0
    starts = [request.at for request in server.requests if request.path in ("/a", "/b")]
    assert starts[1] - starts[0] >= 1.15


NOARCHIVE = [
    ("header", respond(b"<title>t</title>", headers="X-Robots-Tag: noarchive\r\n")),
    ("named", respond(b"<title>t</title>", headers="X-Robots-Tag: politearchiver: noarchive\r\n")),
    ("meta", respond(b"<meta name=robots content='index, NOARCHIVE'><title>t</title>")),
    ("nocache", respond(b"<title>t</title><meta name=robots content=nocache>")),
]


@pytest.mark.parametrize(("name", "page"), NOARCHIVE, ids=[name for name, _ in NOARCHIVE])
def test_noarchive_is_dark(verb: Verb, name: str, page: bytes) -> None:
    with raw_server({"/robots.txt": ALLOW_ALL, "/page": page}) as server:
        said = save(verb, server, "/page")
    (one,) = objects(said)
    assert (one["status"], one["access"], said.code) == ("archived", "dark", 0)
    assert server.url("/page") in blocks("dark") and server.url("/page") not in blocks("archive")
    assert server.url("/page") not in Path("crawls/collections/main/pages/pages.jsonl").read_text()
    assert (Path("crawls/collections/main/dark").stat().st_mode & 0o077) == 0


def test_none_is_open_and_in_no_list(verb: Verb) -> None:
    page = respond(b"<title>t</title>", headers="X-Robots-Tag: none\r\n")
    with raw_server({"/robots.txt": ALLOW_ALL, "/page": page}) as server:
        said = save(verb, server, "/page")
    (one,) = objects(said)
    assert (one["status"], one["access"], said.code) == ("archived", "open", 0)
    assert server.url("/page") in blocks("archive")
    listed = [verb("list", *more, "--format", "jsonl").out for more in ([], ["--all"])]
    assert [server.url("/page") in out for out in listed] == [False, True]


def test_one_file_an_access_class(verb: Verb) -> None:
    dark = respond(b"<title>t</title>", headers="X-Robots-Tag: noarchive\r\n")
    with raw_server({"/robots.txt": ALLOW_ALL, "/a": PAGE, "/b": dark, "/c": PAGE, "/d": dark}) as server:
        assert save(verb, server, "/a", "/b", "/c", "/d").code == 0
    root = Path("crawls/collections/main")
    assert [len(list(root.glob(f"{folder}/*.warc.gz"))) for folder in ("archive", "restricted", "dark")] == [1, 0, 1]


def test_redirects(verb: Verb) -> None:
    def to(where: str) -> bytes:
        return respond(b"", status="302 Found", headers=f"Location: {where}\r\n")

    robots = respond(b"User-agent: *\nDisallow: /private", content_type="text/plain")
    with raw_server({"/canary": PAGE}) as inside:
        answers = {
            "/robots.txt": robots, "/page": PAGE, "/good": to("/page"), "/refused": to("/private"),
            "/loop": to("/pool"),
            "/pool": to("/loop"), "/inside": to(inside.url("/canary")), "/file": to("file:///etc/passwd"),
            "/metadata": to("http://169.254.169.254/latest/meta-data/"),
        }  # fmt: skip
        with raw_server(answers) as server:
            paths = ["/good", "/refused", "/loop", "/inside", "/file", "/metadata"]
            said = save(verb, server, *paths)
        assert inside.requests == []
    assert "/private" not in server.paths()
    found = {one["url"].removeprefix(server.origin): one for one in objects(said)}
    told = {path: (found[path]["status"], found[path]["decision"]["reason"]) for path in paths}
    assert told == {
        "/good": ("archived", "allowed"), "/refused": ("refused", "robotsTxt"),
        "/loop": ("refused", "tooManyRedirects"), "/inside": ("refused", "privateAddress"),
        "/file": ("archived", "allowed"), "/metadata": ("refused", "privateAddress"),
    }  # fmt: skip
    assert found["/good"]["final_url"] == server.url("/page")
    assert server.paths().count("/loop") == server.paths().count("/pool") == 1
    assert {server.url(path) for path in (*paths, "/pool", "/page")} <= set(blocks("archive")), "each hop is kept"


def test_requisites_that_are_refused_are_gaps(verb: Verb) -> None:
    robots = respond(b"User-agent: *\nDisallow: /img/", content_type="text/plain")
    page = respond(b"<title>t</title><img src=/img/a.png><img src=/b.png><img src=http://10.0.0.1/c.png>")
    image = respond(b"png", content_type="image/png")
    with raw_server({"/robots.txt": robots, "/": page, "/b.png": image, "/img/a.png": image}) as server:
        said = save(verb, server, "/")
        strict = save(verb, server, "/", options=("--delay", "0", "--require", "complete"))
        loose = save(verb, server, "/", options=("--delay", "0", "--requisites", "transclude"))
    (one,) = objects(said)
    assert (said.code, strict.code) == (0, 31)
    assert one["completeness"] | {"matter": None} == {
        "verdict": "gaps", "kept": 1, "refused": 2, "failed": 0, "matter": None,
    }  # fmt: skip
    gaps = {gap["url"]: gap["reason"] for gap in one["completeness"]["matter"]}
    assert gaps == {server.url("/img/a.png"): "robotsTxt", "http://10.0.0.1/c.png": "privateAddress"}
    assert loose.code in (0, 2), "a policy that loosens wants its legal basis"


def test_mixed_results(verb: Verb) -> None:
    robots = respond(b"User-agent: *\nDisallow: /no", content_type="text/plain")
    broken = Answer(parts=(b"\x00\x01\x02nonsense\r\n\r\n",))
    with raw_server({"/robots.txt": robots, "/yes": PAGE, "/bad": broken}) as server:
        assert save(verb, server, "/yes", "/no").code == 0
        assert save(verb, server, "/yes", "/gone").code == 0, "an answer is an answer, whatever its status"
        assert save(verb, server, "/no", "/bad").code == 9
        failed = save(verb, server, "/yes", "/bad")
    assert failed.code == 9
    statuses = {one["url"].removeprefix(server.origin): one for one in objects(failed)}
    assert statuses["/yes"]["status"] == "archived"
    assert statuses["/bad"]["status"] == "failed" and statuses["/bad"]["error"]["code"] == "protocolError"
    assert {row["data"] if "data" in row else row["status"] for row in rows("visit")} >= {
        "captured",
        "refused",
        "failed",
    }


def test_nobody_listens(verb: Verb, free_port: Any) -> None:
    port = free_port()
    said = verb("save", f"http://127.0.0.1:{port}/", "--allow-address", f"127.0.0.1:{port}", "--json", "--delay", "0")
    (one,) = objects(said)
    assert (one["status"], one["decision"]["reason"], said.code) == ("deferred", "robotsUnreachable", 32)
