import pytest

from simulator.message import Message
from simulator.publishing.pace import Pace, Rate
from simulator.publishing.retry import Patience

NOON = 1_772_366_400_000_000


class Clock:
    """Seconds that pass only when told to; they begin anywhere."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def message(at: int = 0, events: int = 1) -> Message:
    return Message("1", b"{}", events, at)


def test_a_message_is_due_when_its_simulated_time_has_come() -> None:
    clock = Clock()
    pace = Pace(NOON, 60, clock)
    assert pace.delay(message(NOON)) == 0
    assert pace.delay(message(NOON + 120_000_000)) == pytest.approx(2)
    clock.now += 1.5
    assert pace.delay(message(NOON + 120_000_000)) == pytest.approx(0.5)
    clock.now += 10
    assert pace.delay(message(NOON + 120_000_000)) == pytest.approx(-9.5)


def test_the_clock_starts_with_the_first_message_and_not_before() -> None:
    clock = Clock()
    pace = Pace(NOON, 1, clock)
    clock.now += 3_600
    assert pace.delay(message(NOON + 2_000_000)) == pytest.approx(2)


def test_a_rate_counts_events_and_not_messages() -> None:
    clock = Clock()
    rate = Rate(100, clock)
    assert rate.delay(message(events=50)) == 0
    rate.leave(message(events=50))
    for _ in range(2):
        assert rate.delay(message(events=1)) == pytest.approx(0.5)
    clock.now += 0.5
    rate.leave(message(events=1))
    assert rate.delay(message(events=1)) == pytest.approx(0.01)


def test_pauses_double_up_to_the_longest_and_no_two_are_alike() -> None:
    patience = Patience(first=1, longest=6)
    for retry, full in ((1, 1), (2, 2), (3, 4), (4, 6), (9, 6)):
        pauses = {patience.pause(retry) for _ in range(50)}
        assert all(full / 2 <= pause <= full for pause in pauses)
        assert len(pauses) > 40


def test_a_busy_service_is_given_the_time_it_asks_for() -> None:
    patience = Patience(first=1, longest=6, busy=4)
    assert all(4.5 <= patience.pause(1, busy=True) <= 5 for _ in range(50))


def test_patience_lasts_about_a_minute_by_default() -> None:
    patience = Patience()
    total = sum(patience.pause(retry) for retry in range(1, patience.retries + 1))
    assert 35 <= total <= 72
