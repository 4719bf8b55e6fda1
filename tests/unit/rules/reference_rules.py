"""What rules mean, one payment at a time over plain Python values: slow and obviously right.

It shares no code with the compiler. Payments are those of ``rule_samples``.
"""

import operator as operators
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

type Payment = Mapping[str, Any]
type Lists = Mapping[str, Sequence[str]]

_COMPARE: Mapping[str, Callable[[Fraction, Fraction], Any]] = {
    "eq": operators.eq,
    "ne": operators.ne,
    "gt": operators.gt,
    "gte": operators.ge,
    "lt": operators.lt,
    "lte": operators.le,
}
_RECKON: Mapping[str, Callable[[Fraction, Fraction], Any]] = {
    "add": operators.add,
    "subtract": operators.sub,
    "multiply": operators.mul,
    "divide": operators.truediv,
}
_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Measured(NamedTuple):
    """What a window rule has to measure for one group."""

    dimensions: Mapping[str, str | None]
    value: Decimal
    payment_count: int
    exceeded: bool


def judge(condition: Any, payment: Payment, lists: Lists) -> bool | None:
    """Return whether a condition holds for a payment; None if that is unknown."""
    if condition is None:
        return True
    if "all" in condition:
        found = [judge(part, payment, lists) for part in condition["all"]]
        return False if False in found else None if None in found else True
    if "any" in condition:
        found = [judge(part, payment, lists) for part in condition["any"]]
        return True if True in found else None if None in found else False
    if "not" in condition:
        part = judge(condition["not"], payment, lists)
        return None if part is None else not part
    return _compare(condition, payment, lists)


def _compare(condition: Any, payment: Payment, lists: Lists) -> bool | None:
    name, operator, operand = condition["field"], condition["operator"], condition.get("value")
    found = payment.get(name)
    if name == "quality_flags":
        return _compare_flags(set(found or ()), operator, _members(operand, lists))
    if operator == "exists":
        return (found is not None) == (operand is not False)
    if isinstance(operand, dict) and "field" in operand:
        other = payment.get(operand["field"])
        return None if None in {found, other} else (found == other) == (operator == "eq")
    return None if found is None else _compare_present(found, condition, lists)


def _compare_present(found: Any, condition: Any, lists: Lists) -> bool:
    name, operator, operand = condition["field"], condition["operator"], condition["value"]
    if name == "amount":
        return _compare_amounts(Fraction(found), operator, operand, condition)
    if name == "event_time":
        local = found.astimezone(ZoneInfo(condition.get("time_zone", "UTC")))
        if operator == "day_of_week":
            return _DAYS[local.weekday()] in _members(operand, lists)
        return local.hour in _hours(*operand)
    if operator == "starts_with":
        return str(found).startswith(operand)
    return (found in _members(operand, lists)) == (operator in {"eq", "in"})


def _hours(first: int, last: int) -> list[int]:
    """Return the hours that a clock shows from the first up to the last, which is left out."""
    hours = [first % 24]
    while (hours[-1] + 1) % 24 != last % 24:
        hours.append((hours[-1] + 1) % 24)
    return hours


def _members(operand: Any, lists: Lists) -> Sequence[str]:
    if isinstance(operand, dict):
        return lists[operand["list"]]
    return operand if isinstance(operand, list) else [operand]


def _compare_flags(flags: set[str], operator: str, wanted: Sequence[str]) -> bool:
    if operator == "exists":
        return bool(flags) == (wanted != [False])
    return bool(flags & set(wanted)) == (operator in {"eq", "in"})


def _compare_amounts(amount: Fraction, operator: str, operand: Any, condition: Any) -> bool:
    if operator == "between":
        first, last = map(Fraction, operand)
        return first <= amount <= last
    bound = Fraction(operand)
    if operator == "near_threshold":
        return bound - bound * Fraction(condition["within_percent"]) / 100 <= amount < bound
    if operator == "is_round_amount":
        return amount > 0 and (amount / bound).denominator == 1
    return bool(_COMPARE[operator](amount, bound))


def value_of(tree: Any, payment: Payment) -> Decimal | None:
    """Return the value that a transaction rule gives a payment, to 34 digits; None if it has none.

    Divisions inside of other operations must be exact.
    """
    exact = _exact_value(tree, payment)
    return None if exact is None else _rounded(exact, 34)


def _exact_value(tree: Any, payment: Payment) -> Fraction | None:
    if not isinstance(tree, dict):
        return Fraction(1 if tree is None else tree)
    if "field" in tree:
        return Fraction(payment["amount"])
    ((operator, operands),) = tree.items()
    left, right = (_exact_value(operand, payment) for operand in operands)
    if left is None or right is None or (operator == "divide" and right == 0):
        return None
    return Fraction(_RECKON[operator](left, right))


def measure(rule: Any, payments: Sequence[Payment], lists: Lists) -> Iterator[Measured]:
    """Yield what a window rule measures of payments, in any order."""
    groups: dict[tuple[str | None, ...], list[Payment]] = defaultdict(list)
    for payment in payments:
        if judge(rule.get("when"), payment, lists):
            groups[tuple(payment.get(name) for name in rule.get("group_by", ()))].append(payment)
    for key, members in groups.items():
        value = _measure_of(rule["measure"], members, lists)
        alert = rule.get("alert")
        exceeded = (
            alert is not None
            and len(members) >= alert.get("minimum_payments", 1)
            and _compare_amounts(Fraction(value), alert["operator"], alert["value"], {})
        )
        dimensions = dict(zip(rule.get("group_by", ()), key, strict=True))
        yield Measured(dimensions, value, len(members), exceeded)


def _measure_of(measure: Any, members: Sequence[Payment], lists: Lists) -> Decimal:
    function, count = measure["function"], len(members)
    if function == "count":
        return Decimal(count)
    if function == "distinct_count":
        return Decimal(len({member.get(measure["field"]) for member in members} - {None}))
    if function in {"ratio", "percentage"}:
        hits = sum(judge(measure["of"], member, lists) is True for member in members)
        return _rounded(Fraction(hits * (100 if function == "percentage" else 1), count), 28)
    amounts = sorted(Fraction(member["amount"]) for member in members)
    if function == "average":
        return _rounded(sum(amounts, Fraction()) / count, 28)
    share = Fraction(measure.get("percentile", 100)) / 100
    exact = {
        "sum": sum(amounts, Fraction()),
        "minimum": amounts[0],
        "maximum": amounts[-1],
        "percentile": next(
            value for at, value in enumerate(amounts, 1) if Fraction(at, count) >= share
        ),
    }
    return _rounded(exact[function], 60)


def _rounded(exact: Fraction, digits: int) -> Decimal:
    return Context(prec=digits).divide(Decimal(exact.numerator), Decimal(exact.denominator))
