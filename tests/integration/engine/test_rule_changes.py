"""Rules change while payments flow: one set judges each payment, and a shadow only looks on."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from payment_messages import FIVE_MINUTES, NOW, WINDOW_START, messages, payment_event
from rule_documents import document, rapid_fire, rule, shadow_rules, use_rules
from store_fixtures import Store

from shared_code.store.errors import DataRefused
from shared_code.store.rule_store import activate

MINUTE = timedelta(minutes=1)
FAILED = {"field": "payment_status", "operator": "eq", "value": "failed"}


def payments(count: int, prefix: str = "txn") -> list[dict[str, Any]]:
    """Return payments of one customer, one a second, every third failed."""
    return [
        payment_event(
            f"{prefix}-{at}",
            event_time=WINDOW_START + timedelta(seconds=at),
            payment_status="completed" if at % 3 else "failed",
        )
        for at in range(count)
    ]


def test_in_a_storm_of_batches_each_payment_is_judged_by_exactly_one_version(store: Store) -> None:
    use_rules(store, rule("every", value=0), version="1.0.0")
    versions = [f"1.{minor}.0" for minor in range(1, 9)]
    engines = [store.engine() for _ in range(3)]
    start = threading.Barrier(len(engines) + 1)

    def deliver(worker: int) -> None:
        start.wait()
        for batch in range(20):
            sent = messages(*payments(10, f"txn-{worker}-{batch}"), partition_id=str(worker))
            engines[worker].process_batch(sent, now=NOW)

    def change() -> None:
        start.wait()
        for number, version in enumerate(versions, 1):
            content = document(version, rule("every", value=number))
            with store.connection() as connection:
                activate(connection, content, by="a test", reason="a test")

    with ThreadPoolExecutor(len(engines) + 1) as pool:
        waiting = [pool.submit(deliver, worker) for worker in range(len(engines))]
        waiting.append(pool.submit(change))
        for each in waiting:
            each.result()
    counts = store.rows("SELECT transaction_id, count(*) FROM dynamic_metrics GROUP BY 1")
    assert len(counts) == 600
    assert {count for _, count in counts} == {1}
    wrong = """
        SELECT count(*) FROM dynamic_metrics AS metric
        JOIN normalized_transactions AS payment USING (event_time, transaction_id, payment_status)
        JOIN rule_sets ON rule_sets.rule_set = metric.rule_set
        WHERE payment.rule_set <> metric.rule_set
           OR metric.value <> split_part(rule_sets.version, '.', 2)::integer
    """
    assert store.value(wrong) == 0
    assert store.value("SELECT count(DISTINCT rule_set) FROM dynamic_metrics") > 1


ACTIVE_STATE = (
    """
    SELECT event_time, transaction_id, rule, outcome, value FROM dynamic_metrics
    WHERE NOT shadow ORDER BY 1, 2, 3
    """,
    """
    SELECT window_start, rule_id, dimensions::text, value, exceeded FROM rule_values
    ORDER BY 1, 2, 3
    """,
    "SELECT kind, rule_id, subject, first_seen, last_seen FROM alerts ORDER BY 1, 2, 3, 4",
    "SELECT event_time, transaction_id, rule_id, outcome, value FROM rule_matches ORDER BY 1, 2, 3",
)


def test_a_shadow_writes_to_its_own_rows_and_changes_no_other(new_store: Any) -> None:
    active = (
        rule("failed", when=FAILED),
        rule("count", "window", measure={"function": "count"}),
        rapid_fire(times=50),
    )
    candidate = (rule("failed", value=7), rapid_fire(times=5), rule("another", when=FAILED))
    states = []
    for shadowed in (False, True):
        with new_store() as store:
            use_rules(store, *active)
            if shadowed:
                shadow_rules(store, *candidate)
            store.metrics.process_batch(messages(*payments(60)), now=NOW)
            store.metrics.aggregate(NOW)
            states.append([store.rows(query) for query in ACTIVE_STATE])
            if shadowed:
                shadow = store.rows("""
                    SELECT rule_id, count(*), sum(value) FROM payment_outcomes
                    WHERE shadow GROUP BY 1 ORDER BY 1
                """)
                assert shadow == [("another", 20, 20), ("failed", 60, 420)]
                raised = store.rows("SELECT rule_id, evidence->>'value' FROM shadow_alerts")
                assert raised == [("rapid_fire", "60")]
                versions = (
                    "SELECT DISTINCT version FROM rule_metrics_5m JOIN rule_sets USING (rule_set)"
                )
                assert sorted(store.rows(versions)) == [("1.0.0",), ("9.0.0",)]
    assert states[0] == states[1]
    assert states[0][2], "the active rules raised an alert of their own"


def test_a_shadow_that_is_activated_judges_and_its_old_rows_stay_its_shadow(store: Store) -> None:
    use_rules(store, rule("failed", when=FAILED))
    shadow_rules(store, rule("failed"), version="2.0.0")
    store.metrics.process_batch(messages(*payments(6, "before")), now=NOW)
    use_rules(store, rule("failed"), version="2.0.0")
    store.metrics.process_batch(messages(*payments(6, "after")), now=NOW)
    found = store.rows("""
        SELECT left(transaction_id, 5), rule_set_version, shadow, count(*)
        FROM payment_outcomes GROUP BY 1, 2, 3 ORDER BY 1, 2
    """)
    assert found == [
        ("after", "2.0.0", False, 6),
        ("befor", "1.0.0", False, 2),
        ("befor", "2.0.0", True, 6),
    ]


def test_what_a_set_finds_is_seen_that_the_release_before_outcomes_accepted(store: Store) -> None:
    use_rules(store, rule("unhappy", when=FAILED, severity="high"), rapid_fire())
    # That release writes rules and no outcomes.
    store.execute("DELETE FROM rule_outcomes")
    store.metrics.process_batch(messages(*payments(4)), now=NOW)
    store.metrics.aggregate(NOW)
    found = "SELECT DISTINCT rule_id, severity, outcome FROM"
    assert store.rows(f"{found} rule_matches") == [("unhappy", "high", "matched")]
    assert store.rows(f"{found} rule_values") == [("rapid_fire", "medium", "matched")]


def test_redelivery_doubles_no_row_of_a_shadow(store: Store) -> None:
    use_rules(store, rule("failed", when=FAILED))
    shadow_rules(store, rule("failed"))
    for _ in range(2):
        store.metrics.process_batch(messages(*payments(9)), now=NOW)
    assert store.rows("SELECT shadow, count(*) FROM dynamic_metrics GROUP BY 1 ORDER BY 1") == [
        (False, 3),
        (True, 9),
    ]


def test_shadow_alerts_of_two_candidates_are_two(store: Store) -> None:
    use_rules(store, rule("failed", when=FAILED))
    store.metrics.process_batch(messages(*payments(9)), now=NOW)
    for version in ("2.0.0", "3.0.0"):
        shadow_rules(store, rapid_fire(cooldown_minutes=30), version=version)
        for _ in range(2):
            store.metrics.process_time_window(WINDOW_START, WINDOW_START + FIVE_MINUTES)
    assert store.rows("SELECT count(*), count(DISTINCT rule_set) FROM shadow_alerts") == [(2, 2)]
    assert store.rows("SELECT * FROM alerts") == []


def test_a_shadow_whose_findings_cannot_be_stored_holds_up_no_window(store: Store) -> None:
    use_rules(store, rapid_fire(times=5))
    shadow_rules(store, rapid_fire(times=2))
    store.execute("ALTER TABLE shadow_alerts ADD CONSTRAINT none CHECK (false)")
    store.metrics.process_batch(messages(*payments(9)), now=NOW)
    with pytest.raises(DataRefused, match="none"):
        store.metrics.aggregate(NOW)
    assert store.rows("SELECT revision, payment_count FROM window_revisions") == [(1, 9)]
    assert store.rows("SELECT rule_id FROM alerts") == [("rapid_fire",)]
    assert store.value("SELECT count(*) FROM window_marks") == 0


def test_rules_outside_their_dates_say_nothing_of_a_payment(store: Store) -> None:
    half = WINDOW_START + timedelta(seconds=30)
    use_rules(
        store,
        rule("first_half", effective_to=half.isoformat()),
        rule("second_half", effective_from=half.isoformat()),
        rule("off", enabled=False),
    )
    store.metrics.process_batch(messages(*payments(60)), now=NOW)
    found = store.rows("""
        SELECT rule_id, count(*), min(event_time), max(event_time) FROM rule_matches
        GROUP BY 1 ORDER BY 1
    """)
    last = WINDOW_START + timedelta(seconds=59)
    assert found == [
        ("first_half", 30, WINDOW_START, half - timedelta(seconds=1)),
        ("second_half", 30, half, last),
    ]


def test_clusters_and_roll_ups_are_made_as_windows_close(store: Store) -> None:
    store.metrics.process_batch(messages(*payments(120)), now=NOW)
    store.metrics.aggregate(NOW)
    sizes = store.rows("SELECT sum(payment_count), min(sample_size) FROM window_clusters")
    assert sizes == [(120, 120)]
    hour = store.rows(
        "SELECT period_length, sum(payment_count) FROM payment_metrics_rolled_up GROUP BY 1"
    )
    assert hour == [("1h", 120)]
    midnight = NOW.replace(hour=0) + timedelta(days=1)
    store.metrics.aggregate(midnight)
    both = store.rows("""
        SELECT period_length, sum(payment_count) FROM payment_metrics_rolled_up
        GROUP BY 1 ORDER BY 1
    """)
    assert both == [("1d", 120), ("1h", 120)]
    assert store.value("SELECT count(*) FROM roll_up_marks") == 0


def test_every_batch_of_a_rule_set_reads_its_document_once(store: Store) -> None:
    use_rules(store, rule("every"), version="4.5.6")
    store.metrics.process_batch(messages(*payments(2, "a")), now=NOW)
    store.execute("UPDATE rule_sets SET document = 'not read again'")
    result = store.metrics.process_batch(messages(*payments(2, "b")), now=NOW)
    assert (result.stored, result.rule_set_version) == (2, "4.5.6")
