"""What a host that says stop, or that slows down, gets: measured by the host, as in `test_pace`."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path

import pytest

from tests.system.paced import Page, html, in_turn, paced, save, with_images

pytestmark = pytest.mark.system


def in_seconds(seconds: float) -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("status", "retry_after", "rest"),
    [(429, "2", 2.0), (503, "a date", 2.0)],
    ids=["429 in seconds", "503 with a date"],
)
def test_a_visit_stops_at_once_and_the_rest_is_kept(tmp_path: Path, status: int, retry_after: str, rest: float) -> None:
    """The others of the first four are under way when it says so; the sixteen after them are never asked for."""

    def stop() -> Page:  # a date has whole seconds: the one below lies two to three seconds ahead
        wait = retry_after if retry_after.isdigit() else in_seconds(3)
        return Page(status=status, headers=(("Retry-After", wait),))

    pages = with_images("a", 20, 0.5)
    with paced({**pages, "/a-0.png": stop, "/b": html()}) as site:
        ran = save(tmp_path, [site.url("/a"), site.url("/b")], site)
    assert ran.code == 0, ran.err
    images, (following,) = site.of("/a-"), site.of("/b")
    stopped = next(hit for hit in images if hit.path == "/a-0.png")
    assert len(images) <= 4
    assert following.at - stopped.done >= rest
    matter = ran.objects[0]["completeness"]["matter"]
    assert {gap["reason"] for gap in matter} == {"rateLimited", "failed"} and len(matter) >= 17


@pytest.mark.parametrize(
    ("retry_after", "seconds"),
    [("3600", 3600), ("86400", 86_400), ("86401", 86_400), ("999999999999", 86_400), ("a date", 7200)],
)
def test_a_long_rest_is_kept_to_the_second_and_beyond_a_day_the_host_is_parked(
    tmp_path: Path, retry_after: str, seconds: int
) -> None:
    def stop() -> Page:
        wait = retry_after if retry_after.isdigit() else in_seconds(seconds)
        return Page(status=429, headers=(("Retry-After", wait),))

    with paced({"/a": stop, "/b": html()}) as site:
        began = time.time()
        ran = save(tmp_path, [site.url("/a"), site.url("/b")], site)
        ended = time.time()
    assert ran.code == 32 and "/b" not in site.paths()
    told = ran.objects[1]
    assert (told["status"], told["decision"]["reason"]) == ("deferred", "rateLimited")
    not_before = datetime.fromisoformat(told["decision"]["not_before"]).timestamp()
    assert began + seconds - 1.1 <= not_before <= ended + seconds + 0.1


def test_recovery_is_gradual(tmp_path: Path) -> None:
    """Two strikes make a gap of four seconds, a clean visit halves it."""
    stop = Page(status=429, headers=(("Retry-After", "1"),))
    answer = in_turn(stop, stop, html())
    with paced(dict.fromkeys(("/a", "/b", "/c", "/d", "/e"), answer)) as site:
        ran = save(tmp_path, [site.url(f"/{name}") for name in "abcde"], site)
    assert ran.code == 0, ran.err
    gaps = site.gaps(site.pages)
    assert all(gap >= least for gap, least in zip(gaps, (1.0, 1.0, 2.0, 1.0), strict=True)), gaps


def test_a_host_that_slows_down_is_asked_more_rarely(tmp_path: Path) -> None:
    """Six quick answers, then one of a second and a half: what follows waits twice the usual gap and more."""
    slow = Page(body=b"<p>", content_type="text/html", pause=1.5)
    answer = in_turn(*[html()] * 6, slow, html())
    with paced({f"/p{number}": answer for number in range(8)}) as site:
        ran = save(tmp_path, [site.url(f"/p{number}") for number in range(8)], site)
    assert ran.code == 0, ran.err
    gaps = site.gaps(site.pages)
    assert len(gaps) == 7 and min(gaps) >= 1.0
    assert gaps[-1] >= 2.0, gaps
