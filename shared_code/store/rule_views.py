"""Views that show people what rules found, with names instead of numbers."""

from typing import Final

# The release before outcomes had names may still be running and accept a rule set: its rules have
# two outcomes, and no rows in rule_outcomes.
PAYMENT_OUTCOMES: Final = """\
CREATE VIEW payment_outcomes AS
SELECT metric.event_time,
       metric.transaction_id,
       statuses.name AS payment_status,
       definition.rule_id,
       definition.metric_name,
       definition.metric_type,
       definition.category,
       severities.name AS severity,
       metric.value,
       rule_sets.version AS rule_set_version,
       coalesce(
           outcomes.name,
           CASE metric.outcome WHEN 2 THEN 'indeterminate' ELSE 'matched' END
       ) AS outcome,
       outcomes.reason,
       metric.rate,
       metric.shadow
FROM dynamic_metrics AS metric
JOIN rules AS definition
  ON definition.rule_set = metric.rule_set AND definition.rule = metric.rule
LEFT JOIN rule_outcomes AS outcomes
  ON outcomes.rule_set = metric.rule_set AND outcomes.rule = metric.rule
 AND outcomes.outcome = metric.outcome
JOIN rule_sets ON rule_sets.rule_set = metric.rule_set
JOIN vocabularies AS statuses
  ON statuses.vocabulary = 'payment_status' AND statuses.number = metric.payment_status
JOIN vocabularies AS severities
  ON severities.vocabulary = 'severity'
 AND severities.number = coalesce(outcomes.severity, definition.severity)"""

RULE_MATCHES: Final = """\
CREATE VIEW rule_matches AS
SELECT event_time, transaction_id, payment_status, rule_id, metric_name, metric_type, category,
       severity, value, rule_set_version, outcome, reason, rate
FROM payment_outcomes
WHERE outcome <> 'indeterminate' AND NOT shadow"""

RULE_VALUES: Final = """\
CREATE VIEW rule_values AS
SELECT measured.window_start,
       definition.rule_id,
       definition.scope,
       definition.metric_name,
       definition.metric_type,
       definition.category,
       severities.name AS severity,
       measured.dimensions,
       measured.value,
       measured.payment_count,
       coalesce(outcomes.name, 'matched') AS outcome,
       outcomes.reason,
       measured.exceeded,
       measured.evidence,
       rule_sets.version AS rule_set_version,
       measured.revision
FROM rule_metrics_5m AS measured
JOIN LATERAL (
    SELECT rule_set
    FROM window_revisions
    WHERE window_revisions.window_start = measured.window_start
    ORDER BY revision DESC
    LIMIT 1
) AS latest ON latest.rule_set = measured.rule_set
JOIN rules AS definition
  ON definition.rule_set = measured.rule_set AND definition.rule = measured.rule
LEFT JOIN rule_outcomes AS outcomes
  ON outcomes.rule_set = measured.rule_set AND outcomes.rule = measured.rule
 AND outcomes.outcome = measured.outcome
JOIN rule_sets ON rule_sets.rule_set = measured.rule_set
JOIN vocabularies AS severities
  ON severities.vocabulary = 'severity'
 AND severities.number = coalesce(outcomes.severity, definition.severity)"""

OPEN_ALERTS: Final = """\
CREATE VIEW open_alerts AS
SELECT alert.alert_id,
       alert.kind,
       severities.name AS severity,
       alert.rule_id,
       alert.subject,
       alert.outcome,
       alert.evidence,
       alert.first_seen,
       alert.last_seen,
       alert.raised_at,
       alert.window_start
FROM alerts AS alert
JOIN vocabularies AS severities
  ON severities.vocabulary = 'severity' AND severities.number = alert.severity
WHERE alert.withdrawn_at IS NULL AND alert.suppression_id IS NULL"""

# In the order in which they are made: the second reads the first.
RULE_VIEWS: Final = {
    "payment_outcomes": PAYMENT_OUTCOMES,
    "rule_matches": RULE_MATCHES,
    "rule_values": RULE_VALUES,
    "open_alerts": OPEN_ALERTS,
}
