"""The shipped rules notice what the simulator makes notable, and are quiet otherwise."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from unit.rules.shipped_samples import RULES_FILE

from shared_code.domain.decoding import Message, Origin, decode_batch
from shared_code.domain.horizon import horizon_at
from shared_code.domain.pseudonyms import Pseudonymiser
from shared_code.rules.columns import Columns
from shared_code.rules.compiler import CompiledRules, compile_document
from shared_code.rules.dry_run import DryRun, dry_run
from shared_code.rules.findings import alert_subject
from simulator.parameters import Parameters
from simulator.payments import generate_payments
from simulator.wire import Payment

END = datetime.fromisoformat("2026-01-28T12:30:00Z")
PAYMENTS = 20_000


@pytest.fixture(scope="module")
def shipped() -> CompiledRules:
    return compile_document(RULES_FILE.read_bytes())


@pytest.fixture(scope="module")
def traffic() -> list[Payment]:
    return generate_payments(Parameters(end=END, payments=PAYMENTS))


@pytest.fixture(scope="module")
def judged(shipped: CompiledRules, traffic: list[Payment]) -> DryRun:
    return dry_run(shipped, columns_of_events(traffic))


def columns_of_events(payments: Sequence[Payment]) -> Columns:
    body = msgspec.json.encode([payment.event for payment in payments])
    batch = decode_batch(
        [Message(Origin("test", "payments", "0", 0), body)],
        Pseudonymiser(b"key of the tests"),
        horizon_at(END, timedelta(days=30)),
    )
    assert not batch.rejected
    accepted = [placed.accepted for placed in batch.payments]

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


def test_what_is_notable_raises_alerts(
    shipped: CompiledRules, traffic: list[Payment], judged: DryRun
) -> None:
    raised = alerts(shipped, judged)
    labels = Counter(
        payment.event.simulation.violation for payment in traffic if payment.event.simulation
    )
    assert raised["high_risk_country"] == labels["high_risk_country"]
    assert raised["customer_rapid_fire"] == 1 + PAYMENTS // 10_000
    assert raised["merchant_failure_burst"] == 1 + PAYMENTS // 10_000
    assert raised["structuring_by_customer"] == 1 + PAYMENTS // 4_000


def test_few_alerts_are_raised_in_all(shipped: CompiledRules, judged: DryRun) -> None:
    raised = alerts(shipped, judged)
    assert raised.total() - raised["high_risk_country"] <= PAYMENTS // 400


def test_ordinary_traffic_raises_hardly_any_alert(
    shipped: CompiledRules, traffic: list[Payment]
) -> None:
    ordinary = [payment for payment in traffic if payment.event.simulation is None]
    run = dry_run(shipped, columns_of_events(ordinary))
    assert alerts(shipped, run).total() <= PAYMENTS // 1_000


def test_few_values_are_stored_for_a_payment(judged: DryRun) -> None:
    of_payments = sum(len(match.rows) for match in judged.matches)
    of_groups = sum(len(judgement.findings) for judgement in judged.judgements)
    assert of_payments <= 2 * PAYMENTS
    assert of_groups <= PAYMENTS // 4
