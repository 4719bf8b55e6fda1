"""Clusters of a window: how they were found, and which payments stand apart.

Revision ID: 0007
Revises: 0006
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_UPGRADE = (
    # Rows are here only after a downgrade. They do not say how they were found; closing their
    # windows again does.
    "DELETE FROM window_clusters",
    """
    ALTER TABLE window_clusters
        ALTER COLUMN outlier_score SET NOT NULL,
        ADD COLUMN algorithm TEXT NOT NULL,
        ADD COLUMN sample_size BIGINT NOT NULL,
        ADD COLUMN silhouette NUMERIC,
        ADD COLUMN outlier_score_mean NUMERIC NOT NULL,
        ADD CONSTRAINT ck_window_clusters_silhouette_in_range
            CHECK (silhouette >= -1 AND silhouette <= 1),
        ADD CONSTRAINT ck_window_clusters_within_sample
            CHECK (payment_count > 0 AND payment_count <= sample_size),
        ADD CONSTRAINT ck_window_clusters_scores_ordered
            CHECK (outlier_score_mean >= 0 AND outlier_score_mean <= outlier_score)
    """,
    """
    CREATE TABLE window_outliers (
        window_start TIMESTAMP WITH TIME ZONE NOT NULL,
        event_time TIMESTAMP WITH TIME ZONE NOT NULL,
        transaction_id TEXT COLLATE "C" NOT NULL,
        payment_status SMALLINT NOT NULL,
        cluster SMALLINT NOT NULL,
        score NUMERIC NOT NULL,
        CONSTRAINT pk_window_outliers
            PRIMARY KEY (window_start, event_time, transaction_id, payment_status),
        CONSTRAINT ck_window_outliers_window_start_aligned
            CHECK (window_start = date_bin('5 minutes', window_start, TIMESTAMPTZ 'epoch')),
        CONSTRAINT ck_window_outliers_score_not_negative CHECK (score >= 0)
    )
    """,
    "GRANT SELECT, INSERT, DELETE ON window_outliers TO payments_writer",
    "GRANT SELECT ON window_outliers TO payments_reader",
)

_DOWNGRADE = (
    "DROP TABLE window_outliers",
    """
    ALTER TABLE window_clusters
        DROP CONSTRAINT ck_window_clusters_scores_ordered,
        DROP CONSTRAINT ck_window_clusters_within_sample,
        DROP CONSTRAINT ck_window_clusters_silhouette_in_range,
        DROP COLUMN outlier_score_mean,
        DROP COLUMN silhouette,
        DROP COLUMN sample_size,
        DROP COLUMN algorithm,
        ALTER COLUMN outlier_score DROP NOT NULL
    """,
)


def upgrade() -> None:
    for statement in _UPGRADE:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWNGRADE:
        op.execute(statement)
