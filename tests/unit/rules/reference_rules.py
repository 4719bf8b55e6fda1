"""What rules mean, one payment at a time over plain Python values: slow and obviously right.

It shares no code with the compiler. Payments are those of ``rule_samples``; rules are those of a
document, before it is read.
"""

import operator as operators
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

type Payment = Mapping[str, Any]

MATCHED, INDETERMINATE, FIRST_BAND = 1, 2, 3
DECIMALS = {"JPY": 0, "USD": 2, "EUR": 2, "KWD": 3, "CLF": 4}
COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
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
_NUMBERS = {"gap_minutes", "amount_ratio"}


class Given(NamedTuple):
    """What a document gives its rules: lists by name, and exchange rates."""

    lists: Mapping[str, Sequence[str]] = {}
    rates: Any = None


class Told(NamedTuple):
    """What a transaction rule tells of one payment."""

    outcome: int
    value: Decimal | None
    rate: Decimal | None


class Measured(NamedTuple):
    """What a window rule has to measure for one group."""

    dimensions: Mapping[str, str | None]
    value: Decimal
    payment_count: int
    exceeded: bool
    outcome: int


def applies(rule: Any, payment: Payment, given: Given) -> bool | None:
    """Return whether a payment counts for a rule; None if that is unknown."""
    first, end = rule.get("effective_from"), rule.get("effective_to")
    time = payment["event_time"]
    if first is not None and time < datetime.fromisoformat(first):
        return False
    if end is not None and time >= datetime.fromisoformat(end):
        return False
    return judge(rule.get("when"), payment, given)


def judge(condition: Any, payment: Payment, given: Given) -> bool | None:
    """Return whether a condition holds for a payment; None if that is unknown."""
    if condition is None:
        return True
    if "all" in condition:
        found = [judge(part, payment, given) for part in condition["all"]]
        return False if False in found else None if None in found else True
    if "any" in condition:
        found = [judge(part, payment, given) for part in condition["any"]]
        return True if True in found else None if None in found else False
    if "not" in condition:
        part = judge(condition["not"], payment, given)
        return None if part is None else not part
    return _compare(condition, payment, given)


def _compare(condition: Any, payment: Payment, given: Given) -> bool | None:
    name, operator, operand = condition["field"], condition["operator"], condition.get("value")
    found = payment.get(name)
    if operator == "exists":
        return (found not in (None, [])) == (operand is not False)
    if name.endswith("amount"):
        target = condition.get("in_currency")
        amount = amount_of(payment, name, target, given.rates)
        if not isinstance(operand, dict):
            return None if amount is None else _compare_number(amount, condition)
        other = amount_of(payment, operand["field"], target, given.rates)
        mixed = target is None and _currency(payment, name) != _currency(payment, operand["field"])
        return None if mixed or None in {amount, other} else COMPARE[operator](amount, other)
    if isinstance(operand, dict) and "field" in operand:
        other = payment.get(operand["field"])
        return None if None in {found, other} else (found == other) == (operator == "eq")
    return None if found is None else _compare_present(found, condition, given)


def _compare_present(found: Any, condition: Any, given: Given) -> bool:
    name, operator, operand = condition["field"], condition["operator"], condition["value"]
    if name in _NUMBERS:
        return _compare_number(found, condition)
    if name.endswith("event_time"):
        local = found.astimezone(ZoneInfo(condition.get("time_zone", "UTC")))
        if operator == "day_of_week":
            return _DAYS[local.weekday()] in _members(operand, given)
        return local.hour in _hours(*operand)
    if operator == "starts_with":
        return str(found).startswith(operand)
    if operator == "matches":
        return re.search(operand, found) is not None
    values = set(found) if name.endswith("quality_flags") else {found}
    return bool(values & set(_members(operand, given))) == (operator in {"eq", "in"})


def _hours(first: int, last: int) -> list[int]:
    """Return the hours that a clock shows from the first up to the last, which is left out."""
    hours = [first % 24]
    while (hours[-1] + 1) % 24 != last % 24:
        hours.append((hours[-1] + 1) % 24)
    return hours


def _members(operand: Any, given: Given) -> Sequence[str]:
    if isinstance(operand, dict):
        return given.lists[operand["list"]]
    return operand if isinstance(operand, list) else [operand]


def _compare_number(number: Fraction, condition: Any) -> bool:
    operator, operand = condition["operator"], condition["value"]
    if operator == "between":
        first, last = map(Fraction, operand)
        return first <= number <= last
    bound = Fraction(operand)
    if operator == "near_threshold":
        return bound - bound * Fraction(condition["within_percent"]) / 100 <= number < bound
    if operator == "is_round_amount":
        return number > 0 and (number / bound).denominator == 1
    return bool(COMPARE[operator](number, bound))


def _currency(payment: Payment, name: str) -> Any:
    return payment.get(name.removesuffix("amount") + "currency")


def amount_of(payment: Payment, name: str, target: str | None, rates: Any) -> Fraction | None:
    """Return an amount, in a currency if one is asked for; None if it is unknown."""
    if payment.get(name) is None:
        return None
    amount = Fraction(payment[name])
    if target is None:
        return amount
    rate = rate_between(_currency(payment, name), target, rates)
    if rate is None:
        return None
    minor_units = round(amount * rate * 10 ** DECIMALS[target])
    return Fraction(minor_units, 10 ** DECIMALS[target]) if minor_units < 2**63 else None


def rate_between(currency: str, target: str, rates: Any) -> Fraction | None:
    """Return what one unit of a currency is worth in another; None without a rate."""
    worth = {rates["base"]: 1, **rates["per_base"]}
    return Fraction(worth[target]) / Fraction(worth[currency]) if currency in worth else None


def told(rule: Any, payment: Payment, given: Given) -> Told | None:
    """Return what a transaction rule tells of a payment; None for nothing."""
    holds = applies(rule, payment, given)
    if holds is None:
        ignored = rule.get("indeterminate") == "ignore"
        return None if ignored else Told(INDETERMINATE, None, None)
    if not holds:
        return None
    value = value_of(rule.get("value"), payment, given)
    return Told(outcome_of(rule, value), value, _rate_used(rule, payment, given))


def outcome_of(rule: Any, value: Decimal | None) -> int:
    """Return the number of the outcome of a value."""
    if value is None:
        return INDETERMINATE
    for number, band in enumerate(rule.get("bands", ()), FIRST_BAND):
        if band.get("at_least", value) <= value and ("below" not in band or value < band["below"]):
            return number
    return MATCHED


def passes(rule: Any, value: Decimal) -> bool:
    """Return whether a value is worth an alert."""
    alert = rule.get("alert")
    return alert is not None and bool(COMPARE[alert["operator"]](value, alert["value"]))


def _rate_used(rule: Any, payment: Payment, given: Given) -> Decimal | None:
    asked = re.search(r"'in_currency': '(...)'", repr([rule.get("when"), rule.get("value")]))
    if asked is None or asked[1] == payment["currency"]:
        return None
    rate = rate_between(payment["currency"], asked[1], given.rates)
    return None if rate is None else _rounded(rate, 18)


def value_of(tree: Any, payment: Payment, given: Given) -> Decimal | None:
    """Return the value that a rule gives a payment, to 34 digits; None if it has none.

    Divisions inside of other operations must be exact.
    """
    prefixes = {name.removesuffix("amount") for name in _plain_amounts(tree)}
    if len({payment.get(prefix + "currency") for prefix in prefixes}) > 1:
        return None
    exact = _exact_value(tree, payment, given)
    return None if exact is None else _rounded(exact, 34)


def _plain_amounts(tree: Any) -> Iterator[str]:
    if isinstance(tree, dict) and "field" in tree:
        if tree["field"] not in _NUMBERS and "in_currency" not in tree:
            yield tree["field"]
    elif isinstance(tree, dict):
        for part in next(iter(tree.values())):
            yield from _plain_amounts(part)


def _exact_value(tree: Any, payment: Payment, given: Given) -> Fraction | None:
    if not isinstance(tree, dict):
        return Fraction(1 if tree is None else tree)
    if "field" in tree:
        if tree["field"] in _NUMBERS:
            number: Fraction | None = payment.get(tree["field"])
            return number
        return amount_of(payment, tree["field"], tree.get("in_currency"), given.rates)
    ((operator, operands),) = tree.items()
    left, right = (_exact_value(operand, payment, given) for operand in operands)
    if left is None or right is None or (operator == "divide" and right == 0):
        return None
    return Fraction(_RECKON[operator](left, right))


def measure(rule: Any, payments: Sequence[Payment], given: Given) -> Iterator[Measured]:
    """Yield what a window rule measures of payments, in any order."""
    groups: dict[tuple[str | None, ...], list[Payment]] = defaultdict(list)
    for payment in payments:
        if applies(rule, payment, given):
            groups[tuple(payment.get(name) for name in rule.get("group_by", ()))].append(payment)
    for key, members in groups.items():
        value = _measure_of(rule["measure"], members, given)
        if value is not None:
            enough = len(members) >= rule.get("alert", {}).get("minimum_payments", 1)
            dimensions = dict(zip(rule.get("group_by", ()), key, strict=True))
            exceeded = enough and passes(rule, value)
            yield Measured(dimensions, value, len(members), exceeded, outcome_of(rule, value))


def _measure_of(measure: Any, members: Sequence[Payment], given: Given) -> Decimal | None:
    function, count = measure["function"], len(members)
    if function == "count":
        return Decimal(count)
    if function == "distinct_count":
        return Decimal(len({member.get(measure["field"]) for member in members} - {None}))
    if function in {"ratio", "percentage"}:
        hits = sum(judge(measure["of"], member, given) is True for member in members)
        return _rounded(Fraction(hits * (100 if function == "percentage" else 1), count), 28)
    target = measure.get("in_currency")
    found = [amount_of(member, "amount", target, given.rates) for member in members]
    amounts = sorted(amount for amount in found if amount is not None)
    return _of_amounts(measure, amounts) if amounts else None


def _of_amounts(measure: Any, amounts: Sequence[Fraction]) -> Decimal:
    function, count = measure["function"], len(amounts)
    mean = sum(amounts, Fraction()) / count
    if function == "average":
        return _rounded(mean, 28)
    if function == "standard_deviation":
        variance = sum((amount - mean) ** 2 for amount in amounts) / count
        return Context(prec=28).sqrt(_rounded(Fraction(variance), 80))
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
