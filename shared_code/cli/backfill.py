"""``python -m shared_code rules backfill``: judge stored payments again by the active rule set."""

import argparse
import sys
import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

from shared_code.cli.progress import Progress
from shared_code.cli.rules_arguments import add_by, help_texts
from shared_code.cli.spans import add_span
from shared_code.engine.aggregation import Aggregator, BackfillStep
from shared_code.engine.backfill import Waiting, run_backfill, time_left
from shared_code.engine.cluster_settings import load_cluster_settings
from shared_code.engine.metric_engine import SHIPPED_RULES
from shared_code.engine.spans import whole_windows
from shared_code.rules.compiler import canonical_content
from shared_code.settings import load_allowed_lateness, load_retention
from shared_code.store.database import Database


def add_command(commands: Any) -> None:
    """Add the command to the subparsers of a group."""
    backfill = commands.add_parser(
        "backfill",
        **help_texts(
            "judge stored payments again by the active rule set",
            "Judge the stored payments of a span again by the active rule set, window by window:"
            " their metrics, the values of windows, and alerts. Interrupted, the same command goes"
            " on where it was.",
            "backfill --from 2026-01-01 --to 2026-01-28",
        ),
    )
    add_span(backfill)
    add_by(backfill)
    backfill.add_argument(
        "--again", action="store_true", help="do it once more if it was done under this rule set"
    )
    backfill.set_defaults(run=_backfill)


def _backfill(arguments: argparse.Namespace, database: Database) -> str:
    aggregator = Aggregator(
        database,
        owner=f"backfill-{uuid.uuid4().hex}",
        retention=load_retention(),
        allowed_lateness=load_allowed_lateness(),
        shipped_rules=canonical_content(SHIPPED_RULES.read_bytes()),
        clustering=load_cluster_settings(),
    )
    span = whole_windows(arguments.start, arguments.end, datetime.now(UTC))
    watcher = _Watcher()
    done = run_backfill(
        aggregator, span, by=arguments.by, again=arguments.again, watch=watcher.watch
    )
    if not watcher.windows:
        return (
            f"nothing to do: finished under rule set version {watcher.version} before;"
            " --again does it once more"
        )
    return (
        f"{done.windows} windows stand under rule set version {watcher.version};"
        f" {watcher.windows} done now, {watcher.payments} payments judged"
    )


class _Watcher:
    """Tells people on standard error what a back-fill does, and counts it."""

    def __init__(self) -> None:
        self.windows = 0
        self.payments = 0
        self.version = ""
        self._backfill: int | None = None
        self._began = time.monotonic()
        self._progress = Progress(sys.stderr)

    def watch(self, step: BackfillStep | Waiting) -> None:
        """Take notice of one step."""
        if isinstance(step, Waiting):
            self._progress.say("waiting: another instance is closing windows")
            return
        if step.closed is None:
            self.version = step.rule_set_version
            self._progress.clear()
            return
        backfill = step.claim.backfill
        if backfill.backfill_id != self._backfill:
            self._progress.say(self._beginning(step))
            self._backfill, self.version = backfill.backfill_id, step.rule_set_version
        self.windows += 1
        self.payments += step.closed.payment_count
        left = backfill.windows - backfill.windows_done
        elapsed = timedelta(seconds=time.monotonic() - self._began)
        rest = time_left(self.windows, self.windows + left, elapsed)
        self._progress.show(
            f"{backfill.windows_done} of {backfill.windows} windows,"
            f" {self.payments / elapsed.total_seconds():,.0f} payments/s,"
            f" {rest.total_seconds():.0f} s left"
        )

    def _beginning(self, step: BackfillStep) -> str:
        backfill, version = step.claim.backfill, step.rule_set_version
        if self._backfill is not None:
            return f"rule set version {version} is active now: starting afresh under it"
        if step.claim.began:
            return f"back-filling {backfill.windows} windows under rule set version {version}"
        return (
            f"resuming after {backfill.windows_done - 1} of {backfill.windows} windows"
            f" under rule set version {version}, started by {backfill.started_by}"
        )
