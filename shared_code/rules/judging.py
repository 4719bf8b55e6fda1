"""Judges the payments of ended windows by every rule of a document."""

from collections import defaultdict
from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np

from shared_code.domain.windows import Window
from shared_code.rules.columns import Columns
from shared_code.rules.compiler import CompiledRules, StreamRule
from shared_code.rules.findings import Finding, RuleCount
from shared_code.rules.outcomes import INDETERMINATE, NO_OUTCOMES, RowOutcomes
from shared_code.rules.packed import Texts
from shared_code.rules.window_slices import WindowSlice, window_slices

# Rules that look back as long, or less, share one history of a subject.
_HISTORIES: Final = (timedelta(hours=1), timedelta(days=1))


@dataclass(frozen=True, slots=True)
class HistoryNeed:
    """Which payments rules want to see: those of some subjects, in a half-open span of time.

    ``column`` is the stored column that names the subjects, ``names`` the columns that are read.
    """

    column: str
    subjects: Collection[Any]
    span: Window
    names: frozenset[str]


# Gives the payments that any of some needs asks for, each once, in the order of their key.
type History = Callable[[Sequence[HistoryNeed]], Columns]


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules found in one window.

    ``findings`` are of every scope, one for each rule and subject; those of transaction rules are
    only the payments that are worth an alert, since their values are kept with each payment.
    ``counts`` says how each enabled rule fared, whether it found anything or not.
    """

    window_start: datetime
    payment_count: int
    findings: Sequence[Finding]
    counts: Sequence[RuleCount]


def judge(
    rules: CompiledRules, columns: Columns, history: History, span: Window
) -> Iterator[Judgement]:
    """Yield what all rules find in each window of a span that has payments, oldest first.

    Args:
        rules: the rule set.
        columns: the payments of the span, in the order of their key.
        history: where velocity and sequence rules find the payments before.
        span: whole five-minute windows.
    """
    streams = _stream_results(rules, columns, history, span)
    for window in window_slices(columns):
        yield _judge_window(rules, window, streams)


@dataclass(frozen=True, slots=True)
class _Streams:
    """What velocity and sequence rules found in a span, by window, and by rule and payment."""

    findings: Mapping[datetime, Sequence[Finding]]
    hits: Mapping[int, RowOutcomes]

    def hits_of(self, rule: int, window: WindowSlice) -> RowOutcomes:
        """Return the outcomes that a rule has for the payments of one window."""
        rows, outcomes = self.hits.get(rule, NO_OUTCOMES)
        own = (rows >= window.first) & (rows < window.first + window.columns.size)
        return RowOutcomes(rows[own] - window.first, outcomes[own])


def _stream_results(
    rules: CompiledRules, columns: Columns, history: History, span: Window
) -> _Streams:
    findings: dict[datetime, list[Finding]] = defaultdict(list)
    hits: dict[int, RowOutcomes] = {}
    needs, wanting = [], []
    for reach, group in _by_history(rules.stream_rules):
        subjects = _sought(group, columns)
        if subjects:
            names = frozenset().union(*(rule.columns for rule in group))
            before = Window(span.start - reach, span.start)
            needs.append(HistoryNeed(group[0].subject_column, subjects, before, names))
            wanting += group
    past = history(needs) if needs else columns.picked(NO_OUTCOMES.rows)
    # Payments of the span that are of nobody sought do no harm.
    whole = past.followed_by(columns) if past.size else columns
    for rule in wanting:
        result = rule.evaluate(whole, span)
        rows, outcomes = result.hits
        hits[rule.number] = RowOutcomes(rows - past.size, outcomes)
        for finding in result.findings:
            findings[finding.window_start].append(finding)
    return _Streams(findings, hits)


def _sought(rules: Sequence[StreamRule], columns: Columns) -> Collection[Any]:
    """Return the subjects whose history some rules of one subject want."""
    wanted, naming = np.zeros(columns.size, np.bool_), np.zeros(columns.size, np.bool_)
    for rule in rules:
        wanted |= rule.sought(columns)
        if rule.source.looks_to_named_payment:
            naming |= rule.sought(columns)
    subjects = columns.distinct_where(rules[0].subject_column, wanted)
    if not naming.any():
        return subjects
    named = columns.distinct_where("original_transaction_id", naming)
    if isinstance(subjects, Texts) and isinstance(named, Texts):
        return subjects.followed_by(named)
    return frozenset([*subjects, *named])


def _by_history(rules: Sequence[StreamRule]) -> Iterator[tuple[timedelta, list[StreamRule]]]:
    """Yield rules that want much the same history together, with how far back that reaches.

    Not all rules of a subject: one that looks back a month on a few payments would make all others
    read a month of every subject's payments.
    """
    groups: dict[tuple[str, int], list[StreamRule]] = defaultdict(list)
    for rule in rules:
        length = sum(rule.source.reach > shorter for shorter in _HISTORIES)
        groups[rule.subject_column, length].append(rule)
    for group in groups.values():
        yield max(rule.source.reach for rule in group), group


def _judge_window(rules: CompiledRules, window: WindowSlice, streams: _Streams) -> Judgement:
    columns = window.columns
    findings: list[Finding] = []
    counts: list[RuleCount] = []
    outcomes: dict[int, RowOutcomes] = {}
    for rule in rules.transaction_rules:
        outcomes[rule.number], found = rule.judged(window)
        findings += found
        counts.append(_count(rule.number, outcomes[rule.number]))
    for measured in rules.window_rules:
        findings += measured.findings(window)
        verdict = measured.when(columns)
        unknown = int((~(verdict.true | verdict.false)).sum())
        counts.append(RuleCount(measured.number, int(verdict.true.sum()), unknown))
    findings += streams.findings.get(window.start, ())
    for stream in rules.stream_rules:
        hits = outcomes[stream.number] = streams.hits_of(stream.number, window)
        counts.append(_count(stream.number, hits, stream.not_judged(columns)))
    for score in rules.score_rules:
        scores = list(score.findings(window, outcomes))
        findings += scores
        counts.append(RuleCount(score.number, len(scores), 0))
    return Judgement(window.start, columns.size, _once_each(findings), counts)


def _once_each(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings, one for each rule and subject.

    A payment may report one status several times in a window. It is told once: of the first event
    that is worth an alert, or else of the first.
    """
    groups: dict[Hashable, list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.rule, *finding.dimensions.items()].append(finding)
    return [group[0] if len(group) == 1 else _told_once(group) for group in groups.values()]


def _told_once(group: Sequence[Finding]) -> Finding:
    spans = [finding.seen for finding in group if finding.seen is not None]
    told = min(group, key=lambda finding: (not finding.exceeded, finding.seen))
    return told._replace(seen=(min(first for first, _ in spans), max(last for _, last in spans)))


def _count(rule: int, found: RowOutcomes, not_judged: int = 0) -> RuleCount:
    unknown = int((found.outcomes == INDETERMINATE).sum())
    return RuleCount(rule, found.rows.size - unknown, unknown + not_judged)
