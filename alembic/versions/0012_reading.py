"""Show refused events without what their bodies hold, and tell readers the schema's revision.

Revision ID: 0012
Revises: 0011
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_MASKED_EVENT_BODY = """
CREATE FUNCTION masked_event_body(body text) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    PERFORM body::json;
    RETURN (
        SELECT string_agg(
            CASE WHEN part[1] IS NULL THEN regexp_replace(part[2], '[0-9]', '9', 'g')
                 WHEN part[1] ~ ':$' THEN regexp_replace(part[1], '[0-9]', '9', 'g')
                 ELSE '"…"' END,
            '' ORDER BY place)
        FROM regexp_matches(body, '("(?:[^"\\\\]|\\\\.)*"(?:[ \\t\\r\\n]*:)?)|([^"]+)', 'g')
             WITH ORDINALITY AS found (part, place)
    );
EXCEPTION
    WHEN data_exception OR program_limit_exceeded THEN
        RETURN regexp_replace(body COLLATE "C", '[^] \\t\\r\\n!-/:-@[^_`{-~-]', 'x', 'g');
END
$$
"""
_MASKED_REJECTED_EVENTS = """
CREATE VIEW masked_rejected_events AS
SELECT rejected.ctid AS row_place,
       rejected.rejected_at,
       rejected.reason,
       CASE
           WHEN concat(rejected.reason, ': ', rejected.detail) ~ concat(
               '^(unknown_[a-z_]+: ''[A-Za-z_]{1,16}'' is n(o ISO 4217 currency|one of [a-z_, ]+)',
               '|invalid_text: ([A-Za-z_]{1,16} holds NUL or half of a surrogate pair',
               '|the event is no valid UTF-8|metadata are no valid UTF-8)',
               '|(invalid_amount|invalid_event_time|not_an_object): expected [^,]+, found ',
               '(["'']?[A-Za-z_]{1,16}["'']?|[0-9]{1,9} bytes of text))$'
           ) THEN rejected.detail
           WHEN rejected.reason IN (
               'unknown_currency', 'unknown_payment_method', 'unknown_payment_status'
           ) THEN concat('…', substring(rejected.detail FROM '^.*( is n.*)$'))
           WHEN rejected.reason = 'invalid_text'
               THEN concat('…', substring(rejected.detail FROM '^.*( holds NUL.*)$'))
           WHEN rejected.detail LIKE 'expected %'
               THEN regexp_replace(rejected.detail, ', found .*', ', found …')
           ELSE regexp_replace(rejected.detail, '["''].*["'']', '…')
       END AS detail,
       rejected.eventhub_namespace,
       rejected.event_hub,
       rejected.partition_id,
       rejected.sequence_number,
       rejected.event_index,
       masked_event_body(rejected.body) AS masked_body
FROM rejected_events AS rejected
"""
_PAYMENT_WINDOWS = """
CREATE OR REPLACE VIEW payment_windows AS
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
       {is_final} AS is_final
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
 AND closed.revision = latest.revision
"""
_FINAL_AT_HAS_PASSED = "coalesce(latest.final_at <= now(), false)"
_FINAL_AND_NOTHING_WAITS = """coalesce(latest.final_at <= now(), false) AND NOT EXISTS (
           SELECT FROM window_marks WHERE window_marks.window_start = streamed.window_start
       )"""
_UP = (
    _PAYMENT_WINDOWS.format(is_final=_FINAL_AND_NOTHING_WAITS),
    _MASKED_EVENT_BODY,
    _MASKED_REJECTED_EVENTS,
    """
    COMMENT ON VIEW masked_rejected_events
        IS 'What was refused and why; of bodies only the shape is shown.'
    """,
    "REVOKE EXECUTE ON FUNCTION masked_event_body(text) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION masked_event_body(text) TO payments_writer",
    "GRANT EXECUTE ON FUNCTION masked_event_body(text) TO payments_reader",
    "GRANT SELECT ON masked_rejected_events TO payments_writer",
    "GRANT SELECT ON masked_rejected_events TO payments_reader",
    "GRANT SELECT ON alembic_version TO payments_writer",
    "GRANT SELECT ON alembic_version TO payments_reader",
)
_DOWN = (
    "REVOKE SELECT ON alembic_version FROM payments_reader",
    "REVOKE SELECT ON alembic_version FROM payments_writer",
    "DROP VIEW masked_rejected_events",
    "DROP FUNCTION masked_event_body(text)",
    _PAYMENT_WINDOWS.format(is_final=_FINAL_AT_HAS_PASSED),
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
