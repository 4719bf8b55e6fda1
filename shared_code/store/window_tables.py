"""Five-minute windows and what is made of them: counters, figures, roll-ups, clusters."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared_code.store.table_parts import (
    Key,
    Time,
    aligned,
    group,
    metadata,
    now,
    sums,
    sums_make_sense,
    whole_periods,
    window_start,
)

window_deltas = Table(
    "window_deltas",
    metadata,
    Column("delta_id", BigInteger, Identity(always=True), primary_key=True),
    window_start(),
    *group(),
    *sums(),
    aligned(),
    *sums_make_sense(),
)

window_marks = Table(
    "window_marks",
    metadata,
    Column("mark_id", BigInteger, Identity(always=True)),
    window_start(),
    PrimaryKeyConstraint("window_start", "mark_id"),
    aligned(),
)

payment_metrics_5m = Table(
    "payment_metrics_5m",
    metadata,
    window_start(),
    *group(),
    *sums(),
    PrimaryKeyConstraint("window_start", "payment_method", "currency", "payment_status"),
    aligned(),
    *sums_make_sense(),
)

window_revisions = Table(
    "window_revisions",
    metadata,
    window_start(),
    Column("revision", Integer, nullable=False),
    Column("payment_count", BigInteger, nullable=False),
    Column("rule_set", Integer, nullable=False),
    Column("computed_at", Time, nullable=False, server_default=now()),
    Column("final_at", Time, nullable=False),
    PrimaryKeyConstraint("window_start", "revision"),
    aligned(),
    CheckConstraint("revision > 0", name="revision_positive"),
    CheckConstraint("final_at >= window_start + interval '5 minutes'", name="final_after_end"),
)

payment_metrics_5m_final = Table(
    "payment_metrics_5m_final",
    metadata,
    window_start(),
    *group(),
    Column("revision", Integer, nullable=False),
    *sums(),
    Column("amount_avg", Numeric, nullable=False),
    Column("amount_p50", Numeric, nullable=False),
    Column("amount_p95", Numeric, nullable=False),
    Column("amount_p99", Numeric, nullable=False),
    Column("distinct_customers", BigInteger, nullable=False),
    Column("distinct_merchants", BigInteger, nullable=False),
    PrimaryKeyConstraint(
        "window_start", "payment_method", "currency", "payment_status", "revision"
    ),
    aligned(),
    *sums_make_sense(),
    CheckConstraint(
        "amount_min <= amount_p50 AND amount_p50 <= amount_p95"
        " AND amount_p95 <= amount_p99 AND amount_p99 <= amount_max",
        name="percentiles_ordered",
    ),
)

payment_metrics_rolled_up = Table(
    "payment_metrics_rolled_up",
    metadata,
    Column("period_length", Text, nullable=False),
    Column("period_start", Time, nullable=False),
    *group(),
    *sums(),
    Column("amount_avg", Numeric, nullable=False),
    # What cannot be added up is NULL where payments were dropped before it was measured.
    Column("amount_p50", Numeric),
    Column("amount_p95", Numeric),
    Column("amount_p99", Numeric),
    Column("distinct_customers", BigInteger),
    Column("distinct_merchants", BigInteger),
    Column("windows_closed", Integer, nullable=False),
    Column("final_at", Time, nullable=False),
    PrimaryKeyConstraint(
        "period_length", "period_start", "payment_method", "currency", "payment_status"
    ),
    *whole_periods(),
    *sums_make_sense(),
    CheckConstraint(
        "amount_p50 <= amount_p95 AND amount_p95 <= amount_p99", name="percentiles_ordered"
    ),
    CheckConstraint(
        "num_nulls(amount_p50, amount_p95, amount_p99, distinct_customers, distinct_merchants)"
        " IN (0, 5)",
        name="measured_together",
    ),
    CheckConstraint("windows_closed > 0", name="windows_closed_positive"),
    CheckConstraint("final_at > period_start", name="final_after_start"),
)

roll_up_marks = Table(
    "roll_up_marks",
    metadata,
    Column("mark_id", BigInteger, Identity(always=True)),
    Column("period_length", Text, nullable=False),
    Column("period_start", Time, nullable=False),
    PrimaryKeyConstraint("period_length", "period_start", "mark_id"),
    *whole_periods(),
)

window_clusters = Table(
    "window_clusters",
    metadata,
    window_start(),
    Column("cluster", SmallInteger, nullable=False),
    Column("payment_count", BigInteger, nullable=False),
    Column("share", Numeric, nullable=False),
    Column("centroid", JSONB, nullable=False),
    Column("outlier_score", Numeric, nullable=False),
    Column("sample_transaction_ids", JSONB, nullable=False),
    Column("algorithm", Text, nullable=False),
    Column("sample_size", BigInteger, nullable=False),
    Column("silhouette", Numeric),
    Column("outlier_score_mean", Numeric, nullable=False),
    PrimaryKeyConstraint("window_start", "cluster"),
    aligned(),
    CheckConstraint("share >= 0 AND share <= 1", name="share_in_range"),
    CheckConstraint("silhouette >= -1 AND silhouette <= 1", name="silhouette_in_range"),
    CheckConstraint("payment_count > 0 AND payment_count <= sample_size", name="within_sample"),
    CheckConstraint(
        "outlier_score_mean >= 0 AND outlier_score_mean <= outlier_score", name="scores_ordered"
    ),
)

window_outliers = Table(
    "window_outliers",
    metadata,
    window_start(),
    Column("event_time", Time, nullable=False),
    Column("transaction_id", Key, nullable=False),
    Column("payment_status", SmallInteger, nullable=False),
    Column("cluster", SmallInteger, nullable=False),
    Column("score", Numeric, nullable=False),
    PrimaryKeyConstraint("window_start", "event_time", "transaction_id", "payment_status"),
    aligned(),
    CheckConstraint("score >= 0", name="score_not_negative"),
)

look_back_blocks = Table(
    "look_back_blocks",
    metadata,
    Column("subject_column", Key, nullable=False),
    window_start(),
    Column("hashes", LargeBinary, nullable=False),
    Column("moments", LargeBinary, nullable=False),
    PrimaryKeyConstraint("subject_column", "window_start"),
    aligned(),
    CheckConstraint(
        "octet_length(hashes) = octet_length(moments)", name="one_moment_for_each_hash"
    ),
    Index("ix_look_back_blocks_window_start", "window_start"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("until", Time, nullable=False),
)
