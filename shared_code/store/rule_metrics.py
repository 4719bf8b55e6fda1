"""What rules found in closed windows: values, and how each rule fared."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import insert

from shared_code.domain.windows import Window
from shared_code.rules.findings import Finding, RuleCount
from shared_code.rules.guard import RateOfWindow
from shared_code.store.tables import rule_history, rule_metrics_5m

_DELETE: Final = text("""
    DELETE FROM rule_metrics_5m WHERE window_start = :window_start AND rule_set = :rule_set
""")
_COUNT: Final = insert(rule_history)
_RECORD_COUNT: Final = _COUNT.on_conflict_do_update(
    index_elements=["window_start", "rule_set", "rule"],
    set_={
        name: _COUNT.excluded[name]
        for name in ("payment_count", "match_count", "indeterminate_count")
    },
)
# By the rule's id, so that a rule that changed is held against what it was before; and only what
# counted then: a shadow's rates are not the rule's history.
_RECENT_RATES: Final = text("""
    SELECT rules.rule_id, history.payment_count, history.match_count
    FROM rule_history AS history
    JOIN rules USING (rule_set, rule)
    JOIN LATERAL (
        SELECT rule_set
        FROM window_revisions AS revision
        WHERE revision.window_start = history.window_start
        ORDER BY revision.revision DESC
        LIMIT 1
    ) AS latest ON latest.rule_set = history.rule_set
    WHERE history.window_start < :before AND history.window_start >= :since
    ORDER BY history.window_start
""")


def replace_findings(
    connection: Connection,
    window: Window,
    findings: Sequence[Finding],
    *,
    rule_set: int,
    revision: int,
) -> None:
    """Replace what a rule set found in one window."""
    connection.execute(_DELETE, {"window_start": window.start, "rule_set": rule_set})
    rows = [
        {
            "window_start": window.start,
            "rule_set": rule_set,
            "rule": finding.rule,
            "dimensions": dict(finding.dimensions),
            "value": finding.value,
            "payment_count": finding.payment_count,
            "revision": revision,
            "outcome": finding.outcome,
            "exceeded": finding.exceeded,
            "evidence": dict(finding.evidence),
        }
        for finding in findings
    ]
    if rows:
        connection.execute(insert(rule_metrics_5m), rows)


def record_counts(
    connection: Connection,
    window: Window,
    counts: Iterable[RuleCount],
    *,
    rule_set: int,
    payment_count: int,
) -> None:
    """Record how each rule of a set fared in one window."""
    rows = [
        {
            "window_start": window.start,
            "rule_set": rule_set,
            "rule": count.rule,
            "payment_count": payment_count,
            "match_count": count.matched,
            "indeterminate_count": count.indeterminate,
        }
        for count in counts
    ]
    if rows:
        connection.execute(_RECORD_COUNT, rows)


def recent_rates(
    connection: Connection, since: datetime, before: datetime
) -> Mapping[str, Sequence[RateOfWindow]]:
    """Return how often each rule matched in the windows of ``[since, before)``, by its id."""
    rates: dict[str, list[RateOfWindow]] = {}
    for rule_id, payments, matches in connection.execute(
        _RECENT_RATES, {"since": since, "before": before}
    ):
        rates.setdefault(rule_id, []).append(RateOfWindow(payments, matches))
    return rates
