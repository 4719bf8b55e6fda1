"""Runs a rule set over payments in memory: what it would find, with nothing stored."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from shared_code.domain.windows import Window, window_of
from shared_code.rules.columns import Columns
from shared_code.rules.compiler import CompiledRules
from shared_code.rules.findings import Matches
from shared_code.rules.judging import HistoryNeed, Judgement, judge
from shared_code.rules.rule_parts import KEY_COLUMNS, microseconds_of


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a rule set finds in some payments.

    ``matches`` are of transaction rules, by position in ``columns``; ``judgements`` are of windows.
    """

    columns: Columns
    matches: list[Matches]
    judgements: list[Judgement]


def dry_run(rules: CompiledRules, columns: Columns) -> DryRun:
    """Return what a rule set finds in payments, which need not be in order.

    Velocity and sequence rules see no payments but these.
    """
    keys = [columns.values(name) for name in KEY_COLUMNS]
    order = sorted(range(columns.size), key=lambda row: tuple(key[row] for key in keys))
    ordered = columns.picked(np.array(order, dtype=np.int64))
    return DryRun(ordered, list(rules.matches(ordered)), list(_judgements(rules, ordered)))


def _judgements(rules: CompiledRules, columns: Columns) -> Iterator[Judgement]:
    if not columns.size:
        return
    times = columns.values("event_time")
    span = Window(window_of(times[0]).start, window_of(times[-1]).end)

    def history(needs: Sequence[HistoryNeed]) -> Columns:
        moments = columns.microseconds()
        found = np.zeros(columns.size, dtype=np.bool_)
        for need in needs:
            start, end = map(microseconds_of, need.span)
            subjects = columns.values(need.column)
            wanted = np.array([subject in need.subjects for subject in subjects], dtype=np.bool_)
            found |= wanted & (moments >= start) & (moments < end)
        return columns.picked(np.flatnonzero(found))

    yield from judge(rules, columns, history, span)
