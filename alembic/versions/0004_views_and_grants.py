"""Views for people, and what each role may do.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_VIEWS = (
    """
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
           coalesce(latest.final_at <= now(), false) AS is_final
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
    """,
    """
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
     AND counterparty_countries.number = payment.counterparty_country
    """,
    """
    CREATE VIEW rule_matches AS
    SELECT match.event_time,
           match.transaction_id,
           statuses.name AS payment_status,
           definition.rule_id,
           definition.metric_name,
           definition.metric_type,
           definition.category,
           severities.name AS severity,
           match.value,
           rule_sets.version AS rule_set_version
    FROM dynamic_metrics AS match
    JOIN rules AS definition
      ON definition.rule_set = match.rule_set AND definition.rule = match.rule
    JOIN rule_sets ON rule_sets.rule_set = match.rule_set
    JOIN vocabularies AS statuses
      ON statuses.vocabulary = 'payment_status' AND statuses.number = match.payment_status
    JOIN vocabularies AS severities
      ON severities.vocabulary = 'severity' AND severities.number = definition.severity
    """,
)

_GRANTS = (
    "GRANT SELECT ON vocabularies TO payments_writer",
    "GRANT SELECT, INSERT ON normalized_transactions TO payments_writer",
    "GRANT SELECT, INSERT ON dynamic_metrics TO payments_writer",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON window_deltas TO payments_writer",
    "GRANT SELECT, INSERT, DELETE ON window_marks TO payments_writer",
    "GRANT SELECT, INSERT, UPDATE ON payment_metrics_5m TO payments_writer",
    "GRANT SELECT, INSERT ON window_revisions TO payments_writer",
    "GRANT SELECT, INSERT ON payment_metrics_5m_final TO payments_writer",
    "GRANT SELECT, INSERT, UPDATE ON rule_sets TO payments_writer",
    "GRANT SELECT, INSERT ON rules TO payments_writer",
    "GRANT SELECT, INSERT ON rule_set_activations TO payments_writer",
    "GRANT SELECT, INSERT, DELETE ON rule_metrics_5m TO payments_writer",
    "GRANT SELECT ON rule_suppressions TO payments_writer",
    "GRANT SELECT, INSERT, UPDATE ON rule_history TO payments_writer",
    "GRANT SELECT, INSERT, UPDATE ON alerts TO payments_writer",
    "GRANT SELECT, INSERT, DELETE ON window_clusters TO payments_writer",
    "GRANT SELECT, INSERT ON rejected_events TO payments_writer",
    "GRANT SELECT, INSERT, UPDATE ON leases TO payments_writer",
    "GRANT SELECT ON payment_windows TO payments_writer",
    "GRANT SELECT ON payments TO payments_writer",
    "GRANT SELECT ON rule_matches TO payments_writer",
    "GRANT SELECT ON vocabularies TO payments_reader",
    "GRANT SELECT ON normalized_transactions TO payments_reader",
    "GRANT SELECT ON dynamic_metrics TO payments_reader",
    "GRANT SELECT ON window_deltas TO payments_reader",
    "GRANT SELECT ON window_marks TO payments_reader",
    "GRANT SELECT ON payment_metrics_5m TO payments_reader",
    "GRANT SELECT ON window_revisions TO payments_reader",
    "GRANT SELECT ON payment_metrics_5m_final TO payments_reader",
    "GRANT SELECT ON rule_sets TO payments_reader",
    "GRANT SELECT ON rules TO payments_reader",
    "GRANT SELECT ON rule_set_activations TO payments_reader",
    "GRANT SELECT ON rule_metrics_5m TO payments_reader",
    "GRANT SELECT ON rule_suppressions TO payments_reader",
    "GRANT SELECT ON rule_history TO payments_reader",
    "GRANT SELECT ON alerts TO payments_reader",
    "GRANT SELECT ON window_clusters TO payments_reader",
    "GRANT SELECT ON rejected_events TO payments_reader",
    "GRANT SELECT ON leases TO payments_reader",
    "GRANT SELECT ON payment_windows TO payments_reader",
    "GRANT SELECT ON payments TO payments_reader",
    "GRANT SELECT ON rule_matches TO payments_reader",
    "REVOKE EXECUTE ON FUNCTION attach_payment_days(date, date) FROM PUBLIC",
    "GRANT EXECUTE ON FUNCTION attach_payment_days(date, date) TO payments_writer",
)


def upgrade() -> None:
    for statement in (*_VIEWS, *_GRANTS):
        op.execute(statement)


def downgrade() -> None:
    roles = "payments_writer, payments_reader"
    op.execute(f"REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {roles}")
    op.execute("REVOKE ALL ON FUNCTION attach_payment_days(date, date) FROM payments_writer")
    op.execute("GRANT EXECUTE ON FUNCTION attach_payment_days(date, date) TO PUBLIC")
    op.execute("DROP VIEW rule_matches")
    op.execute("DROP VIEW payments")
    op.execute("DROP VIEW payment_windows")
