"""Rules as closures over one payment, made once, as peers of the product run them."""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

COLUMNS = (
    "transaction_id",
    "event_time",
    "payment_status",
    "payment_method",
    "currency",
    "amount",
    "channel",
    "device_type",
    "customer_id",
    "customer_country",
    "customer_email_hash",
    "customer_email_domain",
    "merchant_id",
    "merchant_name",
    "merchant_category",
    "merchant_mcc",
    "merchant_country",
    "card_brand",
    "card_bin",
    "card_last4",
    "card_fingerprint",
    "counterparty_id",
    "counterparty_country",
    "original_transaction_id",
    "quality_flags",
)
AT = {name: position for position, name in enumerate(COLUMNS)}
_ARITHMETIC = {
    "add": Decimal.__add__,
    "subtract": Decimal.__sub__,
    "multiply": Decimal.__mul__,
}

Row = tuple[Any, ...]
Condition = Callable[[Row], "bool | None"]


class Rule(NamedTuple):
    """A rule in the form in which it is run."""

    number: int
    when: Condition
    value: Callable[[Row], Decimal]
    records_unknown: bool


def compile_rules(document: dict[str, Any], numbers: dict[str, dict[str, int]]) -> list[Rule]:
    """Return closures for the transaction rules of a document, made once.

    Args:
        document: as JSON gives it.
        numbers: the stored number of each code, by column.
    """
    return [
        Rule(
            number,
            _condition(rule["when"], numbers),
            _value(rule.get("value", 1)),
            rule["indeterminate"] == "record",
        )
        for number, rule in enumerate(document["rules"])
    ]


def _value(tree: Any) -> Callable[[Row], Decimal]:
    if not isinstance(tree, dict):
        number = Decimal(str(tree))
        return lambda _: number
    if "field" in tree:
        at = AT[tree["field"]]
        return lambda row: row[at]
    operator = next(iter(tree))
    operate = _ARITHMETIC[operator]
    left, right = map(_value, tree[operator])
    return lambda row: operate(left(row), right(row))


def _condition(tree: dict[str, Any], numbers: dict[str, dict[str, int]]) -> Condition:
    if "all" in tree:
        return _combined([_condition(part, numbers) for part in tree["all"]], decided_by=False)
    if "any" in tree:
        return _combined([_condition(part, numbers) for part in tree["any"]], decided_by=True)
    if "not" in tree:
        part = _condition(tree["not"], numbers)

        def negated(row: Row) -> bool | None:
            verdict = part(row)
            return None if verdict is None else not verdict

        return negated
    return _comparison(tree, numbers)


def _combined(parts: Sequence[Condition], *, decided_by: bool) -> Condition:
    """Combine verdicts; unknown unless one of them, or all of them, decide."""

    def evaluate(row: Row) -> bool | None:
        verdict: bool | None = not decided_by
        for part in parts:
            found = part(row)
            if found is decided_by:
                return found
            if found is None:
                verdict = None
        return verdict

    return evaluate


def _comparison(  # noqa: PLR0911 - one return for each operator
    tree: dict[str, Any], numbers: dict[str, dict[str, int]]
) -> Condition:
    column, operator, operand = tree["field"].replace(".", "_"), tree["operator"], tree["value"]
    at = AT[column]
    if operator == "exists":
        return lambda row: (row[at] is not None) is operand
    if isinstance(operand, dict):
        other, equal = AT[operand["field"].replace(".", "_")], operator == "eq"
        return lambda row: (
            None if row[at] is None or row[other] is None else (row[at] == row[other]) is equal
        )
    if column == "amount":
        return _of_amount(operator, operand, tree.get("within_percent"))
    if column == "event_time":
        return _of_time(operator, operand)
    if operator == "starts_with":
        return lambda row: None if row[at] is None else row[at].startswith(operand)
    if operator == "matches":
        search = re.compile(operand).search
        return lambda row: None if row[at] is None else search(row[at]) is not None
    names = operand if isinstance(operand, list) else [operand]
    negated = operator in {"ne", "not_in"}
    if column == "quality_flags":
        bits = sum(numbers[column][name] for name in names)
        return lambda row: bool(row[at] & bits) is not negated
    if column == "merchant_mcc":
        wanted = {int(name) for name in names}
    elif column in numbers:
        wanted = {numbers[column][name] for name in names}
    else:
        wanted = set(names)
    return lambda row: None if row[at] is None else (row[at] in wanted) is not negated


def _of_amount(operator: str, operand: Any, within_percent: Any) -> Condition:
    low, high = (
        Decimal(str(bound))
        for bound in (operand if isinstance(operand, list) else (operand, operand))
    )
    if operator == "near_threshold":
        low *= 1 - Decimal(str(within_percent)) / 100
    at = AT["amount"]
    return {
        "gt": lambda row: row[at] > low,
        "gte": lambda row: row[at] >= low,
        "lt": lambda row: row[at] < high,
        "lte": lambda row: row[at] <= high,
        "between": lambda row: low <= row[at] <= high,
        "near_threshold": lambda row: low <= row[at] < high,
        "is_round_amount": lambda row: row[at] > 0 and not row[at] % low,
    }[operator]


def _of_time(operator: str, operand: Any) -> Condition:
    at = AT["event_time"]
    if operator == "day_of_week":
        names = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
        days = {names.index(name) for name in operand}
        return lambda row: row[at].weekday() in days
    first, last = operand
    hours = {hour % 24 for hour in range(first, last if first < last else last + 24)}
    return lambda row: row[at].hour in hours
