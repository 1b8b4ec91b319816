"""Which encoding a text is in: BOM, HTTP header, what the document says, else a look (WHATWG Encoding; HTML, 13.2.3).

Only the labels browsers know count: `utf-7`, `punycode`, `rot13`, `zlib` and whatever else Python would decode are no
encodings of web pages and are passed over.
"""

from __future__ import annotations

import codecs
import re

_PRESCAN = 4096  # the standard looks at 1024 bytes and browsers further; late declarations are common
_LABELS = {
    "utf-8": "unicode-1-1-utf-8 unicode11utf8 unicode20utf8 utf-8 utf8 x-unicode20utf8",
    "cp866": "866 cp866 csibm866 ibm866",
    "iso8859-2": "csisolatin2 iso-8859-2 iso-ir-101 iso8859-2 iso88592 iso_8859-2 iso_8859-2:1987 l2 latin2",
    "iso8859-3": "csisolatin3 iso-8859-3 iso-ir-109 iso8859-3 iso88593 iso_8859-3 iso_8859-3:1988 l3 latin3",
    "iso8859-4": "csisolatin4 iso-8859-4 iso-ir-110 iso8859-4 iso88594 iso_8859-4 iso_8859-4:1988 l4 latin4",
    "iso8859-5": "csisolatincyrillic cyrillic iso-8859-5 iso-ir-144 iso8859-5 iso88595 iso_8859-5 iso_8859-5:1988",
    "iso8859-6": "arabic asmo-708 csiso88596e csiso88596i csisolatinarabic ecma-114 iso-8859-6 iso-8859-6-e"
    " iso-8859-6-i iso-ir-127 iso8859-6 iso88596 iso_8859-6 iso_8859-6:1987",
    "iso8859-7": "csisolatingreek ecma-118 elot_928 greek greek8 iso-8859-7 iso-ir-126 iso8859-7 iso88597"
    " iso_8859-7 iso_8859-7:1987 sun_eu_greek",
    "iso8859-8": "csiso88598e csisolatinhebrew hebrew iso-8859-8 iso-8859-8-e iso-ir-138 iso8859-8 iso88598"
    " iso_8859-8 iso_8859-8:1988 visual csiso88598i iso-8859-8-i logical",
    "iso8859-10": "csisolatin6 iso-8859-10 iso-ir-157 iso8859-10 iso885910 l6 latin6",
    "iso8859-13": "iso-8859-13 iso8859-13 iso885913",
    "iso8859-14": "iso-8859-14 iso8859-14 iso885914",
    "iso8859-15": "csisolatin9 iso-8859-15 iso8859-15 iso885915 iso_8859-15 l9",
    "iso8859-16": "iso-8859-16",
    "koi8-r": "cskoi8r koi koi8 koi8-r koi8_r",
    "koi8-u": "koi8-ru koi8-u",
    "mac-roman": "csmacintosh mac macintosh x-mac-roman",
    "mac-cyrillic": "x-mac-cyrillic x-mac-ukrainian",
    "cp874": "dos-874 iso-8859-11 iso8859-11 iso885911 tis-620 windows-874",
    "cp1250": "cp1250 windows-1250 x-cp1250",
    "cp1251": "cp1251 windows-1251 x-cp1251",
    "cp1252": "ansi_x3.4-1968 ascii cp1252 cp819 csisolatin1 ibm819 iso-8859-1 iso-ir-100 iso8859-1 iso88591"
    " iso_8859-1 iso_8859-1:1987 l1 latin1 us-ascii windows-1252 x-cp1252 x-user-defined",
    "cp1253": "cp1253 windows-1253 x-cp1253",
    "cp1254": "cp1254 csisolatin5 iso-8859-9 iso-ir-148 iso8859-9 iso88599 iso_8859-9 iso_8859-9:1989 l5 latin5"
    " windows-1254 x-cp1254",
    "cp1255": "cp1255 windows-1255 x-cp1255",
    "cp1256": "cp1256 windows-1256 x-cp1256",
    "cp1257": "cp1257 windows-1257 x-cp1257",
    "cp1258": "cp1258 windows-1258 x-cp1258",
    "gb18030": "gb18030 chinese csgb2312 csiso58gb231280 gb2312 gb_2312 gb_2312-80 gbk iso-ir-58 x-gbk",
    "big5hkscs": "big5 big5-hkscs cn-big5 csbig5 x-x-big5",
    "euc-jp": "cseucpkdfmtjapanese euc-jp x-euc-jp",
    "iso2022-jp": "csiso2022jp iso-2022-jp",
    "cp932": "csshiftjis ms932 ms_kanji shift-jis shift_jis sjis windows-31j x-sjis",
    "cp949": "cseuckr csksc56011987 euc-kr iso-ir-149 korean ks_c_5601-1987 ks_c_5601-1989 ksc5601 ksc_5601"
    " windows-949",
    # the standard's "replacement" encodings: never decoded as what they claim, only their ASCII is read
    "ascii": "csiso2022kr hz-gb-2312 iso-2022-cn iso-2022-cn-ext iso-2022-kr replacement",
    "utf-16-be": "unicodefffe utf-16be",
    "utf-16-le": "csunicode iso-10646-ucs-2 ucs-2 unicode unicodefeff utf-16 utf-16le",
}
_CODEC = {label: codec for codec, labels in _LABELS.items() for label in labels.split()}
_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_PARAMETER = re.compile(r";\s*charset\s*=\s*[\"']?\s*([^\s\"';,]+)", re.IGNORECASE)
_COMMENT = re.compile(rb"<!--.*?(?:-->|\Z)", re.DOTALL)
_META = re.compile(rb"<meta[\s/][^>]*?charset\s*=\s*[\"']?\s*([^\s\"'/>;]+)", re.IGNORECASE)
_XML = re.compile(rb"\A<\?xml[^>]*?encoding\s*=\s*[\"']([^\"'>]+)", re.IGNORECASE)
_CSS = re.compile(rb'\A@charset "([^"]{1,64})";')


def label_of(content_type: str | None) -> str | None:
    """The charset parameter of a Content-Type value, as it stands there."""
    found = _PARAMETER.search(content_type[:1024]) if content_type else None
    return found[1] if found else None


def codec_of(label: str | None) -> str | None:
    """The Python codec for a WHATWG label; None for a label no browser knows."""
    return _CODEC.get(label.strip().lower()) if label else None


def html_codec(body: bytes, hint: str | None = None) -> str:
    """The codec of an HTML document; `hint` is the HTTP header's label."""
    known = _bom(body) or codec_of(hint)
    if known is None and body.isascii() and b"\x1b" not in body:
        return "utf-8"  # what it declares makes no difference (but for ISO-2022-JP, which lives on escapes)
    return known or _declared(body) or _guess(body)


def css_codec(body: bytes, hint: str | None = None) -> str:
    """The codec of a style sheet (CSS Syntax, 3.2)."""
    found = _CSS.match(body)
    declared = _ascii_compatible(codec_of(found[1].decode("latin-1"))) if found else None
    return _bom(body) or codec_of(hint) or declared or _guess(body)


def decode(body: bytes, codec: str) -> str:
    """The text, its BOM gone, with U+FFFD for what is none."""
    for bom, name in _BOMS:
        if name == codec and body.startswith(bom):
            body = body[len(bom) :]
    return body.decode(codec, "replace")


def _bom(body: bytes) -> str | None:
    return next((codec for bom, codec in _BOMS if body.startswith(bom)), None)


def _declared(body: bytes) -> str | None:
    head = _COMMENT.sub(b"", body[:_PRESCAN])
    for pattern in (_META, _XML):
        for found in pattern.finditer(head):
            codec = _ascii_compatible(codec_of(found[1].decode("latin-1")))
            if codec:
                return codec
    return None


def _ascii_compatible(codec: str | None) -> str | None:
    """A declaration that could be read as ASCII is not in UTF-16 (HTML, 13.2.3.2)."""
    return "utf-8" if codec in ("utf-16-le", "utf-16-be") else codec


def _guess(body: bytes) -> str:
    try:
        codecs.utf_8_decode(body, "strict", False)  # a last character that was cut is no fault
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"
