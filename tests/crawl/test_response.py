"""Responses that callbacks see: decoded, bounded, in a charset that is one."""

from __future__ import annotations

import gzip
from dataclasses import replace

import pytest
from scrapy import Request
from scrapy.http import HtmlResponse, Response, TextResponse, XmlResponse

from archiver.clock import SYSTEM
from archiver.crawl.response import Reading, to_receipt, to_response
from archiver.model import Exchange, Framing, Truncated
from archiver.spooled import Spool

URL = "http://a.example/"


def exchange(body: bytes, *headers: tuple[bytes, bytes], status: int = 200) -> Exchange:
    return Exchange(
        url=URL, method="GET", request=b"", response=Spool(body), head_start=0, body_start=0, status=status, reason="",
        headers=headers, framing=Framing.LENGTH, ip="192.0.2.1", port=80, started_at=SYSTEM.now(), seconds=0.0,
    )  # fmt: skip


def response(body: bytes, kind: bytes, *headers: tuple[bytes, bytes], reading: Reading | None = None) -> Response:
    made = exchange(body, (b"content-type", kind), *headers)
    return to_response(Request(URL), URL, made, reading or Reading())


@pytest.mark.parametrize(
    ("kind", "cls"),
    [
        (b"text/html", HtmlResponse),
        (b"application/xhtml+xml; charset=utf-8", HtmlResponse),
        (b"application/rss+xml", XmlResponse),
        (b"application/json", TextResponse),
        (b"text/plain", TextResponse),
        (b"image/png", Response),
        (b"", Response),
    ],
)
def test_the_class_is_the_content_types(kind: bytes, cls: type[Response]) -> None:
    assert type(response(b"x", kind)) is cls


@pytest.mark.parametrize("label", [b"punycode", b"utf-7", b"rot13", b"idna", b"unicode_escape", b"zlib", b"no-such"])
def test_no_codec_of_pythons_is_named_by_a_site(label: bytes) -> None:
    made = response(b"<p>a-" * 400_000, b"text/html; charset=" + label)
    assert isinstance(made, HtmlResponse)
    assert made.encoding == "utf-8" and made.text.startswith("<p>a-")
    assert made.headers["Content-Type"] == b"text/html; charset=utf-8"
    assert made.replace(body=b"<p>b").text == "<p>b"


def test_a_known_charset_leaves_the_header_as_it_came() -> None:
    made = response(b"\xfc\x80", b"text/html; charset=ISO-8859-1")
    assert isinstance(made, TextResponse)
    assert made.text == "ü\u20ac" and made.headers["Content-Type"] == b"text/html; charset=ISO-8859-1"


def test_content_codings_are_undone_within_the_limit() -> None:
    coded = (b"content-encoding", b"gzip")
    made = response(gzip.compress(b"<p>hello"), b"text/html", coded)
    assert made.body == b"<p>hello" and "Content-Encoding" not in made.headers and made.flags == []
    bomb = response(gzip.compress(b"x" * 100_000), b"text/html", coded, reading=Reading(limit=1000))
    assert len(bomb.body) == 1000 and bomb.flags == ["truncated:length"]
    left = response(gzip.compress(b"x"), b"text/html", coded, reading=Reading(decoded=False))
    assert left.body[:2] == b"\x1f\x8b" and left.headers["Content-Encoding"] == b"gzip"


def test_a_coding_that_is_broken_says_so() -> None:
    made = response(gzip.compress(b"<p>hello" * 900)[:-20], b"text/html", (b"content-encoding", b"gzip"))
    assert made.flags and made.flags[0].startswith("undecoded:")


@pytest.mark.parametrize(
    ("why", "flags"),
    [
        (Truncated.DISCONNECT, ["truncated:disconnect", "dataloss"]),
        (Truncated.TIME, ["truncated:time", "dataloss"]),
        (Truncated.LENGTH, ["truncated:length"]),
    ],
)
def test_a_body_that_was_cut_is_flagged(why: Truncated, flags: list[str]) -> None:
    cut = replace(exchange(b"<p>", (b"content-type", b"text/html")), truncated=why)
    assert to_response(Request(URL), URL, cut, Reading()).flags == flags
    assert to_receipt(Request(URL), URL, cut).flags == [*flags, "unread"]


def test_headers_that_come_twice_are_both_there() -> None:
    made = response(b"", b"text/html", (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2"))
    assert made.headers.getlist("Set-Cookie") == [b"a=1", b"b=2"]
    receipt = to_receipt(Request(URL), URL, exchange(b"", (b"set-cookie", b"a=1"), (b"set-cookie", b"b=2")))
    assert receipt.headers.getlist("Set-Cookie") == [b"a=1", b"b=2"]
