"""Reads payments back for rules: those of a window, and the history of subjects."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, text

from shared_code.domain.windows import Window
from shared_code.rules.columns import Columns
from shared_code.rules.fields import FIELDS
from shared_code.rules.judging import HistoryNeed
from shared_code.store.look_back import INDEXED, as_parameters, find_payments, has_blocks
from shared_code.store.packed_read import read_packed

# Every column that rules may read. Names come from rule documents only by way of this list.
READABLE: Final = frozenset(field.column for field in FIELDS.values())
# The parts of a span that nothing is known of. Its bounds are told once more: they leave out the
# partitions of other days.
_PARTS: Final = """
    unnest(CAST(%(starts)s AS timestamptz[]), CAST(%(ends)s AS timestamptz[]))
        AS part (first, until)
    JOIN normalized_transactions AS payment
      ON payment.event_time >= part.first AND payment.event_time < part.until
    WHERE payment.event_time >= %(start)s AND payment.event_time < %(end)s
"""
_MOMENTS: Final = """
    SELECT payment.*
    FROM unnest(CAST(%(moments)s AS timestamptz[])) AS wanted (event_time)
    JOIN normalized_transactions AS payment USING (event_time)
    WHERE payment.event_time >= %(start)s AND payment.event_time < %(end)s
"""
_SPAN: Final = "normalized_transactions WHERE event_time >= %(start)s AND event_time < %(end)s"


def payments_between(connection: Connection, span: Window, names: Collection[str]) -> Columns:
    """Return the payments of a half-open span of event time as columns, in the order of their key.

    Args:
        connection: in a transaction.
        span: of event time.
        names: the columns that are wanted, each one of ``READABLE``.
    """
    return read_packed(connection, READABLE.intersection(names), _SPAN, span._asdict())


def subject_history(connection: Connection, need: HistoryNeed) -> Columns:
    """Return the payments of some subjects in a span of event time, in the order of their key.

    Payments of others may be among them. Windows that were closed have blocks that lead to the
    payments; others, and subjects of few values, are read through.
    """
    (column,) = READABLE.intersection({need.column})
    names = READABLE.intersection(need.names | {need.column})
    if column not in INDEXED or not has_blocks(connection):
        parameters = {**need.span._asdict(), "subjects": list(need.subjects)}
        return read_packed(
            connection, names, f"{_SPAN} AND {column} = ANY(%(subjects)s)", parameters
        )
    found = find_payments(connection, column, need.subjects, need.span)
    parameters = {**need.span._asdict(), **as_parameters(found), "subjects": []}
    query = _MOMENTS
    if found.unknown and _any_payments(connection, parameters):
        parameters["subjects"] = list(need.subjects)
        query += f"UNION ALL SELECT payment.* FROM {_PARTS} AND {column} = ANY(%(subjects)s)"
    return read_packed(connection, names, f"({query}) AS found", parameters)


def _any_payments(connection: Connection, parameters: Mapping[str, Any]) -> bool:
    """Tell whether there is any payment in the parts of a span that nothing is known of."""
    cursor: Any = connection.connection.cursor()
    cursor.execute(f"SELECT EXISTS (SELECT FROM {_PARTS})", parameters)
    (found,) = cursor.fetchone()
    return bool(found)


def windows_of_subjects(
    connection: Connection, column: str, subjects: Collection[Any], span: Window
) -> Sequence[datetime]:
    """Return the starts of the closed windows in a span in which some subjects have payments."""
    (known,) = READABLE.intersection({column})
    query = text(f"""
        SELECT DISTINCT window_start
        FROM window_revisions
        JOIN (
            SELECT DISTINCT date_bin('5 minutes', event_time, TIMESTAMPTZ 'epoch') AS window_start
            FROM normalized_transactions
            WHERE event_time >= :start AND event_time < :end AND {known} = ANY(:subjects)
        ) AS touched USING (window_start)
    """)
    parameters = {"start": span.start, "end": span.end, "subjects": sorted(subjects)}
    return connection.execute(query, parameters).scalars().all()
