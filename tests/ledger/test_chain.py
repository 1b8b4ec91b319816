"""The chain finds every change of every field, and erasure leaves it whole."""

from hashlib import sha256
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.ledger.chain import START, ZEROS, Link, erase, make_row, verify_rows

bodies = st.lists(
    st.dictionaries(st.text(max_size=8), st.text(max_size=20) | st.integers(0, 2**40) | st.none(), max_size=4).map(
        orjson.dumps
    ),
    min_size=1,
    max_size=8,
)


def chain(texts: list[bytes], after: Link = START) -> list[bytes]:
    lines = []
    for text in texts:
        line, after = make_row(after, text)
        lines.append(line)
    return lines


def changed(line: bytes, **fields: Any) -> bytes:
    return orjson.dumps({**orjson.loads(line), **fields}) + b"\n"


def test_a_row_is_what_the_documentation_says() -> None:
    line, link = make_row(START, b'{"event":"end"}', salt="0" * 32)
    row = orjson.loads(line)
    assert list(row) == ["seq", "leaf", "prev", "hash", "salt", "body"]
    assert row["seq"] == 0
    assert row["prev"] == ZEROS
    assert row["leaf"] == sha256(b"0" * 32 + b'{"event":"end"}').hexdigest()
    assert row["hash"] == sha256((ZEROS + row["leaf"]).encode()).hexdigest() == link.hash


def test_salts_are_random() -> None:
    assert make_row(START, b"{}").line != make_row(START, b"{}").line


@given(bodies)
def test_what_was_made_verifies(texts: list[bytes]) -> None:
    lines = chain(texts)
    report = verify_rows(lines)
    assert report.ok
    assert report.rows == len(texts)
    assert report.last.hash == orjson.loads(lines[-1])["hash"]
    assert [orjson.loads(line)["body"].encode() for line in lines] == texts


@given(bodies, st.data())
def test_any_change_of_any_field_is_found(texts: list[bytes], data: st.DataObject) -> None:
    lines = chain(texts)
    number = data.draw(st.integers(0, len(lines) - 1))
    row = orjson.loads(lines[number])
    name = data.draw(st.sampled_from(sorted(row)))
    if name == "seq":
        value: Any = data.draw(st.integers(-5, 100).filter(lambda new: new != row["seq"]))
    elif name == "body":
        value = data.draw(st.sampled_from([row["body"] + " ", '{"event":"other"}', "", None]))
    else:
        at = data.draw(st.integers(0, len(row[name]) - 1))
        digit = data.draw(st.sampled_from("0123456789abcdefA").filter(lambda new: new != row[name][at]))
        value = row[name][:at] + digit + row[name][at + 1 :]
    lines[number] = changed(lines[number], **{name: value})
    assert not verify_rows(lines).ok


@given(bodies.filter(lambda texts: len(texts) > 2), st.data())
def test_a_row_taken_out_doubled_or_moved_is_found(texts: list[bytes], data: st.DataObject) -> None:
    lines = chain(texts)
    number = data.draw(st.integers(0, len(lines) - 2))
    assert not verify_rows(lines[:number] + lines[number + 1 :]).ok
    assert not verify_rows([*lines[: number + 1], *lines[number:]]).ok
    swapped = [*lines[:number], lines[number + 1], lines[number], *lines[number + 2 :]]
    assert not verify_rows(swapped).ok


def test_rows_cut_from_the_end_are_found_by_whoever_knows_the_head() -> None:
    lines = chain([b"{}", b"{}", b"{}"])
    head = orjson.loads(lines[-1])["hash"]
    assert verify_rows(lines, head=head).ok
    assert verify_rows(lines[:-1]).ok
    assert not verify_rows(lines[:-1], head=head).ok


@given(bodies, st.data())
def test_an_erased_row_leaves_the_chain_whole(texts: list[bytes], data: st.DataObject) -> None:
    lines = chain(texts)
    number = data.draw(st.integers(0, len(lines) - 1))
    lines[number] = erase(lines[number])
    row = orjson.loads(lines[number])
    assert row["salt"] is None
    assert row["body"] is None
    report = verify_rows(lines)
    assert report.ok
    assert report.erased == 1
    assert erase(lines[number]) == lines[number]


def test_a_joint_cannot_be_erased() -> None:
    with pytest.raises(ValueError, match="joins two segments"):
        erase(make_row(START, b'{"event":"segment"}').line)


def test_a_later_segment_is_anchored_by_its_own_first_row() -> None:
    after = Link(6, "ab" * 32)
    body = {"event": "segment", "first_seq": 7, "prev_head": after.hash, "prev_file": "x"}
    lines = chain([orjson.dumps(body), b"{}"], after)
    report = verify_rows(lines)
    assert report.ok
    assert report.first == after
    assert not verify_rows(chain([orjson.dumps({**body, "first_seq": 6}), b"{}"], after)).ok
    assert not verify_rows(chain([orjson.dumps({**body, "prev_head": "cd" * 32}), b"{}"], after)).ok
    assert not verify_rows(lines[1:]).ok
    assert verify_rows(lines[1:], after=report.first._replace(seq=7, hash=orjson.loads(lines[0])["hash"])).ok


@given(st.integers(1, 100))
def test_an_unfinished_last_line_is_told_but_no_damage(cut: int) -> None:
    lines = chain([b"{}", b"{}"])
    part = lines[1][: -min(cut, len(lines[1]) - 1)]
    report = verify_rows([lines[0], part])
    assert report.ok
    assert (report.rows, report.torn) == (1, len(part))
    assert not verify_rows([lines[0], part, lines[1]]).ok


@pytest.mark.parametrize(
    ("line", "what"),
    [
        (b"{\n", "not JSON"),
        (b"\xff\n", "not JSON"),
        (b"[]\n", "not exactly the fields"),
        (b'{"seq":0}\n', "not exactly the fields"),
        (changed(make_row(START, b"{}").line, more=1), "not exactly the fields"),
        (changed(make_row(START, b"{}").line, seq="0"), "seq is not a whole number"),
        (changed(make_row(START, b"{}").line, seq=True), "seq is not a whole number"),
        (changed(make_row(START, b"{}").line, hash=ZEROS.replace("0", "A")), "64 lower-case hex"),
        (changed(make_row(START, b"{}").line, salt=None), "not erased together"),
        (changed(make_row(START, b"{}").line, body=7), "body is not a string"),
        (make_row(START, b"[]").line, "not the text of a JSON object"),
        (make_row(START, b"nonsense").line, "not the text of a JSON object"),
    ],
)
def test_what_is_no_row_is_named(line: bytes, what: str) -> None:
    report = verify_rows([line])
    assert what in str(report.problems[0])
    assert str(report.problems[0]).startswith("line 1")


@given(st.lists(st.binary(max_size=40), max_size=5))
def test_garbage_never_raises(lines: list[bytes]) -> None:
    verify_rows([line.replace(b"\n", b"") + b"\n" for line in lines])


@given(
    st.recursive(
        st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner, max_size=3), max_leaves=5
    )
)
def test_rows_of_any_shape_never_raise(value: object) -> None:
    row = orjson.loads(make_row(START, b"{}").line)
    for name in row:
        line = repr({**row, name: value}).encode(errors="replace")
        verify_rows([line + b"\n"])
        try:
            line = orjson.dumps({**row, name: value})
        except TypeError:
            continue
        verify_rows([line + b"\n"])
