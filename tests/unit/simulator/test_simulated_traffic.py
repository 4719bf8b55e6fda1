"""What a simulation is made of: totals, shares, order."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from unit.simulator.generation.simulation_samples import (
    NOW,
    PLAIN_ARRIVAL,
    Run,
    configuration,
    events_in,
    every_violation,
    label_of,
    moment_of,
    run,
    world,
)

from shared_code.domain.decoding import split_body
from simulator.configuration.traffic_settings import Arrival, Messages, TimeSpan
from simulator.configuration.violation_settings import Structuring, Violations
from simulator.generation.events import CONFLICT
from simulator.generation.partition_keys import BUCKETS, partition_key

PAYMENTS = 20_000
TRAFFIC = configuration(
    PAYMENTS,
    violations=every_violation(0.001),
    arrival=Arrival(duplicate_share=0.03, conflict_share=0.005, late_share=0.02),
)


@pytest.fixture(scope="module")
def traffic() -> Run:
    return run(TRAFFIC)


def _ordinary(messages: Run) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield events without a label, each with the partition key of its message."""
    for message in messages.messages:
        for event in events_in(message):
            if not label_of(event):
                yield message.partition_key, event


def _identity(event: dict[str, Any]) -> tuple[str, str, datetime]:
    return event["transaction_id"], event["payment_status"], moment_of(event)


# --- how many ----------------------------------------------------------------------------------


@pytest.mark.parametrize("payments", [1, 7, 63, 64, 65, 500, 8_192, 8_193, 20_000])
def test_there_are_exactly_as_many_distinct_payments_as_asked_for(payments: int) -> None:
    messages, ledger = run(configuration(payments))
    assert ledger.payments == payments
    assert ledger.complete
    found = {
        _identity(event)
        for message in messages
        for event in events_in(message)
        if label_of(event) != CONFLICT
    }
    assert len(found) == payments


def test_there_are_exactly_as_many_in_many_small_blocks_violations_included() -> None:
    asked = configuration(
        3_000, time=TimeSpan(duration="1h", speed_up=1), violations=every_violation(0.004)
    )
    assert world(asked).timeline.block_count > 10
    assert run(asked).ledger.payments == 3_000


def test_shares_are_met_exactly_over_all_blocks(traffic: Run) -> None:
    messages, ledger = traffic
    assert ledger.late == 0.02 * PAYMENTS
    conflicts = {
        event["simulation"]["incident"]
        for message in messages
        for event in events_in(message)
        if label_of(event) == CONFLICT
    }
    assert len(conflicts) == 0.005 * PAYMENTS
    assert ledger.duplicates == pytest.approx(0.03 * PAYMENTS, abs=50)
    assert ledger.repeated_messages > 0


def test_small_shares_are_met_exactly_over_many_small_blocks() -> None:
    asked = configuration(
        3_000,
        time=TimeSpan(duration="2h", speed_up=1),
        arrival=Arrival(late_share=0.002, conflict_share=0.002, duplicate_share=0.006),
        messages=Messages(pack=1, linger="0s"),
    )
    messages, ledger = run(asked)
    assert world(asked).timeline.block_count > 10
    assert ledger.late == 6
    assert sum(label_of(event) == CONFLICT for each in messages for event in events_in(each)) == 6
    assert ledger.duplicates == pytest.approx(18, abs=1)


@pytest.mark.parametrize("share", [0.01, 0.07, 0.5])
def test_a_third_of_the_duplicates_stands_beside_its_original_and_a_third_comes_later(
    share: float,
) -> None:
    asked = configuration(
        3_000,
        arrival=Arrival(duplicate_share=share, conflict_share=0, late_share=0),
        messages=Messages(pack=20),
    )
    messages, ledger = run(asked)
    whole = Counter((message.partition_key, message.body) for message in messages)
    assert sum(whole.values()) - len(whole) == ledger.repeated_messages
    repeated = sum(message.events for message in messages) - sum(
        len(split_body(body)) for _, body in whole
    )
    assert repeated == pytest.approx(1_000 * share, abs=20)
    seen: set[bytes] = set()
    beside = later = 0
    for _, body in whole:
        previous = b""
        for item in map(bytes, split_body(body)):
            if item in seen:
                later += item != previous
                beside += item == previous
            seen.add(item)
            previous = item
    third = round(1_000 * share)
    # A message may be full between an original and its copy.
    assert beside + later == 2 * third
    assert third - later == pytest.approx(0, abs=third / 10)


def test_without_packing_all_copies_but_repeated_messages_come_later() -> None:
    asked = configuration(
        3_000, arrival=Arrival(duplicate_share=0.3), messages=Messages(linger="10s", pack=1)
    )
    messages, ledger = run(asked)
    assert {message.events for message in messages} == {1}
    # Of the messages that are sent again, some hold copies already.
    assert ledger.duplicates == pytest.approx(900, rel=0.1)
    bodies = [message.body for message in messages if b'"simulation"' not in message.body]
    last_at = {body: at for at, body in enumerate(bodies)}
    assert all(last_at[body] - bodies.index(body) != 1 for body in last_at)


def test_nothing_but_payments_comes_when_all_shares_are_zero() -> None:
    messages, ledger = run(configuration(1_000, arrival=PLAIN_ARRIVAL))
    assert (ledger.events, ledger.late, ledger.rejected) == (1_000, 0, {})
    assert (ledger.violations, ledger.injected) == ({}, ())
    assert not any(label_of(event) for message in messages for event in events_in(message))


# --- late, twice, altered ----------------------------------------------------------------------


def test_late_payments_arrive_as_much_later_as_asked_for_and_all_others_in_time() -> None:
    asked = configuration(
        6_000,
        "2h",
        arrival=Arrival(late_share=0.1, late_by=("20m", "30m"), duplicate_share=0),
        messages=Messages(pack=1, linger="0s"),
    )
    messages, ledger = run(asked)
    behind = [
        timedelta(microseconds=message.at)
        - (moment_of(event) - datetime.fromisoformat("1970-01-01T00:00Z"))
        for message in messages
        for event in events_in(message)
        if label_of(event) != CONFLICT
    ]
    late = [each for each in behind if each > timedelta(seconds=3)]
    assert len(late) == ledger.late == 600
    assert timedelta(minutes=20) <= min(late) < timedelta(minutes=21)
    assert timedelta(minutes=29) < max(late) <= timedelta(minutes=30)
    assert max(message.at for message in messages) <= (NOW.timestamp() + 200) * 1e6


def test_what_cannot_be_late_before_the_end_is_not_late_and_the_others_make_up_for_it() -> None:
    short = configuration(1_000, "10m", arrival=Arrival(late_share=0.5))
    assert run(short).ledger.late == 0
    half = configuration(
        8_000, "1h", arrival=Arrival(late_share=0.1, late_by=("30m", "40m"), delay="0s")
    )
    # Which are drawn for a block of which only a part can be late, is left to chance.
    assert run(half).ledger.late == pytest.approx(800, abs=8)


def test_a_conflict_follows_its_original_within_the_key_and_asks_for_more(traffic: Run) -> None:
    amounts: dict[tuple[Any, ...], Decimal] = {}
    conflicts = 0
    for message in traffic.messages:
        for event in events_in(message):
            if not {"event_time", "transaction_id", "payment_status"} <= event.keys():
                continue
            if label_of(event) == CONFLICT:
                original = amounts[message.partition_key, *_identity(event)]
                assert Decimal(event["amount"]) > original
                assert len(event["amount"].partition(".")[2]) == -original.as_tuple().exponent  # type: ignore[operator]
                conflicts += 1
            elif not label_of(event):
                key = (message.partition_key, *_identity(event))
                amounts.setdefault(key, Decimal(event["amount"]))
    assert conflicts == traffic.ledger.rejected[CONFLICT] >= 100


# --- order -------------------------------------------------------------------------------------


def test_a_message_has_one_partition_key_which_is_that_of_its_customers(traffic: Run) -> None:
    for key, event in _ordinary(traffic):
        assert partition_key(event["customer"]["id"]) == key
    assert {int(message.partition_key) for message in traffic.messages} == set(range(BUCKETS))


def test_events_of_a_customer_come_nearly_in_order_of_time() -> None:
    messages = run(
        configuration(3_000, arrival=Arrival(late_share=0, delay="5s", duplicate_share=0))
    )
    newest: dict[str, datetime] = {}
    behind = []
    for _, event in _ordinary(messages):
        customer = event["customer"]["id"]
        newest[customer] = max(newest.get(customer, moment_of(event)), moment_of(event))
        behind.append(newest[customer] - moment_of(event))
    assert max(behind) < timedelta(seconds=7 * 5)
    assert sum(each > timedelta(0) for each in behind) > 0


def test_messages_are_sent_in_order_of_simulated_time(traffic: Run) -> None:
    sent = [message.at for message in traffic.messages]
    assert sent == sorted(sent)
    span = world(TRAFFIC).span
    assert span.start <= sent[0] < span.start + 60_000_000


def test_messages_are_packed_up_to_the_limit_and_small_enough_for_event_hubs(traffic: Run) -> None:
    messages, ledger = traffic
    assert max(message.events for message in messages) == 50
    assert max(len(message.body) for message in messages) < 1024 * 1024
    assert sum(message.events for message in messages) == ledger.events


def test_refused_events_stand_among_good_neighbours(traffic: Run) -> None:
    refused = {each.body_hash for injected in traffic.ledger.injected for each in injected.refused}
    shared = sum(
        _hash(item) in refused
        for message in traffic.messages
        if message.events > 1
        for item in split_body(message.body)
    )
    assert shared > len(refused) / 2


def _hash(item: bytes) -> str:
    return hashlib.blake2b(item, digest_size=16).hexdigest()


def test_event_times_fill_the_windows_and_nothing_else() -> None:
    _, ledger = run(configuration(8_000))
    starts: Counter[datetime] = Counter()
    for each in ledger.sums:
        starts[each.window_start] += each.count
    assert sorted(starts) == [NOW - timedelta(minutes=5 * at) for at in range(6, 0, -1)]
    assert min(starts.values()) > 8_000 / 6 * 0.7


@pytest.mark.parametrize("start", ["2026-03-03T12:00:00.123456+00:00", "2026-03-03T23:59:59+00:00"])
def test_no_event_time_lies_before_the_start_or_at_the_end(start: str) -> None:
    asked = configuration(
        4_000,
        time=TimeSpan(start=datetime.fromisoformat(start), duration="3s"),
        violations=Violations(structuring=Structuring(share=0.005), lookalike_share=0.01),
    )
    messages, ledger = run(asked)
    times = [moment_of(event) for message in messages for event in events_in(message)]
    assert ledger.start <= min(times)
    assert max(times) < ledger.end
    assert ledger.end == datetime.fromisoformat(start) + timedelta(seconds=3)
    assert ledger.holds_until == ledger.end + timedelta(hours=1)


def test_most_payments_stay_at_home_and_some_customers_are_busy(traffic: Run) -> None:
    assert 0.05 < traffic.ledger.qualities["country_mismatch"] / PAYMENTS < 0.15
    by_customer = Counter(event["customer"]["id"] for _, event in _ordinary(traffic))
    busiest = [count for _, count in by_customer.most_common(20)]
    assert sum(busiest) > 2 * 20 * PAYMENTS / len(by_customer)
