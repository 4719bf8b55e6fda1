"""Runs a candidate rule document over stored payments, beside what stands; nothing is written.

All is read in one snapshot, chunk by chunk, so that memory does not grow with the span.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection

from shared_code.domain.windows import WINDOW_LENGTH, Window
from shared_code.engine.rule_alerts import rule_alerts
from shared_code.engine.rule_tallies import AlertCounter, RuleTally, Tallies
from shared_code.rules.compiler import CompiledRules
from shared_code.rules.document import Rule, RuleDocument
from shared_code.rules.document_text import parse_document
from shared_code.rules.judging import judge
from shared_code.store.alerts import Alert
from shared_code.store.backtest_read import (
    WindowSize,
    forbid_writing,
    stored_alerts,
    stored_counts,
    stored_metrics,
    stored_window_values,
    window_sizes,
)
from shared_code.store.database import Database
from shared_code.store.rule_store import CompiledRuleSet, stored_document
from shared_code.store.subject_history import payments_between, subject_history

# What rules find; alerts about rules themselves are not counted.
ALERT_KINDS: Final = ("payment", "threshold", "velocity", "sequence", "score")

_LONGEST: Final = timedelta(hours=1)
MOST_PAYMENTS: Final = 50_000
_CANDIDATE: Final = 0  # no rule set has this number


class Chunk(NamedTuple):
    """Whole windows that are read and judged together."""

    span: Window
    windows: int
    payments: int


class Progress(NamedTuple):
    """How far a backtest is."""

    windows_done: int
    windows: int
    payments_done: int
    payments: int
    elapsed: timedelta


@dataclass(frozen=True, slots=True)
class RuleComparison:
    """One rule of the candidate beside what is stored of the rule of the same id.

    ``candidate`` is None for a rule that the candidate has no more; ``stored`` if nothing is known
    of it. ``examples`` are alerts that the candidate would have given.
    """

    rule: Rule
    candidate: RuleTally | None
    stored: RuleTally | None
    examples: Sequence[Alert]


@dataclass(frozen=True, slots=True)
class Backtest:
    """What a candidate document finds in a span, by rule."""

    version: str
    span: Window
    windows: int
    payments: int
    elapsed: timedelta
    rules: Sequence[RuleComparison]


def run_backtest(
    database: Database,
    rules: CompiledRules,
    span: Window,
    *,
    examples: int = 3,
    most_payments: int = MOST_PAYMENTS,
    watch: Callable[[Progress], None] = lambda _: None,
) -> Backtest:
    """Return what a candidate finds in the stored payments of a span.

    Args:
        database: which is only read.
        rules: the candidate.
        span: whole windows.
        examples: how many alerts of each rule are kept.
        most_payments: that are read at once; a window is never split.
        watch: is told of each chunk that is done.

    Raises:
        StoreUnavailable: the database failed.
    """
    began = time.monotonic()
    with database.transaction("REPEATABLE READ") as connection:
        forbid_writing(connection)
        sizes = window_sizes(connection, span)
        candidate = _Candidate(connection, rules, examples)
        stored = _Stored(connection)
        total = Chunk(span, len(sizes), sum(size.payment_count for size in sizes))
        windows = payments = 0
        for chunk in chunks(sizes, most_payments=most_payments):
            candidate.add(chunk.span)
            stored.add(chunk.span)
            windows, payments = windows + chunk.windows, payments + chunk.payments
            elapsed = timedelta(seconds=time.monotonic() - began)
            watch(Progress(windows, total.windows, payments, total.payments, elapsed))
        stored.add_windows(span)
        compared = list(_compared(rules.document.rules, candidate, stored))
    elapsed = timedelta(seconds=time.monotonic() - began)
    return Backtest(rules.document.version, span, total.windows, total.payments, elapsed, compared)


def chunks(
    sizes: Sequence[WindowSize],
    *,
    most_payments: int = MOST_PAYMENTS,
) -> Iterator[Chunk]:
    """Yield chunks of at most an hour and so many payments; a window is never split.

    Args:
        sizes: windows with payments, oldest first.
        most_payments: of a chunk, unless one window has more.
    """
    chunk: Chunk | None = None
    for start, count in sizes:
        end = start + WINDOW_LENGTH
        if chunk is None:
            chunk = Chunk(Window(start, end), 1, count)
        elif end - chunk.span.start > _LONGEST or chunk.payments + count > most_payments:
            yield chunk
            chunk = Chunk(Window(start, end), 1, count)
        else:
            whole = Window(chunk.span.start, end)
            chunk = Chunk(whole, chunk.windows + 1, chunk.payments + count)
    if chunk is not None:
        yield chunk


class _Candidate:
    """What the candidate finds."""

    def __init__(self, connection: Connection, rules: CompiledRules, examples: int) -> None:
        self._connection = connection
        self._rule_set = CompiledRuleSet(_CANDIDATE, rules.document.version, rules)
        self.tallies = Tallies(rules.document.rules)
        self.alerts = AlertCounter(rules, examples)

    def add(self, span: Window) -> None:
        rules = self._rule_set.rules
        columns = payments_between(self._connection, span, rules.columns)
        for matches in rules.matches(columns):
            self.tallies.add_matches(columns, matches)
        history = partial(subject_history, self._connection)
        for judgement in judge(rules, columns, history, span):
            self.tallies.add_judgement(judgement)
            alerts = rule_alerts(self._rule_set, judgement.findings)
            self.alerts.add(
                [alert for alert in alerts if alert.kind in ALERT_KINDS],
                judgement.window_start + WINDOW_LENGTH,
            )

    def tally_of(self, rule_id: str) -> RuleTally | None:
        """Return the tally of a rule of the candidate; None if it has no such rule."""
        tally = self.tallies.by_id.get(rule_id)
        if tally is not None:
            tally.alerts = self.alerts.counts[rule_id]
        return tally


class _Stored:
    """What rule sets that were in force have left behind."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._documents: dict[int, RuleDocument] = {}
        self._tallies: dict[int, Tallies] = {}
        self._alerts: Mapping[str, int] = {}

    def add(self, span: Window) -> None:
        for found in stored_metrics(self._connection, span):
            self._of(found.rule_set).add_stored_metrics(found)

    def add_windows(self, span: Window) -> None:
        for found in stored_window_values(self._connection, span):
            self._of(found.rule_set).add_stored_values(found)
        for count in stored_counts(self._connection, span):
            self._of(count.rule_set).add_stored_count(count)
        self._alerts = stored_alerts(self._connection, span, ALERT_KINDS)

    @property
    def rules(self) -> Mapping[str, Rule]:
        """Every rule that has left anything, by id; of several versions the latest."""
        return {
            rule.id: rule
            for rule_set in sorted(self._documents)
            for rule in self._documents[rule_set].rules
        }

    def tally_of(self, rule_id: str) -> RuleTally | None:
        """Return what the rules of an id have left, in all rule sets together."""
        parts = [
            tallies.by_id[rule_id] for tallies in self._tallies.values() if rule_id in tallies.by_id
        ]
        alerts = self._alerts.get(rule_id, 0)
        if not parts and not alerts:
            return None
        whole = RuleTally(alerts=alerts)
        for part in parts:
            whole.matched += part.matched
            whole.indeterminate += part.indeterminate
            whole.outcomes += part.outcomes
            whole.values += part.values
            for currency, total in part.sums.items():
                whole.sums[currency] += total
        return whole

    def _of(self, rule_set: int) -> Tallies:
        """Return the tallies of a rule set; documents of older releases are read unchecked."""
        if rule_set not in self._tallies:
            content = parse_document(stored_document(self._connection, rule_set))
            document = msgspec.convert(content, RuleDocument)
            self._documents[rule_set] = document
            self._tallies[rule_set] = Tallies(document.rules)
        return self._tallies[rule_set]


def _compared(
    rules: Sequence[Rule], candidate: _Candidate, stored: _Stored
) -> Iterator[RuleComparison]:
    known = {rule.id for rule in rules}
    for rule in rules:
        yield RuleComparison(
            rule,
            candidate.tally_of(rule.id),
            stored.tally_of(rule.id),
            candidate.alerts.examples[rule.id],
        )
    for rule_id, rule in stored.rules.items():
        if rule_id not in known:
            yield RuleComparison(rule, None, stored.tally_of(rule_id), ())
