"""Daily windows, with and without midnight in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.model import Reason, Verdict
from archiver.policy.visit_time import DAY, clock_of, open_seconds, outside_hours, window_wait

windows = st.lists(st.tuples(st.integers(0, 1439), st.integers(0, 1439)), min_size=1, max_size=4).map(tuple)


@pytest.mark.parametrize(
    ("minute", "window", "minutes"),
    [
        (0, (60, 120), 60),
        (60, (60, 120), 0),
        (119, (60, 120), 0),
        (120, (60, 120), 1380),
        (1430, (1380, 60), 0),
        (30, (1380, 60), 0),
        (60, (1380, 60), 1320),
        (700, (30, 30), 0),
    ],
)
def test_the_wait_for_one_window(minute: int, window: tuple[int, int], minutes: int) -> None:
    assert window_wait((window,), 20_000 * DAY + minute * 60) == minutes * 60


def test_no_window_is_no_wait() -> None:
    assert window_wait((), 12345.0) == 0.0
    assert open_seconds(()) == DAY


@given(windows, st.integers(0, 2_000_000_000))
def test_after_the_wait_a_window_is_open(windows: tuple[tuple[int, int], ...], epoch: int) -> None:
    wait = window_wait(windows, float(epoch))
    assert 0.0 <= wait < DAY
    assert window_wait(windows, epoch + wait) == 0.0


@given(windows)
def test_open_seconds_are_what_a_walk_over_the_day_counts(windows: tuple[tuple[int, int], ...]) -> None:
    walked = sum(60 for minute in range(1440) if window_wait(windows, minute * 60.0) == 0.0)
    assert open_seconds(windows) == walked


def test_outside_the_hours_is_a_deferral_until_they_open() -> None:
    window = ((120, 1440),)
    objection = outside_hours(window, 3600.0, "urn:uuid:1")
    assert objection is not None and objection.not_before is not None
    assert (objection.verdict, objection.reason) == (Verdict.DEFER, Reason.VISIT_TIME)
    assert (objection.rule, objection.evidence) == ("Visit-time: 0200-2400", "urn:uuid:1")
    assert objection.not_before.timestamp() == 7200.0
    assert outside_hours(window, 7200.0, None) is None and outside_hours((), 0.0, None) is None


def test_minutes_as_a_clock_shows_them() -> None:
    assert [clock_of(minute) for minute in (0, 61, 1439, 1440)] == ["00:00", "01:01", "23:59", "24:00"]
