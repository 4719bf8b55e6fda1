"""What comparisons require of a payment, as sets of values that meet or do not.

Each requirement is about one aspect of a payment: the range of an amount, the values of a code,
the presence of a field, the local hour. Requirements of different aspects never exclude each other.
"""

from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Final, NamedTuple

from shared_code.rules.conditions import DAYS_OF_WEEK
from shared_code.rules.fields import ALL_FIELDS, GAP_COLUMN, Field, Kind
from shared_code.rules.literals import Literal, OtherField
from shared_code.rules.number_sets import (
    EVERY_NUMBER,
    NEVER_NEGATIVE,
    NumberSet,
    between,
    numbers_that,
)

type Combine = Callable[[frozenset[str], frozenset[str]], frozenset[str]]

_HOURS_OF_DAY: Final = 24
_EVERY_HOUR: Final = (1 << _HOURS_OF_DAY * len(DAYS_OF_WEEK)) - 1
_PRESENT: Final = frozenset({"present"})
_ABSENT: Final = frozenset({"absent"})
_ALWAYS_PRESENT: Final = frozenset(
    f"{prefix}{name}"
    for prefix in ("", "previous.")
    for name in (
        "transaction_id",
        "event_time",
        "amount",
        "currency",
        "payment_method",
        "payment_status",
    )
)


class Algebra(NamedTuple):
    """How sets of values are met and subtracted, remembered: long lists are used often."""

    meet: Combine
    subtract: Combine


class Members(NamedTuple):
    """The values ``included`` (None: any of ``universe`` many, if that is known) but ``excluded``.

    What is excluded is subtracted only once it is enough to leave nothing.
    """

    included: frozenset[str] | None
    excluded: Sequence[frozenset[str]] = ()
    universe: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether no value is left."""
        if self.included is not None:
            return not self.included
        return self.universe is not None and self._most_excluded() >= self.universe

    def _most_excluded(self) -> int:
        return sum(map(len, self.excluded))

    def meet(self, other: "Members", algebra: Algebra) -> "Members":
        """Return the values that are in both sets."""
        universe = self.universe or other.universe
        included = self.included if other.included is None else other.included
        if self.included is not None and other.included is not None:
            included = algebra.meet(self.included, other.included)
        met = Members(included, (*self.excluded, *other.excluded), universe)
        if included is not None and met._most_excluded() >= len(included):
            for excluded in met.excluded:
                included = algebra.subtract(included, excluded)
            return Members(included, (), universe)
        if universe is not None and met._most_excluded() >= universe:
            return Members(included, (frozenset().union(*met.excluded),), universe)
        return met


class Hours(NamedTuple):
    """Hours of a week, one bit for each."""

    bits: int

    @property
    def is_empty(self) -> bool:
        """Whether no hour is left."""
        return not self.bits


type Values = NumberSet | Members | Hours


class Aspect(NamedTuple):
    """What of a payment is looked at: a field, perhaps beside another, in a currency or zone."""

    of: str
    field: str
    detail: Hashable = None


class Requirement(NamedTuple):
    """The values that one aspect of a payment has to have."""

    aspect: Aspect
    values: Values


def requirements_of(literal: Literal) -> Iterator[Requirement]:
    """Yield what has to be so for a literal to be true; what is not known about it is left out."""
    field = ALL_FIELDS[literal.field]
    if field.kind is Kind.flags:
        yield from _of_flags(literal)
        return
    if literal.operator == "exists":
        yield _presence(field.name, present=literal.positive)
        return
    yield _presence(field.name, present=True)
    if isinstance(literal.operand, OtherField):
        yield _presence(literal.operand.name, present=True)
        yield _beside(literal, literal.operand)
    elif field.kind in {Kind.money, Kind.number}:
        yield from _of_numbers(literal, field)
    elif field.kind is Kind.time:
        bits = _hours_of(literal)
        hours = Hours(bits if literal.positive else _EVERY_HOUR ^ bits)
        yield Requirement(Aspect("hours", field.name, literal.option), hours)
    elif literal.operator == "in":
        values = Members(literal.operand) if literal.positive else Members(None, (literal.operand,))
        yield Requirement(Aspect("values", field.name), values)


def possible(aspect: Aspect, longest_gap: int | None) -> Values | None:
    """Return the values that an aspect of a payment can have; None if that is not known."""
    if aspect.of == "presence":
        return Members(_PRESENT) if aspect.field in _ALWAYS_PRESENT else None
    if aspect.of == "amounts":
        if aspect.field == GAP_COLUMN and longest_gap is not None:
            return between(0, longest_gap)
        return NEVER_NEGATIVE
    if aspect.of == "values" and (numbers := ALL_FIELDS[aspect.field].numbers):
        return Members(None, (), len(numbers))
    return None


def met(left: Values, right: Values, algebra: Algebra) -> Values:
    """Return the values that are in both sets, which are of the same aspect."""
    if isinstance(left, NumberSet) and isinstance(right, NumberSet):
        return left.meet(right)
    if isinstance(left, Members) and isinstance(right, Members):
        return left.meet(right, algebra)
    if isinstance(left, Hours) and isinstance(right, Hours):
        return Hours(left.bits & right.bits)
    message = f"{left} and {right} are of different aspects"
    raise TypeError(message)


def _presence(name: str, *, present: bool) -> Requirement:
    return Requirement(Aspect("presence", name), Members(_PRESENT if present else _ABSENT))


def _of_flags(literal: Literal) -> Iterator[Requirement]:
    """Yield which flags have to be raised: of a single one that is sure, of several it is not."""
    if literal.positive or literal.operator == "exists":
        yield _presence(literal.field, present=literal.positive)
    if literal.operator == "in" and (not literal.positive or len(literal.operand) == 1):
        raised = Members(_PRESENT if literal.positive else _ABSENT)
        for flag in literal.operand:
            yield Requirement(Aspect("flag", literal.field, flag), raised)


def _beside(literal: Literal, other: OtherField) -> Requirement:
    """Require a difference between two fields; of texts only whether there is one matters."""
    values = numbers_that(literal.operator, 0)
    aspect = Aspect("difference", literal.field, (other.name, literal.option))
    return Requirement(aspect, values if literal.positive else values.complement())


def _of_numbers(literal: Literal, field: Field) -> Iterator[Requirement]:
    values = numbers_that(literal.operator, literal.operand, literal.percent)
    if not literal.positive:
        # Most amounts are no multiples of a number.
        rounds = literal.operator == "is_round_amount"
        values = EVERY_NUMBER if rounds else values.complement()
    yield Requirement(Aspect("amounts", field.name, literal.option), values)


def _hours_of(literal: Literal) -> int:
    if literal.operator == "day_of_week":
        day = (1 << _HOURS_OF_DAY) - 1
        return sum(day << _HOURS_OF_DAY * DAYS_OF_WEEK[name] for name in literal.operand)
    first, last = literal.operand
    hours = range(_HOURS_OF_DAY)
    if first < last:
        of_day = sum(1 << hour for hour in hours if first <= hour < last)
    else:
        of_day = sum(1 << hour for hour in hours if hour >= first or hour < last)
    return sum(of_day << _HOURS_OF_DAY * day for day in range(len(DAYS_OF_WEEK)))
