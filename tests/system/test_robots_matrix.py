"""Every way in which a robots.txt can answer, by the real command line on real servers: RFC 9309, 2.3; decision 21."""

from __future__ import annotations

import gzip
import socket
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import brotli
import pytest

from tests.servers.authority import Authority, make_authority
from tests.servers.raw import Answer, RawServer, Reply, raw_server, respond
from tests.system.robots_case import PAGE, Save, Saved, asked, robots, save

pytestmark = pytest.mark.system
__all__ = ["save"]

RULES = b"User-agent: *\nDisallow: /page\n"
ALLOW = b"User-agent: *\nAllow: /\n"
ALLOWED, REFUSED = ("archived", 0, "allowed"), ("refused", 30, "robotsTxt")
DEFERRED = ("deferred", 32, "robotsUnreachable")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One robots.txt and what follows: status, exit code and reason; the rule told begins with, or holds, `rule`.

    `asked`: requests for robots.txt and where it redirects to. `note`: what the ledger's row says besides.
    """

    robots: Reply
    end: tuple[str, int, str]
    rule: str = ""
    line: int | None = None
    asked: int = 1
    note: dict[str, object] = field(default_factory=dict)
    more: dict[str, Reply] = field(default_factory=dict)


def status(line: str, body: bytes = RULES, headers: str = "") -> bytes:
    return respond(body, content_type="text/plain", status=line, headers=headers)


def moved(to: str, line: str = "301 Moved Permanently") -> bytes:
    return status(line, b"", f"Location: {to}\r\n")


def chain(length: int, last: bytes) -> dict[str, Reply]:
    """/robots.txt -> /r1 -> ... -> /r<length>, which is `last`."""
    hops: dict[str, Reply] = {f"/r{number}": moved(f"/r{number + 1}") for number in range(1, length)}
    return {**hops, f"/r{length}": last}


def coded(coding: str, body: bytes) -> bytes:
    return robots(body, headers=f"Content-Encoding: {coding}\r\n")


def raw(head: str, body: bytes = b"") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n{head}\r\n".encode() + body


def padded(first: bytes, last: bytes, size: int = 614_400) -> bytes:
    """`first` at the start, `last` at the end of a file of `size` bytes: before and after the 512,000th."""
    filling = b"# filling, filling, filling, filling, filling, filling, filling\n"
    gap = size - len(first) - len(last)
    return first + filling * (gap // len(filling)) + b"#" * (gap % len(filling) - 1) + b"\n" + last


UNREACHABLE = "robots.txt is unreachable: "
HANG = Answer(parts=(b"", b""), pause=60)
CHUNKS = b"e\r\nUser-agent: *\n\r\n10\r\nDisallow: /page\n\r\n0\r\n\r\n"
BOMB = gzip.compress(ALLOW + b"#" * 300_000_000, 1)
CASES: dict[str, Case] = {
    "allow": Case(robots=robots(ALLOW), end=ALLOWED, rule="Allow: /"),
    "disallow": Case(robots=robots(RULES), end=REFUSED, rule="Disallow: /page", line=2),
    "empty": Case(robots=robots(b""), end=ALLOWED),
    **{
        f"301 x{hops}": Case(robots=moved("/r1"), more=chain(hops, robots(RULES)), end=REFUSED, rule="Disallow: /page",
                             line=2, asked=hops + 1)
        for hops in range(1, 6)
    },
    "301 x6": Case(robots=moved("/r1"), more=chain(6, robots(RULES)), end=ALLOWED, asked=6,
                   note={"basis": "redirects>5: RFC 9309 2.3.1.2"}),
    **{
        word: Case(robots=moved("/r1", word), more={"/r1": robots(RULES)}, end=REFUSED, line=2, asked=2)
        for word in ("302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect")
    },
    "redirected to 404": Case(robots=moved("/r1"), end=ALLOWED, asked=2, note={"status": 404}),
    "redirected to 500": Case(robots=moved("/r1"), more={"/r1": status("500 Oops")}, end=DEFERRED,
                              rule=UNREACHABLE + "it answered 500", asked=2),
    "loop": Case(robots=moved("/robots.txt"), end=ALLOWED, asked=6, note={"basis": "redirects>5: RFC 9309 2.3.1.2"}),
    "redirect inside": Case(robots=moved("http://10.0.0.1/robots.txt"), end=DEFERRED,
                            rule=UNREACHABLE + "privateAddress: "),
    "redirect to ftp": Case(robots=moved("ftp://127.0.0.1/robots.txt"), end=DEFERRED, rule="it answered 301"),
    "301 without Location": Case(robots=status("301 Moved"), end=DEFERRED, rule=UNREACHABLE + "it answered 301"),
    "300": Case(robots=status("300 Multiple Choices"), end=DEFERRED, rule="it answered 300"),
    "304 unasked": Case(robots=b"HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n", end=DEFERRED,
                        rule="it answered 304"),
    **{
        f"{code}": Case(robots=status(f"{code} No"), end=ALLOWED, note={"status": code, "state": "unavailable"})
        for code in (400, 401, 402, 403, 404, 410, 418, 451)
    },
    **{
        f"{code}": Case(robots=status(f"{code} Oops"), end=DEFERRED, rule=f"{UNREACHABLE}it answered {code}",
                        note={"status": code, "state": "unreachable"})
        for code in (429, 500, 502, 503, 504, 599)
    },
    "429, Retry-After": Case(robots=status("429 Slow", b"", "Retry-After: 7200\r\n"), end=DEFERRED,
                             rule="it answered 429"),
    "503, Retry-After": Case(robots=status("503 Busy", b"", "Retry-After: 7200\r\n"), end=DEFERRED,
                             rule="it answered 503"),
    "hang": Case(robots=HANG, end=DEFERRED, rule=UNREACHABLE),
    "hang in the head": Case(robots=Answer(parts=(b"HTTP/1.1 200 OK\r\nX", b""), pause=60), end=DEFERRED,
                             rule=UNREACHABLE),
    "hang in the body": Case(robots=Answer(parts=(raw("Content-Length: 999\r\n", ALLOW), b""), pause=60), end=DEFERRED,
                             rule=UNREACHABLE + "the body did not end in time"),
    "reset": Case(robots=Answer(parts=(b"HTTP/1.1 200",), abort=True), end=DEFERRED, rule=UNREACHABLE),
    "reset in the body": Case(robots=Answer(parts=(raw("Content-Length: 999\r\n", ALLOW),), abort=True), end=DEFERRED,
                              rule=UNREACHABLE + "the body was cut off"),
    "empty reply": Case(robots=b"", end=DEFERRED, rule=UNREACHABLE),
    "no HTTP": Case(robots=b"SSH-2.0-OpenSSH_9.9\r\n\r\n\r\n", end=DEFERRED, rule=UNREACHABLE),
    "short of its length": Case(robots=raw("Content-Length: 999\r\n", ALLOW), end=DEFERRED,
                                rule=UNREACHABLE + "the body was cut off"),
    "last chunk missing": Case(robots=raw("Transfer-Encoding: chunked\r\n", b"5\r\nUser-\r\n"), end=DEFERRED,
                               rule=UNREACHABLE + "the body was cut off"),
    "HTML": Case(robots=respond(b"<!doctype html><p>Not here"), end=ALLOWED, note={"html": True}),
    "HTML with rules": Case(robots=respond(b"<pre>\n" + RULES), end=REFUSED, line=3, note={"html": True}),
    "HTML that redirects": Case(robots=respond(b"<meta http-equiv=refresh content='0;url=/r1'>"), end=ALLOWED,
                                more={"/r1": robots(RULES)}, note={"html": True}),
    "binary type": Case(robots=robots(RULES, content_type="application/octet-stream"), end=REFUSED, line=2),
    "600 KiB, rule before the limit": Case(robots=robots(padded(RULES, b"User-agent: *\nAllow: /page\n")), end=REFUSED,
                                           line=2, note={"truncated": True}),
    "600 KiB, rule after the limit": Case(robots=robots(padded(ALLOW, RULES)), end=ALLOWED, rule="Allow: /",
                                          note={"truncated": True}),
    "600 KiB, not all of it": Case(robots=raw("Content-Length: 700000\r\n", padded(RULES, ALLOW)), end=REFUSED, line=2),
    "500 KiB, rule at the end": Case(robots=robots(padded(b"User-agent: *\n", b"Disallow: /page\n", 512_000)),
                                     end=REFUSED, rule="Disallow: /page"),
    "BOM": Case(robots=robots(b"\xef\xbb\xbf" + RULES), end=REFUSED, line=2),
    "half a BOM": Case(robots=robots(b"\xef\xbb" + RULES), end=REFUSED, line=2),
    "latin-1 in a rule": Case(robots=robots(b"User-agent: *\nDisallow: /caf\xe9\nDisallow: /page\n"), end=REFUSED,
                              line=3),
    "NUL bytes": Case(robots=robots(b"User-agent: *\nDisallow: /x\0y\nDisallow: /page\n\0"), end=REFUSED, line=3),
    "CR only": Case(robots=robots(RULES.replace(b"\n", b"\r")), end=REFUSED, line=2),
    "CR LF": Case(robots=robots(RULES.replace(b"\n", b"\r\n")), end=REFUSED, line=2),
    "other line ends": Case(robots=robots("User-agent: *\u2028Disallow: /page\x0bDisallow: /page"), end=ALLOWED),
    "no line end": Case(robots=robots(RULES.rstrip()), end=REFUSED, line=2),
    "gzip": Case(robots=coded("gzip", gzip.compress(RULES)), end=REFUSED, line=2),
    "x-gzip": Case(robots=coded("x-gzip", gzip.compress(RULES)), end=REFUSED, line=2),
    "deflate": Case(robots=coded("deflate", zlib.compress(RULES)), end=REFUSED, line=2),
    "raw deflate": Case(robots=coded("deflate", zlib.compress(RULES)[2:-4]), end=REFUSED, line=2),
    "br": Case(robots=coded("br", brotli.compress(RULES)), end=REFUSED, line=2),
    "identity": Case(robots=coded("identity", RULES), end=REFUSED, line=2),
    "two codings": Case(robots=coded("gzip, br", brotli.compress(gzip.compress(RULES))), end=REFUSED, line=2),
    "unknown coding": Case(robots=coded("snappy", b"\x0e" + ALLOW), end=DEFERRED,
                           rule=UNREACHABLE + "the body cannot be decoded"),
    "not what it is coded as": Case(robots=coded("gzip", ALLOW), end=DEFERRED,
                                    rule=UNREACHABLE + "the body cannot be decoded"),
    "gzip cut off": Case(robots=coded("gzip", gzip.compress(ALLOW)[:-9]), end=DEFERRED,
                         rule=UNREACHABLE + "the body cannot be decoded"),
    "gzip bomb": Case(robots=coded("gzip", BOMB), end=ALLOWED, rule="Allow: /", note={"truncated": True}),
    "103 first": Case(robots=b"HTTP/1.1 103 Early Hints\r\nLink: </s.css>\r\n\r\n" + robots(RULES), end=REFUSED,
                      line=2),
    "chunked": Case(robots=raw("Transfer-Encoding: chunked\r\n", CHUNKS), end=REFUSED, line=2),
    "until the end": Case(robots=raw("Connection: close\r\n", RULES), end=REFUSED, line=2),
    "HTTP/1.0": Case(robots=b"HTTP/1.0 200 OK\r\n\r\n" + RULES, end=REFUSED, line=2),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_of_its_own_origin(save: Save, name: str) -> None:
    case = CASES[name]
    with raw_server({"/robots.txt": case.robots, "/page": PAGE, **case.more}) as server:
        saved = save(server.url("/page"), servers=[server])
        check(case, saved, server.url("/page"), server.url("/robots.txt"))
    assert asked(server).count("/page") == (case.end is ALLOWED)
    assert len([path for path in asked(server) if path != "/page"]) == case.asked


def check(case: Case, saved: Saved, page: str, robots_txt: str) -> None:
    """What was told, what the ledger says of page and robots.txt, and that the evidence is in this job's WARC."""
    told, (status, code, reason) = saved.one, case.end
    decision = told["decision"]
    assert (told["status"], saved.code, decision["reason"]) == (status, code, reason), told
    assert case.rule in decision["rule"] and decision["line"] == (case.line or decision["line"]), decision
    assert (decision["not_before"] or "") > told["started_at"] if status == "deferred" else not decision["not_before"]
    row = saved.rows(page, "decision")[-1]
    assert (row["verdict"], row["rule"], row["evidence"]) == (
        decision["verdict"], decision["rule"], decision["evidence"],
    )  # fmt: skip
    assert case.note.items() <= saved.robots_note(page).items()
    assert len(saved.rows(page, "outcome")) == (status == "archived")
    first = saved.rows(robots_txt, "decision")[0]
    assert (first["kind"], first["verdict"]) == ("robots", "allow")
    assert len(saved.rows(robots_txt, "outcome")) == len(saved.rows(robots_txt, "decision"))
    target = saved.record(decision["evidence"]).headers.target or ""
    last = [*saved.robots_note(page).get("redirects", []), robots_txt]
    assert target.removeprefix("urn:policy:").removeprefix("urn:robots:") in last, target


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return make_authority(tmp_path_factory.mktemp("trusted"), "127.0.0.1", "a.localhost")


@pytest.fixture
def trusting(trusted: Authority, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """https works here, for this authority's names."""
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted.ca_file))
    return trusted


@pytest.mark.parametrize("kind", ["expired", "wrong host", "unknown authority", "silent"])
def test_a_tls_error_is_unreachable(save: Save, trusting: Authority, tmp_path: Path, kind: str) -> None:
    bad = {
        "expired": lambda: make_authority(tmp_path, expired=True, below=trusting),
        "wrong host": lambda: make_authority(tmp_path, "other.localhost", below=trusting),
        "unknown authority": lambda: make_authority(tmp_path),
        "silent": lambda: None,
    }[kind]()
    with raw_server({"/robots.txt": robots(ALLOW), "/page": PAGE}, tls=bad) as server:
        page, robots_txt = (f"https://127.0.0.1:{server.port}{path}" for path in ("/page", "/robots.txt"))
        saved = save(page, servers=[server])
    why = "connectTimeout: " if kind == "silent" else "tlsError: "
    check(Case(robots=b"", end=DEFERRED, rule=UNREACHABLE + why), saved, page, robots_txt)
    assert asked(server) == []


def test_nobody_listens(save: Save) -> None:
    with refused_port() as server:
        saved = save(server.url("/page"), servers=[server])
    check(Case(robots=b"", end=DEFERRED, rule=UNREACHABLE), saved, server.url("/page"), server.url("/robots.txt"))


def test_a_name_that_does_not_resolve(save: Save, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(host: str) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr("archiver.wire.dial.system_resolve", unknown)
    url = "http://nowhere.invalid/"
    saved = save(f"{url}page", servers=[], options=("--contact", "me@example.org"))
    check(Case(robots=b"", end=DEFERRED, rule=f"{UNREACHABLE}dnsError: "), saved, f"{url}page", f"{url}robots.txt")


@contextmanager
def refused_port() -> Iterator[RawServer]:
    """A port that is bound and refuses."""
    with closing(socket.socket()) as held:
        held.bind(("127.0.0.1", 0))
        yield RawServer(port=held.getsockname()[1], scheme="http", answers={})


def test_a_redirect_to_another_host_binds_the_one_that_was_asked(save: Save) -> None:
    """The rules found there bind here; the host that keeps them is bound by its own (RFC 9309, 2.3.1.2)."""
    with raw_server({"/robots.txt": robots(ALLOW), "/all.txt": robots(RULES), "/page": PAGE}) as keeper:
        to = f"http://localhost:{keeper.port}/all.txt"
        with raw_server({"/robots.txt": moved(to), "/page": PAGE}) as first:
            bound = save(first.url("/page"), servers=[first, keeper])
            free = save(f"http://localhost:{keeper.port}/page", servers=[first, keeper])
    check(Case(robots=b"", end=REFUSED, line=2), bound, first.url("/page"), first.url("/robots.txt"))
    assert bound.robots_note(first.url("/page"))["redirects"] == [to]
    assert free.code == 0 and asked(first) == ["/robots.txt"]
    assert asked(keeper) == ["/all.txt", "/robots.txt", "/page"]


@pytest.mark.parametrize("refusing", ["http", "https"])
def test_http_and_https_of_one_host_have_rules_of_their_own(save: Save, trusting: Authority, refusing: str) -> None:
    def rules(scheme: str) -> bytes:
        return robots(RULES if scheme == refusing else ALLOW)

    with (
        raw_server({"/robots.txt": rules("http"), "/page": PAGE}) as http,
        raw_server({"/robots.txt": rules("https"), "/page": PAGE}, tls=trusting) as https,
    ):
        urls = [f"http://a.localhost:{http.port}/page", f"https://a.localhost:{https.port}/page"]
        saved = save(*urls, servers=[http, https])
    statuses = {one["url"].partition(":")[0]: one["status"] for one in saved.told}
    assert statuses.pop(refusing) == "refused" and set(statuses.values()) == {"archived"}
    assert sorted([asked(http), asked(https)]) == [["/robots.txt"], ["/robots.txt", "/page"]]


def test_ports_and_names_are_origins_of_their_own(save: Save) -> None:
    """The same server by two names is asked twice; a port says nothing about its neighbour."""

    with raw_server({"/robots.txt": robots(RULES), "/page": PAGE}) as one, raw_server({"/page": PAGE}) as two:
        urls = [f"http://{host}:{one.port}/page" for host in ("127.0.0.1", "localhost", "a.localhost", "LOCALHOST")]
        saved = save(*urls, two.url("/page"), servers=[one, two])
    assert [one["status"] for one in saved.told] == ["refused"] * 3 + ["archived"]
    assert asked(one) == ["/robots.txt"] * 3 and asked(two) == ["/robots.txt", "/page"]


@pytest.mark.parametrize("body", [b"User-agent: *\nDisallow: /\n", RULES], ids=["all", "a page"])
def test_the_file_itself_may_always_be_asked_for(save: Save, body: bytes) -> None:
    with raw_server({"/robots.txt": robots(body)}) as server:
        saved = save(server.url("/robots.txt"), servers=[server])
    assert (saved.one["status"], saved.code) == ("archived", 0)
    assert saved.record(saved.one["records"][0]["record_id"]).block.endswith(body)
    assert saved.one["decision"]["reason"] == "allowed"


def test_many_pages_ask_once(save: Save) -> None:
    with raw_server({"/robots.txt": robots(b"User-agent: *\nDisallow: /no\n"), "/page": PAGE}) as server:
        saved = save(*(server.url(f"/no{number}") for number in range(20)), server.url("/page"), servers=[server])
    assert asked(server) == ["/robots.txt", "/page"]
    assert len({one["decision"]["evidence"] for one in saved.told}) == 1
    assert [one["status"] for one in saved.told] == ["refused"] * 20 + ["archived"]
