"""What the schema holds beside tables: functions, views and grants, as SQL.

Together with ``tables`` this is the schema as the code wants it. Revisions carry frozen copies;
a test compares the catalogue of a migrated database with that of one built from here.
"""

from typing import Final

from sqlalchemy import Connection, insert, text

from shared_code.store.descriptions import VIEWS as DESCRIBED
from shared_code.store.masking_schema import MASKED_EVENT_BODY, MASKED_REJECTED_EVENTS
from shared_code.store.roll_up_schema import PAYMENT_DAYS, PAYMENT_HOURS
from shared_code.store.rule_views import RULE_VIEWS
from shared_code.store.tables import (
    metadata,
    normalized_transactions,
    rejected_events,
    vocabularies,
)
from shared_code.store.vocabulary_rows import vocabulary_rows

MIGRATOR: Final = "payments_migrator"
WRITER: Final = "payments_writer"
READER: Final = "payments_reader"

# A day is created as a plain table and then attached: CREATE ... PARTITION OF and a default
# partition would block every writer. The lock time-out keeps a waiting ATTACH from queueing
# writers behind it; the caller tries again. Storage parameters are not inherited: each day is given
# its own, so that it is vacuumed before a checkpoint makes that dear (docs/adr/0017).
ATTACH_DAYS: Final = """\
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
                ' INCLUDING INDEXES INCLUDING STORAGE)'
                ' WITH (autovacuum_vacuum_insert_scale_factor = 0,'
                ' autovacuum_vacuum_insert_threshold = 5000,'
                ' autovacuum_freeze_min_age = 0)', part, parent);
            EXECUTE format(
                'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                parent, part, day::timestamptz, (day + 1)::timestamptz);
            attached := attached + 1;
        END LOOP;
    END LOOP;
    RETURN attached;
END
$$"""

PAYMENT_WINDOWS: Final = """\
CREATE VIEW payment_windows AS
WITH counted AS (
    SELECT window_start, payment_method, currency, payment_status,
           payment_count, amount_sum, amount_min, amount_max
    FROM payment_metrics_5m
    UNION ALL
    SELECT window_start, payment_method, currency, payment_status,
           payment_count, amount_sum, amount_min, amount_max
    FROM window_deltas
), streamed AS (
    SELECT window_start, payment_method, currency, payment_status,
           sum(payment_count)::bigint AS payment_count, sum(amount_sum) AS amount_sum,
           min(amount_min) AS amount_min, max(amount_max) AS amount_max
    FROM counted
    GROUP BY window_start, payment_method, currency, payment_status
)
SELECT streamed.window_start,
       streamed.window_start + interval '5 minutes' AS window_end,
       methods.name AS payment_method,
       currencies.name AS currency,
       statuses.name AS payment_status,
       streamed.payment_count,
       streamed.amount_sum,
       streamed.amount_min,
       streamed.amount_max,
       closed.amount_avg,
       closed.amount_p50,
       closed.amount_p95,
       closed.amount_p99,
       closed.distinct_customers,
       closed.distinct_merchants,
       latest.revision,
       coalesce(latest.final_at <= now(), false) AND NOT EXISTS (
           SELECT FROM window_marks WHERE window_marks.window_start = streamed.window_start
       ) AS is_final
FROM streamed
JOIN vocabularies AS methods
  ON methods.vocabulary = 'payment_method' AND methods.number = streamed.payment_method
JOIN vocabularies AS currencies
  ON currencies.vocabulary = 'currency' AND currencies.number = streamed.currency
JOIN vocabularies AS statuses
  ON statuses.vocabulary = 'payment_status' AND statuses.number = streamed.payment_status
LEFT JOIN LATERAL (
    SELECT revision, final_at
    FROM window_revisions
    WHERE window_revisions.window_start = streamed.window_start
    ORDER BY revision DESC
    LIMIT 1
) AS latest ON true
LEFT JOIN payment_metrics_5m_final AS closed
  ON closed.window_start = streamed.window_start
 AND closed.payment_method = streamed.payment_method
 AND closed.currency = streamed.currency
 AND closed.payment_status = streamed.payment_status
 AND closed.revision = latest.revision"""

PAYMENTS: Final = """\
CREATE VIEW payments AS
SELECT payment.event_time,
       payment.transaction_id,
       statuses.name AS payment_status,
       methods.name AS payment_method,
       payment.amount,
       currencies.name AS currency,
       channels.name AS channel,
       device_types.name AS device_type,
       payment.customer_id,
       customer_countries.name AS customer_country,
       payment.customer_email_domain,
       payment.merchant_id,
       payment.merchant_name,
       payment.merchant_category,
       payment.merchant_mcc,
       merchant_countries.name AS merchant_country,
       payment.card_brand,
       payment.card_bin,
       payment.card_last4,
       payment.counterparty_id,
       counterparty_countries.name AS counterparty_country,
       payment.original_transaction_id,
       payment.metadata,
       ARRAY(
           SELECT flags.name
           FROM vocabularies AS flags
           WHERE flags.vocabulary = 'quality_flag' AND payment.quality_flags & flags.number <> 0
           ORDER BY flags.number
       ) AS quality_flags,
       payment.rule_set,
       payment.enqueued_at,
       payment.stored_at
FROM normalized_transactions AS payment
JOIN vocabularies AS methods
  ON methods.vocabulary = 'payment_method' AND methods.number = payment.payment_method
JOIN vocabularies AS currencies
  ON currencies.vocabulary = 'currency' AND currencies.number = payment.currency
JOIN vocabularies AS statuses
  ON statuses.vocabulary = 'payment_status' AND statuses.number = payment.payment_status
LEFT JOIN vocabularies AS channels
  ON channels.vocabulary = 'channel' AND channels.number = payment.channel
LEFT JOIN vocabularies AS device_types
  ON device_types.vocabulary = 'device_type' AND device_types.number = payment.device_type
LEFT JOIN vocabularies AS customer_countries
  ON customer_countries.vocabulary = 'country'
 AND customer_countries.number = payment.customer_country
LEFT JOIN vocabularies AS merchant_countries
  ON merchant_countries.vocabulary = 'country'
 AND merchant_countries.number = payment.merchant_country
LEFT JOIN vocabularies AS counterparty_countries
  ON counterparty_countries.vocabulary = 'country'
 AND counterparty_countries.number = payment.counterparty_country"""

VIEWS: Final = {
    "payment_windows": PAYMENT_WINDOWS,
    "payments": PAYMENTS,
    **RULE_VIEWS,
    "payment_hours": PAYMENT_HOURS,
    "payment_days": PAYMENT_DAYS,
    "masked_rejected_events": MASKED_REJECTED_EVENTS,
}

FUNCTIONS: Final = {
    "attach_payment_days": ATTACH_DAYS,
    "masked_event_body": MASKED_EVENT_BODY,
}

# The last revision that this release needs; databases may be ahead of it, never behind.
REVISION: Final = "0012"

# The writer may do what the functions do, and nothing else: no payment is ever updated or deleted.
_WRITER_PRIVILEGES: Final = {
    "vocabularies": "SELECT",
    "normalized_transactions": "SELECT, INSERT",
    "dynamic_metrics": "SELECT, INSERT, DELETE",
    "window_deltas": "SELECT, INSERT, UPDATE, DELETE",
    "window_marks": "SELECT, INSERT, DELETE",
    "payment_metrics_5m": "SELECT, INSERT, UPDATE",
    "window_revisions": "SELECT, INSERT",
    "payment_metrics_5m_final": "SELECT, INSERT",
    "payment_metrics_rolled_up": "SELECT, INSERT, DELETE",
    "roll_up_marks": "SELECT, INSERT, DELETE",
    "rule_sets": "SELECT, INSERT, UPDATE",
    "rules": "SELECT, INSERT",
    "rule_outcomes": "SELECT, INSERT",
    "rule_set_activations": "SELECT, INSERT",
    "rule_metrics_5m": "SELECT, INSERT, DELETE",
    "rule_suppressions": "SELECT, INSERT",
    "rule_history": "SELECT, INSERT, UPDATE",
    "rule_marks": "SELECT, INSERT, DELETE",
    "backfills": "SELECT, INSERT, UPDATE",
    "alerts": "SELECT, INSERT, UPDATE",
    "shadow_alerts": "SELECT, INSERT, UPDATE",
    "window_clusters": "SELECT, INSERT, DELETE",
    "window_outliers": "SELECT, INSERT, DELETE",
    "look_back_blocks": "SELECT, INSERT, DELETE",
    "rejected_events": "INSERT",
    "leases": "SELECT, INSERT, UPDATE",
    "payment_windows": "SELECT",
    "payments": "SELECT",
    "payment_outcomes": "SELECT",
    "rule_matches": "SELECT",
    "rule_values": "SELECT",
    "open_alerts": "SELECT",
    "payment_hours": "SELECT",
    "payment_days": "SELECT",
    "masked_rejected_events": "SELECT",
}


# The reader has views and figures. Of tables with personal data it has these columns only: neither
# hashes, by which one person could be followed or guessed, nor refused bodies, which may hold
# anything but card numbers and e-mail addresses.
_READER_COLUMNS: Final = {
    "normalized_transactions": [
        column.name
        for column in normalized_transactions.columns
        if column.name not in {"content_hash", "customer_email_hash", "card_fingerprint"}
    ],
    "rejected_events": [column.name for column in rejected_events.columns if column.name != "body"],
}


def grants() -> list[str]:
    """Return the statements that give the writer and the reader role what they need."""
    statements = [
        f"GRANT {privileges} ON {name} TO {WRITER}"
        for name, privileges in _WRITER_PRIVILEGES.items()
    ]
    for name in _WRITER_PRIVILEGES:
        columns = _READER_COLUMNS.get(name)
        what = f"SELECT ({', '.join(columns)})" if columns else "SELECT"
        statements.append(f"GRANT {what} ON {name} TO {READER}")
    return [
        *statements,
        "REVOKE EXECUTE ON FUNCTION attach_payment_days(date, date) FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION attach_payment_days(date, date) TO {WRITER}",
        "REVOKE EXECUTE ON FUNCTION masked_event_body(text) FROM PUBLIC",
        f"GRANT EXECUTE ON FUNCTION masked_event_body(text) TO {WRITER}",
        f"GRANT EXECUTE ON FUNCTION masked_event_body(text) TO {READER}",
    ]


def create_schema(connection: Connection) -> None:
    """Build the whole schema in an empty database, without revisions: what they must equal."""
    metadata.create_all(connection)
    connection.execute(insert(vocabularies), [row._asdict() for row in vocabulary_rows()])
    for statement in [*FUNCTIONS.values(), *VIEWS.values(), *grants(), *_view_comments()]:
        connection.execute(text(statement.replace(":", r"\:")))


def _view_comments() -> list[str]:
    """Return the statements that describe views; SQLAlchemy describes tables itself."""
    return [f"COMMENT ON VIEW {name} IS '{description}'" for name, description in DESCRIBED.items()]
