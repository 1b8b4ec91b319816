"""Encodings of pages: who says what counts, and what is no encoding of the web."""

from __future__ import annotations

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.extract import charset


@pytest.mark.parametrize(
    ("label", "codec"),
    [
        ("UTF-8", "utf-8"),
        (" utf8 ", "utf-8"),
        ("latin1", "cp1252"),
        ("us-ascii", "cp1252"),
        ("iso-8859-9", "cp1254"),
        ("gb2312", "gb18030"),
        ("shift_jis", "cp932"),
        ("euc-kr", "cp949"),
        ("hz-gb-2312", "ascii"),
        ("utf-7", None),
        ("utf-32", None),
        ("punycode", None),
        ("rot13", None),
        ("base64", None),
        ("zlib", None),
        ("idna", None),
        ("unicode_escape", None),
        ("", None),
        (None, None),
    ],
)
def test_labels_are_those_of_the_web(label: str | None, codec: str | None) -> None:
    assert charset.codec_of(label) == codec


def test_every_label_has_a_text_codec_in_python() -> None:
    for codec in charset._LABELS:
        assert codecs.lookup(codec)._is_text_encoding


@pytest.mark.parametrize(
    ("content_type", "label"),
    [
        ("text/html; charset=utf-8", "utf-8"),
        ('text/html;charset="Shift_JIS"', "Shift_JIS"),
        ("text/html; boundary=x; CHARSET = koi8-r ; a=b", "koi8-r"),
        ("text/html", None),
        ("", None),
        (None, None),
    ],
)
def test_the_headers_parameter(content_type: str | None, label: str | None) -> None:
    assert charset.label_of(content_type) == label


@pytest.mark.parametrize(
    ("body", "hint", "codec"),
    [
        (b"plain", None, "utf-8"),
        ("ü".encode(), None, "utf-8"),
        ("ü".encode()[:-1], None, "utf-8"),
        (b"caf\xe9 au lait", None, "cp1252"),
        ("ü".encode(), "windows-1251", "cp1251"),
        ("ü".encode(), "punycode", "utf-8"),
        (b"\xef\xbb\xbf\xe9", "latin1", "utf-8"),
        (b"\xff\xfe<\0", "latin1", "utf-16-le"),
        (b"\xfe\xff\0<", None, "utf-16-be"),
        (b"<meta charset=koi8-r>\xe9", None, "koi8-r"),
        (b"<META HTTP-EQUIV=Content-Type CONTENT='text/html; charset=EUC-JP'>\xe9\xe9", None, "euc-jp"),
        (b"<!-- <meta charset=koi8-r> --><meta charset='big5'>\xe9", None, "big5hkscs"),
        (b"<meta charset=utf-16>\xe9", None, "utf-8"),
        (b"<meta charset=rot13><meta charset=koi8-r>\xe9", None, "koi8-r"),
        (b'<?xml version="1.0" encoding="windows-1250"?>\xe9', None, "cp1250"),
        (b"<meta charset=iso-2022-jp>\x1b$B", None, "iso2022-jp"),
    ],
)
def test_who_decides_on_html(body: bytes, hint: str | None, codec: str) -> None:
    assert charset.html_codec(body, hint) == codec


@pytest.mark.parametrize(
    ("body", "hint", "codec"),
    [
        (b'@charset "koi8-r";a{}', None, "koi8-r"),
        (b'@charset "koi8-r";a{}', "utf-8", "utf-8"),
        (b"@charset 'koi8-r';a{}", None, "utf-8"),
        (b"a{content:'\xe9'}", None, "cp1252"),
    ],
)
def test_who_decides_on_css(body: bytes, hint: str | None, codec: str) -> None:
    assert charset.css_codec(body, hint) == codec


@given(st.binary(max_size=200), st.one_of(st.none(), st.sampled_from(sorted(charset._CODEC)), st.text(max_size=12)))
def test_any_bytes_have_a_text(body: bytes, hint: str | None) -> None:
    assert isinstance(charset.decode(body, charset.html_codec(body, hint)), str)
    assert isinstance(charset.decode(body, charset.css_codec(body, hint)), str)


@given(st.text())
def test_a_bom_is_no_text(text: str) -> None:
    text = text.encode("utf-8", "replace").decode().removeprefix("\ufeff")
    for bom, codec in charset._BOMS:
        body = bom + text.encode(codec)
        assert charset.decode(body, charset.html_codec(body, "koi8-r")) == text
