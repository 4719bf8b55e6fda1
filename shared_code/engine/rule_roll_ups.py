"""What window rules measure over an hour or a day."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import Connection

from shared_code.domain.windows import Period, Window
from shared_code.errors import PaymentsError
from shared_code.rules.compiler import canonical_dimensions
from shared_code.rules.document import Measure
from shared_code.rules.rolling_up import added_up, can_be_added_up
from shared_code.rules.rule_parts import columns_read
from shared_code.rules.shape import did_you_mean
from shared_code.rules.window_rules import WindowRule
from shared_code.rules.window_slices import WindowSlice
from shared_code.store.database import Database
from shared_code.store.rule_store import judges
from shared_code.store.rule_value_read import (
    WindowValue,
    closed_under_one_rule_set,
    values_of_windows,
)
from shared_code.store.subject_history import payments_between


class NoSuchWindowRule(PaymentsError):
    """The active rule set has no window rule of that id."""

    def __init__(self, rule_id: str, known: Sequence[str]) -> None:
        super().__init__(f"no window rule {rule_id!r} is active. {did_you_mean(rule_id, known)}")


class PeriodValue(NamedTuple):
    """What one window rule measures of one group over a period.

    ``added_up`` tells that it was made of the windows' values, and no payment was read.
    """

    rule_id: str
    period: Period
    dimensions: Mapping[str, str | None]
    value: Decimal
    payment_count: int
    added_up: bool


def rule_values(
    database: Database, period: Period, shipped_rules: bytes, rule_id: str | None = None
) -> list[PeriodValue]:
    """Return what the window rules of the active set measure over an hour or a day.

    Counts, sums, extremes, averages and shares are added up from closed windows, exactly. Payments
    are read again for measures that do not add up, and for all if some window of the period was
    last judged by another rule set.

    Args:
        database: which is only read.
        period: whose windows have been closed.
        shipped_rules: the rule document that came with the code, in its canonical form.
        rule_id: only this rule.

    Raises:
        NoSuchWindowRule: the active set has no such rule.
        StoreUnavailable: the database failed.
    """
    with database.transaction("REPEATABLE READ") as connection:
        active = judges(connection, None, shipped_rules).active
        ids = [rule.source.id for rule in active.rules.window_rules]
        if rule_id is not None and rule_id not in ids:
            raise NoSuchWindowRule(rule_id, ids)
        unchanged = closed_under_one_rule_set(connection, period, active.rule_set)
        windows = _values_by_rule(connection, period, active.rule_set) if unchanged else {}
        found: list[PeriodValue] = []
        for rule in active.rules.window_rules:
            measure = rule.source.measure
            if rule_id not in {None, rule.source.id} or measure is None:
                continue
            if unchanged and can_be_added_up(measure):
                found += _added_up(rule.source.id, measure, period, windows.get(rule.number, {}))
            else:
                found += _measured_again(connection, rule, period)
    return found


def _values_by_rule(
    connection: Connection, period: Period, rule_set: int
) -> Mapping[int, Mapping[str, list[WindowValue]]]:
    """Return the values of windows by rule and by group."""
    groups: dict[int, dict[str, list[WindowValue]]] = defaultdict(lambda: defaultdict(list))
    for value in values_of_windows(connection, period, rule_set):
        groups[value.rule][canonical_dimensions(value.dimensions)].append(value)
    return groups


def _added_up(
    rule_id: str, measure: Measure, period: Period, groups: Mapping[str, Sequence[WindowValue]]
) -> Iterator[PeriodValue]:
    for _, windows in sorted(groups.items()):
        value, count = added_up(measure, [window.measured for window in windows])
        yield PeriodValue(rule_id, period, windows[0].dimensions, value, count, added_up=True)


def _measured_again(
    connection: Connection, rule: WindowRule, period: Period
) -> Iterator[PeriodValue]:
    span = Window(period.start, period.end)
    columns = payments_between(connection, span, columns_read(rule.source))
    for finding in rule.findings(WindowSlice(period.start, columns)):
        yield PeriodValue(
            rule.source.id,
            period,
            finding.dimensions,
            finding.value,
            finding.payment_count,
            added_up=False,
        )
