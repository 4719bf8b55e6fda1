"""Hypothesis strategies of valid rules, and of payments that they have something to say about."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st
from unit.rules.rule_samples import comparison, rule

from shared_code.domain.vocabularies import QualityFlag

# Few values of each kind, so that equal ones meet.
_COUNTRIES = ["DE", "US", "IR"]
_WORDS = ["a", "ab", "abc", "b", "ä"]
_CODES: Mapping[str, list[str]] = {
    "payment_method": ["credit_card", "bank_transfer", "cryptocurrency"],
    "payment_status": ["completed", "failed", "refunded"],
    "currency": ["JPY", "USD", "KWD", "CLF"],
    "channel": ["web", "atm"],
    "device_type": ["desktop", "server"],
    "customer.country": _COUNTRIES,
    "merchant.country": _COUNTRIES,
    "counterparty.country": _COUNTRIES,
    "merchant.mcc": ["0001", "5411", "9999"],
}
_TEXTS = [
    "transaction_id",
    "original_transaction_id",
    "customer.id",
    "customer.email_domain",
    "merchant.id",
    "merchant.name",
    "merchant.category",
    "card.brand",
    "card.bin",
    "card.last4",
    "card.fingerprint",
    "counterparty.id",
]
_ALIKE = [
    ("customer.country", "merchant.country"),
    ("merchant.country", "counterparty.country"),
    ("customer.id", "counterparty.id"),
    ("transaction_id", "original_transaction_id"),
]
_REQUIRED = {"payment_method", "payment_status", "currency", "transaction_id"}
_FLAGS = [str(flag.name) for flag in QualityFlag][:4]
_ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Kiritimati"]
_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_DECIMALS = {"JPY": 0, "USD": 2, "KWD": 3, "CLF": 4}
# Expressions that mean the same in RE2 and in Python.
_PATTERNS = ["a", "^a", "b$", "^(ab|b)$", "[^a]", "^ab?$", "ä", "(?i)^AB", "^$", "a.c", r"\w{2}"]
_LISTS: Mapping[str, list[str]] = {
    "countries": ["DE", "IR"],
    "words": ["a", "ä"],
    "nothing": [],
}
LISTS = _LISTS
TARGETS = ["USD", "JPY", "EUR"]  # KWD has no rate

NUMBERS = st.one_of(
    st.integers(-2, 12),
    st.sampled_from([Decimal(text) for text in ("0.5", "0.015", "9.99", "9.9999", "10.00001")]),
    st.integers(-(10**18) + 1, 10**18 - 1),
    st.decimals(Decimal(-20), Decimal(20), places=5),
)
_POSITIVE = NUMBERS.filter(lambda number: number > 0)
_RATE = st.sampled_from(
    [Decimal(text) for text in ("1.25", "160", "0.03", "7", "1e-9", "123456789.123456789")]
) | st.decimals(Decimal("0.1"), Decimal(200), places=4)
RATES = st.fixed_dictionaries({"USD": _RATE, "JPY": _RATE, "CLF": _RATE}).map(
    lambda per_base: {"base": "EUR", "as_of": "today", "source": "tests", "per_base": per_base}
)
_MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone is given beside


@st.composite
def payments(draw: st.DrawFn, *, largest: int = 10**15 - 1) -> dict[str, Any]:
    """Return a payment of which any optional field may be absent."""
    found: dict[str, Any] = {}
    for name, values in [*_CODES.items(), *((name, _WORDS) for name in _TEXTS)]:
        value = draw(st.sampled_from(values if name in _REQUIRED else [*values, None]))
        if value is not None:
            found[name] = value
    minor_units = draw(st.integers(0, 12) | st.integers(0, 200_000) | st.integers(0, largest))
    found["amount"] = Decimal(minor_units).scaleb(-_DECIMALS[found["currency"]])
    found["event_time"] = draw(_MOMENTS)
    found["quality_flags"] = draw(st.lists(st.sampled_from(_FLAGS), max_size=2, unique=True))
    return found


@st.composite
def _of_members(draw: st.DrawFn, field: str, members: list[str]) -> dict[str, Any]:
    operator = draw(st.sampled_from(["eq", "ne", "in", "not_in", "exists"]))
    if operator == "exists":
        return comparison(field, operator, draw(st.sampled_from([None, True, False])))
    if operator in {"eq", "ne"}:
        return comparison(field, operator, draw(st.sampled_from(members)))
    several = st.lists(st.sampled_from(members), min_size=1, max_size=3)
    if members in (_COUNTRIES, _WORDS):
        name = "countries" if members is _COUNTRIES else "words"
        several |= st.sampled_from([{"list": name}, {"list": "nothing"}])
    return comparison(field, operator, draw(several))


@st.composite
def of_numbers(draw: st.DrawFn, /, field: str, **options: Any) -> dict[str, Any]:
    """Return a comparison of an amount or a number with numbers."""
    operators = ["eq", "ne", "gt", "gte", "lt", "lte", "between"]
    if field.endswith("amount"):
        operators += ["near_threshold", "is_round_amount"]
    operator = draw(st.sampled_from(operators))
    if operator == "between":
        return comparison(field, operator, sorted(draw(st.tuples(NUMBERS, NUMBERS))), **options)
    if operator == "near_threshold":
        percent = draw(st.sampled_from([1, 10, 100, Decimal("0.005"), Decimal("33.3")]))
        return comparison(field, operator, draw(_POSITIVE), within_percent=percent, **options)
    operand = draw(_POSITIVE if operator == "is_round_amount" else NUMBERS)
    return comparison(field, operator, operand, **options)


@st.composite
def _of_times(draw: st.DrawFn, field: str) -> dict[str, Any]:
    zone = draw(st.sampled_from(_ZONES))
    options = {"time_zone": zone} if zone != "UTC" or draw(st.booleans()) else {}
    if draw(st.booleans()):
        days = draw(st.sampled_from(_DAYS) | st.lists(st.sampled_from(_DAYS), min_size=1))
        return comparison(field, "day_of_week", days, **options)
    hours = draw(
        st.tuples(st.integers(0, 24), st.integers(0, 24)).filter(
            lambda pair: pair[0] != pair[1] and pair != (24, 0)
        )
    )
    return comparison(field, "hour_between", list(hours), **options)


def comparisons(target: str, prefix: str = "") -> st.SearchStrategy[dict[str, Any]]:
    """Return comparisons of every kind of field; amounts may be converted to one currency."""
    amount = f"{prefix}amount"
    return st.one_of(
        *[_of_members(prefix + name, values) for name, values in _CODES.items()],
        *[_of_members(prefix + name, _WORDS) for name in _TEXTS],
        _of_members(f"{prefix}quality_flags", _FLAGS),
        st.builds(
            lambda field, part: comparison(prefix + field, "starts_with", part),
            st.sampled_from(_TEXTS),
            st.sampled_from(["", "a", "ab", "B"]),
        ),
        st.builds(
            lambda field, pattern: comparison(prefix + field, "matches", pattern),
            st.sampled_from(_TEXTS),
            st.sampled_from(_PATTERNS),
        ),
        st.builds(
            lambda pair, operator: comparison(
                prefix + pair[0], operator, {"field": prefix + pair[1]}
            ),
            st.sampled_from(_ALIKE),
            st.sampled_from(["eq", "ne"]),
        ),
        of_numbers(amount),
        of_numbers(amount, in_currency=target),
        _of_times(f"{prefix}event_time"),
    )


def trees(leaves: st.SearchStrategy[Any], max_leaves: int) -> st.SearchStrategy[Any]:
    """Return conditions whose comparisons are those given."""
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3)),
            st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
            st.builds(lambda part: {"not": part}, inner),
        ),
        max_leaves=max_leaves,
    )


@cache
def conditions(target: str) -> st.SearchStrategy[Any]:
    """Return conditions over a payment's own fields."""
    return trees(comparisons(target), max_leaves=8)


_OPERANDS = st.just({"field": "amount"}) | st.integers(-9, 9) | st.just(Decimal("0.25"))
_OPERATORS = ["add", "subtract", "multiply", "divide"]


def _operations(
    names: list[str], first: st.SearchStrategy[Any], second: st.SearchStrategy[Any]
) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda name, left, right: {name: [left, right]}, st.sampled_from(names), first, second
    ).filter(lambda tree: tree.get("divide", [0, 1])[1] != 0)


# A quotient only on top: below it would be cut, and the order of cutting is no matter of meaning.
_EXACT = _OPERANDS | _operations(_OPERATORS[:3], _OPERANDS, _OPERANDS)


def values(target: str) -> st.SearchStrategy[Any]:
    """Return values of a payment's own fields; at most one amount in them is converted."""
    converted = st.just({"field": "amount", "in_currency": target})
    return st.one_of(
        st.none(),
        _EXACT,
        _operations(_OPERATORS, _EXACT, _EXACT),
        converted,
        _operations(_OPERATORS, converted, _OPERANDS),
        _operations(_OPERATORS, _OPERANDS, converted),
    )


@st.composite
def dates(draw: st.DrawFn, moments: st.SearchStrategy[datetime] = _MOMENTS) -> dict[str, Any]:
    """Return the dates between which a rule is effective, mostly none."""
    first, end = sorted(draw(st.tuples(moments, moments)))
    given = {"effective_from": first.isoformat(), "effective_to": end.isoformat()}
    kept = draw(st.sampled_from([(), (), (), ("effective_from",), ("effective_to",), tuple(given)]))
    return {name: given[name] for name in kept}


@st.composite
def bands(draw: st.DrawFn, bounds: st.SearchStrategy[Any] = NUMBERS) -> list[dict[str, Any]]:
    """Return up to four bands, one above the other, perhaps with gaps or open at an end."""
    edges = sorted(draw(st.lists(bounds, max_size=3, unique=True)))
    found = []
    for at, (low, high) in enumerate(pairwise([None, *edges, None])):
        if draw(st.booleans()) and edges:
            given = {"at_least": low, "below": high}
            kept = {name: edge for name, edge in given.items() if edge is not None}
            found.append({"outcome": f"band_{at}", "reason": "a reason", **kept})
    return found


def alerts(values: st.SearchStrategy[Any] = NUMBERS, **more: Any) -> st.SearchStrategy[Any]:
    """Return thresholds of alerts."""
    operators = st.sampled_from(["gt", "gte", "lt", "lte"])
    return st.fixed_dictionaries({"operator": operators, "value": values}, optional=more)


@st.composite
def transaction_rules(draw: st.DrawFn) -> dict[str, Any]:
    """Return a transaction rule."""
    target = draw(st.sampled_from(TARGETS))
    return rule(
        when=draw(st.none() | conditions(target)),
        value=draw(values(target)),
        indeterminate=draw(st.sampled_from([None, "record", "ignore"])),
        bands=draw(bands()) or None,
        **draw(dates()),
    )


@st.composite
def window_rules(draw: st.DrawFn) -> dict[str, Any]:
    """Return a window rule."""
    target = draw(st.sampled_from(TARGETS))
    functions = ["count", "ratio", "percentage", "distinct_count"]
    of_money = ["sum", "average", "minimum", "maximum", "standard_deviation", "percentile"]
    measure: dict[str, Any] = {"function": draw(st.sampled_from(functions + of_money))}
    group_by = draw(st.lists(st.sampled_from([*_CODES, *_TEXTS[2:]]), max_size=3, unique=True))
    function = measure["function"]
    if function in {"ratio", "percentage"}:
        measure["of"] = draw(conditions(target))
    elif function == "distinct_count":
        measure["field"] = draw(st.sampled_from([*_CODES, *_TEXTS]))
    elif function in of_money:
        measure["field"] = "amount"
        if draw(st.booleans()):
            measure["in_currency"] = target
        elif "currency" not in group_by:
            group_by = [*group_by, "currency"]
    if function == "percentile":
        measure["percentile"] = draw(st.decimals(Decimal("0.01"), 100, places=2))
    return rule(
        scope="window",
        when=draw(st.none() | conditions(target)),
        group_by=group_by,
        measure=measure,
        bands=draw(bands()) or None,
        alert=draw(st.none() | alerts(minimum_payments=st.integers(1, 4))),
        **draw(dates()),
    )
