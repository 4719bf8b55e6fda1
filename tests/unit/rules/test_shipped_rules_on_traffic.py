"""The shipped rules notice what the simulator injects, and are quiet otherwise."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import pytest
from unit.rules.shipped_samples import RULES_FILE

from shared_code.domain.decoding import Message, Origin, Placed, decode_batch
from shared_code.domain.horizon import horizon_at
from shared_code.domain.pseudonyms import Pseudonymiser
from shared_code.rules.columns import Columns
from shared_code.rules.compiler import CompiledRules, compile_document
from shared_code.rules.dry_run import DryRun, dry_run
from shared_code.rules.findings import alert_subject
from simulator.configuration.shipped_profiles import load_profile
from simulator.simulation import simulate

END = datetime.fromisoformat("2026-01-28T12:30:00Z")
PAYMENTS = 20_000


class Traffic(NamedTuple):
    """Distinct payments of a simulation, labelled ones apart, and how often each kind occurs."""

    payments: list[Placed]
    ordinary: list[Placed]
    injected: Counter[str]


@pytest.fixture(scope="module")
def shipped() -> CompiledRules:
    return compile_document(RULES_FILE.read_bytes())


@pytest.fixture(scope="module")
def traffic() -> Traffic:
    wanted = (f"volume.payments={PAYMENTS}", f"time.end={END.isoformat()}")
    simulation = simulate(load_profile("steady", wanted, environment={}))
    bodies = [message.body for message in simulation]
    batch = decode_batch(
        [Message(Origin("test", "payments", "0", at), body) for at, body in enumerate(bodies)],
        Pseudonymiser(b"key of the tests"),
        horizon_at(END, timedelta(days=30)),
    )
    distinct = {
        (payment.transaction_id, payment.payment_status, payment.event_time): placed
        for placed in reversed(batch.payments)
        if (payment := placed.accepted.payment)
    }
    ledger = simulation.ledger
    labelled = {event.transaction_id for each in ledger.injected for event in each.events}
    payments = list(distinct.values())
    ordinary = [
        placed for placed in payments if placed.accepted.payment.transaction_id not in labelled
    ]
    return Traffic(payments, ordinary, Counter(each.violation for each in ledger.injected))


@pytest.fixture(scope="module")
def judged(shipped: CompiledRules, traffic: Traffic) -> DryRun:
    return dry_run(shipped, columns_of(traffic.payments))


def columns_of(payments: Sequence[Placed]) -> Columns:
    accepted = [placed.accepted for placed in payments]

    def values(column: str) -> Sequence[Any]:
        if column == "quality_flags":
            return [item.quality_flags for item in accepted]
        return [getattr(item.payment, column) for item in accepted]

    return Columns(len(accepted), values)


def alerts(rules: CompiledRules, run: DryRun) -> Counter[str]:
    """Return the number of alerts by rule: half an hour is less than any cooldown."""
    raised = {
        (rule.id, str(alert_subject(rule, finding)))
        for judgement in run.judgements
        for finding in judgement.findings
        if finding.exceeded and (rule := rules.document.rules[finding.rule])
    }
    return Counter(rule_id for rule_id, _ in raised)


def test_what_is_injected_raises_alerts(
    shipped: CompiledRules, traffic: Traffic, judged: DryRun
) -> None:
    raised = alerts(shipped, judged)
    for kind, rule in (
        ("rapid_fire", "customer_rapid_fire"),
        ("failure_burst", "merchant_failure_burst"),
        ("structuring", "structuring_by_customer"),
        ("fan_in", "fan_in_transfers"),
        ("fan_out", "fan_out_transfers"),
        ("card_testing", "card_testing"),
        ("orphan_refund", "orphan_refund"),
        ("high_risk_country", "high_risk_country"),
    ):
        assert raised[rule] >= traffic.injected[kind] > 0, kind


def test_few_alerts_are_raised_in_all(
    shipped: CompiledRules, traffic: Traffic, judged: DryRun
) -> None:
    assert alerts(shipped, judged).total() <= 2 * traffic.injected.total()


def test_ordinary_traffic_raises_hardly_any_alert(shipped: CompiledRules, traffic: Traffic) -> None:
    run = dry_run(shipped, columns_of(traffic.ordinary))
    assert alerts(shipped, run).total() <= PAYMENTS // 1_000


def test_few_values_are_stored_for_a_payment(judged: DryRun) -> None:
    of_payments = sum(len(match.rows) for match in judged.matches)
    of_groups = sum(len(judgement.findings) for judgement in judged.judgements)
    assert of_payments <= 2 * PAYMENTS
    assert of_groups <= PAYMENTS // 4
