"""Payments, what rules say of each one, and what was refused."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    Numeric,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared_code.store.table_parts import (
    Key,
    Time,
    metadata,
    now,
)

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
    Column("event_time", Time, nullable=False),
    Column("transaction_id", Key, nullable=False),
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
    Column("enqueued_at", Time),
    Column("stored_at", Time, nullable=False, server_default=now()),
    Column("amount", Numeric, nullable=False),
    Column("content_hash", LargeBinary, nullable=False),
    Column("customer_id", Key),
    Column("customer_email_hash", LargeBinary),
    Column("customer_email_domain", Text),
    Column("merchant_id", Key),
    Column("merchant_name", Text),
    Column("merchant_category", Text),
    Column("card_brand", Text),
    Column("card_bin", Text),
    Column("card_last4", Text),
    Column("card_fingerprint", Key),
    Column("counterparty_id", Key),
    Column("original_transaction_id", Key),
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
    Column("event_time", Time, nullable=False),
    Column("rule_set", Integer, nullable=False),
    Column("payment_status", SmallInteger, nullable=False),
    Column("rule", SmallInteger, nullable=False),
    Column("outcome", SmallInteger, nullable=False),
    Column("transaction_id", Key, nullable=False),
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

rejected_events = Table(
    "rejected_events",
    metadata,
    Column("eventhub_namespace", Key, nullable=False),
    Column("event_hub", Key, nullable=False),
    Column("partition_id", Key, nullable=False),
    Column("sequence_number", BigInteger, nullable=False),
    Column("event_index", Integer, nullable=False),
    Column("body_hash", LargeBinary, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("rejected_at", Time, nullable=False, server_default=now()),
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
