"""Reads what the active rule set measured in the closed windows of a period."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, text

from shared_code.domain.windows import Period
from shared_code.rules.rolling_up import Measured

_PARAMETERS: Final = "window_start >= :start AND window_start < :end"
_OTHER_RULES: Final = text(f"""
    SELECT EXISTS (
        SELECT FROM (
            SELECT DISTINCT ON (window_start) rule_set
            FROM window_revisions
            WHERE {_PARAMETERS}
            ORDER BY window_start, revision DESC
        ) AS latest
        WHERE rule_set <> :rule_set
    )
""")
_VALUES: Final = text(f"""
    SELECT rule, dimensions, value, payment_count
    FROM rule_metrics_5m
    WHERE {_PARAMETERS} AND rule_set = :rule_set
    ORDER BY window_start
""")


class WindowValue(NamedTuple):
    """One value of a window rule; ``rule`` is its position in the document."""

    rule: int
    dimensions: Mapping[str, Any]
    measured: Measured


def closed_under_one_rule_set(connection: Connection, period: Period, rule_set: int) -> bool:
    """Tell whether every closed window of a period was last judged by one rule set."""
    parameters = {"start": period.start, "end": period.end, "rule_set": rule_set}
    return not connection.execute(_OTHER_RULES, parameters).scalar_one()


def values_of_windows(
    connection: Connection, period: Period, rule_set: int
) -> Iterator[WindowValue]:
    """Yield what a rule set measured in the windows of a period, oldest first."""
    parameters = {"start": period.start, "end": period.end, "rule_set": rule_set}
    for rule, dimensions, value, payment_count in connection.execute(_VALUES, parameters):
        yield WindowValue(rule, dimensions, Measured(value, payment_count))
