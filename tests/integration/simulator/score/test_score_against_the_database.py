"""Hand-made payments go through the engine; the score is what was reckoned by hand."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from payment_messages import NOW, WINDOW_START, message, payment_event
from rule_documents import rule, use_rules
from store_fixtures import NewStore, Store
from unit.simulator.score.score_samples import event, ledger, violation

from shared_code.engine import rule_alerts
from simulator.errors import ExitCode
from simulator.ledger import InjectedViolation, Ledger, RefusedEvent
from simulator.score.errors import DatabaseUnreachable, InvalidDatabase
from simulator.score.outcome import KindScore, Score
from simulator.score.rates import Delay
from simulator.score.reading import pipeline_database
from simulator.score.scoring import score

SECOND = timedelta(seconds=1)
FAST = rule(
    "customer_rapid_fire",
    "velocity",
    subject="customer.id",
    within_minutes=1,
    measure={"function": "count"},
    alert={"operator": "gte", "value": 3, "cooldown_minutes": 5},
)
LARGE = rule("high_value_payment", when={"field": "amount", "operator": "gte", "value": 10_000})
ORPHAN = rule(
    "orphan_refund",
    "sequence",
    when={"field": "original_transaction_id", "operator": "exists"},
    lookup={
        "within_minutes": 600,
        "where": {"field": "original.transaction_id", "operator": "exists", "value": False},
    },
    alert={"operator": "gt", "value": 0},
)
MANY = rule(
    "customer_refunds",
    "velocity",
    subject="customer.id",
    within_minutes=60,
    measure={"function": "count"},
    alert={"operator": "gte", "value": 5, "cooldown_minutes": 60},
)


@pytest.fixture(scope="module")
def module_store(new_store: NewStore) -> Iterator[Store]:
    with new_store() as made:
        use_rules(made, FAST, LARGE, ORPHAN, MANY)
        yield made


@pytest.fixture
def pipeline(module_store: Store) -> Store:
    module_store.empty()
    module_store.execute("DELETE FROM rule_suppressions")
    return module_store


def at(seconds: float, transaction_id: str, name: str = "ada", /, **fields: Any) -> dict[str, Any]:
    """Return a payment of a customer so many seconds into the simulation."""
    person = {"id": name, "email": f"{name}@example.com", "country": "DE"}
    plain = {"event_time": WINDOW_START + seconds * SECOND, "customer": person}
    return payment_event(transaction_id, **plain | fields)


def burst(seconds: float, count: int, customer: str = "ada") -> list[dict[str, Any]]:
    """Return payments of a customer five seconds apart: too fast from the third one on."""
    return [at(seconds + 5 * n, f"{customer}-{seconds:g}-{n}", customer) for n in range(count)]


def process(store: Store, *contents: Any, close: bool = True, first: int = 0) -> None:
    """Send messages, which arrive in the event hub two seconds before they are stored."""
    sent = [
        message(content, first + place, enqueued_at=datetime.now(NOW.tzinfo) - 2 * SECOND)
        for place, content in enumerate(contents)
    ]
    store.metrics.process_batch(sent, now=NOW)
    if close:
        store.metrics.aggregate(NOW)


def of(kind: str, events: Sequence[dict[str, Any]], **fields: Any) -> InjectedViolation:
    """Return the violation that payments are an occurrence of."""
    keys = [
        event(
            each["transaction_id"],
            (datetime.fromisoformat(each["event_time"]) - WINDOW_START) / timedelta(minutes=1),
            each["payment_status"],
            WINDOW_START,
        )
        for each in events
    ]
    return violation(kind, *keys, **fields)


def refused(content: bytes | dict[str, Any], reason: str, *, text: bytes = b"") -> RefusedEvent:
    """Return what a ledger says of an event that is to be refused."""
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    digest = hashlib.blake2b(text or body, digest_size=16).hexdigest()
    identity = None if isinstance(content, bytes) else content["transaction_id"]
    return RefusedEvent(reason, digest, identity)


def book(*injected: InjectedViolation, **fields: Any) -> Ledger:
    return ledger(*injected, start=WINDOW_START, end=NOW, **fields)


def scored(store: Store, *injected: InjectedViolation, **options: Any) -> Score:
    with pipeline_database(store.url, {}) as connection:
        return score(connection, book(*injected), **options)


def kind(found: Score, name: str) -> KindScore:
    one = found.of_kind(name)
    assert one is not None, f"{name} is not in {[each.kind for each in found.kinds]}"
    return one


def counted(one: KindScore) -> tuple[int, int, int, int]:
    """Return what was found of what was injected, and what was right of what was detected."""
    return one.recall.part, one.recall.whole, one.precision.part, one.precision.whole


def found_by(one: KindScore) -> dict[str, int]:
    return {each.signal: each.found for each in one.found_by}


# --- incidents ---------------------------------------------------------------------------------


def test_found_missed_and_false_incidents_are_told_apart(pipeline: Store) -> None:
    fast, slow, nobody = (
        burst(0, 4),
        [at(600 + 50 * n, f"s{n}", "bob") for n in range(3)],
        burst(900, 3, "eve"),
    )
    process(pipeline, fast, slow, nobody)
    found = scored(
        pipeline,
        of("rapid_fire", fast, subject={"customer.id": "ada"}, incident="fast"),
        of("rapid_fire", slow, subject={"customer.id": "bob"}, incident="slow"),
    )
    one = kind(found, "rapid_fire")
    assert counted(one) == (1, 2, 1, 2)
    assert one.f1 == pytest.approx(0.5)
    assert one.detected_after == Delay(1, 10.0, 10.0)
    assert one.known_after is None
    (missed,) = one.missed
    assert (missed.incident, missed.subject, missed.events) == ("slow", {"customer.id": "bob"}, 3)
    assert missed.hint is None
    assert missed.explain == "python -m shared_code rules explain s2 --rule customer_rapid_fire"
    (false,) = one.false_detections
    assert (false.signal, false.subject) == ("alert customer_rapid_fire", {"customer.id": "eve"})
    assert false.first == WINDOW_START + 910 * SECOND
    assert false.explain == (
        "python -m shared_code rules explain eve-900-2 --rule customer_rapid_fire"
    )
    assert (found.alerts, [tuple(_) for _ in map(_pair, found.unexplained)]) == (
        2,
        [("customer_rapid_fire", 1)],
    )


def _pair(counted: Any) -> tuple[str, int]:
    return counted.rule, counted.alerts


def test_one_alert_may_find_two_overlapping_incidents_of_one_subject(pipeline: Store) -> None:
    payments = burst(0, 6)
    process(pipeline, payments)
    found = scored(
        pipeline,
        of("rapid_fire", payments[:4], subject={"customer.id": "ada"}),
        of("rapid_fire", payments[2:], subject={"customer.id": "ada"}, incident="second"),
    )
    assert counted(kind(found, "rapid_fire")) == (2, 2, 1, 1)


def test_an_alert_of_the_subject_at_another_time_finds_nothing(pipeline: Store) -> None:
    payments = [at(0, "a"), at(100, "b")]
    process(pipeline, payments, burst(1_800, 3))
    found = scored(pipeline, of("rapid_fire", payments, subject={"customer.id": "ada"}))
    assert counted(kind(found, "rapid_fire")) == (0, 1, 0, 1)


def test_an_alert_that_went_on_from_before_finds_an_incident_at_once(pipeline: Store) -> None:
    payments = burst(0, 9)
    process(pipeline, payments)
    found = scored(pipeline, of("rapid_fire", payments[5:], subject={"customer.id": "ada"}))
    assert kind(found, "rapid_fire").detected_after == Delay(1, 0.0, 0.0)


def test_an_alert_that_shows_a_payment_finds_an_incident_without_a_subject(
    pipeline: Store,
) -> None:
    refund = at(60, "r", payment_status="refunded", original_transaction_id="nothing")
    other = at(0, "x", payment_status="failed")
    process(pipeline, [other, refund])
    pipeline.execute("UPDATE alerts SET rule_id = 'status_contradiction'")
    found = scored(pipeline, of("status_mismatch", [other, refund]))
    assert counted(kind(found, "status_mismatch")) == (1, 1, 1, 1)
    assert kind(found, "status_mismatch").detected_after == Delay(1, 60.0, 60.0)


def test_an_unspecific_signal_finds_and_is_not_held_against_the_kind(pipeline: Store) -> None:
    payments, others = burst(0, 6), burst(900, 6, "eve")
    process(pipeline, payments, others)
    pipeline.execute("UPDATE alerts SET rule_id = 'customer_daily_sum'")
    found = scored(pipeline, of("cycle", payments, subject={"customer.id": "ada"}))
    assert counted(kind(found, "cycle")) == (1, 1, 0, 0)
    assert kind(found, "cycle").f1 is None
    assert [_pair(each) for each in found.unexplained] == [("customer_daily_sum", 2)]


def test_an_incident_is_found_by_a_match_of_one_of_its_payments(pipeline: Store) -> None:
    payments = [at(0, "a"), at(300, "b", amount="20000.00")]
    process(pipeline, payments)
    use = "UPDATE rules SET rule_id = 'night_high_value' WHERE rule_id = 'high_value_payment'"
    back = "UPDATE rules SET rule_id = 'high_value_payment' WHERE rule_id = 'night_high_value'"
    pipeline.execute(use)
    try:
        found = scored(pipeline, of("account_takeover", payments, subject={"customer.id": "ada"}))
    finally:
        pipeline.execute(back)
    assert counted(kind(found, "account_takeover"))[:2] == (1, 1)
    assert kind(found, "account_takeover").detected_after == Delay(1, 300.0, 300.0)
    assert found_by(kind(found, "account_takeover")) == {"match night_high_value": 1}


def test_the_first_of_several_alerts_is_the_time_of_detection(pipeline: Store) -> None:
    payments = [*burst(0, 3), *burst(600, 3)]
    process(pipeline, payments)
    assert pipeline.value("SELECT count(*) FROM alerts WHERE rule_id = 'customer_rapid_fire'") == 2
    pipeline.execute("""
        UPDATE alerts SET rule_id = 'customer_daily_sum' WHERE rule_id = 'customer_refunds'
    """)
    pipeline.execute("""
        UPDATE alerts SET rule_id = 'laundering_score' WHERE rule_id = 'customer_rapid_fire'
    """)
    one = kind(
        scored(pipeline, of("layering", payments, subject={"customer.id": "ada"})), "layering"
    )
    assert one.detected_after == Delay(1, 10.0, 10.0)
    assert found_by(one) == {"alert laundering_score": 1, "alert customer_daily_sum": 1}


def test_withdrawn_and_suppressed_alerts_are_no_detections(pipeline: Store) -> None:
    incidents = [
        of("rapid_fire", burst(0, 4, name), subject={"customer.id": name}, incident=name)
        for name in ("ada", "bob", "eve")
    ]
    pipeline.execute("""
        INSERT INTO rule_suppressions (rule_id, subject, until, reason, created_by)
        VALUES ('customer_rapid_fire', 'bob', now() + interval '1 day', 'known', 'a test')
    """)
    process(pipeline, *(burst(0, 4, name) for name in ("ada", "bob", "eve")))
    pipeline.execute("UPDATE alerts SET withdrawn_at = now() WHERE subject LIKE '%eve%'")
    found = scored(pipeline, *incidents)
    one = kind(found, "rapid_fire")
    assert counted(one) == (1, 3, 1, 1)
    assert [missed.incident for missed in one.missed] == ["bob", "eve"]
    assert (found.alerts, found.withdrawn, found.suppressed) == (1, 1, 1)


def test_alerts_about_the_rule_itself_are_no_detections(pipeline: Store) -> None:
    payments = burst(0, 4)
    process(pipeline, payments)
    for about in ("rule_guard", "too_many_alerts"):
        pipeline.execute("UPDATE alerts SET kind = :kind", {"kind": about})
        found = scored(pipeline, of("rapid_fire", payments, subject={"customer.id": "ada"}))
        assert counted(kind(found, "rapid_fire")) == (0, 1, 0, 0)
        assert found.alerts == 0


def test_what_rules_could_not_raise_is_noted(
    pipeline: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rule_alerts, "MOST_ALERTS", 1)
    process(pipeline, burst(0, 4), burst(0, 4, "bob"))
    notes = scored(pipeline).notes
    assert (
        "customer_rapid_fire found more in one window than it may raise alerts for; the rest"
        " has none"
    ) in notes


def test_an_alert_from_before_the_simulation_is_somebody_elses(pipeline: Store) -> None:
    before = [at(second, f"t{second}", "eve") for second in (-20, -15, -10, 5)]
    process(pipeline, before)
    assert pipeline.value("SELECT count(*) FROM alerts") == 1
    found = scored(pipeline, kinds=["rapid_fire"])
    assert (found.kinds, found.alerts, found.unexplained) == ((), 0, ())


def test_a_missed_incident_tells_what_other_alerts_there_were(pipeline: Store) -> None:
    payments = [at(60 * n, f"p{n}") for n in range(6)]
    process(pipeline, payments)
    found = scored(pipeline, of("rapid_fire", payments, subject={"customer.id": "ada"}))
    (missed,) = kind(found, "rapid_fire").missed
    assert missed.hint == "alert customer_refunds"
    assert found.unexplained == ()


# --- events ------------------------------------------------------------------------------------


def test_events_are_found_by_identity(pipeline: Store) -> None:
    large = at(0, "large", amount="10000.00")
    honest = at(5, "honest", amount="10001.00")
    hidden = at(300, "hidden", amount="9999.00")
    lost = at(600, "lost", amount="50000.00")
    process(pipeline, [large, honest, hidden])
    found = scored(
        pipeline, *(of("large_amount", [each]) for each in (large, hidden, lost)), examples=9
    )
    one = kind(found, "large_amount")
    assert counted(one) == (1, 3, 1, 2)
    assert [(missed.transaction_id, missed.hint, missed.explain) for missed in one.missed] == [
        ("hidden", None, "python -m shared_code rules explain hidden --rule high_value_payment"),
        ("lost", "not stored", None),
    ]
    (false,) = one.false_detections
    assert false.subject == {"transaction_id": "honest", "payment_status": "completed"}
    assert false.explain is not None
    assert one.known_after is not None
    assert one.known_after.count == 1
    assert 2 <= one.known_after.median < 30


def test_a_detection_of_another_kind_that_raises_the_signal_is_right(pipeline: Store) -> None:
    payments = [at(0, "a", amount="12000.00"), at(50, "b", amount="13000.00")]
    process(pipeline, payments)
    found = scored(
        pipeline,
        of("structuring", payments, subject={"customer.id": "ada"}),
        of("rapid_fire", [at(1, "c", amount="1.00")]),
    )
    assert found.of_kind("large_amount") is None
    found = scored(pipeline, of("rapid_fire", payments))
    assert counted(kind(found, "large_amount")) == (0, 0, 0, 2)
    assert kind(found, "large_amount").recall.value is None


def test_two_kinds_on_one_payment_are_both_found(pipeline: Store) -> None:
    both = at(0, "both", amount="0.00", customer={"id": "ada", "email": "nowhere"})
    process(pipeline, both)
    found = scored(pipeline, of("zero_amount", [both]), of("invalid_email", [both]))
    assert counted(kind(found, "zero_amount")) == (1, 1, 1, 1)
    assert counted(kind(found, "invalid_email")) == (1, 1, 1, 1)
    # It also lacks a country, and nobody said that it would.
    one = kind(found, "missing_country")
    assert counted(one) == (0, 0, 0, 1)
    assert one.false_detections[0].signal == "flag customer_country_missing"
    assert one.false_detections[0].explain == (
        "python -m shared_code rules explain both --rule missing_kyc_data"
    )


def test_an_event_is_found_by_the_alert_about_it(pipeline: Store) -> None:
    orphan = at(0, "orphan", payment_status="refunded", original_transaction_id="nothing")
    honest = at(60, "honest", payment_status="refunded", original_transaction_id="orphan")
    process(pipeline, [orphan, honest])
    pipeline.execute("UPDATE alerts SET raised_at = raised_at + interval '1 hour'")
    one = kind(scored(pipeline, of("orphan_refund", [orphan])), "orphan_refund")
    assert counted(one) == (1, 1, 1, 1)
    assert found_by(one) == {"alert orphan_refund": 1}
    assert one.known_after is not None
    assert 3_602 <= one.known_after.median < 3_630
    assert one.detected_after is None


def test_a_match_is_known_before_the_alert_that_follows(pipeline: Store) -> None:
    orphan = at(0, "orphan", payment_status="refunded", original_transaction_id="nothing")
    process(pipeline, orphan | {"amount": "10000.00"})
    pipeline.execute("UPDATE alerts SET raised_at = raised_at + interval '1 hour'")
    use = "UPDATE rules SET rule_id = :now WHERE rule_id = :before"
    names = {"now": "refund_without_original", "before": "high_value_payment"}
    pipeline.execute(use, names)
    try:
        one = kind(scored(pipeline, of("orphan_refund", [orphan])), "orphan_refund")
    finally:
        pipeline.execute(use, {"now": names["before"], "before": names["now"]})
    assert found_by(one) == {"alert orphan_refund": 1, "match refund_without_original": 1}
    assert counted(one) == (1, 1, 1, 1)
    assert one.known_after is not None
    assert one.known_after.median < 30


def test_an_event_outside_the_simulation_counts_if_it_was_injected(pipeline: Store) -> None:
    ahead = at(3_600 + 7_200, "ahead")
    elsewhere = at(3_600 + 3_600, "elsewhere")
    process(pipeline, [ahead, elsewhere])
    one = kind(scored(pipeline, of("future_time", [ahead])), "future_time")
    assert counted(one) == (1, 1, 1, 1)


def test_a_missed_event_tells_what_was_said_of_it(pipeline: Store) -> None:
    zero = at(0, "zero", amount="0.00")
    process(pipeline, zero)
    found = scored(pipeline, of("large_amount", [zero]), of("zero_amount", [zero]))
    assert kind(found, "large_amount").missed[0].hint == "flag zero_amount"


def test_events_that_were_never_enqueued_have_no_latency(pipeline: Store) -> None:
    large = at(0, "large", amount="10000.00")
    process(pipeline, large)
    pipeline.execute("UPDATE normalized_transactions SET enqueued_at = NULL")
    assert kind(scored(pipeline, of("large_amount", [large])), "large_amount").known_after is None


# --- refused events ----------------------------------------------------------------------------


def test_refused_events_are_found_by_text_and_reason(pipeline: Store) -> None:
    negative = at(0, "negative", amount="-1.00")
    other = at(0, "other", amount="-2.00")
    broken = b'{"transaction_id": "cut", "amo'
    # One message is delivered twice: what is refused is refused twice, and counts once.
    process(pipeline, negative, negative, other, broken, b"not json")
    found = scored(
        pipeline,
        violation("negative_amount", refused=[refused(negative, "negative_amount")] * 2),
        violation("truncated_message", refused=[refused(broken, "not_json")]),
        violation("unknown_currency", refused=[refused(other, "unknown_currency")]),
        violation("wrong_scale", refused=[refused(b"never sent", "too_many_decimals")]),
        examples=9,
    )
    one = kind(found, "negative_amount")
    assert counted(one) == (1, 1, 1, 2)
    assert found_by(one) == {"refused negative_amount": 1}
    assert one.false_detections[0].subject["transaction_id"] == "other"
    assert one.false_detections[0].first is None
    assert one.false_detections[0].explain is None
    assert counted(kind(found, "truncated_message")) == (1, 1, 1, 2)
    # It has none of its own, but what nobody injected counts against it, too.
    assert counted(kind(found, "malformed_json")) == (0, 0, 1, 2)
    assert kind(found, "unknown_currency").missed[0].hint == "refused as negative_amount"
    assert kind(found, "unknown_currency").missed[0].transaction_id == "other"
    assert kind(found, "wrong_scale").missed[0].hint == "not refused as too_many_decimals"


def test_a_refused_event_with_another_text_is_found_by_its_id(pipeline: Store) -> None:
    negative = at(0, "negative", amount="-1.00")
    process(pipeline, negative)
    expected = refused(negative, "negative_amount", text=b"as it was written")
    found = scored(pipeline, violation("negative_amount", refused=[expected]))
    assert counted(kind(found, "negative_amount")) == (1, 1, 1, 1)


def test_what_was_flagged_instead_of_refused_is_found(pipeline: Store) -> None:
    ahead = at(3_600 + 60, "ahead")
    process(pipeline, ahead)
    expected = violation(
        "future_time",
        refused=[refused(ahead, "outside_horizon")],
        span=(WINDOW_START, NOW + 3_600 * SECOND),
    )
    with pipeline_database(pipeline.url, {}) as connection:
        wider = ledger(expected, start=WINDOW_START, end=NOW + 300 * SECOND)
        found = score(connection, wider)
    assert counted(kind(found, "future_time"))[:2] == (1, 1)


def test_a_contract_breach_is_any_other_reason(pipeline: Store) -> None:
    events = {
        "unknown_payment_method": at(0, "a", payment_method="barter"),
        "invalid_event_time": at(0, "b", event_time="yesterday"),
        "missing_field": at(0, "c", currency=None),
    }
    process(pipeline, *events.values())
    found = scored(
        pipeline,
        *(
            violation("contract_breach", refused=[refused(content, reason)])
            for reason, content in events.items()
        ),
    )
    assert [each.kind for each in found.kinds] == ["contract_breach"]
    assert counted(found.kinds[0]) == (3, 3, 3, 3)


# --- the whole ---------------------------------------------------------------------------------


def test_an_empty_ledger_and_an_empty_database_give_an_empty_score(pipeline: Store) -> None:
    found = scored(pipeline)
    assert (found.kinds, found.alerts, found.unexplained) == ((), 0, ())


def test_all_that_is_found_where_nothing_was_injected_is_false(pipeline: Store) -> None:
    process(pipeline, burst(0, 3), at(600, "zero", amount="0.00"), b"not json")
    found = scored(pipeline)
    assert {each.kind: counted(each) for each in found.kinds} == {
        "rapid_fire": (0, 0, 0, 1),
        "zero_amount": (0, 0, 0, 1),
        "malformed_json": (0, 0, 0, 1),
        "truncated_message": (0, 0, 0, 1),
    }
    assert found.worst_recall is None
    assert [_pair(each) for each in found.unexplained] == [("customer_rapid_fire", 1)]


def test_only_the_kinds_that_are_asked_for_are_scored(pipeline: Store) -> None:
    payments = [at(0, "a", amount="0.00"), at(5, "b", amount="10000.00")]
    process(pipeline, payments)
    injected = [of("zero_amount", payments[:1]), of("large_amount", payments[1:])]
    found = scored(pipeline, *injected, kinds=["large_amount"])
    assert [each.kind for each in found.kinds] == ["large_amount"]


def test_examples_are_as_many_as_asked_for(pipeline: Store) -> None:
    process(pipeline, [at(n, f"z{n}", amount="0.00") for n in range(4)])
    lost = [of("rapid_fire", [at(n, f"l{n}")], incident=f"l{n}") for n in range(4)]
    for examples in (0, 3):
        found = scored(pipeline, *lost, examples=examples)
        assert len(kind(found, "rapid_fire").missed) == examples
        assert len(kind(found, "zero_amount").false_detections) == examples
        assert counted(kind(found, "rapid_fire"))[:2] == (0, 4)


def test_what_the_pipeline_still_has_to_do_is_noted(pipeline: Store) -> None:
    payments = burst(0, 4)
    process(pipeline, payments, close=False)
    incident = of("rapid_fire", payments, subject={"customer.id": "ada"})
    with pipeline_database(pipeline.url, {}) as connection:
        found = score(connection, book(incident, payments=6, complete=False))
    assert found.notes == (
        "the simulation was interrupted: the ledger holds what was generated until then",
        "4 of 6 payments are stored: the pipeline has to go on",
        "1 windows of the span are not closed; alerts of those are not there yet",
    )
    pipeline.metrics.aggregate(NOW)
    with pipeline_database(pipeline.url, {}) as connection:
        found = score(connection, book(incident, payments=4))
    assert found.notes == ()
    assert counted(kind(found, "rapid_fire")) == (1, 1, 1, 1)


def test_rules_that_nobody_judged_by_are_noted(pipeline: Store) -> None:
    payments = burst(0, 2)
    process(pipeline, payments)
    found = scored(pipeline, of("fan_in", payments, subject={"counterparty.id": "x"}))
    assert found.notes == ("payments were judged without these rules: fan_in_transfers",)


@pytest.mark.parametrize(
    ("url", "environment"), [("mysql://here/there", {}), (None, {}), ("nonsense", {})]
)
def test_a_database_that_is_none_is_told(url: str | None, environment: dict[str, str]) -> None:
    with (
        pytest.raises(InvalidDatabase, match=r"DATABASE_URL .*--database-url") as caught,
        pipeline_database(url, environment),
    ):
        pass
    assert caught.value.exit_code == ExitCode.USAGE


def test_a_database_that_does_not_answer_is_told() -> None:
    with (
        pytest.raises(DatabaseUnreachable, match="cannot read the pipeline's database") as caught,
        pipeline_database("postgresql://nobody@localhost:9/nothing", {}) as connection,
    ):
        score(connection, book())
    assert caught.value.exit_code == ExitCode.UNREACHABLE


def test_the_database_of_the_app_settings_is_taken_without_a_url(pipeline: Store) -> None:
    with pipeline_database(None, {"DATABASE_URL": pipeline.url}) as connection:
        assert score(connection, book()).kinds == ()
