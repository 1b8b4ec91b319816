from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from archiver.model import Access, CaptureItem, Truncated
from archiver.warc.dedup import MIN_PAYLOAD, Dedup, Key, key_of
from archiver.warc.reader import iter_records
from archiver.warc.records import REVISIT_PROFILE, Original, measure
from archiver.warc.verify import verify_file, verify_paths
from tests.warc.samples import capture, exchange, streams, write_warc

BODY = b"x" * MIN_PAYLOAD


def same(
    url: str = "http://example.org/b", body: bytes = BODY, access: Access = Access.OPEN, **changes: Any
) -> CaptureItem:
    return capture(exchange(url, body=body, **changes), access=access)


def _key(item: CaptureItem) -> Key:
    found = key_of(item, measure(item))
    assert found is not None
    return found


def original(item: CaptureItem) -> Original:
    return Original(item.response_id, item.exchange.url, "2026-11-23T12:00:00.123Z")


def test_a_repeat_becomes_a_revisit(tmp_path: Path) -> None:
    first, second = same("http://example.org/a"), same("http://example.org/b")
    made = streams(tmp_path)
    recorded = made.write([first]) + made.write([second])
    assert [r.revisit for r in recorded] == [False, True]
    path = Path(made.roll()[0].path)
    (revisit,) = [r for r in iter_records(path) if r.headers.type == "revisit"]
    assert revisit.block == b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    assert revisit.headers.get("WARC-Profile") == REVISIT_PROFILE
    assert revisit.headers.get("WARC-Refers-To") == f"<{first.response_id}>"
    assert revisit.headers.get("WARC-Refers-To-Target-URI") == "http://example.org/a"
    assert revisit.headers.get("WARC-Refers-To-Date") == "2026-11-23T12:00:00.123Z"
    assert verify_paths([path])[0].ok


def test_also_within_a_batch(tmp_path: Path) -> None:
    path = write_warc(tmp_path, same("http://example.org/a"), same("http://example.org/b"))
    assert [r.headers.type for r in iter_records(path)].count("revisit") == 1


@pytest.mark.parametrize(
    "bad",
    [
        same(truncated=Truncated.LENGTH),
        same(status=404),
        same(status=206),
        same(malformed="bare LF"),
        capture(exchange(body=BODY), dedupe=False),
        capture(exchange(body=BODY), drop_body=True),
        same(body=BODY[:-1]),
        same(access=Access.DARK),
        same(entity=BODY),
    ],
    ids=["truncated", "404", "206", "malformed", "no dedupe", "dropped", "small", "other access", "chunked"],
)
def test_never_to_nor_from(tmp_path: Path, bad: CaptureItem) -> None:
    """The same payload, but one of the two may not be pointed to, or may not point."""
    good = same("http://example.org/a", body=bad.exchange.entity_bytes())
    for number, pair in enumerate(([bad, good], [good, bad])):
        recorded = streams(tmp_path / str(number)).write(pair)
        assert [r.revisit for r in recorded] == [False, False]


def test_a_rolled_back_record_is_no_original() -> None:
    known, first, second = Dedup(), same("http://example.org/a"), same()
    known.add(_key(first), original(first))
    assert known.find(_key(second)) is not None
    known.rollback()
    assert known.find(_key(second)) is None


def test_memory_is_bounded_and_use_keeps() -> None:
    known = Dedup(capacity=2)
    items = [same(body=BODY + bytes([n])) for n in range(3)]
    for item in items:
        known.add(_key(item), original(item))
        known.commit()
        known.find(_key(items[0]))
    assert [known.find(_key(item)) is not None for item in items] == [True, False, True]


def test_a_revisit_may_point_into_a_closed_file(tmp_path: Path) -> None:
    made = streams(tmp_path)
    made.write([same("http://example.org/a")])
    made.roll()
    assert made.write([same()])[0].revisit
    files = sorted((tmp_path / "archive").glob("*.gz*"))
    assert not verify_paths([files[1]])[0].ok
    assert verify_file(files[1]).ok
    assert all(report.ok for report in verify_paths(files))
