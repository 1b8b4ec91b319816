"""Words in bytes: any case, no character set, and no more than a pass."""

from __future__ import annotations

from archiver.scan import words

PATTERN = words(rb"one|tw\.o|\x00")


def test_any_word_in_any_case_is_found() -> None:
    assert PATTERN.search(b"xx ONE") and PATTERN.search(b"tW.o") and PATTERN.search(b"a\0b")


def test_other_bytes_are_not() -> None:
    assert PATTERN.search("on\u00e9 tw\u00d6o \ufffd".encode() + bytes(range(1, 256))) is None
