"""Hypothesis strategies of valid rules, and of payments that they have something to say about."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from unit.rules.rule_samples import rule

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
_LISTS: Mapping[str, list[str]] = {
    "countries": ["DE", "IR"],
    "words": ["a", "ä"],
    "nothing": [],
}
LISTS = _LISTS

_NUMBERS = st.one_of(
    st.integers(-2, 12),
    st.sampled_from([Decimal(text) for text in ("0.5", "0.015", "9.99", "9.9999", "10.00001")]),
    st.integers(-(10**18) + 1, 10**18 - 1),
    st.decimals(Decimal(-20), Decimal(20), places=5),
)
_POSITIVE = _NUMBERS.filter(lambda number: number > 0)


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
    found["event_time"] = draw(
        st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the zone is given beside
    )
    found["quality_flags"] = draw(st.lists(st.sampled_from(_FLAGS), max_size=2, unique=True))
    return found


def _comparison(field: str, operator: str, value: Any = None, **options: Any) -> dict[str, Any]:
    given = {} if value is None else {"value": value}
    return {"field": field, "operator": operator, **given, **options}


@st.composite
def _of_members(draw: st.DrawFn, field: str, members: list[str]) -> dict[str, Any]:
    operator = draw(st.sampled_from(["eq", "ne", "in", "not_in", "exists"]))
    if operator == "exists":
        return _comparison(field, operator, draw(st.sampled_from([None, True, False])))
    if operator in {"eq", "ne"}:
        return _comparison(field, operator, draw(st.sampled_from(members)))
    several = st.lists(st.sampled_from(members), min_size=1, max_size=3)
    if members in (_COUNTRIES, _WORDS):
        name = "countries" if members is _COUNTRIES else "words"
        several |= st.sampled_from([{"list": name}, {"list": "nothing"}])
    return _comparison(field, operator, draw(several))


@st.composite
def _of_amounts(draw: st.DrawFn) -> dict[str, Any]:
    operator = draw(
        st.sampled_from(
            ["eq", "ne", "gt", "gte", "lt", "lte", "between", "near_threshold", "is_round_amount"]
        )
    )
    if operator == "between":
        return _comparison("amount", operator, sorted(draw(st.tuples(_NUMBERS, _NUMBERS))))
    if operator == "near_threshold":
        percent = draw(st.sampled_from([1, 10, 100, Decimal("0.005"), Decimal("33.3")]))
        return _comparison("amount", operator, draw(_POSITIVE), within_percent=percent)
    return _comparison(
        "amount", operator, draw(_POSITIVE if operator == "is_round_amount" else _NUMBERS)
    )


@st.composite
def _of_times(draw: st.DrawFn) -> dict[str, Any]:
    zone = draw(st.sampled_from(_ZONES))
    options = {"time_zone": zone} if zone != "UTC" or draw(st.booleans()) else {}
    if draw(st.booleans()):
        days = draw(st.sampled_from(_DAYS) | st.lists(st.sampled_from(_DAYS), min_size=1))
        return _comparison("event_time", "day_of_week", days, **options)
    hours = draw(
        st.tuples(st.integers(0, 24), st.integers(0, 24)).filter(
            lambda pair: pair[0] != pair[1] and pair != (24, 0)
        )
    )
    return _comparison("event_time", "hour_between", list(hours), **options)


_COMPARISONS = st.one_of(
    *[_of_members(name, values) for name, values in _CODES.items()],
    *[_of_members(name, _WORDS) for name in _TEXTS],
    _of_members("quality_flags", _FLAGS),
    st.builds(
        lambda field, prefix: _comparison(field, "starts_with", prefix),
        st.sampled_from(_TEXTS),
        st.sampled_from(["", "a", "ab", "B"]),
    ),
    st.builds(
        lambda pair, operator: _comparison(pair[0], operator, {"field": pair[1]}),
        st.sampled_from(_ALIKE),
        st.sampled_from(["eq", "ne"]),
    ),
    _of_amounts(),
    _of_times(),
)
CONDITIONS = st.recursive(
    _COMPARISONS,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=8,
)
_OPERANDS = st.just({"field": "amount"}) | st.integers(-9, 9) | st.just(Decimal("0.25"))


def _operations(names: list[str], operands: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(
        lambda name, left, right: {name: [left, right]}, st.sampled_from(names), operands, operands
    ).filter(lambda tree: tree.get("divide", [0, 1])[1] != 0)


# A quotient only on top: below it would be cut, and the order of cutting is no matter of meaning.
_EXACT = _OPERANDS | _operations(["add", "subtract", "multiply"], _OPERANDS)
VALUES = st.none() | _EXACT | _operations(["add", "subtract", "multiply", "divide"], _EXACT)


@st.composite
def transaction_rules(draw: st.DrawFn) -> dict[str, Any]:
    """Return a valid transaction rule."""
    return rule(when=draw(st.none() | CONDITIONS), value=draw(VALUES))


@st.composite
def window_rules(draw: st.DrawFn) -> dict[str, Any]:
    """Return a valid window rule."""
    functions = ["count", "ratio", "percentage", "distinct_count"]
    of_money = ["sum", "average", "minimum", "maximum", "percentile"]
    measure: dict[str, Any] = {"function": draw(st.sampled_from(functions + of_money))}
    group_by = draw(st.lists(st.sampled_from([*_CODES, *_TEXTS[2:]]), max_size=3, unique=True))
    function = measure["function"]
    if function in {"ratio", "percentage"}:
        measure["of"] = draw(CONDITIONS)
    elif function == "distinct_count":
        measure["field"] = draw(st.sampled_from([*_CODES, *_TEXTS]))
    elif function in of_money:
        measure["field"] = "amount"
        group_by = [*group_by, "currency"] if "currency" not in group_by else group_by
    if function == "percentile":
        measure["percentile"] = draw(st.decimals(Decimal("0.01"), 100, places=2))
    alert = st.fixed_dictionaries(
        {"operator": st.sampled_from(["gt", "gte", "lt", "lte"]), "value": _NUMBERS},
        optional={"minimum_payments": st.integers(1, 4)},
    )
    return rule(
        scope="window",
        when=draw(st.none() | CONDITIONS),
        group_by=group_by,
        measure=measure,
        alert=draw(st.none() | alert),
    )
