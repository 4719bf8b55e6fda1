"""Marks of closed windows whose rules have to be judged again, since a late payment reaches them.

A velocity or sequence rule looks back over minutes or days. A payment that comes after later
windows have been closed changes what such rules find there; the figures of those windows stand.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, text

from shared_code.domain.windows import WINDOW_LENGTH, Window
from shared_code.store.subject_history import READABLE

_INSERT: Final = text("INSERT INTO rule_marks (window_start) VALUES (:window_start)")
_DELETE: Final = text("DELETE FROM rule_marks WHERE window_start = :window_start")
# A window that is marked for closing is judged when that is done.
_MARKED: Final = text("""
    SELECT DISTINCT window_start
    FROM rule_marks
    WHERE NOT EXISTS (
        SELECT FROM window_marks WHERE window_marks.window_start = rule_marks.window_start
    )
    ORDER BY window_start
""")
# A payment is stored when its transaction began; one that the last closing of the window did not
# see began at the most a statement time-out or two before that.
_LATE: Final = """
    SELECT DISTINCT {column}
    FROM normalized_transactions
    WHERE event_time >= :start AND event_time < :end AND {column} IS NOT NULL
      AND stored_at > coalesce((
          SELECT max(computed_at) FROM window_revisions
          WHERE window_start = :start AND revision < :revision
      ) - interval '15 minutes', TIMESTAMPTZ '-infinity')
"""
_LATER_CLOSED: Final = text(
    "SELECT EXISTS (SELECT FROM window_revisions WHERE window_start >= :end)"
)


def later_windows_are_closed(connection: Connection, window: Window) -> bool:
    """Tell whether any window after this one has been closed before."""
    return bool(connection.execute(_LATER_CLOSED, {"end": window.end}).scalar_one())


def late_subjects(
    connection: Connection, window: Window, column: str, revision: int
) -> Sequence[Any]:
    """Return the subjects of the payments that the revision before this one did not know.

    Payments of just before are among them, too.
    """
    (known,) = READABLE.intersection({column})
    parameters = {"start": window.start, "end": window.end, "revision": revision}
    return connection.execute(text(_LATE.format(column=known)), parameters).scalars().all()


def mark_rules(connection: Connection, starts: Iterable[datetime]) -> None:
    """Mark closed windows, by their starts, to have their rules judged again."""
    rows = [{"window_start": start} for start in sorted(starts)]
    if rows:
        connection.execute(_INSERT, rows)


def rule_marked_windows(connection: Connection) -> list[Window]:
    """Return the windows whose rules have to be judged again, oldest first."""
    starts = connection.execute(_MARKED).scalars()
    return [Window(start, start + WINDOW_LENGTH) for start in starts]


def delete_rule_marks(connection: Connection, window: Window) -> None:
    """Delete those marks of a window that the transaction sees."""
    connection.execute(_DELETE, {"window_start": window.start})
