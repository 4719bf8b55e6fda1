"""Rule sets, what they find in windows, and alerts."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    false,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared_code.store.table_parts import (
    Time,
    aligned,
    metadata,
    now,
    window_start,
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
    Column("received_at", Time, nullable=False, server_default=now()),
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
    Column("activated_at", Time, nullable=False, server_default=now()),
    Column("activated_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    CheckConstraint("role IN ('active', 'shadow', 'shadow_ended')", name="role_known"),
    Index("ix_rule_set_activations_role", "role", "activation_id"),
)

rule_metrics_5m = Table(
    "rule_metrics_5m",
    metadata,
    window_start(),
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
    aligned(),
)

rule_suppressions = Table(
    "rule_suppressions",
    metadata,
    Column("suppression_id", BigInteger, Identity(always=True), primary_key=True),
    Column("rule_id", Text, nullable=False),
    Column("subject", Text),
    Column("until", Time, nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", Time, nullable=False, server_default=now()),
    CheckConstraint("until > created_at", name="ends_after_start"),
    CheckConstraint("reason <> ''", name="reason_given"),
)

rule_history = Table(
    "rule_history",
    metadata,
    window_start(),
    Column("rule_set", Integer, nullable=False),
    Column("rule", SmallInteger, nullable=False),
    Column("payment_count", BigInteger, nullable=False),
    Column("match_count", BigInteger, nullable=False),
    Column("indeterminate_count", BigInteger, nullable=False, server_default=text("0")),
    PrimaryKeyConstraint("window_start", "rule_set", "rule"),
    aligned(),
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
    window_start(),
    PrimaryKeyConstraint("window_start", "mark_id"),
    aligned(),
)

backfills = Table(
    "backfills",
    metadata,
    Column("backfill_id", BigInteger, Identity(always=True), primary_key=True),
    Column("rule_set", Integer, ForeignKey("rule_sets.rule_set"), nullable=False),
    Column("first_window", Time, nullable=False),
    Column("end_window", Time, nullable=False),
    Column("next_window", Time, nullable=False),
    Column("started_by", Text, nullable=False),
    Column("started_at", Time, nullable=False, server_default=now()),
    Column("finished_at", Time),
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
        Column("window_start", Time),
        Column("subject", Text, nullable=False),
        Column("evidence", JSONB, nullable=False),
        Column("first_seen", Time, nullable=False),
        Column("last_seen", Time, nullable=False),
        Column("raised_at", Time, nullable=False, server_default=now()),
        Column("outcome", Text),
        Column("withdrawn_at", Time),
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
