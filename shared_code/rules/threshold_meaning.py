"""Checks bands and alert thresholds: can any value of the rule reach them?"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared_code.rules.check_context import CheckContext
from shared_code.rules.errors import Path, RuleError, json_path, shown
from shared_code.rules.number_sets import (
    EVERY_NUMBER,
    NEVER_NEGATIVE,
    NumberSet,
    band,
    between,
    numbers_that,
)

# What decides the values of a rule; they are known only if all of it is whole.
_DECIDING: Final = ("scope", "measure", "value", "previous", "pattern", "lookup", "terms")
_OF_MEASURES: Final[Mapping[str, NumberSet]] = {
    "count": band(1, None),
    "ratio": between(0, 1),
    "percentage": between(0, 100),
}
_SHARES: Final = (_OF_MEASURES["ratio"], _OF_MEASURES["percentage"])


def threshold_errors(
    path: Path, rule: Mapping[str, Any], context: CheckContext
) -> Iterator[RuleError]:
    """Yield what makes no sense in the bands and the alert of a rule.

    Args:
        path: of the rule in the document.
        rule: whatever keys it has.
        context: of the document.
    """
    known = all(context.is_whole((*path, key)) for key in _DECIDING)
    values = _values(rule) if known else EVERY_NUMBER
    if context.has_whole((*path, "bands"), rule):
        yield from _band_errors((*path, "bands"), rule["bands"], values)
    if context.has_whole((*path, "alert"), rule):
        yield from _alert_errors((*path, "alert"), rule["alert"], values)


def _values(rule: Mapping[str, Any]) -> NumberSet:
    """Return numbers that include every value which a whole rule can have."""
    scope = rule.get("scope")
    if scope in {"window", "velocity"} and "measure" in rule:
        return _OF_MEASURES.get(rule["measure"]["function"], NEVER_NEGATIVE)
    if scope == "score" and "terms" in rule:
        points = [term["points"] for term in rule["terms"]]
        return between(
            sum(min(number, 0) for number in points), sum(max(number, 0) for number in points)
        )
    if scope in {"transaction", "sequence"}:
        return _values_of_payments(rule)
    return EVERY_NUMBER


def _values_of_payments(rule: Mapping[str, Any]) -> NumberSet:
    if "value" not in rule:
        return band(rule["pattern"].get("times", 1), None) if "pattern" in rule else between(1, 1)
    tree = rule["value"]
    if not isinstance(tree, dict):
        return between(tree, tree)
    return NEVER_NEGATIVE if "field" in tree else EVERY_NUMBER


def _band_errors(path: Path, bands: Any, values: NumberSet) -> Iterator[RuleError]:
    outcomes: dict[str, int] = {}
    earlier: list[tuple[int, NumberSet]] = []
    for at, item in enumerate(bands):
        where = json_path((*path, at))
        first = outcomes.setdefault(item["outcome"], at)
        if first != at:
            message = f"the outcome {item['outcome']!r} is taken by {json_path((*path, first))}"
            yield RuleError(json_path((*path, at, "outcome")), message, "Choose another name.")
        numbers = band(item.get("at_least"), item.get("below"))
        if numbers.is_empty:
            message = f"no number is at least {shown(item['at_least'])} and below "
            message += shown(item["below"])
            yield RuleError(where, message, "Put the lower end into 'at_least'.")
            continue
        overlap = (other for other, taken in earlier if not numbers.meet(taken).is_empty)
        if (other := next(overlap, None)) is not None:
            message = f"the band overlaps {json_path((*path, other))}"
            yield RuleError(where, message, "Let one end 'below' where the other is 'at_least'.")
        elif numbers.meet(values).is_empty:
            message = f"no value of the rule lies in the band; it has {_described(values)}"
            yield RuleError(where, message, "Correct the ends, or leave the band out.")
        earlier.append((at, numbers))


def _alert_errors(path: Path, alert: Mapping[str, Any], values: NumberSet) -> Iterator[RuleError]:
    passing = numbers_that(alert["operator"], alert["value"])
    where = json_path((*path, "value"))
    threshold = f"{alert['operator']} {shown(alert['value'])}"
    if passing.meet(values).is_empty:
        message = f"no value passes {threshold}: the rule has {_described(values)}"
        yield RuleError(where, message, "Choose a threshold that values can pass.")
    elif values in _SHARES and passing.complement().meet(values).is_empty:
        message = f"every value passes {threshold}: the rule has {_described(values)}"
        yield RuleError(where, message, "Choose a threshold that some values do not pass.")


def _described(values: NumberSet) -> str:
    ((_, low, _), (end, high, _)) = values.ranges[0]
    if end:
        return f"values from {low}"
    return f"values from {low} to {high}" if low != high else f"only the value {low}"
