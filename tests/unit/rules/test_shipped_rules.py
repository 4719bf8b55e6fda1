"""Each rule that ships finds what its description says, and leaves everything else alone."""

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from unit.rules.rule_samples import NOON, Payment, columns_of, payment

from shared_code.rules.compiler import CompiledRules, WindowValue, compile_document
from shared_code.rules.shape import SCHEMA_FILE

RULES_FILE = Path(__file__).parents[3] / "rules" / "metric_derivation_rules.json"
NIGHT = datetime.fromisoformat("2026-01-28T04:59:59.999999Z")
MORNING = datetime.fromisoformat("2026-01-28T05:00:00Z")

# By rule: payments that it has to find with the value it has to give, and payments that it must
# not find.
TRANSACTION_RULES: dict[str, tuple[list[tuple[Payment, str]], list[Payment]]] = {
    "completed_volume": (
        [(payment(amount="12.34"), "12.34"), (payment(amount="7", currency="JPY"), "7")],
        [payment(payment_status=status) for status in ("failed", "pending", "refunded")],
    ),
    "declined_payment": (
        [(payment(payment_status="failed", amount="5.00"), "1")],
        [payment(), payment(payment_status="cancelled")],
    ),
    "refunded_amount": (
        [(payment(payment_status="refunded", amount="5.00"), "5.00")],
        [payment(), payment(payment_status="failed")],
    ),
    "high_value_payment": (
        [
            (payment(amount="10000.00"), "10000.00"),
            (payment(amount="99999.99", currency="CHF"), "99999.99"),
        ],
        [payment(amount="9999.99"), payment(amount="10000", currency="JPY")],
    ),
    "below_reporting_threshold": (
        [
            (payment(amount="9000.00"), "9000.00"),
            (payment(amount="9999.99", currency="EUR"), "9999.99"),
        ],
        [
            payment(amount="8999.99"),
            payment(amount="10000.00"),
            payment(amount="9500", currency="JPY"),
        ],
    ),
    "round_amount": (
        [(payment(amount="1000.00"), "1"), (payment(amount="25000.00", currency="GBP"), "1")],
        [
            payment(amount="0.00"),
            payment(amount="1000.01"),
            payment(amount="500.00"),
            payment(amount="1000", currency="JPY"),
        ],
    ),
    "high_risk_country": (
        [
            (payment(customer_country="IR"), "10.00"),
            (payment(merchant_country="KP", customer_country="DE"), "10.00"),
            (payment(counterparty_country="MM"), "10.00"),
        ],
        [payment(), payment(customer_country="DE", merchant_country="US")],
    ),
    "cross_border_payment": (
        [(payment(customer_country="DE", merchant_country="US"), "1")],
        [
            payment(customer_country="DE", merchant_country="DE"),
            payment(customer_country="DE"),
            payment(),
        ],
    ),
    "cash_like_high_value": (
        [
            (payment(amount="1000.00", payment_method="cash_equivalent"), "1000.00"),
            (payment(amount="5000.00", payment_method="cryptocurrency"), "5000.00"),
        ],
        [
            payment(amount="999.99", payment_method="cryptocurrency"),
            payment(amount="5000.00"),
            payment(amount="5000", payment_method="cryptocurrency", currency="JPY"),
        ],
    ),
    "night_high_value": (
        [(payment(amount="5000.00", event_time=NIGHT), "1")],
        [
            payment(amount="5000.00", event_time=MORNING),
            payment(amount="5000.00", event_time=NOON),
            payment(amount="4999.99", event_time=NIGHT),
        ],
    ),
    "missing_kyc_data": (
        [
            (payment(quality_flags=["customer_id_missing"]), "1"),
            (payment(quality_flags=["customer_country_missing", "zero_amount"]), "1"),
            (payment(quality_flags=["customer_country_invalid"]), "1"),
        ],
        [payment(), payment(quality_flags=["customer_email_missing"])],
    ),
    "card_number_in_clear": (
        [(payment(quality_flags=["card_number_present", "card_data_forbidden"]), "1")],
        [payment(), payment(quality_flags=["card_data_forbidden"])],
    ),
    "orphan_refund": (
        [(payment(payment_status="refunded"), "10.00")],
        [payment(payment_status="refunded", original_transaction_id="txn-0"), payment()],
    ),
}

type Row = tuple[dict[str, str | None], str, int, bool]


def times(count: int, **fields: Any) -> list[Payment]:
    return [payment(**fields)] * count


# By rule: payments of one window, and dimensions, value, number of payments and whether an alert is
# raised for each group that it has to measure.
WINDOW_RULES: dict[str, tuple[list[Payment], list[Row]]] = {
    "failure_ratio_by_method": (
        [
            *times(33, payment_status="completed", payment_method="credit_card"),
            *times(17, payment_status="failed", payment_method="credit_card"),
            *times(9, payment_status="pending", payment_method="credit_card"),
            *times(49, payment_status="failed", payment_method="debit_card"),
            *times(67, payment_status="completed", payment_method="digital_wallet"),
            *times(33, payment_status="failed", payment_method="digital_wallet"),
        ],
        [
            ({"payment_method": "credit_card"}, "0.34", 50, True),
            ({"payment_method": "debit_card"}, "1", 49, False),
            ({"payment_method": "digital_wallet"}, "0.33", 100, False),
        ],
    ),
    "merchant_failure_burst": (
        [
            *times(25, payment_status="failed", merchant_id="m-1"),
            *times(24, payment_status="failed", merchant_id="m-2"),
            *times(30, payment_status="completed", merchant_id="m-3"),
            *times(30, payment_status="failed"),
        ],
        [({"merchant.id": "m-1"}, "25", 25, True), ({"merchant.id": "m-2"}, "24", 24, False)],
    ),
    "customer_rapid_fire": (
        [
            *times(40, customer_id="c-1"),
            *times(39, customer_id="c-2"),
            *times(9, customer_id="c-2", payment_status="pending"),
            *times(50),
        ],
        [({"customer.id": "c-1"}, "40", 40, True), ({"customer.id": "c-2"}, "39", 39, False)],
    ),
    "completed_volume_by_currency": (
        [
            payment(amount="0.10"),
            payment(amount="0.20"),
            payment(amount="5", currency="JPY"),
            payment(amount="9.00", payment_status="failed"),
        ],
        [({"currency": "JPY"}, "5", 1, False), ({"currency": "USD"}, "0.30", 2, False)],
    ),
    "amount_p95_by_category": (
        [
            *[payment(amount=f"{amount}.00", merchant_category="food") for amount in range(1, 21)],
            payment(amount="500.00", merchant_category="food", payment_status="failed"),
            payment(amount="7.00"),
        ],
        [
            ({"merchant.category": "food", "currency": "USD"}, "19.00", 20, False),
            ({"merchant.category": None, "currency": "USD"}, "7.00", 1, False),
        ],
    ),
    "cross_border_share": (
        [
            payment(customer_country="DE", merchant_country="US"),
            payment(customer_country="DE", merchant_country="DE"),
            payment(customer_country="DE"),
            payment(),
            payment(payment_method="cryptocurrency"),
        ],
        [
            ({"payment_method": "bank_transfer"}, "25", 4, False),
            ({"payment_method": "cryptocurrency"}, "0", 1, False),
        ],
    ),
    "active_customers": (
        [
            payment(channel="web", customer_id="c-1"),
            payment(channel="web", customer_id="c-1"),
            payment(channel="web", customer_id="c-2"),
            payment(channel="web"),
            payment(customer_id="c-3"),
        ],
        [({"channel": "web"}, "2", 4, False), ({"channel": None}, "1", 1, False)],
    ),
}


@pytest.fixture(scope="module")
def shipped() -> CompiledRules:
    return compile_document(RULES_FILE.read_bytes())


def number_of(rules: CompiledRules, rule_id: str) -> int:
    return [rule.id for rule in rules.document.rules].index(rule_id)


def test_the_shipped_document_is_valid_even_for_an_editor() -> None:
    schema = json.loads(SCHEMA_FILE.read_text("utf-8"))
    document = json.loads(RULES_FILE.read_text("utf-8"))
    assert list(Draft202012Validator(schema).iter_errors(document)) == []
    assert (RULES_FILE.parent / document["$schema"]).resolve() == SCHEMA_FILE.resolve()


def test_every_shipped_rule_is_enabled_and_has_a_test_here(shipped: CompiledRules) -> None:
    rules = shipped.document.rules
    assert len(rules) >= 12
    assert all(rule.enabled for rule in rules)
    assert {rule.id for rule in rules if rule.scope == "transaction"} == set(TRANSACTION_RULES)
    assert {rule.id for rule in rules if rule.scope == "window"} == set(WINDOW_RULES)


@pytest.mark.parametrize("rule_id", TRANSACTION_RULES)
def test_a_shipped_transaction_rule_finds_its_payments_and_no_others(
    shipped: CompiledRules, rule_id: str
) -> None:
    found, others = TRANSACTION_RULES[rule_id]
    payments = [*others, *[item for item, _ in found]]
    number = number_of(shipped, rule_id)
    (match,) = (item for item in shipped.matches(columns_of(payments)) if item.rule == number)
    expected = [Decimal(value) for _, value in found]
    assert match.rows == list(range(len(others), len(payments)))
    assert match.values == expected


@pytest.mark.parametrize("rule_id", WINDOW_RULES)
def test_a_shipped_window_rule_measures_its_groups_and_alerts_at_its_threshold(
    shipped: CompiledRules, rule_id: str
) -> None:
    payments, expected = WINDOW_RULES[rule_id]
    number = number_of(shipped, rule_id)
    values = shipped.window_values(columns_of(payments))
    assert [value for value in values if value.rule == number] == [
        WindowValue(number, dimensions, Decimal(value), count, exceeded)
        for dimensions, value, count, exceeded in expected
    ]
