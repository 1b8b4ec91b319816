"""What is remembered of robots.txt across jobs: conditional requests, copies as evidence."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from archiver.clock import ManualClock, iso
from archiver.errors import DiskError
from archiver.policy.profiles import RobotsLines
from archiver.ports import RobotsCopy
from tests.wire.awkward import head
from tests.wire.rawserver import RawServer, Reply
from tests.wire.robots_bench import (
    DAY,
    RULES,
    Fetcher,
    Make,
    answer,
    clock,
    fetcher,
    is_allowed,
    is_deferred,
    is_disallowed,
    is_unreachable_but_known,
    make,
    page,
)

__all__ = ["clock", "fetcher", "make"]

OOPS = Reply((answer(b"", b"500 Oops"),))
GONE = Reply((answer(RULES, b"404 Not Found"),))
SILENT = Reply((), "hang")
TAG = b'ETag: "v1"'
MODIFIED = b"Last-Modified: Mon, 21 Sep 2026 00:00:00 GMT"


def not_modified(*lines: bytes) -> bytes:
    return head(*lines, status=b"HTTP/1.1 304 Not Modified")


def revalidating(full: bytes, *renewed: bytes) -> Callable[[bytes], Reply]:
    """A server that knows what it sent."""
    return lambda asked: Reply((not_modified(*renewed) if b"\r\nIf-" in asked else full,))


def conditions(asked: bytes) -> dict[str, str]:
    return dict(re.findall(r"^(If-[A-Za-z-]+): (.*)\r$", asked.decode(), re.M))


# --- whether it still holds ---


async def test_the_next_job_asks_whether_the_copy_still_holds(
    make: Make, fetcher: Fetcher, plain: RawServer, clock: ManualClock, tmp_path: Path
) -> None:
    state, began = tmp_path / "robots.sqlite", clock.now()
    plain.replies["/robots.txt"] = revalidating(answer(RULES, b"200 OK", TAG, MODIFIED), b"Cache-Control: max-age=900")
    first = await make(state).ask(page(plain), fetcher)
    assert (first.evidence, conditions(plain.requests[0][1]), fetcher.kept) == ("urn:uuid:0", {}, [])
    clock.advance(40 * DAY)
    service = make(state)
    found = await service.ask(page(plain), fetcher)
    is_disallowed(found)
    assert conditions(plain.requests[1][1]) == {
        "If-None-Match": '"v1"',
        "If-Modified-Since": "Mon, 21 Sep 2026 00:00:00 GMT",
    }
    assert (found.state, found.evidence) == ("fresh", "urn:uuid:copy-1")
    assert found.detail["status"] == 304
    assert found.detail["copy"] == {
        "fetchedAt": iso(began), "validatedAt": iso(clock.now()), "original": "urn:uuid:0", "answer": "urn:uuid:1",
    }  # fmt: skip
    kept = fetcher.kept[0]
    assert (kept.url, kept.body, kept.truncated) == (plain.url("/robots.txt"), RULES, False)
    assert (kept.fetched_at, kept.validated_at) == (began, clock.now())
    assert (kept.original, kept.answer) == ("urn:uuid:0", "urn:uuid:1")
    assert (b"cache-control", b"max-age=900") in kept.headers
    clock.advance(899)  # the life that the 304 gave counts from now
    await service.ask(page(plain), fetcher)
    assert len(plain.requests) == 2
    clock.advance(2)
    again = await service.ask(page(plain), fetcher)
    assert len(plain.requests) == 3
    assert (again.evidence, len(fetcher.kept)) == ("urn:uuid:copy-1", 1)  # this job has its record already
    assert again.detail["copy"]["answer"] == "urn:uuid:2"


async def test_a_copy_confirmed_lately_serves_through_an_outage(
    make: Make, fetcher: Fetcher, plain: RawServer, clock: ManualClock, tmp_path: Path
) -> None:
    state, began = tmp_path / "robots.sqlite", clock.now()
    plain.replies["/robots.txt"] = revalidating(answer(RULES, b"200 OK", TAG))
    await make(state).ask(page(plain), fetcher)
    clock.advance(29 * DAY)
    confirmed = clock.now()
    await make(state).ask(page(plain), fetcher)
    plain.replies["/robots.txt"] = SILENT
    clock.advance(29 * DAY)
    found = await make(state).ask(page(plain), fetcher)
    is_unreachable_but_known(found)
    assert (found.detail["copy"]["fetchedAt"], found.detail["copy"]["validatedAt"]) == (iso(began), iso(confirmed))
    assert found.detail["copy"]["original"] == "urn:uuid:0"
    assert found.evidence == "urn:uuid:copy-2"


async def test_within_a_job_its_own_response_stays_the_evidence(
    make: Make, fetcher: Fetcher, plain: RawServer, clock: ManualClock
) -> None:
    plain.replies["/robots.txt"] = revalidating(answer(RULES, b"200 OK", TAG, b"Cache-Control: max-age=400"))
    service = make()
    await service.ask(page(plain), fetcher)
    clock.advance(401)
    found = await service.ask(page(plain), fetcher)
    assert conditions(plain.requests[1][1]) == {"If-None-Match": '"v1"'}
    assert (found.evidence, found.detail["copy"]["answer"]) == ("urn:uuid:0", "urn:uuid:1")
    plain.replies["/robots.txt"] = OOPS
    clock.advance(401)
    found = await service.ask(page(plain), fetcher)
    is_unreachable_but_known(found)
    assert (found.evidence, fetcher.kept) == ("urn:uuid:0", [])
    assert found.objection is not None and found.objection.evidence == "urn:uuid:0"


async def test_a_changed_file_replaces_the_copy(make: Make, fetcher: Fetcher, plain: RawServer, tmp_path: Path) -> None:
    state = tmp_path / "robots.sqlite"
    plain.reply("/robots.txt", answer(RULES, b"200 OK", TAG))
    await make(state).ask(page(plain), fetcher)
    plain.reply("/robots.txt", answer(b"User-agent: *\nAllow: /\n", b"200 OK", b'ETag: "v2"'))
    found = await make(state).ask(page(plain), fetcher)
    is_allowed(found)
    assert (found.evidence, "copy" in found.detail, fetcher.kept) == ("urn:uuid:1", False, [])
    await make(state).ask(page(plain), fetcher)
    assert conditions(plain.requests[2][1]) == {"If-None-Match": '"v2"'}


@pytest.mark.parametrize(
    "confused",
    [not_modified(b'ETag: "v2"'), answer(b"", b"412 Precondition Failed"), answer(b"", b"400 Bad Request")],
    ids=["304 about another tag", "412", "400"],
)
async def test_an_answer_about_the_conditions_only_is_no_answer(
    make: Make, fetcher: Fetcher, plain: RawServer, tmp_path: Path, confused: bytes
) -> None:
    state = tmp_path / "robots.sqlite"
    plain.replies["/robots.txt"] = lambda asked: Reply(
        (confused if conditions(asked) else answer(RULES, b"200 OK", TAG),)
    )
    await make(state).ask(page(plain), fetcher)
    found = await make(state).ask(page(plain), fetcher)
    is_disallowed(found)
    assert (found.state, found.evidence, fetcher.kept) == ("fresh", "urn:uuid:2", [])
    assert [bool(conditions(asked)) for _, asked in plain.requests] == [False, True, False]


async def test_a_304_that_nobody_asked_for_says_nothing(
    make: Make, fetcher: Fetcher, plain: RawServer, clock: ManualClock, tmp_path: Path
) -> None:
    state = tmp_path / "robots.sqlite"
    plain.reply("/robots.txt", answer())  # without a validator
    await make(state).ask(page(plain), fetcher)
    plain.reply("/robots.txt", not_modified())
    is_unreachable_but_known(await make(state).ask(page(plain), fetcher))
    assert conditions(plain.requests[1][1]) == {}
    clock.advance(31 * DAY)
    is_deferred(await make(state, lines=RobotsLines(undefined="disallow")).ask(page(plain), fetcher))


async def test_only_a_copy_from_the_url_itself_is_asked_about(
    make: Make, fetcher: Fetcher, plain: RawServer, tmp_path: Path
) -> None:
    state = tmp_path / "robots.sqlite"
    plain.reply("/robots.txt", answer(b"", b"301 Moved", b"Location: /elsewhere"))
    plain.reply("/elsewhere", answer(RULES, b"200 OK", TAG))
    await make(state).ask(page(plain), fetcher)
    is_disallowed(await make(state).ask(page(plain), fetcher))
    assert [conditions(asked) for _, asked in plain.requests] == [{}] * 4
    plain.reply("/robots.txt", answer(RULES, b"200 OK", TAG))
    await make(state).ask(page(plain), fetcher)
    plain.reply("/robots.txt", answer(b"", b"301 Moved", b"Location: /elsewhere"))
    plain.reply("/elsewhere", not_modified())  # the condition was for /robots.txt and does not travel
    is_unreachable_but_known(await make(state).ask(page(plain), fetcher))
    assert [bool(conditions(asked)) for _, asked in plain.requests[-2:]] == [True, False]


async def test_a_cut_copy_says_so(make: Make, fetcher: Fetcher, plain: RawServer, tmp_path: Path) -> None:
    state = tmp_path / "robots.sqlite"
    long = RULES + b"# " + b"x" * 600_000 + b"\nUser-agent: *\nDisallow: /late\n"
    plain.replies["/robots.txt"] = revalidating(answer(long, b"200 OK", TAG))
    await make(state).ask(page(plain), fetcher)
    found = await make(state).ask(page(plain, "/late"), fetcher)
    is_allowed(found)
    assert found.detail["truncated"] is True
    assert (fetcher.kept[0].truncated, len(fetcher.kept[0].body)) == (True, 512_001)


async def test_a_copy_that_cannot_be_kept_gives_no_answer(
    make: Make, fetcher: Fetcher, plain: RawServer, tmp_path: Path
) -> None:
    """A decision never cites a record that does not exist."""

    class Full(Fetcher):
        async def keep(self, copy: RobotsCopy) -> str:
            raise DiskError("no space left")

    state = tmp_path / "robots.sqlite"
    plain.replies["/robots.txt"] = revalidating(answer(RULES, b"200 OK", TAG))
    await make(state).ask(page(plain), fetcher)
    service = make(state)
    with pytest.raises(DiskError, match="no space"):
        await service.ask(page(plain), Full(fetcher.client, fetcher.dialer))
    assert (await service.ask(page(plain), fetcher)).evidence == "urn:uuid:copy-1"


# --- what may not be kept ---


async def test_a_no_store_copy_ends_with_the_job(
    make: Make, fetcher: Fetcher, plain: RawServer, clock: ManualClock, tmp_path: Path
) -> None:
    state = tmp_path / "robots.sqlite"
    plain.reply("/robots.txt", answer(RULES, b"200 OK", TAG, b"Cache-Control: no-store"))
    service = make(state)
    await service.ask(page(plain), fetcher)
    plain.replies["/robots.txt"] = OOPS
    for _ in range(2):
        clock.advance(400)
        found = await service.ask(page(plain), fetcher)
        is_unreachable_but_known(found)
        assert (found.evidence, fetcher.kept) == ("urn:uuid:0", [])
    is_deferred(await make(state).ask(page(plain), fetcher))
    assert [conditions(asked) for _, asked in plain.requests] == [{}] * 4


async def test_a_304_may_forbid_to_keep_the_copy(
    make: Make, fetcher: Fetcher, plain: RawServer, tmp_path: Path
) -> None:
    state = tmp_path / "robots.sqlite"
    plain.replies["/robots.txt"] = revalidating(answer(RULES, b"200 OK", TAG), b"Cache-Control: no-store")
    await make(state).ask(page(plain), fetcher)
    is_disallowed(await make(state).ask(page(plain), fetcher))
    is_disallowed(await make(state).ask(page(plain), fetcher))
    assert [bool(conditions(asked)) for _, asked in plain.requests] == [False, True, False]


async def test_a_file_that_is_gone_takes_its_copy_along(
    make: Make, fetcher: Fetcher, plain: RawServer, tmp_path: Path
) -> None:
    state = tmp_path / "robots.sqlite"
    plain.reply("/robots.txt", answer(RULES, b"200 OK", TAG))
    await make(state).ask(page(plain), fetcher)
    plain.replies["/robots.txt"] = GONE
    is_allowed(await make(state).ask(page(plain), fetcher))
    plain.replies["/robots.txt"] = OOPS
    is_deferred(await make(state).ask(page(plain), fetcher))


# --- how long an answer holds ---


@pytest.mark.parametrize(
    ("lines", "life"),
    [
        ((b"Cache-Control: max-age=3600", b"Age: 3000"), 600),
        ((b"Cache-Control: max-age=3600", b"Age: 3500"), 300),
        ((b"Expires: 0",), 300),
        ((b"Age: 90000",), DAY),
        ((b"Cache-Control: no-store",), 300),
    ],
    ids=["spent elsewhere", "never under five minutes", "expired", "nothing stated", "no-store"],
)
async def test_what_it_spent_in_other_caches_counts(
    make: Make, fetcher: Fetcher, plain: RawServer, clock: ManualClock, lines: tuple[bytes, ...], life: float
) -> None:
    plain.reply("/robots.txt", answer(RULES, b"200 OK", *lines))
    service = make()
    await service.ask(page(plain), fetcher)
    clock.advance(life - 1)
    await service.ask(page(plain), fetcher)
    assert len(plain.requests) == 1
    clock.advance(2)
    await service.ask(page(plain), fetcher)
    assert len(plain.requests) == 2


# --- clocks and processes ---


async def test_a_copy_from_the_future_is_as_old_as_it_seems_young(
    make: Make, fetcher: Fetcher, plain: RawServer, clock: ManualClock, tmp_path: Path
) -> None:
    state = tmp_path / "robots.sqlite"
    plain.reply("/robots.txt", answer())
    await make(state).ask(page(plain), fetcher)
    clock.advance(0, wall=-40 * DAY)
    plain.replies["/robots.txt"] = OOPS
    is_deferred(await make(state).ask(page(plain), fetcher))


async def test_jobs_at_once_share_copies_and_outages(
    make: Make, fetcher: Fetcher, plain: RawServer, clock: ManualClock, tmp_path: Path
) -> None:
    """One job fails while another one gets an answer: the copy of the second stays."""
    state = tmp_path / "robots.sqlite"
    one, two = make(state), make(state)
    plain.replies["/robots.txt"] = OOPS
    is_deferred(await one.ask(page(plain), fetcher))
    plain.reply("/robots.txt", answer(RULES, b"200 OK", TAG))
    is_disallowed(await two.ask(page(plain), fetcher))
    plain.replies["/robots.txt"] = OOPS
    clock.advance(61)
    found = await one.ask(page(plain), fetcher)
    is_unreachable_but_known(found)
    assert found.evidence == "urn:uuid:copy-1"
    assert found.detail["unreachableSince"] == iso(datetime.fromtimestamp(clock.epoch(), UTC))
