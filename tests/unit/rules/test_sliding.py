"""Sliding windows agree with a scan of every event, ties and repeats included.

``RULES_CASES`` sets how many sets of events each test tries; the default keeps the run short.
"""

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_code.rules.sliding import distinct_before, sliding_values

CASES = settings(max_examples=int(os.environ.get("RULES_CASES", "300")), deadline=None)
GREATEST = 2**63 - 1


class Event(NamedTuple):
    """One payment event; its place in a list is its place in key order."""

    time: int
    subject: int = 0
    item: int = 0
    counted: bool = True
    weight: int = 1


EVENTS = st.lists(
    st.builds(
        Event,
        time=st.integers(0, 8),
        subject=st.integers(-1, 2),
        item=st.integers(-1, 3),
        counted=st.booleans() | st.just(value=True),
        weight=st.integers(0, 3) | st.sampled_from([2**32 - 1, 2**32, GREATEST]),
    ),
    max_size=20,
).map(lambda events: sorted(events, key=lambda event: event.time))
LENGTHS = st.integers(1, 10)


def arrays(events: Sequence[Event]) -> dict[str, Any]:
    return {
        "times": np.array([event.time for event in events], dtype=np.int64),
        "subjects": np.array([event.subject for event in events], dtype=np.int64),
        "counted": np.array([event.counted for event in events], dtype=np.bool_),
        "items": np.array([event.item for event in events], dtype=np.int64),
    }


def counts(events: Sequence[Event], within: int) -> list[int]:
    values: list[int] = sliding_values(**arrays(events), within=within).tolist()
    return values


def sums(events: Sequence[Event], within: int) -> list[int]:
    weights = np.array([event.weight for event in events], dtype=np.int64)
    values: list[int] = sliding_values(**arrays(events), within=within, weights=weights).tolist()
    return values


def scan(events: Sequence[Event], position: int, within: int) -> list[int]:
    """Return the counted events of the window that ends with an event."""
    end = events[position]
    return [
        place
        for place, event in enumerate(events)
        if event.counted
        and event.subject == end.subject != -1
        and end.time - within < event.time <= end.time
    ]


def firsts(events: Sequence[Event], places: Sequence[int]) -> list[Event]:
    """Return the first event of each item."""
    found: dict[int, Event] = {}
    for place in places:
        found.setdefault(events[place].item, events[place])
    return [event for item, event in found.items() if item != -1]


@CASES
@given(EVENTS, LENGTHS)
def test_a_window_counts_each_item_once(events: list[Event], within: int) -> None:
    expected = [len(firsts(events, scan(events, place, within))) for place in range(len(events))]
    assert counts(events, within) == expected


@CASES
@given(EVENTS, LENGTHS)
def test_a_window_sums_the_first_weight_of_each_item(events: list[Event], within: int) -> None:
    expected = [
        sum(event.weight for event in firsts(events, scan(events, place, within)))
        for place in range(len(events))
    ]
    assert sums(events, within) == expected


@CASES
@given(EVENTS, LENGTHS)
def test_distinct_items_before_an_event_end_at_its_place(events: list[Event], within: int) -> None:
    expected = [
        len(firsts(events, [i for i in scan(events, place, within) if i < place]))
        for place in range(len(events))
    ]
    assert distinct_before(**arrays(events), within=within).tolist() == expected


def test_an_event_leaves_when_it_is_exactly_as_old_as_the_window_is_long() -> None:
    events = [Event(0, item=1), Event(9, item=2), Event(10, item=3)]
    assert counts(events, within=10) == [1, 2, 2]


def test_an_event_behind_in_key_order_at_the_same_time_counts() -> None:
    assert counts([Event(5, item=1), Event(5, item=2)], within=1) == [2, 2]


def test_a_payment_of_several_statuses_counts_once_until_its_last_event_leaves() -> None:
    events = [
        Event(0, item=1, weight=7),
        Event(6, item=1, weight=9),
        Event(9, item=2, weight=0),
        Event(12, item=2, weight=0),
        Event(16, item=2, weight=0),
    ]
    assert counts(events, within=10) == [1, 1, 2, 2, 1]
    assert sums(events, within=10) == [7, 7, 7, 9, 0]


def test_a_sum_goes_beyond_64_bits_without_losing_a_cent() -> None:
    events = [Event(time, item=time, weight=GREATEST) for time in range(1000)]
    assert sums(events, within=1000) == [GREATEST * number for number in range(1, 1001)]


def test_codes_and_times_of_any_size_keep_subjects_apart() -> None:
    start, far = 2**61, 2**62
    events = [
        Event(start, subject=far, item=far),
        Event(start + 1, subject=far + 1, item=far),
        Event(start + 2, subject=far, item=far + 1),
    ]
    assert counts(events, within=2**60) == [1, 1, 2]


@pytest.mark.parametrize("subject", [0, -1])
def test_no_event_that_counts_makes_zeros(subject: int) -> None:
    events = [Event(1, subject, counted=subject == -1), Event(2, subject, item=-1)]
    assert (counts(events, within=5), sums(events, within=5)) == ([0, 0], [0, 0])


def test_no_events_have_no_values() -> None:
    assert (counts([], within=5), sums([], within=5)) == ([], [])
