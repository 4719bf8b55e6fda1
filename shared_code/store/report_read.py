"""What a report shows, read in one snapshot and in pieces that stay small whatever the span is."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, text

from shared_code.domain.windows import Window
from shared_code.store.database import Database
from shared_code.store.read.subjects import shown_subject

_READ_ONLY: Final = text("SET TRANSACTION READ ONLY; SET LOCAL TIME ZONE 'UTC'")
# The view costs a look at the newest revision for each row: it is asked for hours, not for months.
_GROUPS: Final = text("""
    SELECT window_start, payment_method, currency, payment_status, payment_count, amount_sum
    FROM payment_windows
    WHERE window_start >= :start AND window_start < :end
""")
# Payments of days that were dropped are counted, but no more looked at.
_STORED: Final = text("""
    SELECT quality_flags, count(*)
    FROM normalized_transactions
    WHERE event_time >= :start AND event_time < :end
    GROUP BY quality_flags
""")
_WINDOWS: Final = text("""
    SELECT revision.window_start, max(revision.revision) AS revisions,
           (array_agg(revision.payment_count ORDER BY revision.revision))[1] AS first_count,
           (array_agg(revision.payment_count ORDER BY revision.revision DESC))[1] AS last_count,
           (array_agg(rule_sets.version ORDER BY revision.revision DESC))[1] AS version,
           bool_and(revision.final_at <= now()) AND NOT EXISTS (
               SELECT FROM window_marks AS mark WHERE mark.window_start = revision.window_start
           ) AS is_final
    FROM window_revisions AS revision
    JOIN rule_sets ON rule_sets.rule_set = revision.rule_set
    WHERE revision.window_start >= :start AND revision.window_start < :end
    GROUP BY revision.window_start
    ORDER BY revision.window_start
""")
# A finding of a window belongs to the window, any other to when it was seen.
_OF_SPAN: Final = """
    (alert.window_start >= :start AND alert.window_start < :end
     OR alert.window_start IS NULL AND alert.last_seen >= :start AND alert.first_seen < :end)
"""
_ALERT_COUNTS: Final = text(f"""
    SELECT severities.name AS severity, alert.kind, alert.rule_id, count(*) AS alerts,
           count(*) FILTER (WHERE alert.withdrawn_at IS NOT NULL) AS withdrawn,
           count(*) FILTER (WHERE alert.suppression_id IS NOT NULL) AS suppressed
    FROM alerts AS alert
    JOIN vocabularies AS severities
      ON severities.vocabulary = 'severity' AND severities.number = alert.severity
    WHERE {_OF_SPAN}
    GROUP BY alert.severity, severities.name, alert.kind, alert.rule_id
    ORDER BY alert.severity DESC, alert.kind, alert.rule_id NULLS FIRST
""")
_ALERTS: Final = text(f"""
    SELECT severities.name AS severity, alert.kind, alert.rule_id, alert.subject, alert.outcome,
           alert.evidence, alert.first_seen, alert.last_seen
    FROM alerts AS alert
    JOIN vocabularies AS severities
      ON severities.vocabulary = 'severity' AND severities.number = alert.severity
    WHERE {_OF_SPAN} AND alert.withdrawn_at IS NULL AND alert.suppression_id IS NULL
    ORDER BY alert.severity DESC, alert.first_seen, alert.alert_id
    LIMIT :most
""")
_REJECTED: Final = text("""
    SELECT reason, count(*) AS events
    FROM rejected_events
    WHERE rejected_at >= :start AND rejected_at < :end
    GROUP BY reason
    ORDER BY reason
""")
_IN_FORCE: Final = text("""
    SELECT rule_sets.version, encode(rule_sets.sha256, 'hex') AS sha256, activation.activated_at,
           activation.activated_by, activation.reason
    FROM rule_set_activations AS activation
    JOIN rule_sets ON rule_sets.rule_set = activation.rule_set
    WHERE activation.role = 'active' AND activation.activated_at < :end
      AND activation.activation_id >= coalesce((
          SELECT max(earlier.activation_id)
          FROM rule_set_activations AS earlier
          WHERE earlier.role = 'active' AND earlier.activated_at <= :start
      ), 0)
    ORDER BY activation.activation_id
""")


class Group(msgspec.Struct, frozen=True):
    """Payments of one window, method, currency and status."""

    window_start: datetime
    payment_method: str
    currency: str
    payment_status: str
    payment_count: int
    amount_sum: Decimal


class ClosedOf(msgspec.Struct, frozen=True):
    """What became of one window: its revisions, and how many payments its first and last have."""

    window_start: datetime
    revisions: int
    first_count: int
    last_count: int
    version: str
    is_final: bool


class AlertCount(msgspec.Struct, frozen=True):
    """How many alerts of one kind and rule there are, and how many of them nobody acts on."""

    severity: str
    kind: str
    rule_id: str | None
    alerts: int
    withdrawn: int
    suppressed: int


class AlertOf(msgspec.Struct, frozen=True):
    """One alert that stands; of a card's fingerprint its subject shows the head."""

    severity: str
    kind: str
    rule_id: str | None
    subject: str
    outcome: str | None
    evidence: dict[str, Any]
    first_seen: datetime
    last_seen: datetime


class InForce(msgspec.Struct, frozen=True):
    """A rule set that was active, from when, by whom and why."""

    version: str
    sha256: str
    activated_at: datetime
    activated_by: str
    reason: str


@contextmanager
def report_snapshot(database: Database) -> Iterator[Connection]:
    """Show the database as it is at one instant, for as long as a report takes.

    Raises:
        StoreUnavailable: the database failed.
    """
    with database.transaction("REPEATABLE READ") as connection:
        connection.execute(_READ_ONLY)
        yield connection


def groups_of(connection: Connection, piece: Window) -> Iterator[Group]:
    """Yield the groups of the windows of a piece, unfolded deltas included."""
    return (Group(*row) for row in connection.execute(_GROUPS, piece._asdict()))


def flags_of(connection: Connection, piece: Window) -> dict[int, int]:
    """Return how many stored payments of a piece have which combination of quality flags."""
    return dict(connection.execute(_STORED, piece._asdict()).all())


def windows_of(connection: Connection, piece: Window) -> Iterator[ClosedOf]:
    """Yield the windows of a piece that have been closed, in their order."""
    return (ClosedOf(*row) for row in connection.execute(_WINDOWS, piece._asdict()))


def alert_counts(connection: Connection, span: Window) -> list[AlertCount]:
    """Return how many alerts there are, the most severe first."""
    return [AlertCount(*row) for row in connection.execute(_ALERT_COUNTS, span._asdict())]


def standing_alerts(connection: Connection, span: Window, most: int) -> list[AlertOf]:
    """Return alerts that are neither withdrawn nor suppressed, the most severe first."""
    rows = connection.execute(_ALERTS, {**span._asdict(), "most": most})
    return [AlertOf(**row._asdict() | {"subject": shown_subject(row.subject)}) for row in rows]


def rejected_of(connection: Connection, span: Window) -> dict[str, int]:
    """Return how many events were refused within a span of time, by reason."""
    return dict(connection.execute(_REJECTED, span._asdict()).all())


def rule_sets_of(connection: Connection, span: Window) -> list[InForce]:
    """Return which rule sets were active within a span of time, one after the other."""
    return [InForce(*row) for row in connection.execute(_IN_FORCE, span._asdict())]
