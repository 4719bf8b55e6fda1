"""Judges the payments of ended windows by every rule of a document."""

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shared_code.domain.windows import Window
from shared_code.rules.columns import Columns
from shared_code.rules.compiler import CompiledRules, StreamRule
from shared_code.rules.findings import Finding, Matches, RuleCount
from shared_code.rules.outcomes import INDETERMINATE
from shared_code.rules.score_rules import RowOutcome
from shared_code.rules.subject_events import Hit, Identity
from shared_code.rules.window_slices import WindowSlice, window_slices


@dataclass(frozen=True, slots=True)
class HistoryNeed:
    """Which payments rules want to see: those of some subjects, in a half-open span of time.

    ``column`` is the stored column that names the subjects, ``names`` the columns that are read.
    """

    column: str
    subjects: frozenset[Any]
    span: Window
    names: frozenset[str]


# Gives the payments that are asked for, in the order of their key.
type History = Callable[[HistoryNeed], Columns]


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
    """What velocity and sequence rules found in a span, by rule and by window."""

    findings: Mapping[datetime, Sequence[Finding]]
    hits: Mapping[int, Mapping[Identity, int]]


def _stream_results(
    rules: CompiledRules, columns: Columns, history: History, span: Window
) -> _Streams:
    findings: dict[datetime, list[Finding]] = defaultdict(list)
    hits: dict[int, Mapping[Identity, int]] = {}
    for reach, group in _by_history(rules.stream_rules):
        sought = frozenset[Any]().union(*(rule.sought(columns) for rule in group))
        if not sought:
            continue
        need = HistoryNeed(
            group[0].subject_column,
            sought,
            Window(span.start - reach, span.end),
            frozenset().union(*(rule.columns for rule in group)),
        )
        past = history(need)
        for rule in group:
            result = rule.evaluate(past, span)
            hits[rule.number] = _by_identity(result.hits)
            for finding in result.findings:
                findings[finding.window_start].append(finding)
    return _Streams(findings, hits)


def _by_history(rules: Sequence[StreamRule]) -> Iterator[tuple[timedelta, list[StreamRule]]]:
    """Yield rules that want the same history together, with how far back that reaches.

    Not all rules of a subject: one that looks back a month on a few payments would make all others
    read a month of every subject's payments.
    """
    groups: dict[tuple[str, timedelta], list[StreamRule]] = defaultdict(list)
    for rule in rules:
        groups[rule.subject_column, rule.source.reach].append(rule)
    for (_, reach), group in groups.items():
        yield reach, group


def _by_identity(hits: Sequence[Hit]) -> Mapping[Identity, int]:
    return {hit.identity: hit.outcome for hit in hits}


def _judge_window(rules: CompiledRules, window: WindowSlice, streams: _Streams) -> Judgement:
    columns = window.columns
    findings: list[Finding] = []
    counts: list[RuleCount] = []
    outcomes: dict[int, list[RowOutcome]] = {}
    for rule in rules.transaction_rules:
        matches = list(rule.matches(columns))
        outcomes[rule.number] = list(_row_outcomes(matches))
        counts.append(_count(rule.number, outcomes[rule.number]))
        findings += rule.alerts(window, matches)
    for measured in rules.window_rules:
        findings += measured.findings(window)
        verdict = measured.when(columns)
        unknown = int((~(verdict.true | verdict.false)).sum())
        counts.append(RuleCount(measured.number, int(verdict.true.sum()), unknown))
    findings += streams.findings.get(window.start, ())
    rows = {identity: row for row, identity in enumerate(_identities(columns))}
    for stream in rules.stream_rules:
        hits = streams.hits.get(stream.number, {})
        found = [RowOutcome(row, hits[key]) for key, row in rows.items() if key in hits]
        outcomes[stream.number] = found
        counts.append(_count(stream.number, found, stream.not_judged(columns)))
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


def _row_outcomes(matches: Sequence[Matches]) -> Iterator[RowOutcome]:
    for match in matches:
        for row in match.rows:
            yield RowOutcome(row, match.outcome)


def _count(rule: int, outcomes: Sequence[RowOutcome], not_judged: int = 0) -> RuleCount:
    unknown = sum(found.outcome == INDETERMINATE for found in outcomes)
    return RuleCount(rule, len(outcomes) - unknown, unknown + not_judged)


def _identities(columns: Columns) -> Iterator[Identity]:
    yield from zip(
        columns.values("event_time"),
        columns.values("transaction_id"),
        columns.values("payment_status"),
        strict=True,
    )
