"""The figures of a report, and their checksum: the same figures have the same, whenever made."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from shared_code.domain.vocabularies import PaymentStatus, QualityFlag
from shared_code.domain.windows import Window
from shared_code.store.database import Database
from shared_code.store.report_read import (
    AlertCount,
    AlertOf,
    ClosedOf,
    Group,
    InForce,
    alert_counts,
    flags_of,
    groups_of,
    rejected_of,
    report_snapshot,
    rule_sets_of,
    standing_alerts,
    windows_of,
)

MOST_ALERTS: Final = 200
MOST_REVISED: Final = 100
_PIECE: Final = timedelta(hours=1)
# Hours up to a week, days above: a plot has at most 168 bars, or one for each day.
_LONGEST_BY_HOURS: Final = timedelta(days=7)
_FAILED: Final = PaymentStatus.failed.name

type Watch = Callable[[int, int], None]


class Total(msgspec.Struct, frozen=True):
    """Payments of one currency, method and status within the span."""

    currency: str
    payment_method: str
    payment_status: str
    payments: int
    amount: Decimal


class FailureRatio(msgspec.Struct, frozen=True):
    """How many of the payments of one currency and method failed, to four decimals."""

    currency: str
    payment_method: str
    payments: int
    failed: int
    ratio: Decimal


class Period(msgspec.Struct, frozen=True):
    """Payments of one hour or day, and how many of them failed."""

    start: datetime
    payments: int
    failed: int


class Amount(msgspec.Struct, frozen=True):
    """Completed payments of one currency and hour or day."""

    currency: str
    start: datetime
    amount: Decimal


class Windows(msgspec.Struct, frozen=True):
    """Five-minute windows with payments: how many, and how far their figures have come.

    ``closed`` and ``final`` are of these; ``payments_late`` came after the first revision of
    their windows.
    """

    with_payments: int
    closed: int
    final: int
    revised: int
    payments_late: int


class Figures(msgspec.Struct, frozen=True):
    """All that a report shows of a span of whole windows, ``[start, end)``.

    Attributes:
        period_seconds: an hour or a day, the length of each period.
        payments_kept: payments that are stored still; days that were dropped are not, so that
            quality flags are of these only.
        rejected: by reason, events that were refused within the span, by the clock.
        revised: the first windows that have more than one revision.
        alerts: the most severe of those that stand.
    """

    start: datetime
    end: datetime
    period_seconds: int
    windows: Windows
    payments: int
    totals: list[Total]
    failure_ratios: list[FailureRatio]
    periods: list[Period]
    completed: list[Amount]
    payments_kept: int
    quality_flags: dict[str, int]
    rejected: dict[str, int]
    rule_sets: list[InForce]
    windows_by_version: dict[str, int]
    revised: list[ClosedOf]
    alert_counts: list[AlertCount]
    alerts: list[AlertOf]

    def canonical(self) -> bytes:
        """Return the figures as JSON, the same bytes for the same figures."""
        return msgspec.json.encode(self, order="sorted")

    def checksum(self) -> str:
        """Return the SHA-256 of the canonical JSON, in hexadecimal digits."""
        return hashlib.sha256(self.canonical()).hexdigest()


def figures_of(
    database: Database, span: Window, watch: Watch = lambda _done, _all: None
) -> Figures:
    """Read the figures of a span in one snapshot, an hour at a time.

    Args:
        database: as any role that may read.
        span: whole windows that have ended.
        watch: told how many hours of how many are read.

    Raises:
        StoreUnavailable: the database failed.
    """
    pieces = list(_pieces(span))
    by_hours = span.end - span.start <= _LONGEST_BY_HOURS
    gathered = _Gathered(timedelta(hours=1) if by_hours else timedelta(days=1))
    with report_snapshot(database) as connection:
        for done, piece in enumerate(pieces, 1):
            gathered.add(groups_of(connection, piece))
            gathered.stored.update(flags_of(connection, piece))
            gathered.close(windows_of(connection, piece))
            watch(done, len(pieces))
        return Figures(
            start=span.start,
            end=span.end,
            period_seconds=int(gathered.length.total_seconds()),
            windows=gathered.windows(),
            payments=sum(gathered.counts.values()),
            totals=gathered.totals(),
            failure_ratios=gathered.failure_ratios(),
            periods=gathered.periods(),
            completed=[Amount(*key, of) for key, of in sorted(gathered.completed.items())],
            payments_kept=gathered.stored.total(),
            quality_flags=gathered.flags(),
            rejected=rejected_of(connection, span),
            rule_sets=rule_sets_of(connection, span),
            windows_by_version=dict(sorted(gathered.versions.items())),
            revised=gathered.revised,
            alert_counts=alert_counts(connection, span),
            alerts=standing_alerts(connection, span, MOST_ALERTS),
        )


def _pieces(span: Window) -> Iterator[Window]:
    start = span.start
    while start < span.end:
        end = min(start + _PIECE, span.end)
        yield Window(start, end)
        start = end


@dataclass(slots=True)
class _Gathered:
    """Sums over pieces; its size depends on groups and periods, not on payments or windows."""

    length: timedelta
    counts: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    sums: dict[tuple[str, str, str], Decimal] = field(default_factory=dict)
    by_period: Counter[tuple[datetime, bool]] = field(default_factory=Counter)
    completed: dict[tuple[str, datetime], Decimal] = field(default_factory=dict)
    stored: Counter[int] = field(default_factory=Counter)
    versions: Counter[str] = field(default_factory=Counter)
    revised: list[ClosedOf] = field(default_factory=list)
    seen: Counter[str] = field(default_factory=Counter)

    def add(self, groups: Iterator[Group]) -> None:
        windows = set()
        for group in groups:
            windows.add(group.window_start)
            key = (group.currency, group.payment_method, group.payment_status)
            self.counts[key] += group.payment_count
            self.sums[key] = self.sums.get(key, Decimal(0)) + group.amount_sum
            start = self._period(group.window_start)
            self.by_period[start, group.payment_status == _FAILED] += group.payment_count
            if group.payment_status == PaymentStatus.completed.name:
                at = (group.currency, start)
                self.completed[at] = self.completed.get(at, Decimal(0)) + group.amount_sum
        self.seen["with_payments"] += len(windows)

    def close(self, windows: Iterator[ClosedOf]) -> None:
        for window in windows:
            if window.last_count:  # windows that are silent may be closed, too
                self.versions[window.version] += 1
                self.seen["closed"] += 1
                self.seen["final"] += window.is_final
            if window.revisions > 1:
                self.seen["revised"] += 1
                self.seen["payments_late"] += window.last_count - window.first_count
                if len(self.revised) < MOST_REVISED:
                    self.revised.append(window)

    def windows(self) -> Windows:
        return Windows(*(self.seen[name] for name in Windows.__struct_fields__))

    def totals(self) -> list[Total]:
        return [Total(*key, self.counts[key], self.sums[key]) for key in sorted(self.counts)]

    def failure_ratios(self) -> list[FailureRatio]:
        payments: Counter[tuple[str, str]] = Counter()
        failed: Counter[tuple[str, str]] = Counter()
        for (currency, method, status), count in self.counts.items():
            payments[currency, method] += count
            failed[currency, method] += count if status == _FAILED else 0
        return [
            FailureRatio(*key, payments[key], failed[key], _ratio(failed[key], payments[key]))
            for key in sorted(payments)
        ]

    def periods(self) -> list[Period]:
        starts = sorted({start for start, _ in self.by_period})
        return [
            Period(
                start,
                self.by_period[start, False] + self.by_period[start, True],
                self.by_period[start, True],
            )
            for start in starts
        ]

    def flags(self) -> dict[str, int]:
        found: Counter[str] = Counter()
        for flags, count in self.stored.items():
            for flag in QualityFlag:
                if flags & flag:
                    found[str(flag.name)] += count
        return dict(sorted(found.items()))

    def _period(self, time: datetime) -> datetime:
        seconds = int(self.length.total_seconds())
        return datetime.fromtimestamp(int(time.timestamp()) // seconds * seconds, UTC)


def _ratio(part: int, whole: int) -> Decimal:
    return (Decimal(part) / Decimal(whole)).quantize(Decimal("0.0001"))
