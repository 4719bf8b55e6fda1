"""Turns what rules found into alerts."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from shared_code.domain.vocabularies import Severity
from shared_code.domain.windows import WINDOW_LENGTH
from shared_code.rules.compiler import CompiledRules, canonical_dimensions
from shared_code.rules.document import AlertThreshold, Rule
from shared_code.rules.findings import Finding, alert_subject
from shared_code.rules.guard import RateOfWindow, judge_rate
from shared_code.rules.judging import Judgement
from shared_code.rules.outcomes import Outcome, outcomes_of
from shared_code.store.alerts import Alert
from shared_code.store.rule_store import CompiledRuleSet

# More alerts of one rule in five minutes are no help to anyone; the rest is counted.
MOST_ALERTS: Final = 1_000
# How far back a rule's own history reaches: a day holds its rhythm.
GUARDED_HISTORY: Final = timedelta(days=1)

_KINDS: Final = {"window": "threshold", "transaction": "payment"}
_GUARD_COOLDOWN: Final = timedelta(hours=1)


def rule_alerts(rule_set: CompiledRuleSet, findings: Sequence[Finding]) -> Iterator[Alert]:
    """Yield an alert for each finding that passes its rule's threshold, up to 1,000 a rule."""
    by_rule: dict[int, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.exceeded:
            by_rule[finding.rule].append(finding)
    for number, found in by_rule.items():
        rule = rule_set.rules.document.rules[number]
        if rule.alert is None:
            continue
        outcomes = {outcome.number: outcome for outcome in outcomes_of(rule)}
        for finding in found[:MOST_ALERTS]:
            outcome = outcomes[finding.outcome]
            yield _alert(rule_set, rule, rule.alert, finding, outcome)
        if len(found) > MOST_ALERTS:
            yield _too_many(rule_set, rule, found)


def _alert(
    rule_set: CompiledRuleSet,
    rule: Rule,
    threshold: AlertThreshold,
    finding: Finding,
    outcome: Outcome,
) -> Alert:
    end = finding.window_start + WINDOW_LENGTH
    first_seen, last_seen = finding.seen or (end, end)
    minutes = threshold.cooldown_minutes
    evidence: dict[str, Any] = {
        "value": str(finding.value),
        "threshold": str(threshold.value),
        "operator": threshold.operator,
        "payment_count": finding.payment_count,
        "rule_set_version": rule_set.version,
        **finding.evidence,
    }
    if outcome.reason is not None:
        evidence["reason"] = outcome.reason
    return Alert(
        kind=_KINDS.get(rule.scope, rule.scope),
        severity=outcome.severity,
        subject=canonical_dimensions(alert_subject(rule, finding)),
        evidence=evidence,
        first_seen=first_seen,
        last_seen=last_seen,
        rule_id=rule.id,
        rule_set=rule_set.rule_set,
        window_start=finding.window_start if minutes is None else None,
        outcome=outcome.name,
        cooldown=None if minutes is None else timedelta(minutes=minutes),
    )


def _too_many(rule_set: CompiledRuleSet, rule: Rule, found: Sequence[Finding]) -> Alert:
    window_start = found[0].window_start
    end = window_start + WINDOW_LENGTH
    return Alert(
        kind="too_many_alerts",
        severity=Severity.high,
        subject=canonical_dimensions({"rule": rule.id}),
        evidence={"found": len(found), "raised": MOST_ALERTS},
        first_seen=end,
        last_seen=end,
        rule_id=rule.id,
        rule_set=rule_set.rule_set,
        window_start=window_start,
    )


def guard_alerts(
    rule_set: CompiledRuleSet,
    judgement: Judgement,
    history: Mapping[str, Sequence[RateOfWindow]],
) -> Iterator[Alert]:
    """Yield an alert for each rule that suddenly matches far more or far less than it used to.

    Args:
        rule_set: that the window was judged by.
        judgement: of the window.
        history: how often each rule matched in the day before, by its id.
    """
    end = judgement.window_start + WINDOW_LENGTH
    for count in judgement.counts:
        rule = rule_set.rules.document.rules[count.rule]
        current = RateOfWindow(judgement.payment_count, count.matched)
        deviation = judge_rate(history.get(rule.id, ()), current)
        if deviation is None:
            continue
        yield Alert(
            kind="rule_guard",
            severity=Severity.medium,
            subject=canonical_dimensions({"rule": rule.id}),
            evidence={
                "direction": deviation.direction,
                "expected_rate": round(deviation.expected_rate, 6),
                "found_rate": round(deviation.found_rate, 6),
                "deviations": round(deviation.z, 1),
                "history_windows": deviation.history_windows,
                "matches": count.matched,
                "payment_count": judgement.payment_count,
                "rule_set_version": rule_set.version,
            },
            first_seen=end,
            last_seen=end,
            rule_id=rule.id,
            rule_set=rule_set.rule_set,
            cooldown=_GUARD_COOLDOWN,
        )


def judged_rule_ids(rules: CompiledRules) -> list[str]:
    """Return the ids of the rules that are run."""
    return [rule.id for rule in rules.document.rules if rule.enabled]
