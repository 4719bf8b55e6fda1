"""What velocity, sequence and score rules find: nested loops over payments, by docs/rules.md.

It shares no code with the product.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from unit.rules.reference_rules import (
    INDETERMINATE,
    MATCHED,
    Given,
    Payment,
    amount_of,
    applies,
    judge,
    measure,
    outcome_of,
    passes,
    told,
    value_of,
)

type Identity = tuple[datetime, str, str]

_STATUSES = ["completed", "failed", "pending", "cancelled", "refunded"]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Found(NamedTuple):
    """What a rule finds in one window."""

    rule: int
    window_start: datetime
    dimensions: frozenset[tuple[str, str | None]]
    value: Decimal
    payment_count: int
    exceeded: bool
    outcome: int
    seen: tuple[datetime, datetime] | None


class Fared(NamedTuple):
    """How a rule fared in one window: payments that it matched, and could not judge."""

    rule: int
    window_start: datetime
    matched: int
    indeterminate: int


class Verdicts(NamedTuple):
    """What one rule finds, and the outcome that it has for single payments."""

    found: Sequence[Found]
    outcomes: Mapping[Identity, int]


def in_key_order(payments: Sequence[Payment]) -> list[Payment]:
    """Return payments by event time, then by id, then by the number of their status."""
    return sorted(
        payments,
        key=lambda payment: (
            payment["event_time"],
            payment["transaction_id"],
            _STATUSES.index(payment["payment_status"]),
        ),
    )


def identity(payment: Payment) -> Identity:
    """Return what makes a payment event itself."""
    return payment["event_time"], payment["transaction_id"], payment["payment_status"]


def window_start(payment: Payment) -> datetime:
    """Return the start of the five-minute window of a payment."""
    time: datetime = payment["event_time"]
    return time - (time - _EPOCH) % timedelta(minutes=5)


def verdicts(
    rules: Sequence[Any], payments: Sequence[Payment], given: Given
) -> tuple[list[Found], list[Fared]]:
    """Return what all rules of a document find in payments, and how they fare."""
    ordered = in_key_order(payments)
    of_rules: list[Verdicts] = []
    for number in range(len(rules)):
        of_rules.append(_verdicts(number, rules, ordered, given, of_rules))
    fared = []
    for start in {window_start(payment) for payment in ordered}:
        members = [payment for payment in ordered if window_start(payment) == start]
        for number, rule in enumerate(rules):
            matched, unknown = _fared(rule, members, given, of_rules[number])
            fared.append(Fared(number, start, matched, unknown))
    return _once_each([found for each in of_rules for found in each.found]), fared


def _once_each(findings: Sequence[Found]) -> list[Found]:
    """Return what is found of each subject in a window: first what is worth an alert."""
    groups: dict[Any, list[Found]] = defaultdict(list)
    for found in findings:
        groups[found.rule, found.window_start, found.dimensions].append(found)
    told = []
    for group in groups.values():
        in_time = sorted(group, key=lambda found: found.seen or ())
        first = next((found for found in in_time if found.exceeded), in_time[0])
        times = [time for found in group for time in found.seen or ()]
        told.append(first._replace(seen=(min(times), max(times)) if times else None))
    return told


def _verdicts(
    number: int,
    rules: Sequence[Any],
    payments: Sequence[Payment],
    given: Given,
    before: Sequence[Verdicts],
) -> Verdicts:
    rule = rules[number]
    match rule["scope"]:
        case "transaction":
            return _transaction(number, rule, payments, given)
        case "window":
            return Verdicts(list(_window(number, rule, payments, given)), {})
        case "velocity":
            return _velocity(number, rule, payments, given)
        case "sequence":
            return _sequence(number, rule, payments, given)
        case _:
            weighed = {
                other["id"]: {key: _name(other, outcome) for key, outcome in each.outcomes.items()}
                for other, each in zip(rules, before, strict=False)
            }
            return Verdicts(list(_score(number, rule, payments, given, weighed)), {})


def _fared(
    rule: Any, payments: Sequence[Payment], given: Given, verdicts: Verdicts
) -> tuple[int, int]:
    """Return how many payments of a window a rule matched, and how many it could not judge."""
    found, outcomes = verdicts
    if rule["scope"] == "score":
        start = window_start(payments[0])
        return sum(each.window_start == start for each in found), 0
    holds = [applies(rule, payment, given) for payment in payments]
    if rule["scope"] == "window":
        return holds.count(True), holds.count(None)
    told_of = [outcomes[identity(each)] for each in payments if identity(each) in outcomes]
    unknown = told_of.count(INDETERMINATE)
    lacking = 0
    if rule["scope"] != "transaction":
        lacking = sum(
            here is None or (here and _lacks_what_is_needed(rule, payment, given))
            for here, payment in zip(holds, payments, strict=True)
        )
    return len(told_of) - unknown, unknown + lacking


def _lacks_what_is_needed(rule: Any, payment: Payment, given: Given) -> bool:
    """Return whether a payment has no subject, or no amount in the currency of the measure."""
    target = rule.get("measure", {}).get("in_currency")
    amount = amount_of(payment, "amount", target, given.rates)
    return amount is None or payment.get(rule.get("subject", "transaction_id")) is None


def _of_payment(number: int, rule: Any, payment: Payment, value: Decimal, count: int) -> Found:
    names = [*([rule["subject"]] if "subject" in rule else []), "transaction_id", "payment_status"]
    return Found(
        number,
        window_start(payment),
        frozenset((name, payment.get(name)) for name in names),
        value,
        count,
        passes(rule, value),
        outcome_of(rule, value),
        (payment["event_time"], payment["event_time"]),
    )


def _transaction(number: int, rule: Any, payments: Sequence[Payment], given: Given) -> Verdicts:
    found, outcomes = [], {}
    for payment in payments:
        tells = told(rule, payment, given)
        if tells is None:
            continue
        outcomes[identity(payment)] = tells.outcome
        if tells.value is not None and passes(rule, tells.value):
            found.append(_of_payment(number, rule, payment, tells.value, 1))
    return Verdicts(found, outcomes)


def _window(number: int, rule: Any, payments: Sequence[Payment], given: Given) -> Iterator[Found]:
    for start in {window_start(payment) for payment in payments}:
        members = [payment for payment in payments if window_start(payment) == start]
        for dimensions, value, count, exceeded, outcome in measure(rule, members, given):
            group = frozenset(dimensions.items())
            yield Found(number, start, group, value, count, exceeded, outcome, None)


def _velocity(number: int, rule: Any, payments: Sequence[Payment], given: Given) -> Verdicts:
    counted = [
        payment
        for payment in payments
        if applies(rule, payment, given) and not _lacks_what_is_needed(rule, payment, given)
    ]
    names = [rule["subject"], *rule.get("group_by", ())]
    groups: dict[tuple[Any, ...], list[tuple[Payment, Decimal, int]]] = defaultdict(list)
    outcomes: dict[Identity, int] = {}
    for payment in counted:
        own = tuple(payment.get(name) for name in names)
        members = [
            other
            for other in counted
            if tuple(other.get(name) for name in names) == own
            and other["event_time"] <= payment["event_time"]
            and payment["event_time"] - other["event_time"] < _within(rule)
        ]
        value = _velocity_value(rule["measure"], members, given)
        count = len({member["transaction_id"] for member in members})
        groups[window_start(payment), *own].append((payment, value, count))
        if "alert" not in rule or passes(rule, value):
            outcomes[identity(payment)] = outcome_of(rule, value)
    return Verdicts(list(_peaks(number, rule, names, groups)), outcomes)


def _within(part: Any) -> timedelta:
    return timedelta(minutes=part["within_minutes"])


def _velocity_value(measure: Any, members: Sequence[Payment], given: Given) -> Decimal:
    first_events: dict[str, Payment] = {}
    for member in members:
        first_events.setdefault(member["transaction_id"], member)
    match measure["function"]:
        case "count":
            return Decimal(len(first_events))
        case "distinct_count":
            return Decimal(len({member.get(measure["field"]) for member in members} - {None}))
        case _:
            amounts = [
                amount_of(event, "amount", measure.get("in_currency"), given.rates)
                for event in first_events.values()
            ]
            total = sum((amount or Fraction() for amount in amounts), Fraction())
            return Decimal(total.numerator) / Decimal(total.denominator)


def _peaks(
    number: int,
    rule: Any,
    names: Sequence[str],
    groups: Mapping[tuple[Any, ...], Sequence[tuple[Payment, Decimal, int]]],
) -> Iterator[Found]:
    """Yield each window's and subject's value at its peak: the lowest for an alert on low ones."""
    falling = rule.get("alert", {}).get("operator") in {"lt", "lte"}
    for (start, *own), group in groups.items():
        passed = [each for each in group if passes(rule, each[1])]
        shown = passed or group
        highest = min(each[1] for each in shown) if falling else max(each[1] for each in shown)
        _, value, count = next(each for each in shown if each[1] == highest)
        outcome = outcome_of(rule, value)
        if "alert" in rule and not passed and outcome == MATCHED:
            continue
        seen = (shown[0][0]["event_time"], shown[-1][0]["event_time"])
        dimensions = frozenset(zip(names, own, strict=True))
        yield Found(number, start, dimensions, value, count, bool(passed), outcome, seen)


def _sequence(number: int, rule: Any, payments: Sequence[Payment], given: Given) -> Verdicts:
    found, outcomes = [], {}
    subject = [rule["subject"]] if "subject" in rule else []
    for place, payment in enumerate(payments):
        if not applies(rule, payment, given) or any(payment.get(name) is None for name in subject):
            continue
        for value, count in _completed(rule, payment, payments[:place], given):
            outcomes[identity(payment)] = outcome_of(rule, value)
            if value is not None:
                found.append(_of_payment(number, rule, payment, value, count))
    return Verdicts(found, outcomes)


def _completed(
    rule: Any, payment: Payment, before: Sequence[Payment], given: Given
) -> Iterator[tuple[Decimal | None, int]]:
    """Yield the value of the sequence that a payment completes, and how many payments are in it."""
    part = rule.get("pattern") or rule.get("previous") or rule["lookup"]
    young = [
        other for other in before if payment["event_time"] - other["event_time"] < _within(part)
    ]
    if "pattern" in rule:
        firsts = {
            other["transaction_id"]
            for other in _others_of_subject(rule, payment, young)
            if applies(rule, other, given) and judge(part["first"], other, given)
        }
        if judge(part["then"], payment, given) and len(firsts) >= part.get("times", 1):
            count = Decimal(len(firsts))
            value = value_of(rule["value"], payment, given) if "value" in rule else count
            yield value, len(firsts) + 1
        return
    if "previous" in rule:
        prefix, candidates = "previous", _others_of_subject(rule, payment, young)
    else:
        prefix, candidates = "original", _looked_up(part, payment, young)
    partners = [other for other in candidates if judge(part.get("when"), other, given)]
    partner = partners[-1] if partners else None
    if partner is None and "previous" in rule:
        return
    pair = _pair(payment, partner, prefix)
    if judge(part["where"], pair, given):
        alone = partner is None or part.get("by") == "transaction_id"
        yield value_of(rule.get("value"), pair, given), 1 if alone else 2


def _looked_up(part: Any, payment: Payment, before: Sequence[Payment]) -> Sequence[Payment]:
    named = payment.get(part.get("by", "original_transaction_id"))
    found = [other for other in before if other["transaction_id"] == named]
    if part.get("by") == "transaction_id":
        return [
            other
            for other in found
            if other["payment_status"] != payment["payment_status"]
            and other["event_time"] < payment["event_time"]
        ]
    return found


def _others_of_subject(rule: Any, payment: Payment, before: Sequence[Payment]) -> Sequence[Payment]:
    return [
        other
        for other in before
        if other.get(rule["subject"]) == payment[rule["subject"]]
        and other["transaction_id"] != payment["transaction_id"]
    ]


def _pair(payment: Payment, partner: Payment | None, prefix: str) -> Payment:
    """Return the fields of a payment and those of the one that it is compared with."""
    if partner is None:
        return payment
    pair = {**payment, **{f"{prefix}.{name}": value for name, value in partner.items()}}
    gap = payment["event_time"] - partner["event_time"]
    pair["gap_minutes"] = Fraction(gap // timedelta(microseconds=1), 60_000_000)
    if payment["currency"] == partner["currency"] and partner["amount"]:
        pair["amount_ratio"] = Fraction(payment["amount"]) / Fraction(partner["amount"])
    return pair


def _name(rule: Any, outcome: int) -> str:
    bands = [band["outcome"] for band in rule.get("bands", ())]
    name: str = ["matched", "indeterminate", *bands][outcome - MATCHED]
    return name


def _score(
    number: int,
    rule: Any,
    payments: Sequence[Payment],
    given: Given,
    weighed: Mapping[str, Mapping[Identity, str]],
) -> Iterator[Found]:
    """Yield scores; ``weighed`` names for each rule the outcome that it has for payments."""
    for payment in payments:
        if not applies(rule, payment, given):
            continue
        points = []
        for term in rule["terms"]:
            outcome = weighed[term["rule"]].get(identity(payment))
            any_match = outcome not in {None, "indeterminate"}
            if outcome == term["outcome"] if "outcome" in term else any_match:
                points.append(term["points"])
        if not points:
            continue
        found = _of_payment(number, rule, payment, Decimal(sum(points)), 1)
        worth_it = "alert" not in rule and "bands" not in rule
        if worth_it or found.exceeded or found.outcome != MATCHED:
            yield found
