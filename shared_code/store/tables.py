"""The tables of the pipeline, as SQLAlchemy Core. Alembic revisions create them.

Vocabularies, currencies and countries are stored under their numbers (see
``shared_code.domain.vocabularies``), hashes as ``bytea``. Hot tables carry no foreign keys: a key
check per payment would lock the same few referenced rows from every writer.
"""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    false,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Byte order is the order of the keys everywhere, in Python too, and compares fastest.
_Key: Final = Text(collation="C")
_Time: Final = DateTime(timezone=True)


def _now() -> Any:
    return func.now()


def _window_start(name: str = "window_start", **options: Any) -> Column[Any]:
    return Column(name, _Time, nullable=False, **options)


def _aligned() -> CheckConstraint:
    """A window starts on a whole five minutes since the Unix epoch."""
    return CheckConstraint(
        "window_start = date_bin('5 minutes', window_start, TIMESTAMPTZ 'epoch')",
        name="window_start_aligned",
    )


def _whole_periods() -> list[CheckConstraint]:
    """A period is an hour or a day, and starts on a whole one since the Unix epoch."""
    return [
        CheckConstraint("period_length IN ('1h', '1d')", name="period_length_known"),
        CheckConstraint(
            "period_start = date_bin(CASE period_length WHEN '1h' THEN interval '1 hour'"
            " ELSE interval '24 hours' END, period_start, TIMESTAMPTZ 'epoch')",
            name="period_start_aligned",
        ),
    ]


def _group() -> list[Column[Any]]:
    """The group that five-minute figures are kept for; amounts of two currencies never meet."""
    return [
        Column("payment_method", SmallInteger, nullable=False),
        Column("currency", SmallInteger, nullable=False),
        Column("payment_status", SmallInteger, nullable=False),
    ]


def _sums() -> list[Column[Any]]:
    return [
        Column("payment_count", BigInteger, nullable=False),
        Column("amount_sum", Numeric, nullable=False),
        Column("amount_min", Numeric, nullable=False),
        Column("amount_max", Numeric, nullable=False),
    ]


def _sums_make_sense() -> list[CheckConstraint]:
    return [
        CheckConstraint("payment_count > 0", name="payment_count_positive"),
        CheckConstraint(
            "amount_min >= 0 AND amount_min <= amount_max AND amount_max <= amount_sum",
            name="amounts_ordered",
        ),
    ]


vocabularies = Table(
    "vocabularies",
    metadata,
    Column("vocabulary", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("name", Text, nullable=False),
    PrimaryKeyConstraint("vocabulary", "number"),
    UniqueConstraint("vocabulary", "name"),
)

normalized_transactions = Table(
    "normalized_transactions",
    metadata,
    Column("event_time", _Time, nullable=False),
    Column("transaction_id", _Key, nullable=False),
    Column("payment_status", SmallInteger, nullable=False),
    Column("payment_method", SmallInteger, nullable=False),
    Column("currency", SmallInteger, nullable=False),
    Column("channel", SmallInteger),
    Column("device_type", SmallInteger),
    Column("customer_country", SmallInteger),
    Column("merchant_country", SmallInteger),
    Column("merchant_mcc", SmallInteger),
    Column("counterparty_country", SmallInteger),
    Column("quality_flags", Integer, nullable=False),
    Column("rule_set", Integer, nullable=False),
    Column("enqueued_at", _Time),
    Column("stored_at", _Time, nullable=False, server_default=_now()),
    Column("amount", Numeric, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    Column("customer_id", _Key),
    Column("customer_email_hash", LargeBinary),
    Column("customer_email_domain", Text),
    Column("merchant_id", _Key),
    Column("merchant_name", Text),
    Column("merchant_category", Text),
    Column("card_brand", Text),
    Column("card_bin", Text),
    Column("card_last4", Text),
    Column("card_fingerprint", _Key),
    Column("counterparty_id", _Key),
    Column("original_transaction_id", _Key),
    Column("metadata", JSONB),
    PrimaryKeyConstraint("event_time", "transaction_id", "payment_status"),
    CheckConstraint("amount >= 0 AND amount < 1e15", name="amount_in_range"),
    CheckConstraint("octet_length(content_hash) = 16", name="content_hash_length"),
    CheckConstraint(
        "transaction_id <> '' AND length(transaction_id) <= 64", name="transaction_id_length"
    ),
    postgresql_partition_by="RANGE (event_time)",
)

dynamic_metrics = Table(
    "dynamic_metrics",
    metadata,
    Column("event_time", _Time, nullable=False),
    Column("rule_set", Integer, nullable=False),
    Column("payment_status", SmallInteger, nullable=False),
    Column("rule", SmallInteger, nullable=False),
    Column("outcome", SmallInteger, nullable=False),
    Column("transaction_id", _Key, nullable=False),
    Column("value", Numeric),
    Column("rate", Numeric),
    Column("shadow", Boolean, nullable=False, server_default=false()),
    # No primary key: rows are only ever inserted with a payment that is new in the same statement,
    # so that the payment's key makes them unique. See docs/adr/0004-metrics-without-key.md.
    Index(
        "ix_dynamic_metrics_event_time",
        "event_time",
        postgresql_using="brin",
        postgresql_with={"pages_per_range": "32", "autosummarize": "on"},
    ),
    postgresql_partition_by="RANGE (event_time)",
)

window_deltas = Table(
    "window_deltas",
    metadata,
    Column("delta_id", BigInteger, Identity(always=True), primary_key=True),
    _window_start(),
    *_group(),
    *_sums(),
    _aligned(),
    *_sums_make_sense(),
)

window_marks = Table(
    "window_marks",
    metadata,
    Column("mark_id", BigInteger, Identity(always=True)),
    _window_start(),
    PrimaryKeyConstraint("window_start", "mark_id"),
    _aligned(),
)

payment_metrics_5m = Table(
    "payment_metrics_5m",
    metadata,
    _window_start(),
    *_group(),
    *_sums(),
    PrimaryKeyConstraint("window_start", "payment_method", "currency", "payment_status"),
    _aligned(),
    *_sums_make_sense(),
)

window_revisions = Table(
    "window_revisions",
    metadata,
    _window_start(),
    Column("revision", Integer, nullable=False),
    Column("payment_count", BigInteger, nullable=False),
    Column("rule_set", Integer, nullable=False),
    Column("computed_at", _Time, nullable=False, server_default=_now()),
    Column("final_at", _Time, nullable=False),
    PrimaryKeyConstraint("window_start", "revision"),
    _aligned(),
    CheckConstraint("revision > 0", name="revision_positive"),
    CheckConstraint("final_at >= window_start + interval '5 minutes'", name="final_after_end"),
)

payment_metrics_5m_final = Table(
    "payment_metrics_5m_final",
    metadata,
    _window_start(),
    *_group(),
    Column("revision", Integer, nullable=False),
    *_sums(),
    Column("amount_avg", Numeric, nullable=False),
    Column("amount_p50", Numeric, nullable=False),
    Column("amount_p95", Numeric, nullable=False),
    Column("amount_p99", Numeric, nullable=False),
    Column("distinct_customers", BigInteger, nullable=False),
    Column("distinct_merchants", BigInteger, nullable=False),
    PrimaryKeyConstraint(
        "window_start", "payment_method", "currency", "payment_status", "revision"
    ),
    _aligned(),
    *_sums_make_sense(),
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
    Column("period_start", _Time, nullable=False),
    *_group(),
    *_sums(),
    Column("amount_avg", Numeric, nullable=False),
    # What cannot be added up is NULL where payments were dropped before it was measured.
    Column("amount_p50", Numeric),
    Column("amount_p95", Numeric),
    Column("amount_p99", Numeric),
    Column("distinct_customers", BigInteger),
    Column("distinct_merchants", BigInteger),
    Column("windows_closed", Integer, nullable=False),
    Column("final_at", _Time, nullable=False),
    PrimaryKeyConstraint(
        "period_length", "period_start", "payment_method", "currency", "payment_status"
    ),
    *_whole_periods(),
    *_sums_make_sense(),
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
    Column("period_start", _Time, nullable=False),
    PrimaryKeyConstraint("period_length", "period_start", "mark_id"),
    *_whole_periods(),
)

rule_sets = Table(
    "rule_sets",
    metadata,
    Column("rule_set", Integer, Identity(always=True), primary_key=True),
    Column("sha256", LargeBinary, nullable=False),
    Column("version", Text),
    Column("verdict", Text, nullable=False),
    Column("errors", JSONB, nullable=False),
    Column("document", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("received_at", _Time, nullable=False, server_default=_now()),
    UniqueConstraint("sha256"),
    CheckConstraint("octet_length(sha256) = 32", name="sha256_length"),
    CheckConstraint("verdict IN ('accepted', 'refused')", name="verdict_known"),
    CheckConstraint("verdict = 'refused' OR version IS NOT NULL", name="accepted_has_version"),
    Index(
        "uq_rule_sets_accepted_version",
        "version",
        unique=True,
        postgresql_where=text("verdict = 'accepted'"),
    ),
)

rules = Table(
    "rules",
    metadata,
    Column("rule_set", Integer, ForeignKey("rule_sets.rule_set"), nullable=False),
    Column("rule", SmallInteger, nullable=False),
    Column("rule_id", Text, nullable=False),
    Column("scope", Text, nullable=False),
    Column("metric_name", Text, nullable=False),
    Column("metric_type", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("owner", Text),
    Column("tags", JSONB, nullable=False, server_default=text("'[]'")),
    PrimaryKeyConstraint("rule_set", "rule"),
    UniqueConstraint("rule_set", "rule_id"),
)

rule_outcomes = Table(
    "rule_outcomes",
    metadata,
    Column("rule_set", Integer, nullable=False),
    Column("rule", SmallInteger, nullable=False),
    Column("outcome", SmallInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("severity", SmallInteger, nullable=False),
    Column("reason", Text),
    PrimaryKeyConstraint("rule_set", "rule", "outcome"),
    UniqueConstraint("rule_set", "rule", "name"),
    ForeignKeyConstraint(["rule_set", "rule"], ["rules.rule_set", "rules.rule"]),
)

rule_set_activations = Table(
    "rule_set_activations",
    metadata,
    Column("activation_id", BigInteger, Identity(always=True), primary_key=True),
    Column("rule_set", Integer, ForeignKey("rule_sets.rule_set"), nullable=False),
    Column("role", Text, nullable=False),
    Column("activated_at", _Time, nullable=False, server_default=_now()),
    Column("activated_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    CheckConstraint("role IN ('active', 'shadow', 'shadow_ended')", name="role_known"),
    Index("ix_rule_set_activations_role", "role", "activation_id"),
)

rule_metrics_5m = Table(
    "rule_metrics_5m",
    metadata,
    _window_start(),
    Column("rule_set", Integer, nullable=False),
    Column("rule", SmallInteger, nullable=False),
    Column("dimensions", JSONB, nullable=False),
    Column("value", Numeric, nullable=False),
    Column("payment_count", BigInteger, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("outcome", SmallInteger, nullable=False, server_default=text("1")),
    Column("exceeded", Boolean, nullable=False, server_default=false()),
    Column("evidence", JSONB, nullable=False, server_default=text("'{}'")),
    PrimaryKeyConstraint("window_start", "rule_set", "rule", "dimensions"),
    _aligned(),
)

rule_suppressions = Table(
    "rule_suppressions",
    metadata,
    Column("suppression_id", BigInteger, Identity(always=True), primary_key=True),
    Column("rule_id", Text, nullable=False),
    Column("subject", Text),
    Column("until", _Time, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", _Time, nullable=False, server_default=_now()),
    CheckConstraint("until > created_at", name="ends_after_start"),
    CheckConstraint("reason <> ''", name="reason_given"),
)

rule_history = Table(
    "rule_history",
    metadata,
    _window_start(),
    Column("rule_set", Integer, nullable=False),
    Column("rule", SmallInteger, nullable=False),
    Column("payment_count", BigInteger, nullable=False),
    Column("match_count", BigInteger, nullable=False),
    Column("indeterminate_count", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("window_start", "rule_set", "rule"),
    _aligned(),
    CheckConstraint(
        "match_count >= 0 AND match_count <= payment_count", name="matches_within_payments"
    ),
    CheckConstraint(
        "indeterminate_count >= 0 AND match_count + indeterminate_count <= payment_count",
        name="indeterminate_within_payments",
    ),
)

rule_marks = Table(
    "rule_marks",
    metadata,
    Column("mark_id", BigInteger, Identity(always=True)),
    _window_start(),
    PrimaryKeyConstraint("window_start", "mark_id"),
    _aligned(),
)

backfills = Table(
    "backfills",
    metadata,
    Column("backfill_id", BigInteger, Identity(always=True), primary_key=True),
    Column("rule_set", Integer, ForeignKey("rule_sets.rule_set"), nullable=False),
    Column("first_window", _Time, nullable=False),
    Column("end_window", _Time, nullable=False),
    Column("next_window", _Time, nullable=False),
    Column("started_by", Text, nullable=False),
    Column("started_at", _Time, nullable=False, server_default=_now()),
    Column("finished_at", _Time),
    CheckConstraint(
        "first_window <= next_window AND next_window <= end_window", name="windows_in_order"
    ),
)


def _alert_columns() -> list[Any]:
    return [
        Column("alert_id", Uuid, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("severity", SmallInteger, nullable=False),
        Column("rule_id", Text),
        Column("rule_set", Integer),
        Column("window_start", _Time),
        Column("subject", Text, nullable=False),
        Column("evidence", JSONB, nullable=False),
        Column("first_seen", _Time, nullable=False),
        Column("last_seen", _Time, nullable=False),
        Column("raised_at", _Time, nullable=False, server_default=_now()),
        Column("outcome", Text),
        Column("withdrawn_at", _Time),
        CheckConstraint("first_seen <= last_seen", name="seen_in_order"),
        CheckConstraint("severity BETWEEN 1 AND 5", name="severity_known"),
    ]


alerts = Table(
    "alerts",
    metadata,
    *_alert_columns(),
    Column("suppression_id", BigInteger, ForeignKey("rule_suppressions.suppression_id")),
    Index("ix_alerts_last_seen", "last_seen"),
    Index("ix_alerts_rule_id_subject", "rule_id", "subject", "last_seen"),
    Index("ix_alerts_window_start", "window_start"),
)

# What a shadow rule set would have raised: nobody is to act on it.
shadow_alerts = Table(
    "shadow_alerts",
    metadata,
    *_alert_columns(),
    Index("ix_shadow_alerts_rule_set", "rule_set", "last_seen"),
    Index("ix_shadow_alerts_rule_id_subject", "rule_id", "subject", "last_seen"),
    Index("ix_shadow_alerts_window_start", "window_start"),
)

window_clusters = Table(
    "window_clusters",
    metadata,
    _window_start(),
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
    _aligned(),
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
    _window_start(),
    Column("event_time", _Time, nullable=False),
    Column("transaction_id", _Key, nullable=False),
    Column("payment_status", SmallInteger, nullable=False),
    Column("cluster", SmallInteger, nullable=False),
    Column("score", Numeric, nullable=False),
    PrimaryKeyConstraint("window_start", "event_time", "transaction_id", "payment_status"),
    _aligned(),
    CheckConstraint("score >= 0", name="score_not_negative"),
)

rejected_events = Table(
    "rejected_events",
    metadata,
    Column("eventhub_namespace", _Key, nullable=False),
    Column("event_hub", _Key, nullable=False),
    Column("partition_id", _Key, nullable=False),
    Column("sequence_number", BigInteger, nullable=False),
    Column("event_index", Integer, nullable=False),
    Column("body_hash", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("rejected_at", _Time, nullable=False, server_default=_now()),
    PrimaryKeyConstraint(
        "eventhub_namespace",
        "event_hub",
        "partition_id",
        "sequence_number",
        "event_index",
        "body_hash",
    ),
    Index("ix_rejected_events_rejected_at", "rejected_at"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("until", _Time, nullable=False),
)
