"""Small factories of rules of the scopes that look at more than one payment."""

from typing import Any

from unit.rules.rule_samples import comparison, rule


def velocity_rule(rule_id: str = "a_rule", **changes: Any) -> dict[str, Any]:
    """Return a velocity rule that counts the payments of a customer within an hour."""
    plain = {
        "scope": "velocity",
        "subject": "customer.id",
        "within_minutes": 60,
        "measure": {"function": "count"},
        "alert": {"operator": "gte", "value": 3},
    }
    return rule(rule_id, **plain | changes)


def sequence_rule(rule_id: str = "a_rule", **changes: Any) -> dict[str, Any]:
    """Return a sequence rule that finds the second payment of a customer within an hour."""
    previous = {"within_minutes": 60, "where": comparison("gap_minutes", "gte", 0)}
    plain = {"scope": "sequence", "subject": "customer.id", "previous": previous}
    return rule(rule_id, **plain | changes)


def lookup_rule(rule_id: str = "a_rule", **changes: Any) -> dict[str, Any]:
    """Return a sequence rule that compares a refund with the payment that it names."""
    where = comparison("amount", "gt", {"field": "original.amount"})
    plain = {"scope": "sequence", "lookup": {"within_minutes": 60, "where": where}}
    return rule(rule_id, **plain | changes)


def own_past_rule(rule_id: str = "a_rule", **changes: Any) -> dict[str, Any]:
    """Return a sequence rule that finds completions of payments that had failed within an hour."""
    failed, completed = (
        comparison(name, "eq", status)
        for name, status in (("original.payment_status", "failed"), ("payment_status", "completed"))
    )
    lookup = {"by": "transaction_id", "within_minutes": 60, "where": failed}
    return rule(rule_id, **{"scope": "sequence", "when": completed, "lookup": lookup} | changes)


def pattern_rule(rule_id: str = "a_rule", **changes: Any) -> dict[str, Any]:
    """Return a sequence rule that finds two failures and a success within an hour."""
    failed, completed = (
        comparison("payment_status", "eq", status) for status in ("failed", "completed")
    )
    pattern = {"first": failed, "times": 2, "then": completed, "within_minutes": 60}
    return rule(
        rule_id, **{"scope": "sequence", "subject": "customer.id", "pattern": pattern} | changes
    )


def score_rule(rule_id: str = "a_score", **changes: Any) -> dict[str, Any]:
    """Return a score rule that weighs the rule ``a_rule``."""
    plain = {"scope": "score", "terms": [{"rule": "a_rule", "points": 10}]}
    return rule(rule_id, **plain | changes)
