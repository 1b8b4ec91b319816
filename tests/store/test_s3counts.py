"""Signs of life: answers, and bytes that go further than before; a server that swallows everything gives none."""

from __future__ import annotations

import io

from archiver.store.s3counts import Counted, S3Counts


def sent(counts: S3Counts, what: str, data: bytes) -> bool:
    """Whether sending that much of a body counts as a sign of life."""
    counts.moved = 0.0
    with Counted(io.BytesIO(data), lambda at: counts.sent(what, at)) as body:
        while body.read(4):
            """As a client does."""
    return counts.moved > 0.0


def test_each_try_counts_only_as_far_as_none_came_before() -> None:
    counts = S3Counts()
    assert [sent(counts, "put a", b"x" * size) for size in (8, 8, 4, 12, 12)] == [True, False, False, True, False]
    assert sent(counts, "put b", b"x")
    counts.answered("put a", 12)
    assert sent(counts, "put a", b"x"), "answered: the next request of that name is another"


def test_what_is_told_of_requests() -> None:
    counts = S3Counts()
    for again in (False, True, True):
        counts.asked("put_object", again=again)
    counts.asked("head_object", again=False)
    counts.answered("put_object a", 100)
    counts.read(40)
    assert counts.as_json() == {
        "requests": 4, "again": 2, "operations": {"put_object": 3, "head_object": 1}, "bytes_up": 100,
        "bytes_down": 40,
    }  # fmt: skip
