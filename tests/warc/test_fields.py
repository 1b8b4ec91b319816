from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from archiver.warc.fields import field_value, json_fields, parse_fields, safe, safe_uri, warc_fields
from archiver.warc.reader import parse_header

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=80)


@given(ANY_TEXT)
def test_no_value_forges_a_header_field(text: str) -> None:
    for made in (safe(text), safe_uri(text)):
        header = f"WARC/1.1\r\nWARC-Type: metadata\r\nX: {made}\r\n\r\n".encode()
        head = parse_header(header, 0)
        assert [name for name, _ in head.fields] == ["WARC-Type", "X"]
        assert not head.notes
        assert header.decode().splitlines()[2:] == [f"X: {made}", ""]


def test_plain_values_stay_as_they_are() -> None:
    assert safe("Grüße, Ångström") == "Grüße, Ångström"
    assert safe_uri("http://example.org/a?b=%20&c#d") == "http://example.org/a?b=%20&c#d"


def test_escapes_are_percent_encoded() -> None:
    assert safe("a\r\nWARC-Type: response") == "a%0D%0AWARC-Type: response"
    assert safe_uri("http://x/a b<c>\u2028") == "http://x/a%20b%3Cc%3E%E2%80%A8"


@given(st.dictionaries(st.sampled_from(["software", "operator", "x-y"]), st.text("abc \u00fc:{}", max_size=20)))
def test_fields_read_back(fields: dict[str, str]) -> None:
    assert parse_fields(warc_fields(fields.items())) == [(name, value.strip()) for name, value in fields.items()]


@given(st.recursive(st.none() | st.text(st.characters(exclude_categories=["Cs"])) | st.integers(), st.lists))
def test_json_survives_its_field(value: object) -> None:
    for text in (json.dumps(value), json.dumps(value, indent=1, ensure_ascii=False)):
        block = json_fields("policy", text.encode())
        found = field_value(block, "policy")
        assert block.count(b"\r\n") == 1
        assert found is not None and json.loads(found) == value


def test_rows_become_a_field_each() -> None:
    assert parse_fields(json_fields("row", b'{"a":1}\n{"b":2}\n', rows=True)) == [
        ("row", '{"a":1}'),
        ("row", '{"b":2}'),
    ]


def test_folded_fields_unfold() -> None:
    assert parse_fields(b"certificate:\r\n -----BEGIN\r\n AAAA\r\n") == [("certificate", "-----BEGIN\nAAAA")]
    assert field_value(b"a: b\r\n", "c") is None
