"""Closes the windows that have ended, one transaction each, under a lease."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from time import monotonic
from typing import Final, NamedTuple

from sqlalchemy import Connection

from shared_code.domain.windows import Period, Window
from shared_code.engine.cluster_settings import ClusterSettings
from shared_code.engine.clustering import cluster_window
from shared_code.engine.pipeline_alerts import drift_alerts, partition_alerts
from shared_code.engine.window_figures import FIGURE_COLUMNS, figures_of
from shared_code.engine.window_judging import (
    judge_window,
    look_on,
    mark_what_late_payments_reach,
)
from shared_code.errors import PaymentsError
from shared_code.store.alerts import raise_alerts
from shared_code.store.backfills import Claim, claim_window, replace_payment_metrics
from shared_code.store.clusters import replace_clusters
from shared_code.store.database import Database
from shared_code.store.errors import DataRefused, StoreUnavailable
from shared_code.store.folding import fold_deltas
from shared_code.store.leases import Lease, release_lease, renew_lease, take_lease
from shared_code.store.look_back import (
    INDEXED,
    delete_blocks_before,
    has_blocks,
    replace_blocks,
)
from shared_code.store.partitions import (
    attached_days,
    every_attached_day,
    keep_days_attached,
)
from shared_code.store.roll_ups import mark_roll_ups, marked_roll_ups, roll_up
from shared_code.store.rule_marks import delete_rule_marks, rule_marked_windows
from shared_code.store.rule_store import Judges, judges, rule_sets_in_force
from shared_code.store.subject_history import payments_between
from shared_code.store.window_close import (
    ClosedWindow,
    close_window,
    delete_marks,
    latest_revision,
    marked_windows,
)
from shared_code.telemetry.measurements import record_close, record_fold, record_waiting

LEASE_NAME: Final = "aggregate_metrics"
# Shorter than the timer's period, so that the next tick of another instance finds the lease of a
# dead one expired; renewed with each window.
LEASE_LENGTH: Final = timedelta(minutes=4)

# Statement and lock time-outs (PostgreSQL manual, appendix A).
_TOOK_TOO_LONG: Final = frozenset({"57014", "55P03"})

_log: Final = logging.getLogger(__name__)


class BehindHorizon(PaymentsError):
    """Windows whose payments have been dropped cannot be computed again: their figures stand."""

    def __init__(self, window: Window, first_day: date | None) -> None:
        kept = f"are kept from {first_day} on" if first_day else "are not kept at all"
        super().__init__(f"payments of the window {window.start.isoformat()} {kept}")


class HeldElsewhere(StoreUnavailable):
    """Another instance closes windows just now."""

    def __init__(self) -> None:
        super().__init__("another instance is closing windows; try again later")


class Tick(NamedTuple):
    """What one run of the timer did; ``held_elsewhere`` when another instance is at it."""

    closed: Sequence[ClosedWindow]
    folded: int
    alerts: int
    held_elsewhere: bool = False


class BackfillStep(NamedTuple):
    """One window of a back-fill; None if every window was done before."""

    claim: Claim
    closed: ClosedWindow | None
    rule_set_version: str


class Aggregator:
    """Closes windows; what is interrupted is done again, whole, by whoever comes next."""

    def __init__(
        self,
        database: Database,
        *,
        owner: str,
        retention: timedelta,
        allowed_lateness: timedelta,
        shipped_rules: bytes,
        clustering: ClusterSettings,
    ) -> None:
        self._database = database
        self._owner = owner
        self._retention = retention
        self._allowed_lateness = allowed_lateness
        self._shipped_rules = shipped_rules
        self._clustering = clustering

    def tick(self, now: datetime) -> Tick:
        """Fold, keep days attached, and close every marked window that has ended, oldest first.

        A step that the database refuses, or that takes it too long, stops none of the others, and
        is reported when they are done.

        Raises:
            StoreUnavailable: the database failed; the next tick catches up.
            DataRefused: the database refused the figures of a window; the others are closed.
            LeaseLost: another instance took over.
        """
        with self._lease() as lease:
            if lease is None:
                return Tick((), 0, 0, held_elsewhere=True)
            steps = _Steps()
            folded = steps.attempt(partial(fold_deltas, self._database)) or 0
            record_fold(folded)
            alerts = steps.attempt(partial(self._look_after_partitions, now)) or 0
            with self._database.transaction() as connection:
                windows = marked_windows(connection, now)
                days = every_attached_day(connection)
                shadowed = rule_sets_in_force(connection).shadow is not None
            record_waiting(len(windows))
            closed = []
            for window in windows:
                if window.start.date() not in days:
                    self._seal(window, lease)
                    continue
                outcome = steps.attempt(partial(self._close, window, lease, now))
                if outcome is not None:
                    closed.append(outcome[0])
                    alerts += outcome[1]
            judged = [each.window for each in closed]
            for window in self._reached_by_late_payments():
                found = steps.attempt(partial(self._judge_again, window, lease, now))
                if found is not None:
                    judged.append(window)
                    alerts += found
            for window in judged if shadowed else ():
                steps.attempt(partial(self._look_on, window, lease))
            self._roll_up(steps, lease, now)
            steps.report()
            return Tick(closed, folded, alerts)

    def recompute(self, windows: Sequence[Window], now: datetime) -> Sequence[ClosedWindow]:
        """Close windows again, marked or not, and judge their payments by the active rule set.

        Raises:
            StoreUnavailable: the database failed.
            HeldElsewhere: another instance is closing windows.
            LeaseLost: another instance took over.
            BehindHorizon: payments of a window are not kept any more; no window was closed.
        """
        self.require_kept(windows)
        with self._lease() as lease:
            if lease is None:
                raise HeldElsewhere
            closed = []
            for window in windows:
                closed.append(self._close(window, lease, now, again=True)[0])
                self._look_on(window, lease)
            return closed

    def require_kept(self, windows: Sequence[Window]) -> None:
        """Check that the payments of windows are kept.

        Raises:
            BehindHorizon: those of a window are not.
        """
        with self._database.transaction() as connection:
            days = attached_days(connection)
        for window in windows:
            if days is None or window.start.date() < days.first:
                raise BehindHorizon(window, days.first if days else None)

    def backfill_next(self, span: Window, now: datetime, *, by: str, afresh: bool) -> BackfillStep:
        """Do the next window of the back-fill of a span under the active rule set.

        That it is done is recorded in the same transaction. The lease is held for this one window.

        Args:
            span: whole windows that have ended.
            now: aware UTC.
            by: who starts a new back-fill.
            afresh: whether a back-fill that is finished is done once more.

        Raises:
            StoreUnavailable: the database failed.
            HeldElsewhere: another instance is closing windows.
            LeaseLost: another instance took over.
            BehindHorizon: the day of the window was dropped.
        """
        with self._lease() as lease:
            if lease is None:
                raise HeldElsewhere
            with self._database.transaction("REPEATABLE READ") as connection:
                renew_lease(connection, lease)
                in_force = judges(connection, None, self._shipped_rules)
                active = in_force.active
                claim = claim_window(
                    connection, span, rule_set=active.rule_set, by=by, afresh=afresh
                )
                if claim.window is None:
                    return BackfillStep(claim, None, active.version)
                days = every_attached_day(connection)
                if claim.window.start.date() not in days:
                    raise BehindHorizon(claim.window, min(days, default=None))
                closed, _ = self._close_in(connection, claim.window, in_force, now, again=True)
            self._look_on(claim.window, lease)
        return BackfillStep(claim, closed, active.version)

    @contextmanager
    def _lease(self) -> Iterator[Lease | None]:
        """Hold the lease within the block; None if another instance has it."""
        with self._database.transaction() as connection:
            lease = take_lease(connection, LEASE_NAME, self._owner, LEASE_LENGTH)
        try:
            yield lease
        finally:
            if lease is not None:
                with self._database.transaction() as connection:
                    release_lease(connection, lease)

    def _seal(self, window: Window, lease: Lease) -> None:
        """Forget the marks of a window whose payments are dropped; its figures stand."""
        with self._database.transaction() as connection:
            renew_lease(connection, lease)
            delete_marks(connection, window)
        _log.warning("window %s is sealed: its day is dropped", window.start.isoformat())

    def _close(
        self, window: Window, lease: Lease, now: datetime, *, again: bool = False
    ) -> tuple[ClosedWindow, int]:
        started = monotonic()
        with self._database.transaction("REPEATABLE READ") as connection:
            renew_lease(connection, lease)
            in_force = judges(connection, None, self._shipped_rules)
            closed, alerts = self._close_in(connection, window, in_force, now, again=again)
        record_close(
            delay=None if again else (now - window.end).total_seconds(),
            seconds=monotonic() - started,
            revision=closed.revision,
            alerts=alerts,
            drifting=len(closed.drift),
        )
        return closed, alerts

    def _close_in(
        self,
        connection: Connection,
        window: Window,
        in_force: Judges,
        now: datetime,
        *,
        again: bool,
    ) -> tuple[ClosedWindow, int]:
        """Close a window in a transaction; ``again``: judge its payments once more, too."""
        active = in_force.active
        names = active.rules.columns | self._clustering.columns | FIGURE_COLUMNS | {*INDEXED}
        columns = payments_between(connection, window, names)
        closed = close_window(
            connection,
            window,
            list(figures_of(columns)),
            rule_set=active.rule_set,
            allowed_lateness=self._allowed_lateness,
        )
        mark_roll_ups(connection, window)
        if has_blocks(connection):
            replace_blocks(connection, window, columns)
        mark_what_late_payments_reach(connection, window, in_force, closed.revision)
        delete_rule_marks(connection, window)
        if again:
            matches = active.rules.matches(columns)
            replace_payment_metrics(connection, window, columns, matches, rule_set=active.rule_set)
        judged = judge_window(
            connection, window, columns, active, revision=closed.revision, guarded=not again
        )
        clusters = cluster_window(columns, window.start, self._clustering)
        replace_clusters(connection, window, clusters)
        drift = raise_alerts(connection, list(drift_alerts(closed, now)))
        alerts = judged.alerts + len(drift)
        _log.info(
            "closed window %s revision %d: %d payments, %d rule values, %d alerts",
            window.start.isoformat(),
            closed.revision,
            closed.payment_count,
            judged.values,
            alerts,
        )
        return closed, alerts

    def _reached_by_late_payments(self) -> Sequence[Window]:
        with self._database.transaction() as connection:
            return rule_marked_windows(connection)

    def _judge_again(self, window: Window, lease: Lease, now: datetime) -> int:
        """Judge a closed window again that a late payment of an earlier one reaches.

        Its figures stand, unless another rule set is active by now: a revision has one rule set.
        """
        with self._database.transaction("REPEATABLE READ") as connection:
            renew_lease(connection, lease)
            delete_rule_marks(connection, window)
            if window.start.date() not in every_attached_day(connection):
                return 0
            revision = latest_revision(connection, window)
            in_force = judges(connection, None, self._shipped_rules)
            if revision.rule_set != in_force.active.rule_set:
                return self._close_in(connection, window, in_force, now, again=False)[1]
            active = in_force.active
            columns = payments_between(connection, window, active.rules.columns)
            judged = judge_window(
                connection, window, columns, active, revision=revision.number, guarded=False
            )
        _log.info("judged window %s again", window.start.isoformat())
        return judged.alerts

    def _look_on(self, window: Window, lease: Lease) -> None:
        """Let the shadow judge a window, if one runs.

        In a transaction of its own, so that a candidate which looks too far back, or finds too
        much, holds up nothing that counts.
        """
        with self._database.transaction("REPEATABLE READ") as connection:
            renew_lease(connection, lease)
            shadow = judges(connection, None, self._shipped_rules).shadow
            if shadow is not None:
                look_on(connection, window, shadow, latest_revision(connection, window).number)

    def _roll_up(self, steps: "_Steps", lease: Lease, now: datetime) -> None:
        with self._database.transaction() as connection:
            periods = marked_roll_ups(connection, now)
        for period in periods:
            steps.attempt(partial(self._roll_up_period, period, lease))

    def _roll_up_period(self, period: Period, lease: Lease) -> None:
        with self._database.transaction("REPEATABLE READ") as connection:
            renew_lease(connection, lease)
            roll_up(connection, period)

    def _look_after_partitions(self, now: datetime) -> int:
        with self._database.transaction() as connection:
            keep_days_attached(connection, now, self._retention)
            kept = min(every_attached_day(connection))
            if has_blocks(connection):
                delete_blocks_before(connection, datetime.combine(kept, time.min, UTC))
            return len(
                raise_alerts(connection, list(partition_alerts(attached_days(connection), now)))
            )


class _Steps:
    """Steps of one tick, of which a failed one does not stop the others."""

    def __init__(self) -> None:
        self._failures: list[StoreUnavailable | DataRefused] = []

    def attempt[Result](self, step: Callable[[], Result]) -> Result | None:
        """Return what a step gives; None if the database refused it or it took too long.

        Raises:
            StoreUnavailable: the database cannot do anything now.
        """
        try:
            return step()
        except DataRefused as refusal:
            self._failures.append(refusal)
        except StoreUnavailable as failure:
            if failure.sqlstate not in _TOOK_TOO_LONG:
                raise
            self._failures.append(failure)
        _log.error("a step of the tick failed: %s", self._failures[-1])
        return None

    def report(self) -> None:
        """Raise the first failure, if there was one."""
        for failure in self._failures:
            raise failure
