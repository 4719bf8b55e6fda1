"""What a simulation is made of: shares, order, packing, variety."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared_code.domain.vocabularies import RejectReason
from simulator.arrivals import BUCKETS, partition_key
from simulator.ledger import Ledger
from simulator.parameters import Parameters
from simulator.simulation import Message, simulate

END = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
PARAMETERS = Parameters(
    end=END, payments=8_000, bad_share=0.02, duplicate_share=0.03, conflict_share=0.005
)


@pytest.fixture(scope="module")
def run() -> tuple[list[Message], Ledger]:
    simulation = simulate(PARAMETERS)
    return list(simulation), simulation.ledger


def _events(message: Message) -> list[Any]:
    """Return the events of a message; none of an unreadable one."""
    try:
        value = json.loads(message.body)
    except (ValueError, RecursionError):
        return []
    return value if isinstance(value, list) else [value]


def _good(messages: list[Message]) -> list[list[dict[str, Any]]]:
    """Return the events of each message that no reject reason labels."""
    reasons = {reason.value for reason in RejectReason}
    return [
        [
            event
            for event in _events(message)
            if isinstance(event, dict)
            and event.get("simulation", {}).get("violation") not in reasons
        ]
        for message in messages
    ]


def test_a_message_has_one_partition_key_which_is_that_of_its_customers(
    run: tuple[list[Message], Ledger],
) -> None:
    messages, _ = run
    for message, events in zip(messages, _good(messages), strict=True):
        ids = [event["customer"]["id"] for event in events if "id" in event.get("customer", {})]
        assert {partition_key(customer_id) for customer_id in ids} <= {message.partition_key}
        assert 0 <= int(message.partition_key) < BUCKETS


def test_messages_are_packed_up_to_the_limit_and_small_enough_for_event_hubs(
    run: tuple[list[Message], Ledger],
) -> None:
    messages, ledger = run
    assert max(message.events for message in messages) == PARAMETERS.pack
    assert max(len(message.body) for message in messages) < 1024 * 1024
    assert sum(message.events for message in messages) == ledger.events
    readable = [message for message in messages if _events(message)]
    assert all(len(_events(message)) == message.events for message in readable)


def test_a_single_payment_stands_without_an_array() -> None:
    messages = list(simulate(Parameters(end=END, payments=40, pack=1, bad_share=0)))
    assert {message.body[:1] for message in messages} == {b"{"}


def test_bad_events_stand_among_good_neighbours(run: tuple[list[Message], Ledger]) -> None:
    messages, _ = run
    good = _good(messages)
    mixed = [
        message
        for message, events in zip(messages, good, strict=True)
        if 0 < len(events) < message.events
    ]
    assert len(mixed) > 20


def test_every_reason_that_a_producer_can_cause_occurs(run: tuple[list[Message], Ledger]) -> None:
    _, ledger = run
    caused_by_the_database = {RejectReason.refused_by_database.value}
    assert (
        set(ledger.rejected) == {reason.value for reason in RejectReason} - caused_by_the_database
    )


def test_shares_are_as_asked_for(run: tuple[list[Message], Ledger]) -> None:
    _, ledger = run
    payments = PARAMETERS.payments
    conflicts = ledger.rejected["conflicting_duplicate"]
    bad = sum(ledger.rejected.values()) - conflicts
    # Whole messages sent twice hold some bad events, and count by messages.
    assert bad == pytest.approx(0.02 * payments, rel=0.1)
    assert conflicts == pytest.approx(0.005 * payments, rel=0.1)
    assert ledger.duplicates == pytest.approx(0.03 * payments, abs=PARAMETERS.pack)
    assert ledger.late == 0.02 * payments
    assert ledger.repeated_messages > 0


def test_nothing_but_good_payments_comes_when_all_shares_are_zero() -> None:
    simulation = simulate(
        Parameters(
            end=END,
            payments=1_000,
            bad_share=0,
            duplicate_share=0,
            late_share=0,
            conflict_share=0,
        )
    )
    list(simulation)
    ledger = simulation.ledger
    assert (ledger.events, ledger.late, ledger.rejected) == (1_000, 0, {})


def test_duplicates_come_in_the_same_message_in_others_and_as_whole_messages(
    run: tuple[list[Message], Ledger],
) -> None:
    messages, ledger = run
    whole = Counter((message.partition_key, message.body) for message in messages)
    assert sum(count - 1 for count in whole.values()) == ledger.repeated_messages
    inside, seen = 0, Counter[str]()
    for body in {message.body: None for message in messages}:
        events = Counter(map(json.dumps, _good([Message("0", body, 0)])[0]))
        inside += sum(count - 1 for count in events.values())
        seen.update(events.keys())
    elsewhere = sum(count - 1 for count in seen.values())
    third = PARAMETERS.payments * 0.01
    assert inside == third
    assert elsewhere == third


def test_a_conflict_always_follows_its_original_within_the_partition_key(
    run: tuple[list[Message], Ledger],
) -> None:
    messages, ledger = run
    amounts: dict[tuple[str, str, str, str], Any] = {}
    conflicts = 0
    for message in messages:
        for event in _events(message):
            if not isinstance(event, dict) or "event_time" not in event:
                continue
            violation = event.get("simulation", {}).get("violation")
            key = (
                message.partition_key,
                *(event.get(name) for name in ("transaction_id", "payment_status", "event_time")),
            )
            if violation == "conflicting_duplicate":
                assert str(amounts[key]) != event["amount"]
                conflicts += 1
            else:
                amounts.setdefault(key, event.get("amount"))
    assert conflicts == ledger.rejected["conflicting_duplicate"]


def test_late_payments_lie_windows_behind_and_all_others_do_not(
    run: tuple[list[Message], Ledger],
) -> None:
    messages, ledger = run
    newest = datetime.min.replace(tzinfo=UTC)
    seen, behind = set(), 0
    for events in _good(messages):
        times = [datetime.fromisoformat(event["event_time"]) for event in events]
        newest = max([newest, *times])
        for event, event_time in zip(events, times, strict=True):
            identity = (event["transaction_id"], event["payment_status"], event_time)
            if identity not in seen and newest - event_time > timedelta(minutes=6, seconds=30):
                behind += 1
            seen.add(identity)
    assert behind == pytest.approx(ledger.late, abs=2)


def test_event_time_fills_the_windows_and_nothing_else(run: tuple[list[Message], Ledger]) -> None:
    _, ledger = run
    starts = Counter[datetime]()
    for each in ledger.sums:
        starts[each.window_start] += each.count
    assert sorted(starts) == [END - timedelta(minutes=5 * n) for n in range(6, 0, -1)]
    assert min(starts.values()) > PARAMETERS.payments / 6 * 0.7


def test_statuses_follow_a_life_cycle(run: tuple[list[Message], Ledger]) -> None:
    messages, _ = run
    by_payment: dict[str, dict[str, datetime]] = {}
    refunds = []
    for events in _good(messages):
        for event in events:
            times = by_payment.setdefault(event["transaction_id"], {})
            times[event["payment_status"]] = datetime.fromisoformat(event["event_time"])
            if event["payment_status"] == "refunded":
                refunds.append(event["original_transaction_id"])
    two = [times for times in by_payment.values() if len(times) == 2]
    assert len(two) > PARAMETERS.payments * 0.05
    assert all(min(times, key=times.__getitem__) == "pending" for times in two)
    assert len(refunds) > 50
    assert all("completed" in by_payment[original] for original in refunds)


def test_notable_patterns_are_labelled_and_few(run: tuple[list[Message], Ledger]) -> None:
    _, ledger = run
    patterns = {
        "rapid_fire",
        "failure_burst",
        "structuring",
        "high_value",
        "round_amount",
        "cross_border",
        "high_risk_country",
    }
    assert patterns <= set(ledger.violations)
    assert sum(ledger.violations[name] for name in patterns) < PARAMETERS.payments * 0.05


def test_structuring_stays_just_under_ten_thousand_dollars_without_a_constant(
    run: tuple[list[Message], Ledger],
) -> None:
    messages, _ = run
    amounts = {
        float(event["amount"])
        for events in _good(messages)
        for event in events
        if event.get("simulation", {}).get("violation") == "structuring"
    }
    assert len(amounts) > 8
    assert all(9_000 <= amount < 10_000 for amount in amounts)


def test_most_payments_stay_at_home_and_some_customers_are_busy(
    run: tuple[list[Message], Ledger],
) -> None:
    messages, ledger = run
    assert 0.05 < ledger.qualities["country_mismatch"] / ledger.payments < 0.35
    by_customer = Counter(
        event["customer"].get("id") for events in _good(messages) for event in events
    )
    busiest = [count for _, count in by_customer.most_common(20)]
    assert sum(busiest) > 2 * 20 * ledger.payments / len(by_customer)
