"""Five-minute windows: deltas, marks, counters and closed figures.

Revision ID: 0002
Revises: 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE window_deltas (
        delta_id BIGINT GENERATED ALWAYS AS IDENTITY,
        window_start TIMESTAMP WITH TIME ZONE NOT NULL,
        payment_method SMALLINT NOT NULL,
        currency SMALLINT NOT NULL,
        payment_status SMALLINT NOT NULL,
        payment_count BIGINT NOT NULL,
        amount_sum NUMERIC NOT NULL,
        amount_min NUMERIC NOT NULL,
        amount_max NUMERIC NOT NULL,
        CONSTRAINT pk_window_deltas PRIMARY KEY (delta_id),
        CONSTRAINT ck_window_deltas_window_start_aligned
            CHECK (window_start = date_bin('5 minutes', window_start, TIMESTAMPTZ 'epoch')),
        CONSTRAINT ck_window_deltas_payment_count_positive CHECK (payment_count > 0),
        CONSTRAINT ck_window_deltas_amounts_ordered CHECK (amount_min >= 0
            AND amount_min <= amount_max AND amount_max <= amount_sum)
    )
    """,
    """
    CREATE TABLE window_marks (
        mark_id BIGINT GENERATED ALWAYS AS IDENTITY,
        window_start TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_window_marks PRIMARY KEY (window_start, mark_id),
        CONSTRAINT ck_window_marks_window_start_aligned
            CHECK (window_start = date_bin('5 minutes', window_start, TIMESTAMPTZ 'epoch'))
    )
    """,
    """
    CREATE TABLE payment_metrics_5m (
        window_start TIMESTAMP WITH TIME ZONE NOT NULL,
        payment_method SMALLINT NOT NULL,
        currency SMALLINT NOT NULL,
        payment_status SMALLINT NOT NULL,
        payment_count BIGINT NOT NULL,
        amount_sum NUMERIC NOT NULL,
        amount_min NUMERIC NOT NULL,
        amount_max NUMERIC NOT NULL,
        CONSTRAINT pk_payment_metrics_5m
            PRIMARY KEY (window_start, payment_method, currency, payment_status),
        CONSTRAINT ck_payment_metrics_5m_window_start_aligned
            CHECK (window_start = date_bin('5 minutes', window_start, TIMESTAMPTZ 'epoch')),
        CONSTRAINT ck_payment_metrics_5m_payment_count_positive CHECK (payment_count > 0),
        CONSTRAINT ck_payment_metrics_5m_amounts_ordered CHECK (amount_min >= 0
            AND amount_min <= amount_max AND amount_max <= amount_sum)
    )
    """,
    """
    CREATE TABLE window_revisions (
        window_start TIMESTAMP WITH TIME ZONE NOT NULL,
        revision INTEGER NOT NULL,
        payment_count BIGINT NOT NULL,
        rule_set INTEGER NOT NULL,
        computed_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        final_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_window_revisions PRIMARY KEY (window_start, revision),
        CONSTRAINT ck_window_revisions_window_start_aligned
            CHECK (window_start = date_bin('5 minutes', window_start, TIMESTAMPTZ 'epoch')),
        CONSTRAINT ck_window_revisions_revision_positive CHECK (revision > 0),
        CONSTRAINT ck_window_revisions_final_after_end
            CHECK (final_at >= window_start + interval '5 minutes')
    )
    """,
    """
    CREATE TABLE payment_metrics_5m_final (
        window_start TIMESTAMP WITH TIME ZONE NOT NULL,
        payment_method SMALLINT NOT NULL,
        currency SMALLINT NOT NULL,
        payment_status SMALLINT NOT NULL,
        revision INTEGER NOT NULL,
        payment_count BIGINT NOT NULL,
        amount_sum NUMERIC NOT NULL,
        amount_min NUMERIC NOT NULL,
        amount_max NUMERIC NOT NULL,
        amount_avg NUMERIC NOT NULL,
        amount_p50 NUMERIC NOT NULL,
        amount_p95 NUMERIC NOT NULL,
        amount_p99 NUMERIC NOT NULL,
        distinct_customers BIGINT NOT NULL,
        distinct_merchants BIGINT NOT NULL,
        CONSTRAINT pk_payment_metrics_5m_final
            PRIMARY KEY (window_start, payment_method, currency, payment_status, revision),
        CONSTRAINT ck_payment_metrics_5m_final_window_start_aligned
            CHECK (window_start = date_bin('5 minutes', window_start, TIMESTAMPTZ 'epoch')),
        CONSTRAINT ck_payment_metrics_5m_final_payment_count_positive CHECK (payment_count > 0),
        CONSTRAINT ck_payment_metrics_5m_final_amounts_ordered CHECK (amount_min >= 0
            AND amount_min <= amount_max AND amount_max <= amount_sum),
        CONSTRAINT ck_payment_metrics_5m_final_percentiles_ordered
            CHECK (amount_min <= amount_p50 AND amount_p50 <= amount_p95
            AND amount_p95 <= amount_p99 AND amount_p99 <= amount_max)
    )
    """,
    """
    CREATE TABLE window_clusters (
        window_start TIMESTAMP WITH TIME ZONE NOT NULL,
        cluster SMALLINT NOT NULL,
        payment_count BIGINT NOT NULL,
        share NUMERIC NOT NULL,
        centroid JSONB NOT NULL,
        outlier_score NUMERIC,
        sample_transaction_ids JSONB NOT NULL,
        CONSTRAINT pk_window_clusters PRIMARY KEY (window_start, cluster),
        CONSTRAINT ck_window_clusters_window_start_aligned
            CHECK (window_start = date_bin('5 minutes', window_start, TIMESTAMPTZ 'epoch')),
        CONSTRAINT ck_window_clusters_share_in_range CHECK (share >= 0 AND share <= 1)
    )
    """,
    """
    CREATE TABLE leases (
        name TEXT NOT NULL,
        owner TEXT NOT NULL,
        token BIGINT NOT NULL,
        until TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_leases PRIMARY KEY (name)
    )
    """,
)


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE leases")
    op.execute("DROP TABLE window_clusters")
    op.execute("DROP TABLE payment_metrics_5m_final")
    op.execute("DROP TABLE window_revisions")
    op.execute("DROP TABLE payment_metrics_5m")
    op.execute("DROP TABLE window_marks")
    op.execute("DROP TABLE window_deltas")
