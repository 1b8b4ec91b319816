"""Daily windows, with and without midnight in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.policy.visit_time import DAY, open_seconds, window_wait

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
