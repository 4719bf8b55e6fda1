"""Violations are injected as often as asked for, labelled, and entered in the ledger."""

import hashlib
import re
from collections import Counter, defaultdict
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from unit.simulator.generation.simulation_samples import (
    KINDS,
    Run,
    configuration,
    events_in,
    every_violation,
    label_of,
    moment_of,
    run,
)

from shared_code.domain.decoding import split_body
from simulator.configuration.population_settings import (
    DEFAULT_CATEGORIES,
    DEFAULT_COUNTRIES,
    Methods,
    Population,
    Segment,
)
from simulator.configuration.violation_settings import Spread, Violation, Violations
from simulator.generation.events import CONFLICT
from simulator.generation.streams import letters_of
from simulator.ledger import EventKey
from simulator.violations.catalogue import KINDS as KNOWN_KINDS

PAYMENTS = 20_000


@pytest.fixture(scope="module")
def day() -> Run:
    return run(configuration(PAYMENTS, "24h", violations=every_violation()))


def test_every_kind_of_violation_occurs_as_often_as_its_share_says(day: Run) -> None:
    occurrences = Counter(injected.violation for injected in day.ledger.injected)
    for kind in KNOWN_KINDS:
        wanted = max(1, round(PAYMENTS * 0.005 / kind.events(0)))
        assert abs(occurrences[kind.name] - wanted) <= 1, kind.name
    assert set(occurrences) == set(KINDS)


def test_a_tiny_share_is_one_occurrence() -> None:
    asked = configuration(20_000, violations=every_violation(0.000_001))
    occurrences = Counter(injected.violation for injected in run(asked).ledger.injected)
    assert occurrences == dict.fromkeys(KINDS, 1)


def test_violations_take_no_more_than_the_payments_of_their_block() -> None:
    asked = configuration(10, violations=every_violation(0.013))
    _, ledger = run(asked)
    valid = sum(len(injected.events) for injected in ledger.injected)
    assert valid <= ledger.payments == 10
    # The small ones come first.
    assert "fan_in" not in ledger.violations
    assert ledger.violations["negative_amount"] == 1


def test_occurrences_have_ids_of_their_own_and_stand_in_order_of_time(day: Run) -> None:
    injected = day.ledger.injected
    assert len({each.incident for each in injected}) == len(injected)
    assert [each.first for each in injected] == sorted(each.first for each in injected)
    for each in injected:
        times = [event.event_time for event in each.events]
        assert times == sorted(times)
        assert not times or each.first <= times[0] <= times[-1] <= each.last
        assert each.events or each.refused


def test_occurrences_are_spread_over_the_whole_simulation(day: Run) -> None:
    _, ledger = day
    hours = Counter((each.first - ledger.start) // timedelta(hours=6) for each in ledger.injected)
    assert set(hours) >= {0, 1, 2, 3}
    assert min(hours[quarter] for quarter in range(4)) > len(ledger.injected) / 16


def test_the_digits_of_a_time_do_not_tell_that_it_is_of_a_violation(day: Run) -> None:
    digits = [
        found[1]
        for message in day.messages
        for event in events_in(message)
        if label_of(event) not in {"", CONFLICT}
        and (found := re.search(r"[.]\d{3}(\d{3})", str(event.get("event_time"))))
    ]
    # Nor are there more whole milliseconds than by chance, and at the edges of windows.
    assert digits.count("000") < 0.03 * len(digits)
    assert len(set(digits)) > 0.5 * len(digits) > 200


def test_violations_that_begin_with_the_last_microsecond_end_before_the_simulation_does() -> None:
    asked = configuration(600, "1ms", violations=every_violation())
    messages, ledger = run(asked)
    times = [
        moment_of(event)
        for message in messages
        for event in events_in(message)
        if label_of(event) not in {"ancient_time", "future_time", "contract_breach"}
    ]
    assert ledger.start <= min(times)
    assert max(times) < ledger.end


def test_labelled_events_are_those_of_the_ledger_and_the_other_way_round(day: Run) -> None:
    labelled: defaultdict[tuple[str, str], set[EventKey | str]] = defaultdict(set)
    for message in day.messages:
        for item in split_body(message.body):
            for event in events_in(message._replace(body=bytes(item))):
                label = event.get("simulation")
                if isinstance(label, dict) and label["violation"] != CONFLICT:
                    found = labelled[label["violation"], label["incident"]]
                    found.add(_hash(item))
                    if {"transaction_id", "payment_status"} <= event.keys():
                        found.update(_keys(event))
    hashes = {_hash(item) for message in day.messages for item in split_body(message.body)}
    for injected in day.ledger.injected:
        found = labelled.pop((injected.violation, injected.incident), set())
        assert set(injected.events) <= found
        assert {each.body_hash for each in injected.refused} <= hashes
        # Each labelled text is one event of the occurrence, refused or not.
        texts = [each for each in found if isinstance(each, str)]
        assert len(texts) <= len(injected.events) + len(injected.refused)
    assert not labelled


def _keys(event: dict[str, Any]) -> set[EventKey]:
    try:
        return {EventKey(event["transaction_id"], event["payment_status"], moment_of(event))}
    except (ValueError, TypeError, KeyError):
        return set()


def _hash(item: bytes) -> str:
    return hashlib.blake2b(item, digest_size=16).hexdigest()


def test_look_alikes_have_no_label_and_no_entry() -> None:
    plain = configuration(3_000)
    asked = configuration(3_000, violations=Violations(lookalike_share=0.2))
    messages, ledger = run(asked)
    assert ledger.injected == ()
    assert set(ledger.violations) == {CONFLICT}
    assert ledger.payments == 3_000
    assert messages != run(plain).messages


def test_a_kind_may_be_better_hidden_than_all_others() -> None:
    def payments(violations: Violations) -> list[int]:
        _, ledger = run(configuration(3_000, violations=violations))
        return [len(each.events) for each in ledger.injected]

    plain = payments(Violations(rapid_fire=Violation(share=0.05)))
    hidden = payments(Violations(rapid_fire=Violation(share=0.05), subtlety=1))
    own = payments(Violations(rapid_fire=Violation(share=0.05, subtlety=1)))
    assert min(plain) > max(hidden)
    assert hidden == own


def test_where_one_customer_makes_all_payments_transfers_still_go_to_somebody_else() -> None:
    asked = configuration(
        200,
        "4h",
        segments=(Segment(name="rest"), Segment(name="only", weight=1e-9, activity=1e30)),
        countries=DEFAULT_COUNTRIES[:1],
        categories=(
            msgspec.structs.replace(DEFAULT_CATEGORIES[0], methods=Methods(bank_transfer=1)),
        ),
        population=Population(customers=10),
        violations=every_violation(),
    )
    messages, ledger = run(asked)
    assert ledger.payments == 200
    transfers = [
        event
        for message in messages
        for event in events_in(message)
        if label_of(event) == "zero_amount"
    ]
    assert transfers
    for event in transfers:
        assert event["counterparty"]["id"] != f"account_{letters_of(event['customer']['id'], 12)}"


def test_structuring_stays_below_the_threshold_without_a_constant(day: Run) -> None:
    amounts = {
        Decimal(event["amount"])
        for message in day.messages
        for event in events_in(message)
        if label_of(event) == "structuring"
    }
    assert len(amounts) > 20
    assert all(9_000 <= amount < 10_000 for amount in amounts)


def test_transfers_of_violations_are_pending_first_about_as_often_as_others() -> None:
    asked = configuration(20_000, duration="12h", violations=Violations(fan_in=Spread(share=0.1)))
    injected = run(asked).ledger.injected
    statuses: defaultdict[str, set[str]] = defaultdict(set)
    for event in (event for each in injected for event in each.events):
        statuses[event.transaction_id].add(event.payment_status)
    share = sum("pending" in each for each in statuses.values()) / len(statuses)
    # Somewhat less than of ordinary ones: nothing is pending before a violation has begun.
    assert 0.4 < share <= asked.life_cycle.slow_pending_share + 0.05
    assert all("completed" in each for each in statuses.values())
    for each in injected:
        order: dict[str, list[str]] = defaultdict(list)
        for event in each.events:
            order[event.transaction_id].append(event.payment_status)
        assert set(map(tuple, order.values())) <= {("pending", "completed"), ("completed",)}
