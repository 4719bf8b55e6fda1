"""Rule sets, what they measure, and alerts.

Revision ID: 0003
Revises: 0002
"""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE rule_sets (
        rule_set INTEGER GENERATED ALWAYS AS IDENTITY,
        sha256 BYTEA NOT NULL,
        version TEXT,
        verdict TEXT NOT NULL,
        errors JSONB NOT NULL,
        document TEXT NOT NULL,
        source TEXT NOT NULL,
        received_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_rule_sets PRIMARY KEY (rule_set),
        CONSTRAINT uq_rule_sets_sha256 UNIQUE (sha256),
        CONSTRAINT ck_rule_sets_sha256_length CHECK (octet_length(sha256) = 32),
        CONSTRAINT ck_rule_sets_verdict_known CHECK (verdict IN ('accepted', 'refused')),
        CONSTRAINT ck_rule_sets_accepted_has_version
            CHECK (verdict = 'refused' OR version IS NOT NULL)
    )
    """,
    """
    CREATE UNIQUE INDEX uq_rule_sets_accepted_version ON rule_sets (version)
            WHERE verdict = 'accepted'
    """,
    """
    CREATE TABLE rules (
        rule_set INTEGER NOT NULL,
        rule SMALLINT NOT NULL,
        rule_id TEXT NOT NULL,
        scope TEXT NOT NULL,
        metric_name TEXT NOT NULL,
        metric_type TEXT NOT NULL,
        category TEXT NOT NULL,
        severity SMALLINT NOT NULL,
        CONSTRAINT pk_rules PRIMARY KEY (rule_set, rule),
        CONSTRAINT uq_rules_rule_set_rule_id UNIQUE (rule_set, rule_id),
        CONSTRAINT fk_rules_rule_set FOREIGN KEY(rule_set) REFERENCES rule_sets (rule_set)
    )
    """,
    """
    CREATE TABLE rule_set_activations (
        activation_id BIGINT GENERATED ALWAYS AS IDENTITY,
        rule_set INTEGER NOT NULL,
        role TEXT NOT NULL,
        activated_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        activated_by TEXT NOT NULL,
        reason TEXT NOT NULL,
        CONSTRAINT pk_rule_set_activations PRIMARY KEY (activation_id),
        CONSTRAINT ck_rule_set_activations_role_known CHECK (role IN ('active', 'shadow')),
        CONSTRAINT fk_rule_set_activations_rule_set FOREIGN KEY(rule_set)
            REFERENCES rule_sets (rule_set)
    )
    """,
    """
    CREATE INDEX ix_rule_set_activations_role ON rule_set_activations (role, activation_id)
    """,
    """
    CREATE TABLE rule_metrics_5m (
        window_start TIMESTAMP WITH TIME ZONE NOT NULL,
        rule_set INTEGER NOT NULL,
        rule SMALLINT NOT NULL,
        dimensions JSONB NOT NULL,
        value NUMERIC NOT NULL,
        payment_count BIGINT NOT NULL,
        revision INTEGER NOT NULL,
        CONSTRAINT pk_rule_metrics_5m PRIMARY KEY (window_start, rule_set, rule, dimensions),
        CONSTRAINT ck_rule_metrics_5m_window_start_aligned
            CHECK (window_start = date_bin('5 minutes', window_start, TIMESTAMPTZ 'epoch'))
    )
    """,
    """
    CREATE TABLE rule_suppressions (
        suppression_id BIGINT GENERATED ALWAYS AS IDENTITY,
        rule_id TEXT NOT NULL,
        subject TEXT,
        until TIMESTAMP WITH TIME ZONE NOT NULL,
        reason TEXT NOT NULL,
        created_by TEXT NOT NULL,
        created_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_rule_suppressions PRIMARY KEY (suppression_id),
        CONSTRAINT ck_rule_suppressions_ends_after_start CHECK (until > created_at),
        CONSTRAINT ck_rule_suppressions_reason_given CHECK (reason <> '')
    )
    """,
    """
    CREATE TABLE rule_history (
        window_start TIMESTAMP WITH TIME ZONE NOT NULL,
        rule_set INTEGER NOT NULL,
        rule SMALLINT NOT NULL,
        payment_count BIGINT NOT NULL,
        match_count BIGINT NOT NULL,
        CONSTRAINT pk_rule_history PRIMARY KEY (window_start, rule_set, rule),
        CONSTRAINT ck_rule_history_window_start_aligned
            CHECK (window_start = date_bin('5 minutes', window_start, TIMESTAMPTZ 'epoch')),
        CONSTRAINT ck_rule_history_matches_within_payments CHECK (match_count >= 0
            AND match_count <= payment_count)
    )
    """,
    """
    CREATE TABLE alerts (
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
        CONSTRAINT pk_alerts PRIMARY KEY (alert_id),
        CONSTRAINT ck_alerts_seen_in_order CHECK (first_seen <= last_seen),
        CONSTRAINT ck_alerts_severity_known CHECK (severity BETWEEN 1 AND 5)
    )
    """,
    """
    CREATE INDEX ix_alerts_last_seen ON alerts (last_seen)
    """,
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE alerts")
    op.execute("DROP TABLE rule_history")
    op.execute("DROP TABLE rule_suppressions")
    op.execute("DROP TABLE rule_metrics_5m")
    op.execute("DROP TABLE rule_set_activations")
    op.execute("DROP TABLE rules")
    op.execute("DROP TABLE rule_sets")
