"""RSL licence documents."""

from __future__ import annotations

import pytest

from archiver.policy.signals import parse_rsl, rsl_labels

DOCUMENT = b"""<?xml version="1.0"?>
<rsl xmlns="https://rslstandard.org/rsl">
  <content url="/open/*"><license><permits type="usage">all</permits></license></content>
  <content url="/">
    <license>
      <permits type="usage">search, ai-input</permits><permits type="geo">US</permits>
      <prohibits type="usage">ai-train other</prohibits><payment type="purchase"/>
    </license>
  </content>
  <content url="https://h.test/none/"><license><prohibits>ai-all</prohibits></license></content>
  <content><license><prohibits>all</prohibits></license></content>
</rsl>"""


def test_contents() -> None:
    found = parse_rsl(DOCUMENT)
    assert found is not None
    assert [one.url for one in found] == ["/open/*", "/", "https://h.test/none/", ""]
    assert found[1].permits == ("search", "ai-input")
    assert found[1].prohibits == ("ai-train", "other")
    assert found[1].payment == ("purchase",)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://h.test/x", {"ai-train": "disallow", "ai-input": "allow", "search": "allow"}),
        ("https://h.test/open/x", {"ai-train": "disallow", "ai-input": "allow", "search": "allow"}),
        ("https://h.test/none/x", {"ai-train": "disallow", "ai-input": "disallow", "search": "allow"}),
        ("https://o.test/none/x", {"ai-train": "disallow", "ai-input": "allow", "search": "allow"}),
    ],
)
def test_labels(url: str, expected: dict[str, str]) -> None:
    assert rsl_labels(parse_rsl(DOCUMENT) or (), url) == expected


@pytest.mark.parametrize("body", [b"", b"<html/>", b"<rsl/>", b"not xml", b"\xff\xfe", DOCUMENT[:200]])
def test_what_is_no_rsl(body: bytes) -> None:
    assert parse_rsl(body) is None


def test_entities_are_not_expanded() -> None:
    bomb = (
        b'<!DOCTYPE r [<!ENTITY a "ai-train"><!ENTITY f SYSTEM "file:///etc/hostname">]>'
        b'<rsl xmlns="https://rslstandard.org/rsl"><content url="/"><prohibits>&a;&f;</prohibits></content></rsl>'
    )
    found = parse_rsl(bomb)
    assert found is not None
    assert found[0].prohibits == ()
