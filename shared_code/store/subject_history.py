"""Reads payments back for rules: those of a window, and the history of subjects."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, text

from shared_code.domain.windows import Window
from shared_code.rules.columns import Columns, Integers
from shared_code.rules.fields import FIELDS
from shared_code.rules.judging import HistoryNeed
from shared_code.rules.window_slices import WINDOW_MICROSECONDS, start_of_window
from shared_code.store.look_back import INDEXED, Sought, has_blocks, moments_in_blocks
from shared_code.store.packed_read import read_packed

# Every column that rules may read. Names come from rule documents only by way of this list.
READABLE: Final = frozenset(field.column for field in FIELDS.values())
# The bounds of the span are told once more: they leave out the partitions of other days. Moments
# are one text: a list of a million parameters is more than a plan can hold.
_MOMENTS: Final = """
    (
        SELECT payment.*
        FROM unnest(CAST(%(moments)s AS bigint[])) AS wanted (moment)
        JOIN normalized_transactions AS payment
          ON payment.event_time = TIMESTAMPTZ 'epoch' + wanted.moment * interval '1 microsecond'
        WHERE payment.event_time >= %(start)s AND payment.event_time < %(end)s
    ) AS found
"""
_CLOSED: Final = text("""
    SELECT DISTINCT window_start FROM window_revisions WHERE window_start = ANY(:starts)
""")
_SPAN: Final = "normalized_transactions WHERE event_time >= %(start)s AND event_time < %(end)s"


def payments_between(connection: Connection, span: Window, names: Collection[str]) -> Columns:
    """Return the payments of a half-open span of event time as columns, in the order of their key.

    Args:
        connection: in a transaction.
        span: of event time.
        names: the columns that are wanted, each one of ``READABLE``.
    """
    return read_packed(connection, READABLE.intersection(names), _SPAN, span._asdict())


def subject_history(connection: Connection, needs: Sequence[HistoryNeed]) -> Columns:
    """Return the payments that any of some needs asks for, each once, in the order of their key.

    Payments of others may be among them. Windows that were closed have blocks that lead to the
    payments; others, and subjects of few values, are read through.

    Args:
        connection: in a transaction of REPEATABLE READ isolation.
        needs: at least one.
    """
    by_blocks = has_blocks(connection)
    moments = []
    for need in needs:
        (column,) = READABLE.intersection({need.column})
        if column in INDEXED and by_blocks:
            moments.append(_moments(connection, column, need.subjects, need.span))
            continue
        parameters = {**need.span._asdict(), "subjects": list(need.subjects)}
        found = read_packed(
            connection, ["event_time"], f"{_SPAN} AND {column} = ANY(%(subjects)s)", parameters
        )
        moments.append(found.microseconds())
    every = np.unique(np.concatenate(moments))
    names = frozenset().union(*({need.column, *need.names} for need in needs))
    span = Window(min(need.span.start for need in needs), max(need.span.end for need in needs))
    parameters = {**span._asdict(), "moments": f"{{{','.join(map(str, every.tolist()))}}}"}
    return read_packed(connection, READABLE.intersection(names), _MOMENTS, parameters)


def windows_of_subjects(
    connection: Connection, column: str, subjects: Collection[Any], span: Window
) -> Sequence[datetime]:
    """Return the starts of the closed windows in a span in which some subjects have payments."""
    (known,) = READABLE.intersection({column})
    if known in INDEXED and has_blocks(connection):
        numbers = np.unique(_moments(connection, known, subjects, span) // WINDOW_MICROSECONDS)
        starts = [start_of_window(number) for number in numbers.tolist()]
        return connection.execute(_CLOSED, {"starts": starts}).scalars().all()
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


def _moments(
    connection: Connection, column: str, subjects: Collection[Any], span: Window
) -> Integers:
    """Return when payments of some subjects happened, and perhaps a few others, in microseconds."""
    sought = Sought(subjects)
    known = moments_in_blocks(connection, column, sought, span)
    moments = [known.moments]
    for part in known.unknown:
        payments = payments_between(connection, part, {column, "event_time"})
        moments.append(sought.moments(payments, column))
    return np.unique(np.concatenate(moments))
