"""A simulation that is stopped, or given another configuration, on its way."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from unit.simulator.generation.simulation_samples import (
    NOW,
    assert_exact,
    configuration,
    events_in,
    every_violation,
    label_of,
    moment_of,
    run,
    world,
)

from simulator.configuration.structure import Configuration
from simulator.configuration.traffic_settings import Arrival, Messages, Rhythm, TimeSpan, Volume
from simulator.configuration.violation_settings import Violation, Violations
from simulator.generation.span import moment
from simulator.message import Message
from simulator.simulation import Simulation

ARRIVAL = Arrival(duplicate_share=0.05, conflict_share=0.01)
ASKED = configuration(2_000, time=TimeSpan(duration="2h", speed_up=10), arrival=ARRIVAL)
"""Paced, so that blocks are as small as they get."""
BLOCK = world(ASKED).timeline.block_size
BLOCKS = world(ASKED).timeline.block_count


class _Edits:
    """A configuration that is edited: what each question about it is answered, then None."""

    def __init__(self, *answers: Configuration | None) -> None:
        self._answers: Iterator[Configuration | None] = iter(answers)
        self.asked = 0

    def __call__(self) -> Configuration | None:
        self.asked += 1
        return next(self._answers, None)


def _replaced(asked: Configuration = ASKED, **parts: Any) -> Configuration:
    return msgspec.structs.replace(asked, **parts)


def _total(payments: int) -> Configuration:
    return _replaced(volume=Volume(payments=payments))


def _reloaded(
    *answers: Configuration | None, asked: Configuration = ASKED, workers: int = 1
) -> tuple[list[Message], Simulation]:
    simulation = Simulation(asked, now=NOW, reload=_Edits(*answers), workers=workers)
    messages = list(simulation)
    assert_exact(messages, simulation.ledger)
    return messages, simulation


# --- stopping ----------------------------------------------------------------------------------


@pytest.mark.parametrize("workers", [1, 2])
def test_what_was_generated_is_given_out_after_a_stop_and_the_ledger_is_exact(
    workers: int,
) -> None:
    asked = _replaced(violations=every_violation(0.005))
    edits = _Edits()
    simulation = Simulation(asked, now=NOW, workers=workers, reload=edits)
    messages = []
    for message in simulation:
        messages.append(message)
        if len(messages) == 100:
            simulation.stop()
    assert_exact(messages, simulation.ledger)
    assert not simulation.ledger.complete
    assert 100 < len(messages) < len(run(asked).messages)
    # What was made with its blocks and had not happened by the end of the last one never happens.
    last = world(asked).timeline.block(edits.asked)
    assert 0 < last.first + last.payments - simulation.ledger.payments < BLOCK
    times = [
        moment_of(event)
        for message in messages
        for event in events_in(message)
        if label_of(event) in {"", "fan_in", "fan_out", "structuring", "layering"}
    ]
    assert max(times) < moment(last.end)
    assert simulation.ledger.injected
    # Messages that still waited for more differ from then on.
    assert messages[:100] == run(asked).messages[:100]


def test_a_stop_before_the_first_message_ends_with_the_first_block() -> None:
    simulation = Simulation(ASKED, now=NOW)
    simulation.stop()
    assert_exact(list(simulation), simulation.ledger)
    assert 0.8 * BLOCK < simulation.ledger.payments <= BLOCK
    assert not simulation.ledger.complete
    assert list(simulation) == run(ASKED).messages


def test_a_stop_is_over_when_what_is_left_is_dropped() -> None:
    simulation = Simulation(ASKED, now=NOW)
    next(messages := iter(simulation))
    simulation.stop()
    del messages
    assert list(simulation) == run(ASKED).messages


def test_a_stopped_simulation_can_be_run_again_as_a_whole() -> None:
    simulation = Simulation(ASKED, now=NOW)
    next(messages := iter(simulation))
    simulation.stop()
    list(messages)
    assert not simulation.ledger.complete
    assert list(simulation) == run(ASKED).messages
    assert simulation.ledger == run(ASKED).ledger


# --- reloading ---------------------------------------------------------------------------------


def test_nothing_changes_as_long_as_the_configuration_does_not() -> None:
    edits = _Edits()
    simulation = Simulation(ASKED, now=NOW, reload=edits)
    assert list(simulation) == run(ASKED).messages
    assert simulation.ledger == run(ASKED).ledger
    assert edits.asked == BLOCKS > 5


@pytest.mark.parametrize(("total", "workers"), [(700, 1), (2_000, 1), (3_500, 1), (700, 2)])
def test_another_total_is_met_exactly_with_what_was_given_out_before(
    total: int, workers: int
) -> None:
    _, simulation = _reloaded(None, _total(total), workers=workers)
    assert simulation.ledger.payments == total
    assert simulation.ledger.complete


def test_every_further_total_is_met_exactly() -> None:
    _, simulation = _reloaded(None, _total(3_000), None, _total(1_800), _total(2_500))
    assert simulation.ledger.payments == 2_500


def test_a_total_that_is_reached_already_leaves_hardly_anything_to_do() -> None:
    _, simulation = _reloaded(None, None, _total(100))
    assert simulation.ledger.payments == 3 * BLOCK + 1


def test_another_rate_holds_for_what_is_left_of_the_time() -> None:
    asked = configuration(
        None,
        volume=Volume(rate=0.4),
        time=TimeSpan(start=NOW, duration="1h", speed_up=60),
        rhythm=Rhythm(flat=True),
    )
    faster = _replaced(asked, volume=Volume(rate=4))
    messages, simulation = _reloaded(None, faster, asked=asked)
    timeline = world(asked).timeline
    slow = moment(timeline.block(1).end) - NOW
    left = timedelta(hours=1) - slow
    expected = 2 * timeline.block_size + left.total_seconds() * 4
    assert simulation.ledger.payments == pytest.approx(expected, abs=1)
    assert simulation.ledger.end == NOW + timedelta(hours=1)
    assert max(moment_of(event) for each in messages for event in events_in(each)) < (
        simulation.ledger.end
    )


def test_a_new_configuration_holds_from_the_next_block_on() -> None:
    patient = _replaced(messages=Messages(linger="5m"))
    changed = _replaced(
        violations=Violations(negative_amount=Violation(share=0.1)), messages=Messages(pack=2)
    )
    messages, simulation = _reloaded(None, None, changed, asked=patient)
    ledger = simulation.ledger
    third_block_ends = moment(world(ASKED).timeline.block(2).end)
    first = [each.first for each in ledger.injected]
    assert min(first) >= third_block_ends
    assert len(first) == pytest.approx((2_000 - 3 * BLOCK) * 0.1, abs=1)
    for message in messages:
        if moment(message.at) > third_block_ends:
            assert message.events <= 2
    assert max(message.events for message in messages) > 2
    assert ledger.start == run(patient).ledger.start
    assert ledger.configuration.messages.pack == 2
    assert ledger.configuration.time.start == third_block_ends
    assert simulation.configuration == run(patient).ledger.configuration


def test_messages_stay_in_order_of_time_across_a_change() -> None:
    changed = _replaced(messages=Messages(pack=3, linger="1s"), arrival=Arrival(delay="9s"))
    messages, _ = _reloaded(None, None, None, changed, None, ASKED)
    sent = [message.at for message in messages]
    assert sent == sorted(sent)


def test_after_a_change_other_payments_come_than_in_the_beginning() -> None:
    messages, _ = _reloaded(_replaced(description="edited"))
    assert _repeated_purchases(messages) < 1.2 * _repeated_purchases(run(ASKED).messages)


def _repeated_purchases(messages: list[Message]) -> int:
    """Return how often anybody pays the same merchant again."""
    paid = Counter(
        (event["customer"]["id"], event["merchant"]["id"])
        for message in messages
        for event in events_in(message)
        if not label_of(event) and event["payment_status"] in ("completed", "failed")
    )
    return sum(count - 1 for count in paid.values())


def test_an_earlier_end_cuts_nothing_off_that_is_under_way() -> None:
    sooner = TimeSpan(end=NOW - timedelta(minutes=100), duration="20m", speed_up=10)
    messages, simulation = _reloaded(None, None, _replaced(time=sooner))
    newest = max(moment_of(event) for each in messages for event in events_in(each))
    assert newest < simulation.ledger.end <= NOW
    assert simulation.ledger.payments == 2_000


def test_a_change_after_the_last_block_comes_too_late() -> None:
    _, simulation = _reloaded(*[None] * (BLOCKS - 1), _total(5_000))
    assert simulation.ledger.payments == 2_000
    assert simulation.ledger.complete


def test_other_countries_and_people_may_follow() -> None:
    changed = _replaced(
        configuration(2_000, countries=ASKED.countries[7:9], seed=99), time=ASKED.time
    )
    _, simulation = _reloaded(None, changed)
    assert simulation.ledger.payments == 2_000
    soon = NOW - timedelta(minutes=20)
    late = [each for each in simulation.ledger.sums if each.window_start > soon]
    assert {each.currency for each in late} == {"JPY", "INR"}
