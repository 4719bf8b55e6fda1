"""What the values of a column look like."""

import re
from collections.abc import Callable, Iterable
from datetime import datetime
from itertools import product
from typing import Final, NamedTuple

from shared_code.domain.card_numbers import find_card_numbers
from shared_code.domain.countries import COUNTRIES
from shared_code.domain.currencies import CURRENCIES
from simulator.replay.describing.samples import Column
from simulator.replay.describing.synonyms import WORDS, folded

_LOOKED_AT: Final = 200
_MOST_WORDS: Final = 30
_RFC_3339: Final = re.compile(
    r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})? ?([Zz]|[+-]\d\d:\d\d)?"
)
_NUMBER: Final = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_POINTS: Final = re.compile(r"[-+(]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?[-+)]?", re.ASCII)
_COMMAS: Final = re.compile(r"[-+(]?(?:\d{1,3}(?:\.\d{3})+|\d+)(?:,\d+)?[-+)]?", re.ASCII)
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_CARD: Final = re.compile(r"[0-9]{12,19}|[0-9]{4}(?:[ -][0-9]{2,6}){2,4}")
_DATES: Final = (
    "%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%Y/%m/%d", "%d-%m-%Y", "%Y%m%d", "%d.%m.%y",
)  # fmt: skip
_TIMES: Final = ("%H:%M:%S", "%H:%M", "%H:%M:%S.%f", "%I:%M:%S %p", "%I:%M %p", "%H%M%S")
_SECONDS: Final = (500_000_000, 5_000_000_000)
_UNIX: Final = (
    ("unix_seconds", 1),
    ("unix_milliseconds", 1_000),
    ("unix_microseconds", 1_000_000),
)


class TimeKind(NamedTuple):
    """A format of times, the share of values that have it, and what it leaves open."""

    format: str
    share: float
    needs_zone: bool = False
    needs_origin: bool = False
    date_only: bool = False


class AmountKind(NamedTuple):
    """How amounts are written, and the share of values that are so."""

    share: float
    decimal: str
    thousands: str | None
    negative: bool
    whole: bool


def share(column: Column, fits: Callable[[str], object]) -> float:
    """Return the share of values that fit, 0 if there are none."""
    texts = column.texts[:_LOOKED_AT]
    return sum(1 for text in texts if fits(text)) / len(texts) if texts else 0.0


def time_kind(column: Column) -> TimeKind:
    """Return the format of times that most values have."""
    found = [TimeKind("rfc3339", share(column, _with_offset))]
    found.append(TimeKind("rfc3339", share(column, _RFC_3339.fullmatch), needs_zone=True))
    for name, unit in _UNIX:
        low, high = (second * unit for second in _SECONDS)
        found.append(TimeKind(name, share(column, _between(low, high))))
    found += _pattern_kinds(column)
    found.append(TimeKind("steps", share(column, _between(0, _SECONDS[0])), needs_origin=True))
    return max(found, key=lambda kind: kind.share)


def time_of_day(column: Column) -> str | None:
    """Return the pattern of a column that holds times of day, None if it does not."""
    for pattern in _TIMES[:-1]:
        if share(column, _parsing(pattern)) == 1:
            return pattern
    return None


def amount_kind(column: Column) -> AmountKind:
    """Return how a column writes amounts."""
    points, commas = share(column, _POINTS.fullmatch), share(column, _COMMAS.fullmatch)
    texts = column.texts[:_LOOKED_AT]
    negative = any(text.startswith(("-", "(")) or text.endswith("-") for text in texts)
    whole = all(text.strip("-+()").isdigit() for text in texts)
    if commas > points:
        grouped = any("." in text for text in texts)
        return AmountKind(commas, ",", "." if grouped else None, negative, whole)
    grouped = any("," in text for text in texts)
    return AmountKind(points, ".", "," if grouped else None, negative, whole)


def fitness(column: Column, field: str) -> float | None:
    """Return the share of values that could stand in a field; None if nothing can be told."""
    if field in WORDS:
        words = distinct(column)
        return share(column, lambda text: _translated(field, text)) if words else 0.0
    if field == "event_time":
        return time_kind(column).share
    if field == "amount":
        return amount_kind(column).share
    if field == "transaction_id":
        return len(set(column.texts)) / len(column.texts) if column.texts else 0.0
    test = _TESTS.get(field)
    return share(column, test) if test else None


def telling(column: Column, field: str) -> float:
    """Return the share of values that could stand in no other field, whatever the name says."""
    if field == "card.number":
        return share(column, find_card_numbers)
    return fitness(column, field) or 0.0


def distinct(column: Column) -> tuple[str, ...]:
    """Return the different values in their order; none if they are too many to be words."""
    words = tuple(dict.fromkeys(column.texts))
    return words if len(words) <= _MOST_WORDS else ()


def translation(field: str, words: Iterable[str]) -> dict[str, str]:
    """Return what each word probably means in a vocabulary, as far as it can be told."""
    return {word: ours for word in words if (ours := _translated(field, word))}


def is_card_number(text: str) -> bool:
    """Tell whether a text is a card number, or has the length of one."""
    return bool(find_card_numbers(text)) or _CARD.fullmatch(text) is not None


def _translated(field: str, text: str) -> str | None:
    known = WORDS[field]
    members = {folded(ours): ours for ours in known.values()}
    word = folded(text)
    return members.get(word) or known.get(word)


def _with_offset(text: str) -> bool:
    match = _RFC_3339.fullmatch(text)
    return match is not None and match[2] is not None


def _between(low: int, high: int) -> Callable[[str], bool]:
    return lambda text: _NUMBER.fullmatch(text) is not None and low <= float(text) < high


def _pattern_kinds(column: Column) -> list[TimeKind]:
    patterns = [(f"{day}{gap}{time}", False) for day, gap, time in product(_DATES, " T", _TIMES)]
    patterns += [(day, True) for day in _DATES]
    kinds = []
    for pattern, date_only in patterns:
        if column.texts and _parsing(pattern)(column.texts[0]):
            fit = share(column, _parsing(pattern))
            kinds.append(TimeKind(pattern, fit, needs_zone=True, date_only=date_only))
    return kinds


def _parsing(pattern: str) -> Callable[[str], bool]:
    def parses(text: str) -> bool:
        try:
            datetime.strptime(text, pattern)  # noqa: DTZ007 - a trial
        except ValueError:
            return False
        return True

    return parses


_TESTS: Final[dict[str, Callable[[str], object]]] = {
    "currency": lambda text: text.upper() in CURRENCIES,
    "customer.email": _EMAIL.fullmatch,
    "customer.country": lambda text: text.upper() in COUNTRIES,
    "merchant.country": lambda text: text.upper() in COUNTRIES,
    "counterparty.country": lambda text: text.upper() in COUNTRIES,
    "card.number": is_card_number,
    "card.bin": re.compile("[0-9]{6,8}").fullmatch,
    "card.last4": re.compile("[0-9]{4}").fullmatch,
    "merchant.mcc": re.compile("[0-9]{4}").fullmatch,
}
