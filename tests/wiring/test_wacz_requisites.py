"""Requisites read out of stored answers."""

from __future__ import annotations

import gzip

import pytest

from archiver.wiring.wacz_requisites import may_refer, page_info_urls, requisites

PAGE = b"<link rel=stylesheet href=/s.css><img src=i.png>"
FOUND = ["http://a.test/s.css", "http://a.test/d/i.png"]


def block(body: bytes, headers: str = "", kind: str = "text/html") -> bytes:
    return f"HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\n{headers}\r\n".encode() + body


@pytest.mark.parametrize(
    "stored",
    [
        block(PAGE),
        b"HTTP/1.1 103 Early Hints\r\n\r\n" + block(PAGE),
        block(gzip.compress(PAGE), "Content-Encoding: gzip\r\n"),
        block(b"%x\r\n%b\r\n0\r\n\r\n" % (len(PAGE), PAGE), "Transfer-Encoding: chunked\r\n"),
        block(gzip.compress(PAGE), "Transfer-Encoding: gzip\r\n"),
    ],
    ids=["plain", "interim", "gzip", "chunked", "transfer coding"],
)
def test_a_page_names_what_it_is_made_of(stored: bytes) -> None:
    assert sorted(requisites("http://a.test/d/p", stored)) == sorted(FOUND)


def test_style_sheets_name_more() -> None:
    assert requisites("http://a.test/s.css", block(b"p{background:url(b.png)}", kind="text/css")) == [
        "http://a.test/b.png"
    ]


@pytest.mark.parametrize("stored", [b"", b"no http", block(b"\xff" * 99, "Content-Encoding: br\r\n")])
def test_what_cannot_be_read_names_nothing(stored: bytes) -> None:
    assert requisites("http://a.test/", stored) == []


def test_page_information_lists_what_was_asked_for() -> None:
    assert list(page_info_urls(b'{"urls": {"http://a.test/": {}, "http://b.test/": {}}}')) == [
        "http://a.test/",
        "http://b.test/",
    ]
    assert list(page_info_urls(b"{")) == list(page_info_urls(b"[]")) == list(page_info_urls(b'{"urls": 1}')) == []


def test_pictures_name_nothing() -> None:
    assert may_refer("text/html") and may_refer("image/svg+xml") and not may_refer("image/png")
