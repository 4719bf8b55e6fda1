"""Neighbours in time agree with a scan of every event, ties and repeats included.

``RULES_CASES`` sets how many sets of events each test tries; the default keeps the run short.
"""

import os
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_code.rules.neighbours import (
    earlier_statuses,
    followed_by,
    named_payments,
    previous_payments,
)

CASES = settings(max_examples=int(os.environ.get("RULES_CASES", "300")), deadline=None)


class Event(NamedTuple):
    """One payment event; its place in a list is its place in key order."""

    time: int
    payment: int
    subject: int = 0
    first: bool = True
    then: bool = True
    named: int = -1
    status: int = 1


EVENTS = st.lists(
    st.builds(
        Event,
        time=st.integers(0, 8),
        payment=st.integers(0, 3),
        subject=st.integers(-1, 2),
        first=st.booleans() | st.just(value=True),
        then=st.booleans(),
        named=st.integers(-1, 4),
    ),
    max_size=20,
).map(lambda events: sorted(events, key=lambda event: event.time))
# Few payments and many statuses, in the order of keys: by time, payment and status, each once.
OF_STATUSES = st.lists(
    st.builds(
        Event,
        time=st.integers(0, 8),
        payment=st.integers(0, 2),
        first=st.booleans() | st.just(value=True),
        status=st.integers(1, 3),
    ),
    max_size=20,
    unique_by=lambda event: (event.time, event.payment, event.status),
).map(lambda events: sorted(events, key=lambda event: (event.time, event.payment, event.status)))
LENGTHS = st.integers(1, 10)


def column(events: Sequence[Event], name: str) -> Any:
    kind = np.bool_ if name in {"first", "then"} else np.int64
    return np.array([getattr(event, name) for event in events], dtype=kind)


def previous(events: Sequence[Event], within: int) -> list[int]:
    positions: list[int] = previous_payments(
        times=column(events, "time"),
        subjects=column(events, "subject"),
        payments=column(events, "payment"),
        counted=column(events, "first"),
        within=within,
    ).tolist()
    return positions


def followers(events: Sequence[Event], times_needed: int, within: int) -> list[tuple[int, int]]:
    """Return the positions of followers with the numbers of payments that they follow."""
    positions, counts = followed_by(
        times=column(events, "time"),
        subjects=column(events, "subject"),
        payments=column(events, "payment"),
        first=column(events, "first"),
        then=column(events, "then"),
        times_needed=times_needed,
        within=within,
    )
    return list(zip(positions.tolist(), counts.tolist(), strict=True))


def named(events: Sequence[Event], within: int) -> list[int]:
    positions: list[int] = named_payments(
        times=column(events, "time"),
        payments=column(events, "payment"),
        counted=column(events, "first"),
        named=column(events, "named"),
        within=within,
    ).tolist()
    return positions


def own_past(events: Sequence[Event], within: int) -> list[int]:
    positions: list[int] = earlier_statuses(
        times=column(events, "time"),
        payments=column(events, "payment"),
        statuses=column(events, "status"),
        counted=column(events, "first"),
        within=within,
    ).tolist()
    return positions


def scan(
    events: Sequence[Event], within: int, related: Callable[[Event, Event], bool]
) -> list[list[int]]:
    """Return for each event the related ``first`` events before it, in key order."""
    return [
        [
            place
            for place, earlier in enumerate(events[:position])
            if earlier.first and event.time - earlier.time < within and related(event, earlier)
        ]
        for position, event in enumerate(events)
    ]


def of_another_payment(event: Event, earlier: Event) -> bool:
    return event.subject == earlier.subject != -1 and event.payment != earlier.payment


@CASES
@given(EVENTS, LENGTHS)
def test_the_previous_payment_is_the_last_other_one_of_the_subject(
    events: list[Event], within: int
) -> None:
    found = scan(events, within, of_another_payment)
    assert previous(events, within) == [places[-1] if places else -1 for places in found]


@CASES
@given(EVENTS, st.integers(1, 3), LENGTHS)
def test_followers_have_enough_other_payments_before_them(
    events: list[Event], times_needed: int, within: int
) -> None:
    found = scan(events, within, of_another_payment)
    numbers = [len({events[place].payment for place in places}) for places in found]
    expected = [
        (position, number)
        for position, number in enumerate(numbers)
        if events[position].then and number >= times_needed
    ]
    assert followers(events, times_needed, within) == expected


@CASES
@given(EVENTS, LENGTHS)
def test_a_named_payment_is_found_at_its_last_event(events: list[Event], within: int) -> None:
    found = scan(events, within, lambda event, earlier: event.named == earlier.payment)
    assert named(events, within) == [places[-1] if places else -1 for places in found]


@CASES
@given(OF_STATUSES, LENGTHS)
def test_a_payments_own_past_is_its_last_earlier_event_of_another_status(
    events: list[Event], within: int
) -> None:
    found = scan(
        events,
        within,
        lambda event, earlier: (
            event.payment == earlier.payment
            and event.status != earlier.status
            and event.time > earlier.time
        ),
    )
    assert own_past(events, within) == [places[-1] if places else -1 for places in found]


def test_what_a_payment_reports_at_one_time_is_not_its_past_whatever_the_numbers_say() -> None:
    at_once = [Event(5, 1, status=status) for status in (1, 2, 3)]
    assert own_past(at_once, within=10) == [-1, -1, -1]
    assert own_past([Event(0, 1, status=4), *at_once], within=10) == [-1, 0, 0, 0]


def test_a_status_that_is_reported_twice_has_the_same_past_both_times() -> None:
    statuses = (2, 2, 1, 1)
    events = [Event(time, 1, status=status) for time, status in enumerate(statuses)]
    assert own_past(events, within=10) == [-1, -1, 1, 1]


def test_a_payments_own_statuses_are_no_previous_payment() -> None:
    events = [Event(0, 7), Event(1, 8), Event(2, 8), Event(3, 8), Event(4, 7)]
    assert previous(events, within=10) == [-1, 0, 0, 0, 3]


def test_a_previous_payment_exactly_as_old_as_allowed_no_longer_counts() -> None:
    assert previous([Event(0, 1), Event(9, 2), Event(19, 3)], within=10) == [-1, 0, -1]


def test_events_at_the_same_time_precede_one_another_in_key_order() -> None:
    assert previous([Event(5, 1), Event(5, 2)], within=1) == [-1, 0]
    assert followers([Event(5, 1), Event(5, 2)], times_needed=1, within=1) == [(1, 1)]


def test_a_pattern_counts_payments_not_their_events() -> None:
    failures = [Event(0, 1, then=False), Event(1, 1, then=False), Event(2, 2, then=False)]
    completed = Event(3, 3, first=False)
    assert followers([*failures, completed], times_needed=2, within=10) == [(3, 2)]
    assert followers([*failures, completed], times_needed=3, within=10) == []


def test_a_pattern_counts_no_event_of_the_following_payment_itself() -> None:
    failed, completed = Event(0, 1, then=False), Event(1, 1, first=False)
    assert followers([failed, completed], times_needed=1, within=10) == []


def test_one_payment_of_two_subjects_is_counted_for_each_alone() -> None:
    events = [Event(0, 1, subject=0), Event(1, 2, subject=1), Event(2, 1, subject=1)]
    assert followers(events, times_needed=1, within=10) == [(2, 1)]


def test_a_named_payment_is_found_whoever_its_subject_is() -> None:
    events = [Event(0, 1, subject=0), Event(1, 2, subject=-1, named=1)]
    assert named(events, within=10) == [-1, 0]


def test_a_named_payment_that_comes_later_is_not_found() -> None:
    assert named([Event(0, 2, named=1), Event(1, 1)], within=10) == [-1, -1]


def test_no_events_have_no_neighbours() -> None:
    assert (previous([], within=5), followers([], 1, within=5)) == ([], [])
    assert (named([], within=5), own_past([], within=5)) == ([], [])
