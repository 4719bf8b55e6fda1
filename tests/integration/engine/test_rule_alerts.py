"""Alerts are raised once, go on as episodes, are withdrawn, suppressed and counted."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from payment_messages import FIVE_MINUTES, NOW, WINDOW_START, messages, payment_event
from rule_documents import rapid_fire, rule, use_rules
from store_fixtures import Store

from shared_code.engine import rule_alerts

MINUTE = timedelta(minutes=1)
ALERTS = "SELECT rule_id, subject, first_seen, last_seen FROM alerts ORDER BY rule_id, first_seen"
ALL_OF_ALERTS = "SELECT to_jsonb(alert) - 'raised_at' FROM alerts AS alert ORDER BY alert_id"
ADA = '{"customer.id":"ada"}'


def at(minutes: float, transaction_id: str, **fields: Any) -> dict[str, Any]:
    """Return a payment of ada, so many minutes into the tests' first window."""
    event_time = WINDOW_START + minutes * MINUTE
    customer = {"id": "ada", "country": "DE"}
    return payment_event(
        transaction_id, **{"event_time": event_time, "customer": customer} | fields
    )


def send(store: Store, *events: dict[str, Any]) -> None:
    """Store payments and close what has ended."""
    store.metrics.process_batch(messages(*events), now=NOW)
    store.metrics.aggregate(NOW)


def seen(store: Store) -> list[tuple[float, float]]:
    """Return when alerts were seen first and last, in minutes from the first window on."""
    return [(minutes(first), minutes(last)) for _, _, first, last in store.rows(ALERTS)]


def minutes(time: datetime) -> float:
    return (time - WINDOW_START) / MINUTE


def burst(start: float, count: int, step: float = 1) -> Sequence[dict[str, Any]]:
    return [at(start + number * step, f"txn-{start}-{number}") for number in range(count)]


def test_an_episode_over_several_windows_is_one_alert(store: Store) -> None:
    use_rules(store, rapid_fire(cooldown_minutes=15))
    send(store, *burst(0, 18))
    assert store.rows("SELECT DISTINCT rule_id, subject FROM alerts") == [("rapid_fire", ADA)]
    assert seen(store) == [(2, 17)]


def test_an_episode_goes_on_when_it_is_seen_tick_by_tick(store: Store) -> None:
    use_rules(store, rapid_fire(cooldown_minutes=15))
    for event in burst(0, 18):
        send(store, event)
    assert seen(store) == [(2, 17)]


def test_what_follows_after_the_cooldown_is_another_episode(store: Store) -> None:
    use_rules(store, rapid_fire(cooldown_minutes=10))
    send(store, *burst(0, 3), *burst(13, 3))
    assert seen(store) == [(2, 2), (15, 15)]


def test_without_a_cooldown_each_window_has_its_alert(store: Store) -> None:
    use_rules(store, rapid_fire())
    send(store, *burst(0, 18))
    starts = store.rows("SELECT window_start FROM alerts ORDER BY 1")
    assert [start for (start,) in starts] == [WINDOW_START + n * FIVE_MINUTES for n in range(4)]


@pytest.mark.parametrize("cooldown", [{}, {"cooldown_minutes": 15}])
def test_recomputing_and_redelivering_double_no_alert(
    store: Store, cooldown: dict[str, int]
) -> None:
    use_rules(store, rapid_fire(**cooldown))
    events = burst(0, 18)
    send(store, *events)
    before = store.rows(ALL_OF_ALERTS)
    store.metrics.process_time_window(WINDOW_START, WINDOW_START + 6 * FIVE_MINUTES)
    send(store, *events)
    assert store.rows(ALL_OF_ALERTS) == before


def test_evidence_shows_the_payments_and_the_threshold(store: Store) -> None:
    use_rules(store, rapid_fire())
    send(store, *burst(0, 3))
    ((evidence, severity, kind),) = store.rows("SELECT evidence, severity, kind FROM alerts")
    assert (evidence["value"], evidence["threshold"], evidence["operator"]) == ("3", "3", "gte")
    assert [shown["transaction_id"] for shown in evidence["payments"]] == [
        "txn-0-0",
        "txn-0-1",
        "txn-0-2",
    ]
    assert (evidence["payments"][0]["amount"], evidence["payments"][0]["currency"]) == (
        "10.50",
        "EUR",
    )
    assert (severity, kind, evidence["rule_set_version"]) == (3, "velocity", "1.0.0")


def test_payments_scores_and_sequences_raise_alerts_of_their_kind(store: Store) -> None:
    large = rule(
        "large",
        when={"field": "amount", "operator": "gte", "value": 1000},
        value={"field": "amount"},
        alert={"operator": "gte", "value": 5000},
        bands=[{"outcome": "huge", "at_least": 5000, "reason": "very large", "severity": "high"}],
    )
    points = rule(
        "points",
        "score",
        terms=[{"rule": "large", "points": 10}, {"rule": "back", "points": 5}],
        alert={"operator": "gte", "value": 15},
    )
    back = rule(
        "back",
        "sequence",
        subject="customer.id",
        previous={
            "within_minutes": 60,
            "where": {"field": "gap_minutes", "operator": "lte", "value": 2},
        },
        alert={"operator": "gte", "value": 1, "cooldown_minutes": 30},
    )
    use_rules(store, large, points, back)
    send(store, at(0, "a"), at(1, "b", amount="5000.00"), at(30, "c", amount="1000.00"))
    found = store.rows("SELECT kind, rule_id, subject, outcome, severity FROM alerts ORDER BY 1")
    payment = '{"payment_status":"completed","transaction_id":"b"}'
    assert found == [
        ("payment", "large", payment, "huge", 4),
        ("score", "points", payment, "matched", 3),
        ("sequence", "back", ADA, "matched", 3),
    ]
    reasons = store.rows("SELECT DISTINCT evidence->>'reason' FROM alerts WHERE kind = 'payment'")
    assert reasons == [("very large",)]
    points_given = store.value("SELECT evidence->'points' FROM alerts WHERE kind = 'score'")
    assert points_given == {"large": "10", "back": "5"}


def test_outcomes_indeterminate_ones_and_rates_are_kept_with_each_payment(store: Store) -> None:
    size = rule(
        "size",
        when={"field": "amount", "operator": "gte", "value": 10, "in_currency": "EUR"},
        value={"field": "amount", "in_currency": "EUR"},
        bands=[{"outcome": "large", "at_least": 100, "reason": "a hundred and more"}],
    )
    rates = {"base": "EUR", "as_of": "2026-01-02", "source": "a test", "per_base": {"USD": 1.25}}
    use_rules(store, size, rates=rates)
    send(
        store,
        at(0, "euro", amount="20.00"),
        at(0, "dollar", amount="125.00", currency="USD"),
        at(0, "franc", amount="50.00", currency="CHF"),
        at(0, "small", amount="9.99"),
    )
    found = store.rows("""
        SELECT transaction_id, outcome, value, rate, reason FROM payment_outcomes ORDER BY 1
    """)
    assert [tuple(map(str, row)) for row in found] == [
        ("dollar", "large", "100.00", "0.8", "a hundred and more"),
        ("euro", "matched", "20.00", "None", "None"),
        ("franc", "indeterminate", "None", "None", "None"),
    ]
    assert store.rows("SELECT transaction_id FROM rule_matches ORDER BY 1") == [
        ("dollar",),
        ("euro",),
    ]
    history = "SELECT payment_count, match_count, indeterminate_count FROM rule_history"
    assert store.rows(history) == [(4, 2, 1)]


def test_a_payment_that_reports_one_status_twice_in_a_window_stops_it_from_nothing(
    store: Store,
) -> None:
    quick = rule(
        "quick",
        "sequence",
        subject="customer.id",
        previous={
            "within_minutes": 60,
            "where": {"field": "gap_minutes", "operator": "lte", "value": 3},
        },
        alert={"operator": "gte", "value": 1},
    )
    points = rule("points", "score", terms=[{"rule": "quick", "points": 1}])
    use_rules(store, quick, points)
    send(store, at(0, "a"), at(1, "b"), at(2, "b"))
    found = store.rows("SELECT rule_id, dimensions->>'transaction_id' FROM rule_values ORDER BY 1")
    assert found == [("points", "b"), ("quick", "b")]
    assert store.value("SELECT count(*) FROM alerts") == 1


def test_a_late_payment_raises_what_later_closed_windows_find(store: Store) -> None:
    use_rules(store, rapid_fire())
    send(store, at(4, "a"), at(6, "b"))
    assert store.rows(ALERTS) == []
    send(store, at(2, "late"))
    assert [row[:2] for row in store.rows(ALERTS)] == [("rapid_fire", ADA)]
    assert store.rows("SELECT window_start FROM alerts") == [(WINDOW_START + FIVE_MINUTES,)]
    assert store.value("SELECT count(*) FROM rule_marks") == 0
    # The figures of the later window are what they were.
    revisions = "SELECT window_start, max(revision) FROM window_revisions GROUP BY 1 ORDER BY 1"
    assert store.rows(revisions) == [(WINDOW_START, 2), (WINDOW_START + FIVE_MINUTES, 1)]


def test_a_late_payment_marks_only_windows_of_its_subject_within_reach(store: Store) -> None:
    use_rules(store, rapid_fire(minutes=10))
    bob = {"id": "bob", "country": "DE"}
    send(store, at(0, "a"), at(6, "b", customer=bob), at(12, "c"), at(40, "d"))
    computed = (
        "SELECT window_start, max(xmin::text::bigint) FROM rule_history GROUP BY 1 ORDER BY 1"
    )
    before = dict(store.rows(computed))
    send(store, at(3, "late"))
    changed = [start for start, at_ in store.rows(computed) if before[start] != at_]
    assert changed == [WINDOW_START, WINDOW_START + 2 * FIVE_MINUTES]


def test_a_window_that_is_reached_after_a_change_of_rules_is_revised_under_the_new_ones(
    store: Store,
) -> None:
    use_rules(store, rapid_fire())
    send(store, at(4, "a"), at(6, "b"))
    use_rules(store, rapid_fire(), version="1.1.0")
    send(store, at(2, "late"))
    revised = store.rows(
        """
        SELECT revision, version FROM window_revisions JOIN rule_sets USING (rule_set)
        WHERE window_start = :start ORDER BY 1
    """,
        start=WINDOW_START + FIVE_MINUTES,
    )
    assert revised == [(1, "1.0.0"), (2, "1.1.0")]
    assert store.rows("SELECT rule_set_version, value FROM rule_values") == [("1.1.0", 3)]


def test_an_orphan_refund_is_no_alert_any_more_once_its_payment_comes(store: Store) -> None:
    orphan = rule(
        "orphan",
        "sequence",
        when={"field": "original_transaction_id", "operator": "exists"},
        lookup={
            "within_minutes": 600,
            "where": {"field": "original.transaction_id", "operator": "exists", "value": False},
        },
        alert={"operator": "gte", "value": 1},
    )
    use_rules(store, orphan)
    send(store, at(7, "r", payment_status="refunded", original_transaction_id="paid"))
    assert store.value("SELECT count(*) FROM open_alerts") == 1
    send(store, at(1, "paid"))
    assert store.value("SELECT count(*) FROM open_alerts") == 0
    assert store.value("SELECT count(*) FROM alerts WHERE withdrawn_at IS NOT NULL") == 1
    assert store.rows("SELECT * FROM rule_values WHERE rule_id = 'orphan'") == []


def test_an_alert_that_a_revision_does_not_support_is_withdrawn_and_may_come_back(
    store: Store,
) -> None:
    ratio = rule(
        "failures",
        "window",
        metric={"name": "failures", "type": "ratio"},
        measure={
            "function": "ratio",
            "of": {"field": "payment_status", "operator": "eq", "value": "failed"},
        },
        alert={"operator": "gt", "value": 0.5},
    )
    use_rules(store, ratio)
    send(store, at(0, "a", payment_status="failed"))
    assert store.value("SELECT count(*) FROM open_alerts") == 1
    send(store, at(1, "b"), at(1, "c"))
    assert store.value("SELECT count(*) FROM open_alerts") == 0
    send(store, *(at(2, f"f-{n}", payment_status="failed") for n in range(3)))
    assert store.value("SELECT count(*) FROM open_alerts") == 1
    assert store.value("SELECT count(*) FROM alerts") == 1


def suppress(store: Store, subject: str | None, until: str = "1 hour") -> None:
    store.execute(
        "INSERT INTO rule_suppressions (rule_id, subject, until, reason, created_by)"
        f" VALUES ('rapid_fire', :subject, now() + interval '{until}', 'known', 'ada')",
        {"subject": subject},
    )


@pytest.mark.parametrize(
    ("subject", "suppressed"), [(None, True), ("ada", True), (ADA, True), ("bob", False)]
)
def test_a_suppressed_alert_is_recorded_and_not_open(
    store: Store, subject: str | None, *, suppressed: bool
) -> None:
    use_rules(store, rapid_fire())
    suppress(store, subject)
    send(store, *burst(0, 3))
    assert store.value("SELECT count(*) FROM alerts") == 1
    assert store.value("SELECT count(*) FROM open_alerts") == (0 if suppressed else 1)


def test_a_suppression_neither_outlives_its_end_nor_hides_what_was_open_before(
    store: Store,
) -> None:
    use_rules(store, rapid_fire())
    send(store, *burst(0, 3))
    suppress(store, "ada")
    store.metrics.process_time_window(WINDOW_START, WINDOW_START + FIVE_MINUTES)
    assert store.value("SELECT count(*) FROM open_alerts") == 1
    store.execute("UPDATE rule_suppressions SET created_at = now() - interval '2 hours'")
    store.execute("UPDATE rule_suppressions SET until = now() - interval '1 hour'")
    send(store, *burst(20, 3))
    assert store.value("SELECT count(*) FROM open_alerts") == 2


def test_a_flood_of_alerts_is_cut_and_counted(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule_alerts, "MOST_ALERTS", 3)
    use_rules(store, rule("every", alert={"operator": "gte", "value": 1}))
    send(store, *burst(0, 5, step=0.5))
    kinds = store.rows("SELECT kind, count(*) FROM alerts GROUP BY 1 ORDER BY 1")
    assert kinds == [("payment", 3), ("too_many_alerts", 1)]
    evidence = store.value("SELECT evidence FROM alerts WHERE kind = 'too_many_alerts'")
    assert evidence == {"found": 5, "raised": 3}


def test_a_rule_that_suddenly_matches_everything_is_flagged_once(store: Store) -> None:
    use_rules(
        store, rule("failed", when={"field": "payment_status", "operator": "eq", "value": "failed"})
    )
    start = WINDOW_START - timedelta(hours=2)

    def window(number: int, failed: int) -> list[dict[str, Any]]:
        time = start + number * FIVE_MINUTES + MINUTE
        return [
            payment_event(
                f"txn-{number}-{n}",
                event_time=time,
                payment_status="failed" if n < failed else "completed",
            )
            for n in range(40)
        ]

    for number in range(16):
        send(store, *window(number, 2))
    assert store.rows("SELECT kind FROM alerts") == []
    send(store, *window(16, 40))
    send(store, *window(17, 40))
    ((kind, subject, evidence),) = store.rows("SELECT kind, subject, evidence FROM alerts")
    assert (kind, json.loads(subject)) == ("rule_guard", {"rule": "failed"})
    assert (evidence["direction"], evidence["found_rate"]) == ("more", 1.0)
