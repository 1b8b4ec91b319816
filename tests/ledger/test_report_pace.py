"""When requests were made."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archiver.ledger.report_pace import CHARTED, OTHERS, PARTS, Asked, Timeline, epoch_of


def test_the_smallest_gap_whatever_the_order() -> None:
    asked = Asked()
    for epoch in (10.0, 13.0, 12.5, 15.0):
        asked.request(epoch)
    assert asked.gap == 0.5
    assert asked.rest is None


def test_the_shortest_rest_after_being_told_to() -> None:
    asked = Asked()
    asked.request(0.0)
    for told, again in ((1.0, 61.0), (62.0, 70.0), (71.0, 100.0)):
        asked.told_to_rest(told)
        asked.request(again)
    assert asked.rest == 8.0
    asked.told_to_rest(200.0)
    asked.request(199.0)  # on its way already
    assert asked.rest == 8.0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 10**7)), min_size=1))
def test_every_request_is_in_one_part(made: list[tuple[str, int]]) -> None:
    timeline = Timeline()
    first = made[0][1]
    for name, second in made:
        timeline.add(name, float(first + second))
    assert {name: sum(counts) for name, counts in timeline.origins.items()} == {
        name: sum(one == name for one, _ in made) for name, _ in made
    }
    assert all(len(counts) == PARTS for counts in timeline.origins.values())
    assert timeline.width * PARTS > max(second for _, second in made) - made[0][1]


def test_memory_has_an_end() -> None:
    timeline = Timeline()
    for number in range(3 * CHARTED):
        timeline.add(f"o{number:04}", float(number))
    assert len(timeline.origins) == CHARTED + 1
    shown = timeline.busiest(2)
    assert [name for name, _ in shown] == ["o0000", "o0001", OTHERS]
    assert sum(sum(counts) for _, counts in shown) == 3 * CHARTED
    assert Timeline().busiest(5) == []


@pytest.mark.parametrize(
    ("t", "epoch"),
    [("1970-01-01T00:01:00.500Z", 60.5), ("1970-01-01T00:01:00", 60.0), ("soon", None), (None, None)],
)
def test_times(t: object, epoch: float | None) -> None:
    assert epoch_of(t) == epoch
