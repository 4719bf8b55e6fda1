"""What window rules measured, one row per window, rule and group."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import Connection, insert, text

from shared_code.domain.windows import Window
from shared_code.rules.compiler import WindowValue
from shared_code.store.tables import rule_metrics_5m

_DELETE: Final = text("""
    DELETE FROM rule_metrics_5m WHERE window_start = :window_start AND rule_set = :rule_set
""")


def replace_rule_metrics(
    connection: Connection,
    window: Window,
    values: Sequence[WindowValue],
    *,
    rule_set: int,
    revision: int,
) -> None:
    """Replace a rule set's values of one window by those of a new revision."""
    connection.execute(_DELETE, {"window_start": window.start, "rule_set": rule_set})
    rows = [
        {
            "window_start": window.start,
            "rule_set": rule_set,
            "rule": value.rule,
            "dimensions": dict(value.dimensions),
            "value": value.value,
            "payment_count": value.payment_count,
            "revision": revision,
        }
        for value in values
    ]
    if rows:
        connection.execute(insert(rule_metrics_5m), rows)
