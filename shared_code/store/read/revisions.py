"""What each closing of a window came to, and by which rules."""

from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, text

from shared_code.store.read.paging import Listing, Page, at_scale, listing

_REVISIONS: Final = text("""
    SELECT revision, computed_at, final_at, payment_count, rule_sets.version AS rule_set_version
    FROM window_revisions
    LEFT JOIN rule_sets USING (rule_set)
    WHERE window_start = :window_start
      AND (CAST(:after_revision AS integer) IS NULL OR revision < :after_revision)
    ORDER BY revision DESC
    LIMIT :more
""")
_GROUPS: Final = text("""
    SELECT closed.revision, methods.name AS payment_method, currencies.name AS currency,
           statuses.name AS payment_status, closed.payment_count, closed.amount_sum,
           closed.amount_p50, closed.amount_p95, closed.amount_p99
    FROM payment_metrics_5m_final AS closed
    JOIN vocabularies AS methods
      ON methods.vocabulary = 'payment_method' AND methods.number = closed.payment_method
    JOIN vocabularies AS currencies
      ON currencies.vocabulary = 'currency' AND currencies.number = closed.currency
    JOIN vocabularies AS statuses
      ON statuses.vocabulary = 'payment_status' AND statuses.number = closed.payment_status
    WHERE closed.window_start = :window_start
      AND closed.revision BETWEEN :lowest AND :highest
    ORDER BY payment_method, currency, payment_status
    LIMIT :most
""")
# A window has at most some thousand groups; so many rows are an answer of a few megabytes.
MOST_GROUPS: Final = 10_000


class RevisionGroup(msgspec.Struct, frozen=True):
    """The figures of one method, currency and status."""

    payment_method: str
    currency: str
    payment_status: str
    payment_count: int
    amount_sum: Decimal
    amount_p50: Decimal
    amount_p95: Decimal
    amount_p99: Decimal


class Revision(msgspec.Struct, frozen=True):
    """One closing of a window; the highest revision stands."""

    revision: int
    computed_at: datetime
    final_at: datetime
    payment_count: int
    rule_set_version: str | None
    groups: list[RevisionGroup]


def window_revisions(
    connection: Connection, window_start: datetime, page: Page
) -> Listing[Revision]:
    """Return the closings of a window, the last first, with at most 10,000 groups in all."""
    parameters = {"window_start": window_start, **page.parameters("revision")}
    rows = connection.execute(_REVISIONS, parameters).all()
    numbers = [row.revision for row in rows[: page.limit]]
    groups: dict[int, list[RevisionGroup]] = {number: [] for number in numbers}
    if numbers:
        bounds = {"window_start": window_start, "lowest": numbers[-1], "highest": numbers[0]}
        for row in connection.execute(_GROUPS, {**bounds, "most": MOST_GROUPS}):
            groups[row.revision].append(_group(row))

    def revision(row: Any) -> Revision:
        return Revision(**row._asdict(), groups=groups[row.revision])

    return listing(rows, page, lambda row: (row.revision,), revision)


def _group(row: Any) -> RevisionGroup:
    values = row._asdict()
    del values["revision"]
    amounts = {
        name: at_scale(value, row.currency)
        for name, value in values.items()
        if name.startswith("amount_")
    }
    return RevisionGroup(**values | amounts)
