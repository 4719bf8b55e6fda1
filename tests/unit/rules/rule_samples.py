"""Small factories of rule documents, and of payments as rules see them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from shared_code.domain.countries import COUNTRIES
from shared_code.domain.currencies import CURRENCIES
from shared_code.domain.vocabularies import (
    Channel,
    DeviceType,
    PaymentMethod,
    PaymentStatus,
    QualityFlag,
)
from shared_code.rules.columns import Columns
from shared_code.rules.compiler import CompiledRules, compile_document
from shared_code.rules.document import RuleDocument
from shared_code.rules.document_text import parse_document
from shared_code.rules.dry_run import DryRun, dry_run
from shared_code.rules.errors import RuleDocumentRefused, RuleError
from shared_code.rules.findings import Finding, RuleCount
from shared_code.rules.outcomes import INDETERMINATE
from shared_code.rules.validation import read_document
from shared_code.rules.window_slices import WindowSlice

NOON = datetime(2026, 1, 28, 12, 30, tzinfo=UTC)  # a Wednesday
_ENCODER = msgspec.json.Encoder(decimal_format="number")

type Payment = Mapping[str, Any]


def payment(**fields: Any) -> Payment:
    """Return a payment by rule fields; ``customer_country`` stands for ``customer.country``.

    Amounts are text or Decimal, codes their names, flags a list of names.
    """
    parties = ("customer_", "merchant_", "card_", "counterparty_")
    given = {
        name.replace("_", ".", 1) if name.startswith(parties) else name: value
        for name, value in fields.items()
    }
    plain = {
        "amount": "10.00",
        "currency": "USD",
        "event_time": NOON,
        "payment_method": "bank_transfer",
        "payment_status": "completed",
        "transaction_id": "txn-1",
    }
    return plain | given


def after(minutes: float) -> datetime:
    """Return the time so many minutes after noon, which begins a window."""
    return NOON + timedelta(minutes=minutes)


def columns_of(payments: Sequence[Payment]) -> Columns:
    """Return payments as columns, coded here as the database codes them."""
    rows = [_stored(item) for item in payments]
    return Columns(len(rows), lambda column: [row.get(column) for row in rows])


def _stored(fields: Payment) -> dict[str, Any]:
    vocabularies = {
        "payment_method": PaymentMethod,
        "payment_status": PaymentStatus,
        "channel": Channel,
        "device_type": DeviceType,
    }
    row: dict[str, Any] = {"quality_flags": 0}
    for name, value in fields.items():
        column = name.replace(".", "_")
        if value is None:
            continue
        if name in vocabularies:
            row[column] = int(vocabularies[name][value])
        elif name == "currency":
            row[column] = CURRENCIES[value].number
        elif name.endswith(".country"):
            row[column] = COUNTRIES[value]
        elif name == "merchant.mcc":
            row[column] = int(value)
        elif name == "quality_flags":
            row[column] = sum(int(QualityFlag[flag]) for flag in value)
        elif name == "amount":
            row[column] = Decimal(value)
        else:
            row[column] = value
    return row


def rule(rule_id: str = "a_rule", **changes: Any) -> dict[str, Any]:
    """Return a transaction rule; a key given as None is left out."""
    plain = {
        "id": rule_id,
        "scope": "transaction",
        "description": "A rule of the tests.",
        "category": "aml",
        "severity": "low",
        "metric": {"name": "a_metric", "type": "count"},
    }
    return {key: value for key, value in (plain | changes).items() if value is not None}


def window_rule(rule_id: str = "a_rule", **changes: Any) -> dict[str, Any]:
    """Return a window rule that counts."""
    return rule(rule_id, **{"scope": "window", "measure": {"function": "count"}} | changes)


def comparison(field: str, operator: str, value: Any = None, **options: Any) -> dict[str, Any]:
    """Return a comparison; without a value if that is None."""
    given = {} if value is None else {"value": value}
    return {"field": field, "operator": operator, **given, **options}


def document(*rules: Any, **changes: Any) -> bytes:
    """Return a rule document; Decimals become JSON numbers, digit by digit."""
    content = {"version": "1.0.0", "rules": list(rules), **changes}
    return _ENCODER.encode({key: value for key, value in content.items() if value is not None})


def compiled(*rules: Any, **changes: Any) -> CompiledRules:
    """Return compiled rules."""
    return compile_document(document(*rules, **changes))


def unchecked(*rules: Any, **changes: Any) -> CompiledRules:
    """Return compiled rules that may be pointless, such as a condition that can never hold."""
    return CompiledRules(msgspec.convert(parse_document(document(*rules, **changes)), RuleDocument))


def verdicts(condition: Any, *payments: Payment, **changes: Any) -> list[bool | None]:
    """Return for each payment whether a condition holds; None where it and its negation do not."""
    rules = unchecked(
        rule("holds", when=condition), rule("fails", when={"not": condition}), **changes
    )
    result: list[bool | None] = [None] * len(payments)
    for match in rules.matches(columns_of(payments)):
        for row in [] if match.outcome == INDETERMINATE else match.rows:
            assert result[row] is None, "a condition both holds and fails"
            result[row] = match.rule == 0
    return result


def amounts_matched(condition: Any, currency: str, *amounts: str) -> list[str]:
    """Return those amounts of a currency for which a condition holds."""
    payments = [payment(amount=amount, currency=currency) for amount in amounts]
    found = verdicts(condition, *payments)
    assert None not in found
    return [amount for amount, holds in zip(amounts, found, strict=True) if holds]


def values_of(tree: Any, *payments: Payment) -> list[Decimal | None]:
    """Return the values that a transaction rule gives to payments."""
    (match,) = compiled(rule(value=tree)).matches(columns_of(payments))
    assert match.rows == list(range(len(payments)))
    return list(match.values)


def measured(window: Any, *payments: Payment, **changes: Any) -> list[Finding]:
    """Return what one window rule measures of payments that lie in one window."""
    (rule,) = compiled(window, **changes).window_rules
    return list(rule.findings(WindowSlice(NOON, columns_of(payments))))


def dried(rules: Sequence[Any], *payments: Payment, **changes: Any) -> DryRun:
    """Return what a document of some rules finds in payments."""
    return dry_run(compiled(*rules, **changes), columns_of(payments))


def findings_of(rule: Any, *payments: Payment, **changes: Any) -> list[Finding]:
    """Return what one rule finds in payments, window by window."""
    run = dried([rule], *payments, **changes)
    return [finding for judgement in run.judgements for finding in judgement.findings]


def count_of(rule: Any, *payments: Payment, **changes: Any) -> RuleCount:
    """Return how one rule fares in payments of one window."""
    (judgement,) = dried([rule], *payments, **changes).judgements
    (count,) = judgement.counts
    return count


def mistakes(content: bytes) -> list[RuleError]:
    """Return the mistakes for which a document is refused; none if it is accepted."""
    try:
        read_document(content)
    except RuleDocumentRefused as refusal:
        return list(refusal.errors)
    return []


def mistake_paths(*rules: Any, **changes: Any) -> list[str]:
    """Return where a document has its mistakes, in order."""
    return [error.path for error in mistakes(document(*rules, **changes))]
