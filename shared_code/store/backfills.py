"""Back-fills: how far each one is, and the metrics of payments that it judges once more."""

import io
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, text

from shared_code.domain.windows import WINDOW_LENGTH, Window
from shared_code.rules.columns import Columns
from shared_code.rules.findings import Matches
from shared_code.store.copy_metrics import copy_metrics, metric_rows

_STATE: Final = "backfill_id, rule_set, first_window, end_window, next_window, started_by"
# One that another rule set's has overtaken since, in part or whole, counts no more: after a
# rollback the windows hold what that one found.
_LATEST: Final = text(f"""
    SELECT {_STATE}
    FROM backfills AS known
    WHERE rule_set = :rule_set AND first_window = :start AND end_window = :end
      AND NOT EXISTS (
          SELECT FROM backfills AS later
          WHERE later.backfill_id > known.backfill_id AND later.rule_set <> known.rule_set
            AND later.first_window < known.end_window AND later.next_window > known.first_window
      )
    ORDER BY backfill_id DESC
    LIMIT 1
""")
_START: Final = text(f"""
    INSERT INTO backfills (rule_set, first_window, end_window, next_window, started_by)
    VALUES (:rule_set, :start, :end, :start, :started_by)
    RETURNING {_STATE}
""")
_ADVANCE: Final = text(f"""
    UPDATE backfills SET
        next_window = :next_window,
        finished_at = CASE WHEN :next_window = end_window THEN now() END
    WHERE backfill_id = :backfill_id
    RETURNING {_STATE}
""")
# Payments that the snapshot does not see keep their metrics: neither are those seen.
_DELETE_METRICS: Final = text("""
    DELETE FROM dynamic_metrics
    WHERE event_time >= :start AND event_time < :end AND NOT shadow
""")
_COPY_METRICS: Final = copy_metrics(shadow=False)


class Backfill(NamedTuple):
    """A back-fill of ``[first_window, end_window)``; ``next_window`` is the first not yet done."""

    backfill_id: int
    rule_set: int
    first_window: datetime
    end_window: datetime
    next_window: datetime
    started_by: str

    @property
    def finished(self) -> bool:
        """Whether every window is done."""
        return self.next_window == self.end_window

    @property
    def windows(self) -> int:
        """How many windows it is about."""
        return (self.end_window - self.first_window) // WINDOW_LENGTH

    @property
    def windows_done(self) -> int:
        """How many of them are done."""
        return (self.next_window - self.first_window) // WINDOW_LENGTH


class Claim(NamedTuple):
    """A window that the caller's transaction is to back-fill; None if all were done before.

    ``backfill`` stands as it does once that transaction is committed; ``began`` tells whether it
    was begun by this claim.
    """

    backfill: Backfill
    window: Window | None
    began: bool


def claim_window(
    connection: Connection, span: Window, *, rule_set: int, by: str, afresh: bool
) -> Claim:
    """Claim the next window of the back-fill of a span under a rule set, and begin it if need be.

    Args:
        connection: in the transaction that back-fills the window, under the lease.
        span: whole windows, at least one.
        rule_set: the active one.
        by: who starts a new back-fill.
        afresh: whether a back-fill that is finished is done once more.
    """
    parameters = {"rule_set": rule_set, "start": span.start, "end": span.end}
    row = connection.execute(_LATEST, parameters).one_or_none()
    found = None if row is None else Backfill(*row)
    began = found is None or (found.finished and afresh)
    if found is None or began:
        found = Backfill(*connection.execute(_START, {**parameters, "started_by": by}).one())
    if found.finished:
        return Claim(found, None, began)
    window = Window(found.next_window, found.next_window + WINDOW_LENGTH)
    advance = {"backfill_id": found.backfill_id, "next_window": window.end}
    return Claim(Backfill(*connection.execute(_ADVANCE, advance).one()), window, began)


def replace_payment_metrics(
    connection: Connection,
    window: Window,
    columns: Columns,
    matches: Iterable[Matches],
    *,
    rule_set: int,
) -> None:
    """Replace the metrics of a window's payments; those of a shadow stand.

    Args:
        connection: in a transaction of REPEATABLE READ isolation.
        window: which has ended.
        columns: all its payments that the transaction sees.
        matches: what the rule set says of them.
        rule_set: whose metrics they get.
    """
    connection.execute(_DELETE_METRICS, {"start": window.start, "end": window.end})
    cursor: Any = connection.connection.cursor()
    cursor.copy_expert(_COPY_METRICS, io.BytesIO(metric_rows(columns, matches, rule_set)))
