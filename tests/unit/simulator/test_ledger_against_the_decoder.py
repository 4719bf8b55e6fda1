"""The product's own decoder as second opinion on the simulator's ledger."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import pytest
from unit.simulator.generation.simulation_samples import (
    KINDS,
    UNUSUAL_COUNTRIES,
    Recount,
    assert_exact,
    configuration,
    every_violation,
    recount,
    run,
    sums_of,
)

from shared_code.domain.vocabularies import QualityFlag, RejectReason
from simulator.configuration.population_settings import Population
from simulator.configuration.structure import Configuration
from simulator.configuration.traffic_settings import (
    Arrival,
    Messages,
    TimeSpan,
    Volume,
    Writing,
)
from simulator.configuration.violation_settings import FutureTime, Violation, Violations
from simulator.generation.span import moment
from simulator.ledger import Ledger
from simulator.message import Message

OFTEN = Arrival(duplicate_share=0.05, conflict_share=0.01)
# Flags that depend on the clock, or of which the ledger keeps no account.
NOT_IN_THE_LEDGER = {QualityFlag.future_event_time.name}


class Counted(NamedTuple):
    messages: list[Message]
    ledger: Ledger
    recount: Recount


@pytest.fixture(
    scope="module",
    params=[(7, 50, 0.0), (11, 1, 0.5), (23, 400, 1.0)],
    ids=lambda given: f"seed {given[0]}, pack {given[1]}, subtlety {given[2]}",
)
def counted(request: pytest.FixtureRequest) -> Counted:
    seed, pack, subtlety = request.param
    messages, ledger = run(
        configuration(
            4_000,
            "24h",
            seed=seed,
            messages=Messages(pack=pack),
            arrival=OFTEN,
            violations=every_violation(subtlety=subtlety),
        )
    )
    return Counted(messages, ledger, recount(messages))


def test_the_decoder_accepts_exactly_the_payments_of_the_ledger(counted: Counted) -> None:
    _, ledger, found = counted
    assert found.payments == ledger.payments == ledger.configuration.volume.payments == 4_000
    assert found.duplicates == ledger.duplicates > 100


def test_the_decoder_refuses_exactly_what_the_ledger_expects(counted: Counted) -> None:
    messages, ledger, found = counted
    assert found.rejected == ledger.rejected
    caused_by_the_database = {RejectReason.refused_by_database.value}
    assert set(ledger.rejected) == {each.value for each in RejectReason} - caused_by_the_database
    assert ledger.events == ledger.payments + ledger.duplicates + sum(ledger.rejected.values())
    assert ledger.events == sum(message.events for message in messages)
    assert ledger.messages == len(messages)


def test_every_refused_event_is_known_by_its_hash_and_reason(counted: Counted) -> None:
    expected = {
        (refused.reason, refused.body_hash): injected.violation
        for injected in counted.ledger.injected
        for refused in injected.refused
    }
    assert set(counted.recount.refused) == set(expected)
    assert {"contract_breach", "malformed_json", "truncated_message"} <= set(expected.values())


def test_violations_are_counted_as_they_are_found(counted: Counted) -> None:
    _, ledger, found = counted
    for kind in KINDS:
        own = [injected for injected in ledger.injected if injected.violation == kind]
        payments = sum(len(injected.events) for injected in own)
        refused = {(each.reason, each.body_hash) for injected in own for each in injected.refused}
        sent = sum(found.refused[each] for each in refused)
        assert ledger.violations[kind] == payments + sent > 0
    conflicts = ledger.rejected["conflicting_duplicate"]
    assert ledger.violations["conflicting_duplicate"] == conflicts
    assert set(ledger.violations) == {*KINDS, "conflicting_duplicate"}


def test_sums_of_every_window_method_currency_and_status_are_equal(counted: Counted) -> None:
    assert counted.recount.sums == sums_of(counted.ledger)
    keys = [
        (each.window_start, each.payment_method, each.currency, each.payment_status)
        for each in counted.ledger.sums
    ]
    assert keys == sorted(set(keys))


def test_totals_are_the_sums_by_currency(counted: Counted) -> None:
    _, ledger, _ = counted
    for total in ledger.totals:
        own = [each for each in ledger.sums if each.currency == total.currency]
        assert total.count == sum(each.count for each in own)
        assert total.amount == sum(each.amount for each in own)
    assert sum(total.count for total in ledger.totals) == ledger.payments
    currencies = [total.currency for total in ledger.totals]
    assert currencies == sorted(currencies)
    assert {"JPY", "KWD", "USD"} <= set(currencies)


def test_quality_flags_are_as_expected(counted: Counted) -> None:
    _, ledger, found = counted
    assert {name: found.qualities[name] for name in ledger.qualities} == ledger.qualities
    assert set(found.qualities) - set(ledger.qualities) <= NOT_IN_THE_LEDGER
    assert ledger.qualities["card_number_present"] == ledger.violations["card_number_in_clear"]
    assert ledger.qualities["zero_amount"] == ledger.violations["zero_amount"]


def test_the_ledger_holds_as_long_as_it_says() -> None:
    messages, ledger = run(configuration(400, violations=every_violation(0.01)))
    on_time = recount(messages, ledger.end)
    late = recount(messages, ledger.holds_until - timedelta(microseconds=1))
    assert on_time.rejected == late.rejected == ledger.rejected
    assert on_time.sums == late.sums


def test_the_near_future_is_stored_and_the_ledger_knows_its_windows() -> None:
    future = FutureTime(share=0.02, ahead=("1h", "20h"))
    messages, ledger = run(configuration(1_000, violations=Violations(future_time=future)))
    assert_exact(messages, ledger)
    assert recount(messages).qualities["future_event_time"] == 20
    assert sum(each.count for each in ledger.sums if each.window_start >= ledger.end) == 20


def test_the_near_future_of_a_live_simulation_is_judged_by_the_clock_that_passes_with_it() -> None:
    asked = configuration(
        600,
        time=TimeSpan(live=True, duration="30h"),
        arrival=Arrival(delay="0s", late_share=0, duplicate_share=0, conflict_share=0),
        violations=Violations(future_time=FutureTime(share=0.1, ahead=("1h", "2h"))),
    )
    messages, ledger = run(asked)
    rejected: Counter[str] = Counter()
    for message in messages:
        rejected += recount([message], moment(message.at)).rejected
    assert 0 < rejected["outside_horizon"] < 60
    assert rejected == ledger.rejected


SHARES = Arrival(duplicate_share=0.5, late_share=0.5, conflict_share=0.5)


@pytest.mark.parametrize(
    "asked",
    [
        configuration(1),
        configuration(1, violations=Violations(zero_amount=Violation(share=0.5))),
        configuration(7, violations=every_violation()),
        configuration(63, violations=every_violation()),
        configuration(300, "10d", arrival=Arrival(late_share=0.5)),
        configuration(
            1_500,
            "24h",
            messages=Messages(pack=3),
            arrival=SHARES,
            violations=every_violation(0.013),
        ),
        configuration(800, "2s", arrival=SHARES, violations=every_violation(0.01)),
        configuration(
            1_500,
            countries=UNUSUAL_COUNTRIES,
            population=Population(customers=10, merchants=10),
            arrival=SHARES,
            writing=Writing(
                number_share=0.5, offset_share=0.5, nanosecond_share=0.5, edge_share=0.5
            ),
            violations=every_violation(0.01),
        ),
        configuration(
            None,
            volume=Volume(rate=3.1),
            time=TimeSpan(
                live=True,
                start=datetime(2026, 3, 3, 3, 59, 58, 999_001, tzinfo=UTC),
                duration="10m",
            ),
            arrival=OFTEN,
            violations=every_violation(),
        ),
        configuration(500, violations=Violations(lookalike_share=0.3)),
    ],
    ids=[
        "one payment",
        "one violation",
        "seven",
        "sixty-three",
        "ten days",
        "as bad as it gets",
        "two seconds",
        "unusual currencies in every way of writing",
        "live",
        "look-alikes",
    ],
)
def test_the_ledger_is_right_at_the_edges_of_the_configuration(asked: Configuration) -> None:
    messages, ledger = run(asked)
    assert_exact(messages, ledger)
    if asked.volume.payments is not None:
        assert ledger.payments == asked.volume.payments
