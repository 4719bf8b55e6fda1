"""Blocks that lead from subjects to payments: what they find is what reading all payments finds."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

import pytest
from payment_messages import NOW, WINDOW_START, messages, payment_event
from store_fixtures import Store

from shared_code.domain.windows import WINDOW_LENGTH, Window
from shared_code.rules.judging import HistoryNeed
from shared_code.store import look_back
from shared_code.store.look_back import Sought, moments_in_blocks
from shared_code.store.subject_history import payments_between, subject_history

SPAN = Window(WINDOW_START - timedelta(hours=1), WINDOW_START + 3 * WINDOW_LENGTH)
NAMES = frozenset({"event_time", "transaction_id", "payment_status", "amount", "customer_id"})
LONG = "ü" * 64


def payments_of(*customers: str, minutes: int = 0, name: str = "txn") -> list[Any]:
    return [
        payment_event(
            f"{name}-{number}",
            event_time=WINDOW_START + timedelta(minutes=minutes, seconds=number),
            customer={"id": customer},
        )
        for number, customer in enumerate(customers)
    ]


def found(store: Store, subjects: Collection[str], column: str = "customer_id") -> list[str]:
    """Return the payments of some customers that looking back finds."""
    need = HistoryNeed(column, subjects, SPAN, NAMES)
    with store.database.transaction("REPEATABLE READ") as connection:
        columns = subject_history(connection, [need])
    pairs = zip(columns.values("transaction_id"), columns.values(column), strict=True)
    return [transaction_id for transaction_id, subject in pairs if subject in subjects]


def unknown_parts(store: Store) -> list[Window]:
    with store.database.transaction("REPEATABLE READ") as connection:
        return list(moments_in_blocks(connection, "customer_id", Sought(["ann"]), SPAN).unknown)


@pytest.mark.parametrize("closed", [False, True])
def test_all_payments_of_a_subject_are_found_and_of_few_others(
    store: Store, *, closed: bool
) -> None:
    store.metrics.process_batch(messages(*payments_of("ann", "bob", LONG, "ann")), now=NOW)
    if closed:
        store.metrics.aggregate(NOW)
    assert found(store, ["ann"]) == ["txn-0", "txn-3"]
    assert found(store, [LONG]) == ["txn-2"]
    assert found(store, ["nobody"]) == []


@pytest.mark.parametrize("closed", [False, True])
def test_what_several_rules_look_for_is_found_once_each_in_its_own_span(
    store: Store, *, closed: bool
) -> None:
    earlier = payments_of("ann", "bob", minutes=-30, name="old")
    store.metrics.process_batch(messages(*earlier, *payments_of("ann", "bob", "cid")), now=NOW)
    if closed:
        store.metrics.aggregate(NOW)
    recent = Window(WINDOW_START, SPAN.end)
    needs = [
        HistoryNeed("customer_id", ["ann"], SPAN, NAMES),
        HistoryNeed("customer_id", ["ann", "bob"], recent, NAMES),
        HistoryNeed("payment_status", [0], SPAN, frozenset({"currency"})),
        HistoryNeed("transaction_id", ["txn-2"], recent, frozenset({"merchant_id"})),
    ]
    with store.database.transaction("REPEATABLE READ") as connection:
        columns = subject_history(connection, needs)
    assert list(columns.values("transaction_id")) == ["old-0", "txn-0", "txn-1", "txn-2"]
    assert len(columns.values("merchant_id")) == len(columns.values("currency")) == columns.size


def test_closed_windows_are_not_read_through(store: Store) -> None:
    store.metrics.process_batch(messages(*payments_of("ann")), now=NOW)
    store.metrics.aggregate(NOW)
    before, after = unknown_parts(store)
    assert before == Window(SPAN.start, WINDOW_START)
    assert after == Window(WINDOW_START + WINDOW_LENGTH, SPAN.end)


@pytest.mark.parametrize("at_once", [1, 3, 1000])
def test_blocks_tell_of_each_window_its_own_moments_however_many_are_looked_through_at_once(
    store: Store, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(look_back, "_HASHES_AT_ONCE", at_once)
    sent = [
        payment
        for minutes in (-20, -15, 0)
        for payment in payments_of("ann", "bob", "cid", "ann", minutes=minutes, name=f"at{minutes}")
    ]
    store.metrics.process_batch(messages(*sent), now=NOW)
    store.metrics.aggregate(NOW)
    with store.database.transaction("REPEATABLE READ") as connection:
        told = moments_in_blocks(connection, "customer_id", Sought(["ann"]), SPAN)
    expected = store.rows("""
        SELECT CAST(extract(epoch FROM event_time) * 1000000 AS bigint)
        FROM normalized_transactions WHERE customer_id = 'ann' ORDER BY 1
    """)
    assert [(moment,) for moment in told.moments.tolist()] == expected


def test_a_payment_that_came_after_its_window_was_closed_is_found(store: Store) -> None:
    store.metrics.process_batch(messages(*payments_of("ann")), now=NOW)
    store.metrics.aggregate(NOW)
    late = payments_of("ann", minutes=1, name="late")
    store.metrics.process_batch(messages(*late), now=NOW)
    assert found(store, ["ann"]) == ["txn-0", "late-0"]
    store.metrics.aggregate(NOW)
    assert found(store, ["ann"]) == ["txn-0", "late-0"]
    assert len(unknown_parts(store)) == 2


def test_blocks_go_with_the_days_of_their_payments(store: Store) -> None:
    store.metrics.process_batch(messages(*payments_of("ann")), now=NOW)
    store.metrics.aggregate(NOW)
    store.execute("UPDATE look_back_blocks SET window_start = window_start - interval '400 days'")
    store.metrics.aggregate(NOW)
    assert store.value("SELECT count(*) FROM look_back_blocks") == 0


def test_without_the_table_of_blocks_payments_are_closed_and_found(store: Store) -> None:
    store.execute("DROP TABLE look_back_blocks")
    store.metrics.process_batch(messages(*payments_of("ann", "bob")), now=NOW)
    store.metrics.aggregate(NOW)
    assert store.value("SELECT count(*) FROM window_revisions") == 1
    assert found(store, ["bob"]) == ["txn-1"]


@pytest.mark.parametrize("amount", ["0.00", "0.01", "10000.00", "99999999999.50", "20000000"])
def test_amounts_are_read_as_they_were_stored(store: Store, amount: str) -> None:
    events = payments_of("ann", "bob", LONG)
    for event in events[::2]:
        event["amount"] = amount
    events[1]["amount"] = "12.34"
    store.metrics.process_batch(messages(*events), now=NOW)
    with store.database.transaction() as connection:
        columns = payments_between(connection, SPAN, {"amount", "customer_id"})
    expected = store.rows("SELECT amount, customer_id FROM normalized_transactions ORDER BY 1, 2")
    pairs = zip(columns.values("amount"), columns.values("customer_id"), strict=True)
    assert sorted(pairs) == expected
    assert sorted(map(str, columns.values("amount"))) == sorted(str(row[0]) for row in expected)


FIGURES = """
    SELECT payment_method, currency, payment_status, count(*), sum(amount), min(amount),
           max(amount), avg(amount), percentile_disc(0.50) WITHIN GROUP (ORDER BY amount),
           percentile_disc(0.95) WITHIN GROUP (ORDER BY amount),
           percentile_disc(0.99) WITHIN GROUP (ORDER BY amount),
           count(DISTINCT customer_id), count(DISTINCT merchant_id)
    FROM normalized_transactions
    GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
"""
STORED = """
    SELECT payment_method, currency, payment_status, payment_count, amount_sum, amount_min,
           amount_max, amount_avg, amount_p50, amount_p95, amount_p99,
           distinct_customers, distinct_merchants
    FROM payment_metrics_5m_final ORDER BY 1, 2, 3
"""


def test_figures_are_to_the_last_digit_those_of_postgresql(store: Store) -> None:
    events = [
        payment_event(
            f"txn-{number}",
            event_time=WINDOW_START + timedelta(milliseconds=number),
            amount=str(number**4 % 1_000_003),
            currency=("USD", "JPY", "KWD")[number % 3],
            payment_status=("completed", "failed")[number // 7 % 2],
            customer={"id": f"customer-{number % 13}"} if number % 5 else {},
        )
        for number in range(400)
    ]
    store.metrics.process_batch(messages(*events), now=NOW)
    store.metrics.aggregate(NOW)
    stored, expected = store.rows(STORED), store.rows(FIGURES)
    assert [list(map(str, row)) for row in stored] == [list(map(str, row)) for row in expected]
