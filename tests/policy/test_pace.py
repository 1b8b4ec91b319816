"""Pace is arithmetic: tables for what the rules say, properties for what must hold whatever comes."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.model import Reason
from archiver.policy import pace
from archiver.policy.pace_values import EXPLAIN, Answer, Bound, Heard, Moment, OriginState, Pace, permitted, reason
from archiver.ports import Declared, PaceRules

NOW = 1_790_000_000.0
FRESH = OriginState()
DAY = 86_400.0


def visited(
    state: OriginState, rules: Pace, *, start: float, end: float, burst: float = 0.0, **heard: float
) -> OriginState:
    began = pace.after_start(state, rules, start)
    told = Heard(
        answers=int(heard.get("answers", 1)), seconds=heard.get("seconds", 0.1), errors=int(heard.get("errors", 0))
    )
    return pace.after_visit(began, rules, start=start, end=end, burst=burst, heard=told)


def test_what_was_never_visited_may_be_visited_now() -> None:
    assert pace.visit_start(FRESH, Pace(), NOW) == Moment(at=NOW, bound=Bound.NONE)


@pytest.mark.parametrize(
    ("delay", "backoff", "took", "burst", "expected", "bound"),
    [
        (1.0, 0.0, 0.2, 0.0, 1.0, Bound.DELAY),
        (1.0, 7.0, 0.2, 0.0, 7.0, Bound.BACK_OFF),
        (1.0, 0.0, 0.5, 4.0, 4.5, Bound.PAYBACK),
        (5.0, 0.0, 1.0, 2.0, 5.0, Bound.DELAY),
        (1.0, 0.0, 30.0, 0.0, 30.0, Bound.NONE),
        (0.0, 0.0, 0.3, 2.0, 2.3, Bound.PAYBACK),
    ],
)
def test_the_next_visit(delay: float, backoff: float, took: float, burst: float, expected: float, bound: Bound) -> None:
    """Not before max(start + max(delay, back-off), end + burst)."""
    state = replace(FRESH, backoff=backoff, struck_at=NOW if backoff else -1.0)
    after = visited(state, Pace(delay=delay), start=NOW, end=NOW + took, burst=burst)
    following = pace.visit_start(after, Pace(delay=delay), NOW + took)
    assert following.at == pytest.approx(NOW + expected, rel=0, abs=1e-3)
    assert following.bound is bound


def test_a_killed_visit_still_leaves_the_gap() -> None:
    began = pace.after_start(FRESH, Pace(delay=3.0), NOW)
    assert pace.visit_start(began, Pace(delay=3.0), NOW + 1).at == NOW + 3


@pytest.mark.parametrize(
    ("own", "delay", "parallel", "expected_delay", "expected_parallel", "noted"),
    [
        (True, 0.0, 8, 0.0, 8, False),
        (False, 0.0, 1, 1.0, 1, True),
        (False, 0.25, 1, 1.0, 1, True),
        (False, 2.0, 4, 2.0, 1, True),
        (True, 2.0, 4, 2.0, 4, False),
    ],
)
def test_only_own_hosts_go_without_a_gap_or_several_at_a_time(
    own: bool, delay: float, parallel: int, expected_delay: float, expected_parallel: int, noted: bool
) -> None:
    allowed = permitted(PaceRules(delay=delay, parallel=parallel), own=own)
    assert (allowed.delay, allowed.parallel) == (expected_delay, expected_parallel)
    assert bool(allowed.note) is noted


def test_retry_after_is_obeyed_exactly_up_to_the_cap_then_the_host_is_parked() -> None:
    for seconds, rest, bound in [
        (0.0, 0.0, Bound.RETRY_AFTER),
        (-5.0, 0.0, Bound.RETRY_AFTER),
        (120.0, 120.0, Bound.RETRY_AFTER),
        (DAY, DAY, Bound.RETRY_AFTER),
        (DAY + 1, DAY, Bound.PARKED),
        (1e12, DAY, Bound.PARKED),
    ]:
        state = pace.after_answer(FRESH, Pace(), Answer(status=429, retry_after=seconds), NOW, jitter=0.9)
        assert state.rest_until - NOW == rest
        assert rest == 0.0 or state.rest_bound is bound


@pytest.mark.parametrize(("status", "rests"), [(301, True), (413, True), (500, True), (200, False), (206, False)])
def test_retry_after_counts_on_redirects_and_errors(status: int, rests: bool) -> None:
    state = pace.after_answer(FRESH, Pace(), Answer(status=status, retry_after=30.0), NOW, jitter=0.0)
    assert (state.rest_until > NOW) is rests
    assert state.strikes == 0


def test_without_retry_after_the_rest_doubles_from_a_minute() -> None:
    state, now, rests = FRESH, NOW, []
    for _ in range(4):
        state = pace.after_answer(state, Pace(), Answer(status=429), now, jitter=0.0)
        rests.append(state.rest_until - now)
        now = state.rest_until
    assert rests == [60.0, 120.0, 240.0, 480.0]
    assert state.rest_bound is Bound.BACK_OFF


def test_jitter_only_lengthens() -> None:
    short = pace.after_answer(FRESH, Pace(), Answer(status=503), NOW, jitter=0.0)
    long = pace.after_answer(FRESH, Pace(), Answer(status=503), NOW, jitter=0.99)
    assert 60.0 == short.rest_until - NOW < long.rest_until - NOW < 75.0


def test_answers_to_requests_under_way_are_one_strike() -> None:
    state = pace.after_answer(FRESH, Pace(), Answer(status=503, retry_after=0.0), NOW, jitter=0.0)
    late = pace.after_answer(state, Pace(), Answer(status=503, retry_after=2.0, seconds=0.5), NOW + 0.1, jitter=0.0)
    assert (late.strikes, late.unavailable) == (1, 1)
    assert late.rest_until == NOW + 2.1


def test_three_503_in_a_row_park_the_host_and_an_answer_in_between_does_not() -> None:
    def three(between: bool) -> OriginState:
        state, now = FRESH, NOW
        for _ in range(3):
            state = pace.after_answer(state, Pace(), Answer(status=503, retry_after=1.0), now, jitter=0.0)
            now = state.rest_until + 1
            if between:
                state = pace.take(state, Pace(), Answer(status=200), now, jitter=0.0)
        return state

    assert three(False).rest_bound is Bound.PARKED
    assert three(False).rest_span == DAY
    assert three(True).rest_bound is Bound.RETRY_AFTER


def test_gaps_count_from_when_the_site_saw_the_request() -> None:
    """A first request on a new connection arrives later than it starts; the gap after it must not look shorter."""
    rules = Pace(delay=1.0, request_delay=2.0)
    _, state = pace.request_start(pace.after_start(FRESH, rules, NOW), rules, NOW, limit=60.0)
    state = pace.take(state, rules, Answer(status=200, seconds=0.3), NOW + 0.31, jitter=0.0)
    assert state.next_request == pytest.approx(NOW + 2.31, rel=0, abs=1e-3)
    heard = Heard(answers=1, seconds=0.3, first_at=NOW + 0.31, first_seconds=0.3)
    state = pace.after_visit(state, rules, start=NOW, end=NOW + 0.32, burst=0.0, heard=heard)
    assert state.not_before == pytest.approx(NOW + 1.31, rel=0, abs=1e-3)


def test_a_process_without_cpu_sends_late_and_the_gap_counts_from_then() -> None:
    rules = Pace(delay=1.0, request_delay=2.0)
    _, state = pace.request_start(pace.after_start(FRESH, rules, NOW), rules, NOW, limit=60.0)
    state = pace.take(state, rules, Answer(status=200, seconds=0.01), NOW + 0.4, jitter=0.0)
    assert state.next_request == pytest.approx(NOW + 2.4, rel=0, abs=1e-3)
    heard = Heard(answers=1, seconds=0.01, first_at=NOW + 0.4, first_seconds=0.01)
    state = pace.after_visit(state, rules, start=NOW, end=NOW + 0.4, burst=0.0, heard=heard)
    assert state.not_before == pytest.approx(NOW + 1.4, rel=0, abs=1e-3)


def test_a_long_body_does_not_lengthen_the_gap() -> None:
    rules = Pace(delay=1.0, request_delay=2.0)
    _, state = pace.request_start(FRESH, rules, NOW, limit=60.0)
    state = pace.take(state, rules, Answer(status=200, seconds=0.3), NOW + 30, jitter=0.0)
    assert state.next_request == pytest.approx(NOW + 2.8, rel=0, abs=1e-3)


def test_recovery_is_gradual() -> None:
    rules = Pace(delay=1.0)
    state, now, gaps = FRESH, NOW, []
    for _ in range(3):
        state = pace.after_answer(state, rules, Answer(status=429, retry_after=5.0), now, jitter=0.0)
        now = state.rest_until + 1
    for _ in range(5):
        gaps.append(pace.gap(state, rules).at)
        state = visited(state, rules, start=now, end=now + 0.1)
        now += 100
    assert gaps == [8.0, 4.0, 2.0, 1.0, 1.0]
    assert not state.is_slowed(now)


def test_server_errors_widen_the_gap_within_bounds() -> None:
    rules, state = Pace(delay=1.0), FRESH
    for turn in range(8):
        state = visited(state, rules, start=NOW + 100 * turn, end=NOW + 100 * turn + 0.1, answers=5, errors=1)
    assert pace.gap(state, rules) == Moment(at=8.0, bound=Bound.BACK_OFF)


def test_a_host_that_gets_slow_is_asked_more_rarely_within_bounds() -> None:
    rules, state = Pace(delay=2.0), FRESH
    for turn in range(20):
        state = visited(state, rules, start=NOW + 100 * turn, end=NOW + 100 * turn + 1, seconds=0.2)
    assert pace.gap(state, rules).bound is Bound.DELAY
    for turn in range(20, 24):
        state = visited(state, rules, start=NOW + 100 * turn, end=NOW + 100 * turn + 1, seconds=8.0)
    slowed = pace.gap(state, rules)
    assert slowed.bound is Bound.LATENCY
    assert 4.0 < slowed.at <= 16.0


def test_a_host_that_always_was_slow_is_not_punished() -> None:
    rules, state = Pace(delay=2.0), FRESH
    for turn in range(20):
        state = visited(state, rules, start=NOW + 100 * turn, end=NOW + 100 * turn + 9, seconds=8.0)
    assert pace.gap(state, rules).bound is Bound.DELAY


def test_visit_time_moves_the_start_into_the_window() -> None:
    midnight = NOW - NOW % DAY
    rules = Pace(windows=((120, 300),))
    assert pace.visit_start(FRESH, rules, midnight) == Moment(at=midnight + 7200, bound=Bound.VISIT_TIME)
    assert pace.visit_start(FRESH, rules, midnight + 7200).bound is Bound.NONE
    # The caller's line of time may be another one than UTC.
    assert pace.visit_start(FRESH, rules, 0.0, shift=midnight + 3600).at == 3600.0


def test_a_wait_over_the_limit_is_not_reserved() -> None:
    rules = Pace(request_delay=10.0)
    _, state = pace.request_start(FRESH, rules, NOW, limit=60.0)
    told, same = pace.request_start(state, rules, NOW, limit=5.0)
    assert told == Moment(at=NOW + 10, bound=Bound.CRAWL_DELAY)
    assert same == state


def test_a_rest_binds_requests_too() -> None:
    state = pace.after_answer(FRESH, Pace(), Answer(status=429, retry_after=30.0), NOW, jitter=0.0)
    assert pace.request_start(state, Pace(), NOW, limit=0.0)[0] == Moment(at=NOW + 30, bound=Bound.RETRY_AFTER)


def test_a_clock_set_back_shortens_no_wait_to_nothing_and_none_to_an_hour() -> None:
    state = visited(FRESH, Pace(delay=2.0), start=NOW, end=NOW + 0.5)
    earlier = NOW - 3600
    assert pace.visit_start(pace.settle(state, earlier), Pace(delay=2.0), earlier).at == pytest.approx(earlier + 1.5)
    assert pace.settle(state, NOW + 1) == state


@pytest.mark.parametrize(
    ("pages", "requisites", "rules", "seconds"),
    [
        (0, 0, PaceRules(), 0.0),
        (1, 50, PaceRules(), 0.0),
        (101, 5, PaceRules(delay=1.0), 100.0),
        (10, 4, PaceRules(delay=1.0, declared=Declared(delay=2.0)), 98.0),
        (3, 0, PaceRules(delay=60.0, declared=Declared(delay=2.0)), 120.0),
        # 10,799 s of work in windows of one hour: two nights of 23 hours in between.
        (10_800, 0, PaceRules(declared=Declared(visit_time_utc=((60, 120),))), 10_799.0 + 2 * 82_800),
    ],
)
def test_the_estimate_for_a_dry_run(pages: int, requisites: int, rules: PaceRules, seconds: float) -> None:
    assert pace.estimate(pages, requisites, rules) == seconds


def test_every_bound_is_explained_and_has_a_reason() -> None:
    assert set(EXPLAIN) == set(Bound)
    assert {reason(bound) for bound in Bound} == {Reason.RATE_LIMITED, Reason.VISIT_TIME}


def test_a_burst_shorter_than_the_gap_that_is_left_changes_nothing() -> None:
    state = visited(FRESH, Pace(delay=10.0), start=NOW, end=NOW + 1)
    assert pace.after_burst(state, Pace(), burst=2.0, ended=NOW + 3) == state
    longer = pace.after_burst(state, Pace(), burst=9.0, ended=NOW + 3)
    assert (longer.not_before, longer.bound) == (NOW + 12, Bound.PAYBACK)
    assert pace.after_burst(FRESH, Pace(cap=5.0), burst=1e9, ended=NOW).not_before == NOW + 5


def test_robots_txt_reserves_by_the_delay_that_was_declared_before() -> None:
    assert pace.robots_start(FRESH, NOW) == (NOW, FRESH)
    rules = Pace(request_delay=4.0)
    _, state = pace.request_start(FRESH, rules, NOW, limit=60.0)
    start, reserved = pace.robots_start(state, NOW + 1)
    assert start == NOW + 4 + pace.LAG
    assert reserved.next_request == start + 4 + pace.LAG
    later, _ = pace.robots_start(state, NOW + 100)
    assert later == NOW + 100


def test_an_answer_at_once_moves_no_reservation_and_a_broken_one_no_count_of_503() -> None:
    rules = Pace(request_delay=2.0)
    _, state = pace.request_start(FRESH, rules, NOW, limit=60.0)
    assert pace.take(state, rules, Answer(status=200), NOW, jitter=0.0).next_request == NOW + 2
    failing = replace(FRESH, unavailable=2)
    assert pace.take(failing, Pace(), Answer(status=500), NOW, jitter=0.0).unavailable == 2
    assert pace.take(failing, Pace(), Answer(status=200), NOW, jitter=0.0).unavailable == 0


def test_a_request_before_the_delay_was_known_counts_from_when_it_was_made() -> None:
    rules = Pace(request_delay=4.0)
    state = pace.after_robots(FRESH, rules, NOW, NOW + 1)
    assert pace.visit_start(state, rules, NOW + 1) == Moment(at=NOW + 4, bound=Bound.CRAWL_DELAY)
    assert pace.after_robots(FRESH, rules, NOW, NOW + 9) == FRESH
    assert pace.after_robots(FRESH, Pace(), NOW, NOW) == FRESH


# --- properties -------------------------------------------------------------------------------------------------------

seconds = st.floats(min_value=0.0, max_value=500.0, allow_nan=False)
windows = st.lists(st.tuples(st.integers(0, 1439), st.integers(0, 1439)), max_size=3).map(tuple)


@given(delay=st.floats(0.1, 30.0), windows=windows, waits=st.lists(seconds, min_size=1, max_size=30), limit=seconds)
def test_request_starts_are_never_closer_than_declared(
    delay: float, windows: tuple[tuple[int, int], ...], waits: list[float], limit: float
) -> None:
    rules, state, now, starts = Pace(request_delay=delay, windows=windows), FRESH, NOW, []
    for wait in waits:
        now += wait
        start, state = pace.request_start(pace.settle(state, now), rules, now, limit=limit)
        if start.at - now <= limit:
            starts.append(start.at)
            assert start.at >= now
    assert all(later - earlier >= delay - 1e-6 for earlier, later in pairwise(starts))


@given(
    delay=st.floats(0.1, 10.0),
    visits=st.lists(st.tuples(seconds, seconds, seconds, st.sampled_from([200, 404, 500, 429, 503])), max_size=25),
)
def test_visits_keep_the_gap_and_pay_back_whatever_the_answers(
    delay: float, visits: list[tuple[float, float, float, int]]
) -> None:
    rules, state, now = Pace(delay=delay), FRESH, NOW
    last_start, last_end, last_burst = -1e12, -1e12, 0.0
    for idle, took, burst, status in visits:
        now = pace.visit_start(pace.settle(state, now), rules, now + idle).at
        assert now >= last_start + delay - 1e-6
        assert now >= last_end + last_burst - 1e-6
        assert now >= state.rest_until
        state = pace.after_start(state, rules, now)
        end = now + took
        state = pace.after_answer(state, rules, Answer(status=status, seconds=took), end, jitter=0.5)
        heard = Heard(answers=1, seconds=took, errors=int(status == 500)) if status < 501 and status != 429 else Heard()
        state = pace.after_visit(state, rules, start=now, end=end, burst=burst, heard=heard)
        last_start, last_end, last_burst, now = now, end, burst, end


@given(
    statuses=st.lists(
        st.tuples(st.sampled_from([429, 503, 301]), st.none() | st.floats(-10, 1e9), seconds), max_size=20
    ),
    step=st.floats(-1e8, 1e8),
)
def test_nothing_is_ever_further_off_than_the_cap(statuses: list[tuple[int, float | None, float]], step: float) -> None:
    state, now = FRESH, NOW
    for status, retry_after, later in statuses:
        now += later
        answer = Answer(status=status, retry_after=retry_after)
        state = pace.after_answer(state, Pace(), answer, now, jitter=0.5)
        assert state.rest_until <= now + DAY + 1e-3
    settled = pace.settle(state, now + step)
    assert pace.visit_start(settled, Pace(), now + step).at <= now + step + DAY + 1e-3


@given(
    bursts=st.lists(st.tuples(seconds, seconds), max_size=6),
    took=seconds,
    burst=seconds,
    delay=st.floats(0.1, 10.0),
)
def test_bursts_from_elsewhere_are_paid_back_whenever_they_end(
    bursts: list[tuple[float, float]], took: float, burst: float, delay: float
) -> None:
    rules = Pace(delay=delay)
    state, end, owed = pace.after_start(FRESH, rules, NOW), NOW + took, [NOW + delay]
    for length, ended in sorted(bursts, key=lambda one: one[1]):
        at = NOW + min(ended, took)
        state = pace.after_burst(pace.settle(state, at), rules, burst=length, ended=at)
        owed.append(at + length)
    state = pace.after_visit(pace.settle(state, end), rules, start=NOW, end=end, burst=burst)
    assert pace.visit_start(state, rules, end).at >= max(*owed, end + burst) - 1e-6
