"""The life of rules: outcomes, shadows, suppressions and what has to be judged again.

Columns are added with constant defaults and nothing is rewritten, so that the release before this
revision goes on working on the new schema.

Revision ID: 0005
Revises: 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

_CHANGES = (
    """
    ALTER TABLE dynamic_metrics
        ADD COLUMN rate NUMERIC,
        ADD COLUMN shadow BOOLEAN DEFAULT false NOT NULL
    """,
    """
    ALTER TABLE rules
        ADD COLUMN owner TEXT,
        ADD COLUMN tags JSONB DEFAULT '[]' NOT NULL
    """,
    """
    CREATE TABLE rule_outcomes (
        rule_set INTEGER NOT NULL,
        rule SMALLINT NOT NULL,
        outcome SMALLINT NOT NULL,
        name TEXT NOT NULL,
        severity SMALLINT NOT NULL,
        reason TEXT,
        CONSTRAINT pk_rule_outcomes PRIMARY KEY (rule_set, rule, outcome),
        CONSTRAINT uq_rule_outcomes_rule_set_rule_name UNIQUE (rule_set, rule, name),
        CONSTRAINT fk_rule_outcomes_rule_set_rule FOREIGN KEY(rule_set, rule)
            REFERENCES rules (rule_set, rule)
    )
    """,
    # Rules of releases before had two outcomes at the most.
    """
    INSERT INTO rule_outcomes (rule_set, rule, outcome, name, severity)
    SELECT rule_set, rule, outcome, name, severity
    FROM rules CROSS JOIN (VALUES (1, 'matched'), (2, 'indeterminate')) AS known (outcome, name)
    """,
    """
    ALTER TABLE rule_set_activations DROP CONSTRAINT ck_rule_set_activations_role_known
    """,
    """
    ALTER TABLE rule_set_activations ADD CONSTRAINT ck_rule_set_activations_role_known
        CHECK (role IN ('active', 'shadow', 'shadow_ended'))
    """,
    """
    ALTER TABLE rule_metrics_5m
        ADD COLUMN outcome SMALLINT DEFAULT 1 NOT NULL,
        ADD COLUMN exceeded BOOLEAN DEFAULT false NOT NULL,
        ADD COLUMN evidence JSONB DEFAULT '{}' NOT NULL
    """,
    """
    ALTER TABLE rule_history
        ADD COLUMN indeterminate_count BIGINT DEFAULT 0 NOT NULL,
        ADD CONSTRAINT ck_rule_history_indeterminate_within_payments
            CHECK (indeterminate_count >= 0
            AND match_count + indeterminate_count <= payment_count)
    """,
    """
    CREATE TABLE rule_marks (
        mark_id BIGINT GENERATED ALWAYS AS IDENTITY,
        window_start TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_rule_marks PRIMARY KEY (window_start, mark_id),
        CONSTRAINT ck_rule_marks_window_start_aligned
            CHECK (window_start = date_bin('5 minutes', window_start, TIMESTAMPTZ 'epoch'))
    )
    """,
    """
    CREATE TABLE backfills (
        backfill_id BIGINT GENERATED ALWAYS AS IDENTITY,
        rule_set INTEGER NOT NULL,
        first_window TIMESTAMP WITH TIME ZONE NOT NULL,
        end_window TIMESTAMP WITH TIME ZONE NOT NULL,
        next_window TIMESTAMP WITH TIME ZONE NOT NULL,
        started_by TEXT NOT NULL,
        started_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        finished_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_backfills PRIMARY KEY (backfill_id),
        CONSTRAINT ck_backfills_windows_in_order
            CHECK (first_window <= next_window AND next_window <= end_window),
        CONSTRAINT fk_backfills_rule_set FOREIGN KEY(rule_set) REFERENCES rule_sets (rule_set)
    )
    """,
    """
    ALTER TABLE alerts
        ADD COLUMN outcome TEXT,
        ADD COLUMN withdrawn_at TIMESTAMP WITH TIME ZONE,
        ADD COLUMN suppression_id BIGINT,
        ADD CONSTRAINT fk_alerts_suppression_id FOREIGN KEY(suppression_id)
            REFERENCES rule_suppressions (suppression_id)
    """,
    "CREATE INDEX ix_alerts_rule_id_subject ON alerts (rule_id, subject, last_seen)",
    "CREATE INDEX ix_alerts_window_start ON alerts (window_start)",
    """
    CREATE TABLE shadow_alerts (
        alert_id UUID NOT NULL,
        kind TEXT NOT NULL,
        severity SMALLINT NOT NULL,
        rule_id TEXT,
        rule_set INTEGER,
        window_start TIMESTAMP WITH TIME ZONE,
        subject TEXT NOT NULL,
        evidence JSONB NOT NULL,
        first_seen TIMESTAMP WITH TIME ZONE NOT NULL,
        last_seen TIMESTAMP WITH TIME ZONE NOT NULL,
        raised_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        outcome TEXT,
        withdrawn_at TIMESTAMP WITH TIME ZONE,
        CONSTRAINT pk_shadow_alerts PRIMARY KEY (alert_id),
        CONSTRAINT ck_shadow_alerts_seen_in_order CHECK (first_seen <= last_seen),
        CONSTRAINT ck_shadow_alerts_severity_known CHECK (severity BETWEEN 1 AND 5)
    )
    """,
    "CREATE INDEX ix_shadow_alerts_rule_set ON shadow_alerts (rule_set, last_seen)",
    "CREATE INDEX ix_shadow_alerts_rule_id_subject ON shadow_alerts (rule_id, subject, last_seen)",
    "CREATE INDEX ix_shadow_alerts_window_start ON shadow_alerts (window_start)",
)

_VIEWS = (
    """
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
     AND severities.number = coalesce(outcomes.severity, definition.severity)
    """,
    """
    CREATE VIEW rule_matches AS
    SELECT event_time, transaction_id, payment_status, rule_id, metric_name, metric_type, category,
           severity, value, rule_set_version, outcome, reason, rate
    FROM payment_outcomes
    WHERE outcome <> 'indeterminate' AND NOT shadow
    """,
    """
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
     AND severities.number = coalesce(outcomes.severity, definition.severity)
    """,
    """
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
    WHERE alert.withdrawn_at IS NULL AND alert.suppression_id IS NULL
    """,
)

_RULE_MATCHES_BEFORE = """
    CREATE VIEW rule_matches AS
    SELECT match.event_time,
           match.transaction_id,
           statuses.name AS payment_status,
           definition.rule_id,
           definition.metric_name,
           definition.metric_type,
           definition.category,
           severities.name AS severity,
           match.value,
           rule_sets.version AS rule_set_version
    FROM dynamic_metrics AS match
    JOIN rules AS definition
      ON definition.rule_set = match.rule_set AND definition.rule = match.rule
    JOIN rule_sets ON rule_sets.rule_set = match.rule_set
    JOIN vocabularies AS statuses
      ON statuses.vocabulary = 'payment_status' AND statuses.number = match.payment_status
    JOIN vocabularies AS severities
      ON severities.vocabulary = 'severity' AND severities.number = definition.severity
"""

_GRANTS = (
    "GRANT DELETE ON dynamic_metrics TO payments_writer",
    "GRANT SELECT, INSERT ON rule_outcomes TO payments_writer",
    "GRANT INSERT ON rule_suppressions TO payments_writer",
    "GRANT SELECT, INSERT, DELETE ON rule_marks TO payments_writer",
    "GRANT SELECT, INSERT, UPDATE ON backfills TO payments_writer",
    "GRANT SELECT, INSERT, UPDATE ON shadow_alerts TO payments_writer",
    "GRANT SELECT ON payment_outcomes TO payments_writer",
    "GRANT SELECT ON rule_matches TO payments_writer",
    "GRANT SELECT ON rule_values TO payments_writer",
    "GRANT SELECT ON open_alerts TO payments_writer",
    "GRANT SELECT ON rule_outcomes TO payments_reader",
    "GRANT SELECT ON rule_marks TO payments_reader",
    "GRANT SELECT ON backfills TO payments_reader",
    "GRANT SELECT ON shadow_alerts TO payments_reader",
    "GRANT SELECT ON payment_outcomes TO payments_reader",
    "GRANT SELECT ON rule_matches TO payments_reader",
    "GRANT SELECT ON rule_values TO payments_reader",
    "GRANT SELECT ON open_alerts TO payments_reader",
)

# What the release before cannot tell from its own rows goes first.
_UNDO = (
    "DROP VIEW open_alerts",
    "DROP VIEW rule_values",
    "DROP VIEW rule_matches",
    "DROP VIEW payment_outcomes",
    "DROP TABLE shadow_alerts",
    "DROP INDEX ix_alerts_window_start",
    "DROP INDEX ix_alerts_rule_id_subject",
    """
    ALTER TABLE alerts
        DROP COLUMN suppression_id,
        DROP COLUMN withdrawn_at,
        DROP COLUMN outcome
    """,
    "DROP TABLE backfills",
    "DROP TABLE rule_marks",
    "ALTER TABLE rule_history DROP COLUMN indeterminate_count",
    "DELETE FROM rule_metrics_5m WHERE outcome = 2",
    """
    ALTER TABLE rule_metrics_5m
        DROP COLUMN evidence,
        DROP COLUMN exceeded,
        DROP COLUMN outcome
    """,
    "DELETE FROM rule_set_activations WHERE role = 'shadow_ended'",
    """
    ALTER TABLE rule_set_activations DROP CONSTRAINT ck_rule_set_activations_role_known
    """,
    """
    ALTER TABLE rule_set_activations ADD CONSTRAINT ck_rule_set_activations_role_known
        CHECK (role IN ('active', 'shadow'))
    """,
    "DROP TABLE rule_outcomes",
    "ALTER TABLE rules DROP COLUMN tags, DROP COLUMN owner",
    "DELETE FROM dynamic_metrics WHERE shadow OR outcome = 2",
    "ALTER TABLE dynamic_metrics DROP COLUMN shadow, DROP COLUMN rate",
    _RULE_MATCHES_BEFORE,
    "REVOKE DELETE ON dynamic_metrics FROM payments_writer",
    "REVOKE INSERT ON rule_suppressions FROM payments_writer",
    "GRANT SELECT ON rule_matches TO payments_writer",
    "GRANT SELECT ON rule_matches TO payments_reader",
)


def upgrade() -> None:
    op.execute("DROP VIEW rule_matches")
    for statement in (*_CHANGES, *_VIEWS, *_GRANTS):
        op.execute(statement)


def downgrade() -> None:
    for statement in _UNDO:
        op.execute(statement)
