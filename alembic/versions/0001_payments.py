"""Payments, their metrics and what was refused.

Revision ID: 0001
Revises: nothing
"""

import csv
from pathlib import Path

import sqlalchemy as sa

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE vocabularies (
        vocabulary TEXT NOT NULL,
        number INTEGER NOT NULL,
        name TEXT NOT NULL,
        CONSTRAINT pk_vocabularies PRIMARY KEY (vocabulary, number),
        CONSTRAINT uq_vocabularies_vocabulary_name UNIQUE (vocabulary, name)
    )
    """,
    """
    CREATE TABLE normalized_transactions (
        event_time TIMESTAMP WITH TIME ZONE NOT NULL,
        transaction_id TEXT COLLATE "C" NOT NULL,
        payment_status SMALLINT NOT NULL,
        payment_method SMALLINT NOT NULL,
        currency SMALLINT NOT NULL,
        channel SMALLINT,
        device_type SMALLINT,
        customer_country SMALLINT,
        merchant_country SMALLINT,
        merchant_mcc SMALLINT,
        counterparty_country SMALLINT,
        quality_flags INTEGER NOT NULL,
        rule_set INTEGER NOT NULL,
        enqueued_at TIMESTAMP WITH TIME ZONE,
        stored_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        amount NUMERIC NOT NULL,
        content_hash BYTEA NOT NULL,
        customer_id TEXT COLLATE "C",
        customer_email_hash BYTEA,
        customer_email_domain TEXT,
        merchant_id TEXT COLLATE "C",
        merchant_name TEXT,
        merchant_category TEXT,
        card_brand TEXT,
        card_bin TEXT,
        card_last4 TEXT,
        card_fingerprint TEXT COLLATE "C",
        counterparty_id TEXT COLLATE "C",
        original_transaction_id TEXT COLLATE "C",
        metadata JSONB,
        CONSTRAINT pk_normalized_transactions
            PRIMARY KEY (event_time, transaction_id, payment_status),
        CONSTRAINT ck_normalized_transactions_amount_in_range CHECK (amount >= 0
            AND amount < 1e15),
        CONSTRAINT ck_normalized_transactions_content_hash_length
            CHECK (octet_length(content_hash) = 16),
        CONSTRAINT ck_normalized_transactions_transaction_id_length
            CHECK (transaction_id <> '' AND length(transaction_id) <= 64)
    )
     PARTITION BY RANGE (event_time)
    """,
    """
    CREATE TABLE dynamic_metrics (
        event_time TIMESTAMP WITH TIME ZONE NOT NULL,
        rule_set INTEGER NOT NULL,
        payment_status SMALLINT NOT NULL,
        rule SMALLINT NOT NULL,
        outcome SMALLINT NOT NULL,
        transaction_id TEXT COLLATE "C" NOT NULL,
        value NUMERIC
    )
     PARTITION BY RANGE (event_time)
    """,
    """
    CREATE INDEX ix_dynamic_metrics_event_time
            ON dynamic_metrics USING brin (event_time) WITH (pages_per_range = 32,
            autosummarize = on)
    """,
    """
    CREATE TABLE rejected_events (
        eventhub_namespace TEXT COLLATE "C" NOT NULL,
        event_hub TEXT COLLATE "C" NOT NULL,
        partition_id TEXT COLLATE "C" NOT NULL,
        sequence_number BIGINT NOT NULL,
        event_index INTEGER NOT NULL,
        body_hash BYTEA NOT NULL,
        reason TEXT NOT NULL,
        detail TEXT NOT NULL,
        body TEXT NOT NULL,
        rejected_at TIMESTAMP WITH TIME ZONE DEFAULT now() NOT NULL,
        CONSTRAINT pk_rejected_events
            PRIMARY KEY (eventhub_namespace, event_hub, partition_id, sequence_number,
            event_index, body_hash)
    )
    """,
    """
    CREATE INDEX ix_rejected_events_rejected_at ON rejected_events (rejected_at)
    """,
)

_ATTACH_DAYS = """
CREATE FUNCTION attach_payment_days(first_day date, last_day date) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp
SET lock_timeout = '5s'
SET timezone = 'UTC'
AS $$
DECLARE
    parent text;
    part text;
    day date;
    attached integer := 0;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('attach_payment_days'));
    FOREACH parent IN ARRAY ARRAY['normalized_transactions', 'dynamic_metrics'] LOOP
        FOR day IN SELECT generate_series(first_day, last_day, interval '1 day')::date LOOP
            part := format('%s_p%s', parent, to_char(day, 'YYYYMMDD'));
            CONTINUE WHEN to_regclass(part) IS NOT NULL;
            EXECUTE format(
                'CREATE TABLE %I (LIKE %I INCLUDING DEFAULTS INCLUDING CONSTRAINTS'
                ' INCLUDING INDEXES INCLUDING STORAGE)', part, parent);
            EXECUTE format(
                'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                parent, part, day::timestamptz, (day + 1)::timestamptz);
            attached := attached + 1;
        END LOOP;
    END LOOP;
    RETURN attached;
END
$$
"""

# Days that payments can be stored for right after the upgrade; the timer keeps attaching more.
_FIRST_DAYS = """
    SELECT attach_payment_days(today - 30, today + 15)
    FROM (SELECT (now() AT TIME ZONE 'UTC')::date AS today) AS clock
"""

# Number and name of every stored vocabulary member, as of this revision.
_VOCABULARIES = Path(__file__).with_name("0001_vocabularies.csv")


def upgrade() -> None:
    for statement in _TABLES:
        op.execute(statement)
    with _VOCABULARIES.open(encoding="utf-8", newline="") as file:
        rows = [
            {"vocabulary": vocabulary, "number": int(number), "name": name}
            for vocabulary, number, name in csv.reader(file)
        ]
    columns = {"vocabulary": sa.Text, "number": sa.Integer, "name": sa.Text}
    table = sa.table("vocabularies", *(sa.column(name, kind) for name, kind in columns.items()))
    op.bulk_insert(table, rows)
    op.execute(_ATTACH_DAYS)
    op.execute(_FIRST_DAYS)


def downgrade() -> None:
    op.execute("DROP FUNCTION attach_payment_days(date, date)")
    op.execute("DROP TABLE rejected_events")
    op.execute("DROP TABLE dynamic_metrics")
    op.execute("DROP TABLE normalized_transactions")
    op.execute("DROP TABLE vocabularies")
