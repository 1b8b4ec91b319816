"""Every way an answer can be wrong, at once: each URL ends by itself, the next is clean, the WARC is faultless."""

from __future__ import annotations

from pathlib import Path

import pytest

from archiver.warc.reader import Record
from tests.hostile.conftest import Save
from tests.servers.raw import Answer, Reply, raw_server, respond
from tests.system.cli import check_collection, collection, records

pytestmark = pytest.mark.system


def head(fields: str, body: bytes = b"", status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: text/html\r\n{fields}\r\n".encode("latin-1") + body


def kept(fields: str, body: bytes = b"", status: str = "200 OK") -> Answer:
    return Answer(parts=(head(fields, body, status),), keep=True)


CHUNKED, HELLO = "Transfer-Encoding: chunked\r\n", b"5\r\nhello\r\n0\r\n\r\n"
BIG = tuple(b"b" * 65_536 for _ in range(64))
EXACT: dict[str, Reply] = {
    "/cl-te": kept(f"Content-Length: 3\r\n{CHUNKED}", HELLO),
    "/te-cl": kept(f"{CHUNKED}Content-Length: 50\r\n", HELLO),
    "/two-cl": kept("Content-Length: 3\r\nContent-Length: 5\r\n", b"hello"),
    "/same-cl": kept("Content-Length: 5\r\nContent-Length: 5\r\n", b"hello"),
    "/cl-list": kept("Content-Length: 5, 5\r\n", b"hello"),
    "/cl-plus": kept("Content-Length: +5\r\n", b"hello"),
    "/cl-minus": kept("Content-Length: -5\r\n", b"hello"),
    "/cl-huge": head(f"Content-Length: {'9' * 5000}\r\n", b"x"),
    "/te-tab": head("Transfer-Encoding:\x0bchunked\r\n", HELLO),
    "/te-x": head("Transfer-Encoding: xchunked\r\n", HELLO),
    "/te-fold": head("Transfer-Encoding:\r\n chunked\r\n", HELLO),
    "/te-q": head("Transfer-Encoding: chunked;q=1\r\n", HELLO),
    "/chunk-20": head(CHUNKED, b"0" * 19 + HELLO),
    "/chunk-minus": head(CHUNKED, b"-" + HELLO),
    "/chunk-line": head(CHUNKED, b"5;" + b"x" * 100_000 + b"\r\nhello\r\n0\r\n\r\n"),
    "/chunk-tiny": head(CHUNKED, b"1\r\nx\r\n" * 100_000 + b"0\r\n\r\n"),
    "/trailers": head(CHUNKED, HELLO[:-2] + b"A: b\r\n" * 60_000 + b"\r\n"),
    "/101": head("Connection: upgrade\r\nUpgrade: x\r\n", b"EVIL", "101 Switching"),
    "/000": head("", b"x", "000 Zero"),
    "/blank-first": b"\r\n\r\n" + head("Content-Length: 2\r\n", b"ok"),
    "/1xx": b"HTTP/1.1 103 E\r\n\r\n" * 50 + head("Content-Length: 2\r\n", b"ok"),
    "/nul": head("X: a\0b\r\nContent-Length: 2\r\n", b"ok"),
    "/fold": head("X: a\r\n b\r\nContent-Length: 2\r\n", b"ok"),
    "/lf": b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok",
    "/warc": head("Content-Length: 31\r\n", b"\r\n\r\nWARC/1.1\r\nWARC-Type: x\r\n\r\n".ljust(31)),
}  # fmt: skip
CUT: dict[str, Reply] = {
    "/chunk-huge": head(CHUNKED, b"f" * 17 + b"\r\nhello\r\n0\r\n\r\n"),
    "/short": head("Content-Length: 100\r\n", b"short"), "/no-last-chunk": head(CHUNKED, b"5\r\nhello\r\n"),
    "/reset": Answer(parts=(head("Content-Length: 100\r\n", b"x"),), abort=True),
    "/stall": Answer(parts=(head("Content-Length: 100\r\n", b"half"), b""), pause=60),
    "/endless": Answer(parts=(head(""), *BIG)),
    "/endless-chunks": Answer(parts=(head(CHUNKED), *(b"10000\r\n" + one + b"\r\n" for one in BIG))),
    "/endless-length": Answer(parts=(head("Content-Length: 99999999999\r\n"), *BIG)),
}  # fmt: skip
FAILED: dict[str, Reply] = {
    "/silent": Answer(parts=(b"", b""), pause=60),
    "/stall-head": Answer(parts=(b"HTTP/1.1 200 OK\r\n", b""), pause=60),
    "/closed": b"",
    "/reset-0": Answer(parts=(b"",), abort=True),
    "/big-head": head(f"X: {'a' * 600_000}\r\n"),
    "/many-fields": head("".join(f"X-{i}: {i}\r\n" for i in range(30_000))),
    "/flood-1xx": b"HTTP/1.1 103 E\r\n\r\n" * 10_000 + head(""),
    "/09": b"<html>old</html>",
    "/h2": b"\0\0\0\4\0\0\0\0\0\0\0",
    "/1000": head("", b"", "1000 K"),
    "/noise": bytes(range(255, 0, -1)),
}  # fmt: skip
EXTRA: dict[str, Reply] = {
    "/extra": kept("Content-Length: 5\r\n", b"hello" + head("Content-Length: 4\r\n", b"EVIL")),
    "/late": Answer(
        parts=(head("Content-Length: 5\r\n", b"hello"), head("Content-Length: 4\r\n", b"EVIL")), pause=0.05, keep=True
    ),
    "/204": kept("Content-Length: 4\r\n", b"EVIL", "204 No"),
    "/304": kept("Content-Length: 4\r\n", b"EVIL", "304 Not"),
}  # fmt: skip
OK = head("Content-Length: 8\r\n", b"fine\r\nok")


def sent(reply: Reply) -> bytes:
    assert not callable(reply)
    return b"".join(reply.parts) if isinstance(reply, Answer) else reply


def test_all_at_once(save: Save, tmp_path: Path) -> None:
    answers = {**EXACT, **CUT, **FAILED, **EXTRA, "/ok": OK}
    with raw_server(answers) as server:
        ran = save(*map(server.url, answers), port=server.port, options=("--json", "--concurrency", "32"))
    assert ran.code == 9, ran.err
    told = dict(zip(answers, ran.objects, strict=True))
    assert {path for path, one in told.items() if one["status"] == "failed"} == set(FAILED)
    assert {path for path, one in told.items() if one["completeness"]["verdict"] == "gaps"} == set(CUT)
    check_collection(collection(tmp_path))
    blocks = {path_of(one): one.block for one in records(collection(tmp_path)) if one.headers.type == "response"}
    assert {path for path in EXACT if blocks[path] != sent(EXACT[path])} == set()
    assert blocks["/ok"] == OK and not any(b"EVIL" in blocks[path] for path in EXTRA)
    assert all(blocks[path] == sent(CUT[path])[: len(blocks[path])] for path in CUT)


def path_of(record: Record) -> str:
    return "/" + str(record.headers.target).split("/", 3)[3]


def test_redirects_end(save: Save) -> None:
    def to(path: bytes) -> bytes:
        return b"HTTP/1.1 302 F\r\nContent-Length: 0\r\nLocation: " + path + b"\r\nConnection: close\r\n\r\n"

    answers: dict[str, Reply] = {f"/chain{i}": to(b"/chain%d" % (i + 1)) for i in range(60)}
    answers |= {"/loop": to(b"/loop"), "/circle": to(b"/circle"), "/ping": to(b"/pong"), "/pong": to(b"/ping")}
    answers["/latin"] = to(b"/caf\xe9")
    answers |= {"/caf%E9": respond(b"<title>there</title>"), "/a": to(b"/b#x"), "/b": respond(b"b")}
    answers["/refresh"] = respond(b'<meta http-equiv=refresh content="0;url=/refresh2">')
    answers["/refresh2"] = respond(b'<meta http-equiv=refresh content="0;url=/refresh">')
    answers["/image"] = respond(b"<img src=/chain30><img src=/circle>")
    seeds = ["/chain0", "/loop", "/ping", "/refresh", "/image", "/latin", "/a"]
    with raw_server(answers) as server:
        ran = save(*map(server.url, seeds), port=server.port)
        assert len(server.requests) < 120
    reasons = [one["decision"]["reason"] for one in ran.objects]
    assert reasons == ["tooManyRedirects"] * 4 + ["allowed"] * 3
    assert [gap["reason"] for gap in ran.objects[4]["completeness"]["matter"]] == ["tooManyRedirects"] * 2
    assert ran.objects[5]["title"] == "there"


def test_one_page_asks_no_origin_for_more_than_its_share(save: Save) -> None:
    """300 images, each behind 20 redirects, would be 6,000 requests."""

    def hop(number: int, step: int) -> bytes:
        return b"HTTP/1.1 302 F\r\nContent-Length: 0\r\nLocation: /%d-%d\r\nConnection: close\r\n\r\n" % (
            number,
            step + 1,
        )

    answers: dict[str, Reply] = {f"/{n}-{step}": hop(n, step) for n in range(400) for step in range(5)}
    answers["/"] = respond(b"".join(b"<img src=/%d-0>" % n for n in range(400)))
    with raw_server(answers) as server:
        ran = save(server.url("/"), port=server.port)
        assert len(server.requests) <= 603  # robots.txt, the page, tdmrep.json, and 600
    assert {gap["reason"] for gap in ran.objects[0]["completeness"]["matter"]} == {"requisiteLimit"}


def test_an_absurd_delay_is_told_with_its_rule(save: Save) -> None:
    for declared in ("Crawl-delay: 100000", "Crawl-delay: 1e309\nRequest-rate: 1/9999999999d"):
        robots = respond(f"User-agent: *\n{declared}\n".encode(), content_type="text/plain")
        with raw_server({"/": respond(b"<img src=/i>"), "/2": respond(b""), "/robots.txt": robots}) as server:
            ran = save(server.url("/"), server.url("/2"), port=server.port)
            assert server.paths() == ["/robots.txt"]
        assert ran.code == 30
        for told in ran.objects:
            assert (told["status"], told["decision"]["reason"]) == ("refused", "crawlDelayBudget")
            assert "robots.delayCap" in told["decision"]["rule"] and told["decision"]["evidence"]
