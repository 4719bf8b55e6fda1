"""What rules measured in windows, and which rules matched most."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, text

from shared_code.store.read.paging import (
    Key,
    Listing,
    Page,
    PlainNumber,
    Span,
    listing,
    newest_rows,
    plain_number,
)
from shared_code.store.read.subjects import shown_dimensions

# Groups are told apart by a digest, so that no cursor holds the fingerprint of a card.
_VALUES: Final = text("""
    SELECT window_start, rule_id, scope, metric_name, metric_type, category, severity, dimensions,
           value, payment_count, outcome, reason, exceeded, evidence, rule_set_version, revision,
           md5(CAST(dimensions AS text)) AS digest
    FROM rule_values
    WHERE window_start >= :start AND window_start < :end AND window_start <= :newest
      AND (CAST(:rules AS text[]) IS NULL OR rule_id = ANY(CAST(:rules AS text[])))
      AND (CAST(:category AS text) IS NULL OR category = :category)
      AND (CAST(:scope AS text) IS NULL OR scope = :scope)
      AND (CAST(:after_start AS timestamptz) IS NULL
           OR (window_start, rule_id, md5(CAST(dimensions AS text)))
              < (CAST(:after_start AS timestamptz), CAST(:after_rule AS text),
                 CAST(:after_digest AS text)))
    ORDER BY window_start DESC, rule_id DESC, digest DESC
    LIMIT :more
""")
# What a shadow counted is not what happened: only the rule set that a window was closed by counts.
# A rule is called what its last rule set calls it.
_TOP: Final = text("""
    WITH counted AS (
        SELECT history.rule_set, history.rule,
               sum(history.match_count)::bigint AS match_count,
               sum(history.payment_count)::bigint AS payment_count,
               sum(history.indeterminate_count)::bigint AS indeterminate_count
        FROM rule_history AS history
        JOIN (
            SELECT DISTINCT ON (window_start) window_start, rule_set
            FROM window_revisions
            WHERE window_start >= :start AND window_start < :end
            ORDER BY window_start, revision DESC
        ) AS latest
          ON latest.window_start = history.window_start AND latest.rule_set = history.rule_set
        WHERE history.window_start >= :start AND history.window_start < :end
        GROUP BY history.rule_set, history.rule
    ), by_rule AS (
        SELECT definition.rule_id,
               (array_agg(definition.metric_name ORDER BY rule_set DESC))[1] AS metric_name,
               (array_agg(definition.category ORDER BY rule_set DESC))[1] AS category,
               (array_agg(definition.severity ORDER BY rule_set DESC))[1] AS severity,
               sum(match_count)::bigint AS match_count,
               sum(payment_count)::bigint AS payment_count,
               sum(indeterminate_count)::bigint AS indeterminate_count
        FROM counted
        JOIN rules AS definition USING (rule_set, rule)
        GROUP BY definition.rule_id
    )
    SELECT rule_id, metric_name, category, severities.name AS severity, match_count, payment_count,
           indeterminate_count
    FROM by_rule
    JOIN vocabularies AS severities
      ON severities.vocabulary = 'severity' AND severities.number = by_rule.severity
    WHERE (CAST(:category AS text) IS NULL OR category = :category)
      AND (CAST(:after_matches AS bigint) IS NULL
           OR (match_count, rule_id) < (CAST(:after_matches AS bigint), CAST(:after_rule AS text)))
    ORDER BY match_count DESC, rule_id DESC
    LIMIT :more
""")


class RuleValue(msgspec.Struct, frozen=True):
    """What a rule measured in one window for one group or subject."""

    window_start: datetime
    rule_id: str
    scope: str
    metric_name: str
    metric_type: str
    category: str
    severity: str
    dimensions: dict[str, Any]
    value: PlainNumber
    payment_count: int
    outcome: str
    reason: str | None
    exceeded: bool
    evidence: dict[str, Any]
    rule_set_version: str | None
    revision: int


class TopRule(msgspec.Struct, frozen=True):
    """How often a rule matched; ``match_rate`` is of the payments of the windows it judged."""

    rule_id: str
    metric_name: str
    category: str
    severity: str
    match_count: int
    payment_count: int
    match_rate: float
    indeterminate_count: int


def rule_values(
    connection: Connection,
    span: Span,
    page: Page,
    *,
    rules: Sequence[str] | None,
    category: str | None,
    scope: str | None,
) -> Listing[RuleValue]:
    """Return what rules measured in the windows of a span, newest first; None means all."""
    newest = span.end if page.after is None else page.after[0]
    parameters = {
        "end": span.end,
        "newest": newest,
        **page.parameters("start", "rule", "digest"),
        "rules": list(rules) if rules else None,
        "category": category,
        "scope": scope,
    }
    rows = newest_rows(
        lambda start: connection.execute(_VALUES, parameters | {"start": start}).all(),
        Span(span.start, newest),
        page,
    )
    return listing(rows, page, _value_key, _value)


def top_rules(
    connection: Connection, span: Span, page: Page, *, category: str | None
) -> Listing[TopRule]:
    """Return the rules by how often they matched in the windows of a span, most often first."""
    parameters = {**span.parameters(), **page.parameters("matches", "rule"), "category": category}
    rows = connection.execute(_TOP, parameters).all()

    def rule(row: Any) -> TopRule:
        rate = row.match_count / row.payment_count if row.payment_count else 0.0
        return TopRule(**row._asdict(), match_rate=round(rate, 6))

    return listing(rows, page, lambda row: (row.match_count, row.rule_id), rule)


def _value_key(row: Any) -> Key:
    return row.window_start, row.rule_id, row.digest


def _value(row: Any) -> RuleValue:
    values = row._asdict()
    del values["digest"]
    values["dimensions"] = shown_dimensions(row.dimensions)
    values["value"] = plain_number(row.value)
    return RuleValue(**values)
