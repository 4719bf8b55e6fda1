"""Short words for the payments that shipped rules are tried on."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

from unit.rules.rule_samples import NOON, Payment, columns_of, payment

from shared_code.rules.compiler import CompiledRules
from shared_code.rules.dry_run import dry_run
from shared_code.rules.outcomes import INDETERMINATE

RULES_FILE = Path(__file__).parents[3] / "rules" / "metric_derivation_rules.json"
DAY = 24 * 60
_NUMBERS = count(1)

type Fields = dict[str, Any]


class Case(NamedTuple):
    """Payments in which a rule finds something of a value, and near misses, each by itself."""

    fires: Sequence[Payment]
    quiet: Sequence[Sequence[Payment]]
    values: Sequence[str] = ("1",)


def at(minute: float = 0, **fields: Any) -> Payment:
    """Return a payment of its own, in euro, some minutes after noon."""
    plain: Fields = {
        "event_time": NOON + timedelta(minutes=minute),
        "transaction_id": f"payment-{next(_NUMBERS)}",
        "currency": "EUR",
        "customer_id": "ada",
    }
    return payment(**(plain | fields))


def times(number: int, gap: float = 0.01, **fields: Any) -> list[Payment]:
    """Return equal payments, ``gap`` minutes apart."""
    return [at(gap * place, **fields) for place in range(number)]


def each(name: str, number: int, gap: float = 0.01, **fields: Any) -> list[Payment]:
    """Return payments that differ in one field."""
    return [at(gap * place, **({name: f"{name}-{place}"} | fields)) for place in range(number)]


def refund(minute: float = 0, **fields: Any) -> Payment:
    """Return a refund of the payment ``sale``."""
    plain: Fields = {"payment_status": "refunded", "original_transaction_id": "sale"}
    return at(minute, **(plain | fields))


def found(rules: CompiledRules, rule_id: str, payments: Sequence[Payment]) -> list[Decimal | None]:
    """Return the values that one rule finds; with an alert those that are worth one."""
    (number,) = (at for at, rule in enumerate(rules.document.rules) if rule.id == rule_id)
    rule = rules.document.rules[number]
    run = dry_run(rules, columns_of(payments))
    if rule.scope == "transaction":
        matches = [match for match in run.matches if match.rule == number]
        return [value for match in matches for value in match.values]
    return [
        finding.value
        for judgement in run.judgements
        for finding in judgement.findings
        if finding.rule == number and (finding.exceeded or rule.alert is None)
    ]


def outcomes(rules: CompiledRules, rule_id: str, payments: Sequence[Payment]) -> Mapping[str, str]:
    """Return by payment the outcome that a transaction or score rule has for it."""
    (number,) = (at for at, rule in enumerate(rules.document.rules) if rule.id == rule_id)
    names = {each.number: each.name for at, each in rules.outcomes() if at == number}
    run = dry_run(rules, columns_of(payments))
    ids = run.columns.values("transaction_id")
    of_matches = {
        ids[row]: names[match.outcome]
        for match in run.matches
        if match.rule == number
        for row in match.rows
    }
    of_findings = {
        finding.dimensions.get("transaction_id") or "": names[finding.outcome]
        for judgement in run.judgements
        for finding in judgement.findings
        if finding.rule == number and finding.outcome != INDETERMINATE
    }
    return of_findings | of_matches
