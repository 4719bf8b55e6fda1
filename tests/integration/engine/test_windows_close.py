"""Closed windows hold exact figures, revision by revision, whoever closes them and when."""

import json
from datetime import timedelta
from typing import Any

import pytest
from oracle import expected_of
from payment_messages import (
    FIVE_MINUTES,
    NOW,
    WINDOW_START,
    messages,
    payment_event,
    varied_events,
)
from store_fixtures import Store
from stored_state import assert_closed, assert_stored

from shared_code.domain.windows import Window
from shared_code.engine.aggregation import LEASE_LENGTH, LEASE_NAME, BehindHorizon
from shared_code.store.errors import DataRefused, StoreUnavailable
from shared_code.store.leases import LeaseLost, take_lease

REVISIONS = "SELECT window_start, revision, payment_count FROM window_revisions ORDER BY 1, 2"


def test_figures_equal_the_oracle(store: Store) -> None:
    sent = messages(*varied_events(300, windows=7))
    store.metrics.process_batch(sent, now=NOW)
    tick = store.metrics.aggregate(NOW)
    assert len(tick.closed) == 7
    assert not any(closed.drift for closed in tick.closed)
    with store.connection() as connection:
        assert_stored(connection, expected_of(sent, NOW))
        assert_closed(connection, expected_of(sent, NOW))


@pytest.mark.parametrize("count", [1, 2, 19, 20, 21, 100, 101])
def test_percentiles_are_of_nearest_rank(shared_store: Store, count: int) -> None:
    shared_store.empty()
    events = [payment_event(f"txn-{at}", amount=str(at * 7919 % 1009)) for at in range(count)]
    sent = messages(events)
    shared_store.metrics.process_batch(sent, now=NOW)
    shared_store.metrics.aggregate(NOW)
    with shared_store.connection() as connection:
        assert_closed(connection, expected_of(sent, NOW))


def test_only_windows_that_have_ended_are_closed(store: Store) -> None:
    starts = [WINDOW_START + at * FIVE_MINUTES for at in range(3)]
    events = [payment_event(f"txn-{at}", event_time=start) for at, start in enumerate(starts)]
    store.metrics.process_batch(messages(*events), now=NOW)
    just_before = starts[1] + FIVE_MINUTES - timedelta(microseconds=1)
    assert [each.window.start for each in store.metrics.aggregate(just_before).closed] == starts[:1]
    at_its_end = starts[1] + FIVE_MINUTES
    assert [each.window.start for each in store.metrics.aggregate(at_its_end).closed] == starts[1:2]
    assert [each.window.start for each in store.metrics.aggregate(NOW).closed] == starts[2:]
    assert store.metrics.aggregate(NOW).closed == []


def test_a_late_event_makes_a_revision_and_keeps_the_one_before(store: Store) -> None:
    early, late = messages(payment_event("a", amount="1"), payment_event("b", amount="3"))
    store.metrics.process_batch([early], now=NOW)
    store.metrics.aggregate(NOW)
    store.metrics.process_batch([late], now=NOW)
    store.metrics.aggregate(NOW)
    assert store.rows(REVISIONS) == [(WINDOW_START, 1, 1), (WINDOW_START, 2, 2)]
    found = store.rows("SELECT revision, amount_sum FROM payment_metrics_5m_final ORDER BY 1")
    assert found == [(1, 1), (2, 4)]
    assert store.rows("SELECT revision, amount_avg FROM payment_windows") == [(2, 2)]


def test_a_redelivered_event_makes_no_revision(store: Store) -> None:
    sent = messages(payment_event())
    for _ in range(2):
        store.metrics.process_batch(sent, now=NOW)
        store.metrics.aggregate(NOW)
    assert store.rows(REVISIONS) == [(WINDOW_START, 1, 1)]


@pytest.mark.parametrize(("lateness", "final"), [(0, True), (15, True), (10_080, False)])
def test_figures_are_final_once_lateness_has_passed(
    store: Store, lateness: int, *, final: bool
) -> None:
    # The view goes by the database's clock, which is two to three days past the tests' moment.
    patient = store.engine(allowed_lateness=timedelta(minutes=lateness))
    patient.process_batch(messages(payment_event()), now=NOW)
    assert store.rows("SELECT is_final FROM payment_windows") == [(False,)]
    patient.aggregate(NOW)
    until = WINDOW_START + FIVE_MINUTES + timedelta(minutes=lateness)
    assert store.value("SELECT final_at FROM window_revisions") == until
    assert store.rows("SELECT is_final FROM payment_windows") == [(final,)]


def test_windows_of_a_long_downtime_are_caught_up_oldest_first(store: Store) -> None:
    sent = messages(
        *(
            payment_event(f"txn-{at}", event_time=NOW - timedelta(hours=3) + at * FIVE_MINUTES)
            for at in range(30)
        )
    )
    for at in range(0, 30, 7):
        store.metrics.process_batch(sent[at : at + 7], now=NOW)
    starts = [closed.window.start for closed in store.metrics.aggregate(NOW).closed]
    assert starts == sorted(starts)
    assert len(starts) == 30
    with store.connection() as connection:
        assert_closed(connection, expected_of(sent, NOW))


def test_a_corrupted_counter_raises_one_alert_however_often_it_is_seen(store: Store) -> None:
    store.metrics.process_batch(messages(payment_event(amount="10.50")), now=NOW)
    assert store.metrics.aggregate(NOW).alerts == 0
    store.execute("UPDATE payment_metrics_5m SET amount_sum = amount_sum + 1")
    for _ in range(2):
        (closed,) = store.metrics.process_time_window(WINDOW_START, WINDOW_START + FIVE_MINUTES)
        assert (closed.drift[0].streamed_sum, closed.drift[0].exact_sum) == (11.5, 10.5)
    ((kind, subject, evidence),) = store.rows("SELECT kind, subject, evidence FROM alerts")
    assert kind == "drift"
    assert json.loads(subject) == {
        "payment_method": "bank_transfer",
        "currency": "EUR",
        "payment_status": "completed",
    }
    assert (evidence["streamed_sum"], evidence["exact_sum"]) == ("11.50", "10.50")


@pytest.mark.parametrize(
    "corruption",
    [
        "DELETE FROM payment_metrics_5m",
        "UPDATE payment_metrics_5m SET payment_count = payment_count + 1",
        "UPDATE payment_metrics_5m SET amount_min = amount_min - 1",
        """
        INSERT INTO window_deltas (window_start, payment_method, currency, payment_status,
                                   payment_count, amount_sum, amount_min, amount_max)
        SELECT window_start, payment_method, currency, 2, 1, 1, 1, 1 FROM payment_metrics_5m
        """,
    ],
    ids=["counter lost", "count", "minimum", "group without payments"],
)
def test_every_kind_of_drift_is_seen(store: Store, corruption: str) -> None:
    store.metrics.process_batch(messages(payment_event()), now=NOW)
    store.metrics.aggregate(NOW)
    store.execute(corruption)
    store.metrics.process_time_window(WINDOW_START, WINDOW_START + FIVE_MINUTES)
    assert store.value("SELECT count(*) FROM alerts WHERE kind = 'drift'") == 1


def declining_traffic() -> list[dict[str, Any]]:
    return [
        payment_event(
            f"txn-{at}",
            payment_method="credit_card",
            payment_status="failed" if at % 5 else "completed",
            amount="9500",
            card={"last4": "0042"},
        )
        for at in range(120)
    ]


def test_values_and_alerts_of_window_rules_are_the_same_when_made_again(store: Store) -> None:
    store.metrics.process_batch(messages(declining_traffic()), now=NOW)
    store.metrics.aggregate(NOW)
    values = (
        "SELECT rule, dimensions::text, value, payment_count FROM rule_metrics_5m ORDER BY 1, 2"
    )
    alerts = "SELECT to_jsonb(alert) - 'raised_at' FROM alerts AS alert ORDER BY alert_id"
    before = store.rows(values), store.rows(alerts)
    assert all(before)
    store.metrics.process_time_window(WINDOW_START, WINDOW_START + FIVE_MINUTES)
    assert (store.rows(values), store.rows(alerts)) == before
    assert store.rows("SELECT DISTINCT revision FROM rule_metrics_5m") == [(2,)]


def test_a_second_aggregator_leaves_windows_to_the_first(store: Store) -> None:
    store.metrics.process_batch(messages(payment_event()), now=NOW)
    with store.connection() as connection:
        assert take_lease(connection, LEASE_NAME, "another", LEASE_LENGTH)
    tick = store.metrics.aggregate(NOW)
    assert tick.held_elsewhere
    assert store.rows(REVISIONS) == []
    with pytest.raises(StoreUnavailable, match="another instance"):
        store.metrics.process_time_window(WINDOW_START, NOW)


def test_the_lease_of_a_dead_aggregator_expires(store: Store) -> None:
    store.metrics.process_batch(messages(payment_event()), now=NOW)
    with store.connection() as connection:
        take_lease(connection, LEASE_NAME, "dead", LEASE_LENGTH)
    store.execute("UPDATE leases SET until = clock_timestamp() - interval '1 second'")
    assert len(store.metrics.aggregate(NOW).closed) == 1
    assert store.value("SELECT token FROM leases") == 2


def test_an_aggregator_that_ends_lets_the_next_one_begin_at_once(store: Store) -> None:
    store.metrics.process_batch(messages(payment_event()), now=NOW)
    store.metrics.aggregate(NOW)
    assert not store.engine().aggregate(NOW).held_elsewhere


def test_whoever_lost_the_lease_writes_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.metrics.process_batch(messages(*varied_events(20)), now=NOW)
    aggregator = store.metrics._aggregator
    seal_or_close = aggregator._close

    def overtaken(window: Window, *rest: Any) -> Any:
        if window.start > WINDOW_START:
            store.execute("UPDATE leases SET until = clock_timestamp() - interval '1 second'")
            with store.connection() as connection:
                take_lease(connection, LEASE_NAME, "another", LEASE_LENGTH)
        return seal_or_close(window, *rest)

    monkeypatch.setattr(aggregator, "_close", overtaken)
    with pytest.raises(LeaseLost):
        aggregator.tick(NOW)
    assert {row[0] for row in store.rows(REVISIONS)} == {WINDOW_START}
    assert store.value("SELECT count(DISTINCT window_start) FROM window_marks") == 2
    assert store.value("SELECT owner FROM leases WHERE until > clock_timestamp()") == "another"


def test_one_window_that_cannot_be_closed_stops_no_other(store: Store) -> None:
    store.metrics.process_batch(messages(*varied_events(20)), now=NOW)
    store.execute(
        "ALTER TABLE window_revisions ADD CONSTRAINT not_the_first"
        f" CHECK (window_start <> TIMESTAMPTZ '{WINDOW_START.isoformat()}')"
    )
    with pytest.raises(DataRefused, match="not_the_first"):
        store.metrics.aggregate(NOW)
    closed = {row[0] for row in store.rows(REVISIONS)}
    assert closed == {WINDOW_START + FIVE_MINUTES, WINDOW_START + 2 * FIVE_MINUTES}
    store.execute("ALTER TABLE window_revisions DROP CONSTRAINT not_the_first")
    store.metrics.aggregate(NOW)
    with store.connection() as connection:
        assert_closed(connection, expected_of(messages(*varied_events(20)), NOW))


def test_a_day_that_cannot_be_attached_now_stops_no_window(store: Store) -> None:
    store.metrics.process_batch(messages(payment_event()), now=NOW)
    store.execute("ALTER FUNCTION attach_payment_days SET lock_timeout = '50ms'")
    far = NOW + timedelta(days=10)
    with store.connection() as connection:
        connection.exec_driver_sql(
            "LOCK TABLE normalized_transactions IN SHARE UPDATE EXCLUSIVE MODE"
        )
        with pytest.raises(StoreUnavailable) as raised:
            store.metrics.aggregate(far)
    assert raised.value.sqlstate == "55P03"
    assert len(store.rows(REVISIONS)) == 1


def test_marks_of_a_dropped_day_are_forgotten_and_its_figures_stand(store: Store) -> None:
    store.metrics.process_batch(messages(payment_event()), now=NOW)
    store.metrics.aggregate(NOW)
    store.metrics.process_batch(messages(payment_event("late")), now=NOW)
    for parent in ("normalized_transactions", "dynamic_metrics"):
        store.execute(f"DROP TABLE {parent}_p{NOW:%Y%m%d}")
    forgetful = store.engine(retention=timedelta(days=1))
    assert forgetful.aggregate(NOW + timedelta(days=2)).closed == []
    assert store.value("SELECT count(*) FROM alerts WHERE kind = 'drift'") == 0
    assert store.value("SELECT count(*) FROM window_marks") == 0
    assert store.rows(REVISIONS) == [(WINDOW_START, 1, 1)]


def test_no_window_behind_the_attached_days_is_computed_again(store: Store) -> None:
    long_ago = NOW - timedelta(days=400)
    with pytest.raises(BehindHorizon):
        store.metrics.process_time_window(long_ago, long_ago + FIVE_MINUTES)
    assert store.rows(REVISIONS) == []


def test_recent_transactions_are_the_windows_that_have_ended(store: Store) -> None:
    closed = store.metrics.process_recent_transactions(1)
    assert len(closed) in {12, 13}
    assert all(each.payment_count == 0 for each in closed)


def test_few_attached_days_ahead_raise_an_alert(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    far = NOW + timedelta(days=12)
    store.execute("REVOKE ALL ON FUNCTION attach_payment_days FROM PUBLIC")
    store.execute("""
        CREATE OR REPLACE FUNCTION attach_payment_days(first_day date, last_day date)
        RETURNS integer LANGUAGE sql AS 'SELECT 0'
    """)
    store.metrics.aggregate(NOW)
    assert store.value("SELECT count(*) FROM alerts") == 0
    store.metrics.aggregate(far)
    evidence = store.value("SELECT evidence FROM alerts WHERE kind = 'partitions'")
    assert evidence["days_ahead"] < evidence["expected"]
    # An alert in Azure waits for this sentence.
    assert "payments can be stored for" in caplog.text
