"""Which bodies are read, and as what."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.extract import Requisite, kind_of, requisites_of

BASE = "http://h/d/"


@pytest.mark.parametrize(
    ("content_type", "body", "resource_type", "kind"),
    [
        ("text/html; charset=utf-8", b"", "", "html"),
        (" TEXT/HTML ", b"", "", "html"),
        ("application/xhtml+xml", b"", "", "html"),
        ("text/css", b"", "", "css"),
        ("image/svg+xml", b"", "", "svg"),
        ("application/manifest+json", b"", "", "manifest"),
        ("application/json", b"", "manifest", "manifest"),
        ("application/json", b"", "", ""),
        ("text/plain", b"<html>", "", ""),
        ("image/png", b"<html>", "", ""),
        (None, b"\n <!DOCTYPE html>", "", "html"),
        ("", b"<!-- x --><p>", "", "html"),
        ("nonsense", b"<HTML>", "", "html"),
        (None, b"GIF89a", "", ""),
        (None, b"a{}", "stylesheet", "css"),
        (None, b"{}", "manifest", "manifest"),
    ],
)
def test_kinds(content_type: str | None, body: bytes, resource_type: str, kind: str) -> None:
    assert kind_of(content_type, body, resource_type) == kind


def test_each_kind_gives_what_it_loads() -> None:
    image = (Requisite("http://h/d/a.png", "image"),)
    assert requisites_of("text/html", b"<img src=a.png>", base_url=BASE) == image
    assert requisites_of("text/css", b"b{c:url(a.png)}", base_url=BASE) == image
    svg = b"<?xml version='1.0'?><svg><style><![CDATA[b{c:url(a.png)}]]></style><image xlink:href='a.png'/></svg>"
    assert requisites_of("image/svg+xml", svg, base_url=BASE) == image
    manifest = (
        b'{"icons": [{"src": "a.png"}, {"src": 5}, 7], "shortcuts": [{"icons": [{"src": "a.png"}]}], "start_url": "no"}'
    )
    assert requisites_of("application/manifest+json", manifest, base_url=BASE) == image
    assert requisites_of("text/plain", b"<img src=a.png>", base_url=BASE) == ()


def test_charsets_reach_the_sheets() -> None:
    found = requisites_of("text/css; charset=koi8-r", "a{b:url('б.png')}".encode("koi8-r"), base_url=BASE)
    assert found == requisites_of("text/css", "a{b:url('б.png')}".encode(), base_url=BASE)


@given(
    st.sampled_from(["text/html", "text/css", "image/svg+xml", "application/manifest+json", None]),
    st.one_of(
        st.binary(), st.just(b"[" * 5000), st.just(b'{"icons": {"src": 1}}'), st.just(b'{"shortcuts": [[], {}]}')
    ),
)
def test_any_body_is_answered(content_type: str | None, body: bytes) -> None:
    for one in requisites_of(content_type, body, base_url=BASE):
        assert one.url.startswith("http") and "#" not in one.url
