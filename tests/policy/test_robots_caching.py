"""RFC 9111 for robots.txt: lifetimes, ages, validators and what a 304 changes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.policy.robots import MAX_AGE, freshened, freshness, may_be_kept, remaining, validates, validators

NOW = datetime(2026, 11, 23, tzinfo=UTC)
DAY = 86_400
HEADERS = st.lists(
    st.tuples(
        st.sampled_from([b"Cache-Control", b"expires", b"Date", b"age", b"ETag", b"last-modified", b"connection"]),
        st.binary(max_size=30)
        | st.sampled_from([b"max-age=60", b"Mon, 23 Nov 2026 00:00:00 GMT", b'W/"a"', b'"a"', b"no-store", b"9"]),
    ),
    max_size=5,
)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], DAY),
        ([("Cache-Control", "max-age=600")], 600),
        ([("Cache-Control", 'Max-Age="60"'), ("cache-control", "max-age=30")], 30),
        ([("Cache-Control", "max-age=999999999")], DAY),
        ([("Cache-Control", "max-age=" + "9" * 5000)], DAY),
        ([("Cache-Control", "max-age=-1")], 0),
        ([("Cache-Control", "max-age=soon")], 0),
        ([("Cache-Control", "max-age=60"), ("Expires", "0")], 60),
        ([("Cache-Control", "s-maxage=5, public")], DAY),
        ([("Cache-Control", "no-store")], 0),
        ([("Cache-Control", "max-age=60, no-cache")], 0),
        ([("Cache-Control", 'max-age=60, no-cache="set-cookie"')], 60),
        ([("Date", "Mon, 23 Nov 2026 00:00:00 GMT"), ("Expires", "Mon, 23 Nov 2026 01:00:00 GMT")], 3600),
        ([("Date", "Mon, 23 Nov 2026 00:00:00 GMT"), ("Expires", "Sun, 22 Nov 2026 00:00:00 GMT")], 0),
        ([("Date", "Mon, 23 Nov 2026 00:00:00 GMT"), ("Expires", "0")], 0),
        ([("Date", "never"), ("Expires", "Mon, 23 Nov 2026 01:00:00 GMT")], 0),
        ([("Expires", "0")], 0),
        ([("Expires", "3600")], 0),
    ],
)
def test_freshness(headers: list[tuple[str, str]], seconds: float) -> None:
    assert freshness(headers) == seconds


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ([], DAY),
        ([("Age", "80000")], DAY),
        ([("Cache-Control", "max-age=600"), ("Age", "100")], 500),
        ([("Cache-Control", "max-age=600"), ("Age", "700")], 0),
        ([("Cache-Control", "max-age=600"), ("Age", "young")], 600),
        ([("Cache-Control", "max-age=604800"), ("Age", "172800")], DAY),
        ([("Cache-Control", "max-age=600"), ("Date", "Sun, 22 Nov 2026 23:55:00 GMT")], 300),
        ([("Cache-Control", "max-age=600"), ("Date", "Mon, 23 Nov 2026 00:30:00 GMT")], 600),
        ([("Expires", "Mon, 23 Nov 2026 01:00:00 GMT")], 3600),
        ([("Date", "never"), ("Expires", "Mon, 23 Nov 2026 01:00:00 GMT")], 3600),
    ],
)
def test_what_is_left_when_an_answer_arrives(headers: list[tuple[str, str]], seconds: float) -> None:
    assert remaining(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "asked"),
    [
        ([], []),
        ([(b"etag", b'"a"')], [(b"If-None-Match", b'"a"')]),
        ([(b"ETag", b' W/"\xe9" ')], [(b"If-None-Match", b'W/"\xe9"')]),
        ([(b"etag", b"bare")], []),
        ([(b"etag", b'"a b"')], []),
        ([(b"etag", b'"' + b"a" * 2000 + b'"')], []),
        (
            [(b"last-modified", b"Mon, 23 Nov 2026 00:00:00 GMT")],
            [(b"If-Modified-Since", b"Mon, 23 Nov 2026 00:00:00 GMT")],
        ),
        ([(b"last-modified", b"yesterday")], []),
    ],
)
def test_validators(headers: list[tuple[bytes, bytes]], asked: list[tuple[bytes, bytes]]) -> None:
    assert list(validators(headers)) == asked


@pytest.mark.parametrize(
    ("answer", "holds"),
    [([], True), ([(b"ETag", b'W/"a"')], True), ([(b"ETag", b'"b"')], False), ([(b"etag", b"a")], False)],
)
def test_a_304_must_speak_of_the_copy(answer: list[tuple[bytes, bytes]], holds: bool) -> None:
    assert validates([(b"etag", b'"a"')], answer) is holds


def test_a_304_replaces_what_it_names() -> None:
    stored = (
        (b"content-type", b"text/plain"), (b"content-length", b"9"), (b"cache-control", b"max-age=1"),
        (b"cache-control", b"public"), (b"age", b"500"), (b"date", b"then"), (b"x-own", b"1"), (b"etag", b'"a"'),
    )  # fmt: skip
    answer = (
        (b"Cache-Control", b"max-age=900"), (b"Content-Type", b"text/html"), (b"Content-Length", b"0"),
        (b"Connection", b"close, X-Hop"), (b"X-Hop", b"1"), (b"Date", b"now"),
    )  # fmt: skip
    assert freshened(stored, answer) == (
        (b"content-type", b"text/plain"), (b"content-length", b"9"), (b"x-own", b"1"), (b"etag", b'"a"'),
        (b"Cache-Control", b"max-age=900"), (b"Date", b"now"),
    )  # fmt: skip
    assert freshened(stored, ())[-1] == (b"etag", b'"a"')
    assert b"age" not in dict(freshened(stored, ()))


def test_no_store_is_not_kept() -> None:
    assert may_be_kept([("Cache-Control", "no-cache, max-age=0")])
    assert not may_be_kept([("Cache-Control", "public"), ("cache-control", "max-age=60, No-Store")])


@given(HEADERS, HEADERS)
def test_any_headers_will_do(stored: list[tuple[bytes, bytes]], answer: list[tuple[bytes, bytes]]) -> None:
    assert 0 <= remaining(stored, NOW) <= freshness(stored, NOW) <= MAX_AGE
    assert all(b"\r" not in value and b"\n" not in value for _, value in validators(stored))
    once = freshened(stored, answer)
    assert freshness(once, NOW) >= 0
    assert validates(once, answer) or not validates(stored, answer) or b"etag" in {n.lower() for n, _ in answer}
