"""Hypothesis strategies of rules over several payments, and of payments that meet in them."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st
from unit.rules.rule_samples import NOON, comparison, rule
from unit.rules.rule_strategies import (
    TARGETS,
    alerts,
    bands,
    comparisons,
    conditions,
    dates,
    of_numbers,
    trees,
    values,
    window_rules,
)

# Half minutes over four windows, so that payments meet at one time and at the ends of spans.
_MOMENTS = st.builds(
    lambda steps, less: NOON + timedelta(seconds=30 * steps) - timedelta(microseconds=less),
    st.integers(-6, 22),
    st.sampled_from([0, 0, 0, 0, 0, 1]),
)
_SUBJECTS = st.sampled_from(["customer.id"] * 4 + ["card.fingerprint", "merchant.country"])
_DECIMALS = {"JPY": 0, "USD": 2, "KWD": 3}
_MINUTES = st.integers(1, 12)
_SMALL = st.integers(0, 4) | st.sampled_from([Decimal("0.01"), Decimal("0.5"), Decimal("2.5")])
_STATUSES = ["completed", "failed", "pending", "refunded"]
_FAILED, _NOT_FAILED = (
    comparison("payment_status", operator, "failed") for operator in ("eq", "ne")
)
_LOOKED_UP_BY: list[Any] = [
    {},
    {"by": "original_transaction_id"},
    {"by": "transaction_id"},
    {"by": "transaction_id"},
]
_ALIKE = ["currency", "merchant.country", "customer.id", "transaction_id", "payment_status"]


@st.composite
def _payments(draw: st.DrawFn) -> dict[str, Any]:
    currency = draw(st.sampled_from(list(_DECIMALS)))
    given = {
        "transaction_id": draw(st.sampled_from("abcde")),
        "payment_status": draw(st.sampled_from(_STATUSES)),
        "event_time": draw(_MOMENTS),
        "currency": currency,
        "amount": Decimal(draw(st.integers(0, 4) | st.integers(0, 500))).scaleb(
            -_DECIMALS[currency]
        ),
        "payment_method": draw(st.sampled_from(["credit_card", "bank_transfer"])),
        "customer.id": draw(st.sampled_from(["a", "a", "a", "b", None])),
        "card.fingerprint": draw(st.sampled_from(["a", "ab", None])),
        "merchant.country": draw(st.sampled_from(["DE", "US", None])),
        "counterparty.id": draw(st.sampled_from(["a", None])),
        "original_transaction_id": draw(st.sampled_from(["a", "b", "c", None])),
        "quality_flags": draw(st.sampled_from([[], [], ["zero_amount"]])),
    }
    return {name: value for name, value in given.items() if value is not None}


def _mostly(usual: st.SearchStrategy[Any], rare: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.integers(0, 4).flatmap(lambda chance: rare if chance == 4 else usual)


def _event(payment: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(payment[name] for name in ("event_time", "transaction_id", "payment_status"))


# Payments of few subjects, ids and times, no event twice; mostly enough of them to meet.
STREAMS = _mostly(
    st.lists(_payments(), min_size=8, max_size=14, unique_by=_event),
    st.lists(_payments(), max_size=3, unique_by=_event),
)


def _when(target: str) -> st.SearchStrategy[Any]:
    """Return conditions, most of which hold for many payments."""
    simple = st.sampled_from([None] * 6 + [_NOT_FAILED, _NOT_FAILED, _FAILED])
    return _mostly(simple, conditions(target))


@st.composite
def velocity_rules(draw: st.DrawFn) -> dict[str, Any]:
    """Return a velocity rule."""
    target = draw(st.sampled_from(TARGETS))
    subject = draw(_SUBJECTS)
    others = [name for name in ("currency", "payment_method", "customer.id") if name != subject]
    group_by = draw(st.lists(st.sampled_from(others), max_size=2, unique=True))
    measure = {"function": draw(st.sampled_from(["count", "sum", "distinct_count"]))}
    if measure["function"] == "distinct_count":
        measure["field"] = draw(st.sampled_from(["card.fingerprint", "currency", "amount"]))
    if measure["function"] == "sum":
        measure["field"] = "amount"
        if draw(st.booleans()):
            measure["in_currency"] = target
        elif "currency" not in group_by:
            group_by = [*group_by, "currency"]
    return rule(
        scope="velocity",
        subject=subject,
        within_minutes=draw(_MINUTES),
        group_by=group_by,
        when=draw(_when(target)),
        measure=measure,
        bands=draw(_mostly(st.just([]), bands(_SMALL))) or None,
        alert=draw(st.none() | alerts(_SMALL)),
        **draw(dates(_MOMENTS)),
    )


def _pairs(prefix: str, target: str) -> st.SearchStrategy[Any]:
    """Return conditions over two payments; most hold for some pair."""
    amount, other = "amount", f"{prefix}.amount"
    order = st.sampled_from(["eq", "ne", "gt", "gte", "lt", "lte"])
    with_field = st.builds(
        lambda name, operator: comparison(name, operator, {"field": f"{prefix}.{name}"}),
        st.sampled_from(_ALIKE),
        st.sampled_from(["eq", "ne"]),
    )
    of_amounts = st.builds(
        lambda operator, names, more: comparison(names[0], operator, {"field": names[1]}, **more),
        order,
        st.sampled_from([(amount, other), (other, amount)]),
        st.sampled_from([{}, {"in_currency": target}]),
    )
    gaps = st.builds(
        lambda operator, bound: comparison("gap_minutes", operator, bound),
        order,
        st.integers(0, 6) | st.just(Decimal("0.5")),
    )
    presence = st.builds(
        lambda name, wanted: comparison(name, "exists", wanted),
        st.sampled_from([other, "gap_minutes", "amount_ratio", f"{prefix}.transaction_id"]),
        st.booleans(),
    )
    likely = st.one_of(with_field, of_amounts, gaps, presence)
    leaves = st.one_of(
        of_numbers("gap_minutes"),
        of_numbers("amount_ratio"),
        comparisons(target, f"{prefix}."),
        comparisons(target),
    )
    return _mostly(gaps | likely, trees(_mostly(likely, leaves), max_leaves=3))


def _values_of_pairs(prefix: str, target: str) -> st.SearchStrategy[Any]:
    own, other = {"field": "amount"}, {"field": f"{prefix}.amount"}
    converted = [{**field, "in_currency": target} for field in (own, other)]
    return st.sampled_from(
        [
            None,
            other,
            {"subtract": [own, other]},
            {"divide": [own, other]},
            {"subtract": converted},
            {"multiply": [other, 2]},
            {"field": "gap_minutes"},
            {"field": "amount_ratio"},
        ]
    )


@st.composite
def sequence_rules(draw: st.DrawFn) -> dict[str, Any]:
    """Return a sequence rule of any of the three kinds."""
    target = draw(st.sampled_from(TARGETS))
    part: dict[str, Any] = {"within_minutes": draw(_MINUTES)}
    more: dict[str, Any] = draw(_mostly(st.just({}), dates(_MOMENTS)))
    kind = draw(st.sampled_from(["previous", "pattern", "lookup"]))
    if kind == "pattern":
        simple = st.sampled_from([_NOT_FAILED, _NOT_FAILED, _FAILED])
        part["first"] = draw(_mostly(simple, conditions(target)))
        part["then"] = draw(_mostly(simple, conditions(target)))
        part["times"] = draw(st.integers(1, 3))
        value = draw(st.none() | values(target))
    else:
        prefix = "previous" if kind == "previous" else "original"
        condition = draw(_when(target))
        part |= {} if condition is None else {"when": condition}
        part["where"] = draw(_pairs(prefix, target))
        if kind == "lookup":
            part |= draw(st.sampled_from(_LOOKED_UP_BY))
        value = draw(_values_of_pairs(prefix, target))
    return rule(
        scope="sequence",
        subject=None if kind == "lookup" else draw(_SUBJECTS),
        when=draw(_when(target)),
        value=value,
        bands=draw(_mostly(st.just([]), bands(_SMALL))) or None,
        alert=draw(st.none() | alerts(_SMALL)),
        **more | {kind: part},
    )


@st.composite
def _transaction_rules(draw: st.DrawFn) -> dict[str, Any]:
    target = draw(st.sampled_from(TARGETS))
    return rule(
        when=draw(_when(target)),
        value=draw(values(target)),
        indeterminate=draw(st.sampled_from([None, "ignore"])),
        bands=draw(bands(_SMALL)) or None,
        alert=draw(st.none() | alerts(_SMALL)),
        **draw(dates(_MOMENTS)),
    )


@st.composite
def _score_rules(draw: st.DrawFn, weighed: list[Any]) -> dict[str, Any]:
    terms = []
    for other in draw(st.lists(st.sampled_from(weighed), min_size=1, max_size=4)):
        term = {"rule": other["id"], "points": draw(st.sampled_from([1, 2, Decimal("0.5"), -1]))}
        named = [band["outcome"] for band in other.get("bands", ())]
        outcome = draw(st.sampled_from([None, None, "matched", "indeterminate", *named]))
        terms.append(term if outcome is None else term | {"outcome": outcome})
    return rule(
        scope="score",
        when=draw(_when(draw(st.sampled_from(TARGETS)))),
        terms=terms,
        bands=draw(bands(_SMALL)) or None,
        alert=draw(st.none() | alerts(_SMALL)),
        **draw(dates(_MOMENTS)),
    )


@st.composite
def documents(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Return rules of every scope, those that are weighed before those that weigh them."""
    weighed = draw(
        st.lists(velocity_rules() | sequence_rules() | _transaction_rules(), min_size=1, max_size=3)
    )
    weighed = [each | {"id": f"rule_{number}"} for number, each in enumerate(weighed)]
    rest = draw(st.lists(window_rules() | _score_rules(weighed), max_size=2))
    return [*weighed, *(each | {"id": f"last_{number}"} for number, each in enumerate(rest))]
