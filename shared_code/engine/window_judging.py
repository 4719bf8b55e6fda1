"""Judges one closed window by the rule sets in force, and stores what they find."""

from datetime import datetime, timedelta
from functools import partial
from typing import Final, NamedTuple

from sqlalchemy import Connection

from shared_code.domain.windows import Window
from shared_code.engine.rule_alerts import (
    GUARDED_HISTORY,
    guard_alerts,
    judged_rule_ids,
    rule_alerts,
)
from shared_code.rules.columns import Columns
from shared_code.rules.compiler import CompiledRules
from shared_code.rules.findings import Finding
from shared_code.rules.judging import Judgement, judge
from shared_code.store.alerts import AlertTable, raise_alerts, withdraw_alerts
from shared_code.store.rule_marks import late_subjects, later_windows_are_closed, mark_rules
from shared_code.store.rule_metrics import recent_rates, record_counts, replace_findings
from shared_code.store.rule_store import CompiledRuleSet, Judges
from shared_code.store.subject_history import (
    payments_between,
    subject_history,
    windows_of_subjects,
)

_ORIGINAL: Final = "original_transaction_id"


class JudgedWindow(NamedTuple):
    """What judging a window stored."""

    values: int
    alerts: int


def judge_window(
    connection: Connection,
    window: Window,
    columns: Columns,
    active: CompiledRuleSet,
    *,
    revision: int,
    guarded: bool,
) -> JudgedWindow:
    """Judge the payments of a window and replace what was found in it before.

    Args:
        connection: in a transaction of REPEATABLE READ isolation.
        window: which has ended.
        columns: all its payments in the order of their key, with the columns that rules read.
        active: the active rule set.
        revision: of the window's figures.
        guarded: whether rates of matches are held against those of the day before.
    """
    judged = _judge_by(connection, window, active, columns, revision=revision, table="alerts")
    if guarded:
        history = recent_rates(connection, window.start - GUARDED_HISTORY, window.start)
        found = list(guard_alerts(active, judged.judgement, history))
        alerts = raise_alerts(connection, found)
        judged = judged._replace(alerts=judged.alerts + len(alerts))
    return JudgedWindow(len(judged.judgement.findings), judged.alerts)


def look_on(connection: Connection, window: Window, shadow: CompiledRuleSet, revision: int) -> None:
    """Let a shadow judge the payments of a closed window, and keep what it finds apart.

    Args:
        connection: in a transaction of REPEATABLE READ isolation.
        window: which was closed.
        shadow: the rule set that looks on.
        revision: of the window's figures.
    """
    columns = payments_between(connection, window, shadow.rules.columns)
    _judge_by(connection, window, shadow, columns, revision=revision, table="shadow_alerts")


class _JudgedBy(NamedTuple):
    judgement: Judgement
    alerts: int


def _judge_by(
    connection: Connection,
    window: Window,
    rule_set: CompiledRuleSet,
    columns: Columns,
    *,
    revision: int,
    table: AlertTable,
) -> _JudgedBy:
    rules = rule_set.rules
    found = list(judge(rules, columns, partial(subject_history, connection), window))
    judgement = found[0] if found else Judgement(window.start, 0, (), ())
    # Values of transaction rules are kept with each payment.
    kept = [each for each in judgement.findings if _scope(rules, each) != "transaction"]
    replace_findings(connection, window, kept, rule_set=rule_set.rule_set, revision=revision)
    record_counts(
        connection,
        window,
        judgement.counts,
        rule_set=rule_set.rule_set,
        payment_count=judgement.payment_count,
    )
    alerts = raise_alerts(connection, list(rule_alerts(rule_set, judgement.findings)), table)
    withdraw_alerts(
        connection,
        window.start,
        judged_rule_ids(rules),
        alerts,
        rule_set=rule_set.rule_set,
        table=table,
    )
    return _JudgedBy(judgement, len(alerts))


def mark_what_late_payments_reach(
    connection: Connection, window: Window, judges: Judges, revision: int
) -> None:
    """Mark the later windows in which a window's late payments change what rules find.

    Args:
        connection: in the transaction that closes the window.
        window: that is closed.
        judges: the rule sets in force.
        revision: that the window is closed as.
    """
    reaches = _reaches(judges)
    if not reaches or not later_windows_are_closed(connection, window):
        return
    touched: set[datetime] = set()
    for (own, later), reach in reaches.items():
        subjects = late_subjects(connection, window, own, revision)
        if subjects:
            span = Window(window.end, window.end + reach)
            touched.update(windows_of_subjects(connection, later, subjects, span))
    mark_rules(connection, touched)


def _reaches(judges: Judges) -> dict[tuple[str, str], timedelta]:
    """Return how far payments reach, by the column that names a late one and those it reaches."""
    reaches: dict[tuple[str, str], timedelta] = {}
    for rule_set in judges.rule_sets:
        for rule in rule_set.rules.stream_rules:
            own = later = rule.subject_column
            if rule.source.looks_to_named_payment:
                later = _ORIGINAL
            reaches[own, later] = max(reaches.get((own, later), timedelta()), rule.source.reach)
    return reaches


def _scope(rules: CompiledRules, finding: Finding) -> str:
    return rules.document.rules[finding.rule].scope
