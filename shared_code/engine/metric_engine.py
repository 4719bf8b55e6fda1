"""The one face of the engine, and the engine of this process."""

import logging
import os
import time
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Final

from shared_code.domain.decoding import Message
from shared_code.domain.pseudonyms import Pseudonymiser
from shared_code.domain.windows import Period, windows_between
from shared_code.engine.aggregation import Aggregator, Tick
from shared_code.engine.batch import BatchProcessor, BatchResult
from shared_code.engine.cluster_settings import load_cluster_settings
from shared_code.engine.rule_reload import ReloadOutcome, RuleArchive, reload_rules
from shared_code.engine.rule_roll_ups import PeriodValue, rule_values
from shared_code.errors import PaymentsError
from shared_code.rules.compiler import canonical_content
from shared_code.settings import Settings, load_settings
from shared_code.store.database import Database
from shared_code.store.folding import fold_deltas
from shared_code.store.rule_store import judges, stored_document
from shared_code.store.window_close import ClosedWindow
from shared_code.telemetry.exporting import export_telemetry
from shared_code.telemetry.measurements import record_fold

SHIPPED_RULES: Final = Path(__file__).parents[2] / "rules" / "metric_derivation_rules.json"

_log: Final = logging.getLogger(__name__)


class MetricEngine:
    """Judges batches, closes windows and reloads rules. Nothing that counts lives in it."""

    def __init__(self, settings: Settings) -> None:
        self.database = Database(settings.database)
        shipped_rules = canonical_content(SHIPPED_RULES.read_bytes())
        self._shipped_rules = shipped_rules
        self._fold_interval = settings.fold_interval.total_seconds()
        self._next_fold = 0.0
        self._batches = BatchProcessor(
            self.database,
            Pseudonymiser(settings.pii_hash_key),
            settings.retention,
            shipped_rules,
        )
        self._aggregator = Aggregator(
            self.database,
            owner=uuid.uuid4().hex,
            retention=settings.retention,
            allowed_lateness=settings.allowed_lateness,
            shipped_rules=shipped_rules,
            clustering=load_cluster_settings(),
        )

    def process_batch(
        self,
        messages: Sequence[Message],
        rules_document: bytes | None = None,
        now: datetime | None = None,
    ) -> BatchResult:
        """Store one batch of messages and, now and then, fold what batches have appended.

        Args:
            messages: of one batch, in order of arrival.
            rules_document: the document of the blob binding; used if it is the active one.
            now: aware UTC; the clock's time if it is left out.

        Raises:
            StoreUnavailable: a fault that time can heal; the batch has to be delivered again.
        """
        result = self._batches.process(messages, rules_document, now or datetime.now(UTC))
        # A fold commits once more, so that it is not worth its while for every batch. What waits
        # counts in the view payment_windows, and the timer folds the rest.
        if time.monotonic() >= self._next_fold:
            self._next_fold = time.monotonic() + self._fold_interval
            self._fold()
        return result

    def _fold(self) -> None:
        """Fold what waits, if that can be done now.

        The batch is committed: failing it would have it delivered again, and block its partition
        for as long as folding fails. The timer folds, too, and does fail.
        """
        try:
            record_fold(fold_deltas(self.database))
        except PaymentsError as error:
            _log.warning("deltas wait for the next fold: %s", error)

    def aggregate(self, now: datetime | None = None) -> Tick:
        """Close every marked window that has ended.

        Raises:
            StoreUnavailable: the database failed; the next tick catches up.
            LeaseLost: another instance took over.
        """
        return self._aggregator.tick(now or datetime.now(UTC))

    def process_time_window(self, start: datetime, end: datetime) -> Sequence[ClosedWindow]:
        """Close the windows that overlap ``[start, end)`` again, under the active rule set.

        The metrics of their payments are made anew, too. :mod:`shared_code.engine.backfill` does
        the same for long spans, in steps that can be resumed.

        Raises:
            StoreUnavailable: the database failed, or another instance is closing windows.
            LeaseLost: another instance took over.
            BehindHorizon: payments of a window are not kept any more.
        """
        return self._aggregator.recompute(windows_between(start, end), datetime.now(UTC))

    def process_recent_transactions(self, hours: int) -> Sequence[ClosedWindow]:
        """Close the windows of the last hours again, under the active rule set.

        The metrics of their payments are made anew, too; the open window is left alone.

        Raises:
            StoreUnavailable: the database failed, or another instance is closing windows.
            LeaseLost: another instance took over.
        """
        now = datetime.now(UTC)
        ended = [
            window
            for window in windows_between(now - timedelta(hours=hours), now)
            if window.end <= now
        ]
        return self._aggregator.recompute(ended, now)

    def rule_values(self, period: Period, rule_id: str | None = None) -> Sequence[PeriodValue]:
        """Return what the active set's window rules measure over an hour or a day.

        Raises:
            NoSuchWindowRule: the active set has no such rule.
            StoreUnavailable: the database failed.
        """
        return rule_values(self.database, period, self._shipped_rules, rule_id)

    def active_document(self) -> bytes:
        """Return the rule document that is active, in its canonical form.

        Raises:
            StoreUnavailable: the database failed.
        """
        with self.database.transaction() as connection:
            active = judges(connection, None, self._shipped_rules).active
            return stored_document(connection, active.rule_set)

    def reload_rules(self, content: bytes, name: str, archive: RuleArchive) -> ReloadOutcome:
        """Activate an uploaded rule document, or say why not; see ``reload_rules``.

        Raises:
            StoreUnavailable: the database failed.
        """
        return reload_rules(content, name, database=self.database, archive=archive)


@lru_cache(maxsize=1)
def engine_of_process() -> MetricEngine:
    """Return the engine that all functions of this process share, and let it send its telemetry.

    Raises:
        SettingsError: an app setting is missing or wrong.
    """
    export_telemetry(os.environ)
    return MetricEngine(load_settings())
