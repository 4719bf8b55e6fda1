"""What rules of all scopes share: when they hold, what they read, how they name payments."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import numpy as np

from shared_code.domain.currencies import CURRENCY_BY_NUMBER
from shared_code.domain.windows import EPOCH
from shared_code.rules.columns import Columns, Mask
from shared_code.rules.conditions import CompiledCondition, ConditionCompiler, Verdict
from shared_code.rules.document import Rule
from shared_code.rules.fields import ALL_FIELDS, FIELDS, GAP_COLUMN, RATIO_COLUMN, Field, Kind

_MICROSECOND: Final = timedelta(microseconds=1)
# What tells payments apart and orders them; every finding names them.
KEY_COLUMNS: Final = ("event_time", "transaction_id", "payment_status")
_ALWAYS_READ: Final = (*KEY_COLUMNS, "amount", "currency")
_RECKONED: Final = frozenset({GAP_COLUMN, RATIO_COLUMN})
_STATUSES: Final = FIELDS["payment_status"].names
_PREFIX: Final = re.compile(r"\A(previous|original)\.")


def microseconds_of(instant: datetime) -> int:
    """Return an aware instant in microseconds since the Unix epoch."""
    return (instant - EPOCH) // _MICROSECOND


def compile_when(rule: Rule, conditions: ConditionCompiler) -> CompiledCondition:
    """Return which payments a rule is about: its condition, inside its dates."""
    when = conditions.compile(rule.when)
    if rule.effective_from is None and rule.effective_to is None:
        return when
    first = None if rule.effective_from is None else microseconds_of(rule.effective_from)
    end = None if rule.effective_to is None else microseconds_of(rule.effective_to)

    def inside(columns: Columns) -> Mask:
        times = columns.microseconds()
        mask = np.ones(times.size, dtype=np.bool_)
        if first is not None:
            mask &= times >= first
        if end is not None:
            mask &= times < end
        return mask

    def evaluate(columns: Columns) -> Verdict:
        verdict, counts = when(columns), columns.once(inside)
        return Verdict(verdict.true & counts, verdict.false | ~counts)

    return evaluate


def columns_read(rule: Rule) -> frozenset[str]:
    """Return the stored columns that a rule reads, and those that its findings show."""
    names = {*rule.group_by, *(value for key, value in _entries(rule) if key == "field")}
    if rule.subject is not None:
        names.add(rule.subject)
    if rule.measure is not None and rule.measure.field is not None:
        names.add(rule.measure.field)
    if rule.looks_to_named_payment:
        names.add("original_transaction_id")
    found = {ALL_FIELDS[name].column for name in names} - _RECKONED
    return frozenset(_ALWAYS_READ) | {_PREFIX.sub("", column) for column in found}


def target_currency(rule: Rule) -> str | None:
    """Return the one currency that a rule converts to; None if it converts nothing."""
    if rule.measure is not None and rule.measure.in_currency is not None:
        return rule.measure.in_currency
    return next((value for key, value in _entries(rule) if key == "in_currency"), None)


def _entries(rule: Rule) -> Iterator[tuple[str, Any]]:
    """Yield every key and value of a rule's conditions and values."""
    waiting: list[Any] = [rule.when, rule.value]
    for part in (rule.previous, rule.lookup, rule.pattern, rule.measure):
        if part is not None:
            waiting += [getattr(part, name) for name in part.__struct_fields__]
    while waiting:
        tree = waiting.pop()
        if isinstance(tree, Mapping):
            yield from tree.items()
            waiting += tree.values()
        elif isinstance(tree, list):
            waiting += tree


def not_judged(verdict: Verdict, has_subject: Mask) -> int:
    """Return how many payments a rule cannot judge for want of a field or of its subject."""
    unknown = ~(verdict.true | verdict.false) | (verdict.true & ~has_subject)
    return int(unknown.sum())


def value_in_rules(field: Field, stored: Any) -> str | None:
    """Return a stored value of a code or text field as it stands in rules."""
    if stored is None or field.kind is Kind.text:
        text: str | None = stored
        return text
    return field.names[stored]


def named(columns: Columns, row: int, names: tuple[str, ...]) -> dict[str, str | None]:
    """Return fields of one payment by name, as they stand in rules."""
    return {
        name: value_in_rules(FIELDS[name], columns.values(FIELDS[name].column)[row])
        for name in names
    }


def payment_evidence(columns: Columns, row: int) -> dict[str, str]:
    """Return what tells people which payment is meant."""
    transaction_ids, statuses, times, amounts, currencies = columns.once(_evidence_columns)
    event_time: datetime = times[row]
    return {
        "transaction_id": transaction_ids[row],
        "payment_status": _STATUSES[statuses[row]],
        "event_time": event_time.astimezone(UTC).isoformat(),
        "amount": str(amounts[row]),
        "currency": CURRENCY_BY_NUMBER[currencies[row]].code,
    }


def _evidence_columns(columns: Columns) -> tuple[Sequence[Any], ...]:
    names = ("transaction_id", "payment_status", "event_time", "amount", "currency")
    return tuple(columns.values(name) for name in names)
