"""Hours and days rolled up from five-minute windows.

Revision ID: 0006
Revises: 0005
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TABLES = (
    """
    CREATE TABLE payment_metrics_rolled_up (
        period_length TEXT NOT NULL,
        period_start TIMESTAMP WITH TIME ZONE NOT NULL,
        payment_method SMALLINT NOT NULL,
        currency SMALLINT NOT NULL,
        payment_status SMALLINT NOT NULL,
        payment_count BIGINT NOT NULL,
        amount_sum NUMERIC NOT NULL,
        amount_min NUMERIC NOT NULL,
        amount_max NUMERIC NOT NULL,
        amount_avg NUMERIC NOT NULL,
        amount_p50 NUMERIC,
        amount_p95 NUMERIC,
        amount_p99 NUMERIC,
        distinct_customers BIGINT,
        distinct_merchants BIGINT,
        windows_closed INTEGER NOT NULL,
        final_at TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_payment_metrics_rolled_up
            PRIMARY KEY (period_length, period_start, payment_method, currency, payment_status),
        CONSTRAINT ck_payment_metrics_rolled_up_period_length_known
            CHECK (period_length IN ('1h', '1d')),
        CONSTRAINT ck_payment_metrics_rolled_up_period_start_aligned
            CHECK (period_start = date_bin(CASE period_length WHEN '1h' THEN interval '1 hour'
            ELSE interval '24 hours' END, period_start, TIMESTAMPTZ 'epoch')),
        CONSTRAINT ck_payment_metrics_rolled_up_payment_count_positive CHECK (payment_count > 0),
        CONSTRAINT ck_payment_metrics_rolled_up_amounts_ordered CHECK (amount_min >= 0
            AND amount_min <= amount_max AND amount_max <= amount_sum),
        CONSTRAINT ck_payment_metrics_rolled_up_percentiles_ordered
            CHECK (amount_p50 <= amount_p95 AND amount_p95 <= amount_p99),
        CONSTRAINT ck_payment_metrics_rolled_up_measured_together
            CHECK (num_nulls(amount_p50, amount_p95, amount_p99, distinct_customers,
            distinct_merchants) IN (0, 5)),
        CONSTRAINT ck_payment_metrics_rolled_up_windows_closed_positive
            CHECK (windows_closed > 0),
        CONSTRAINT ck_payment_metrics_rolled_up_final_after_start CHECK (final_at > period_start)
    )
    """,
    """
    CREATE TABLE roll_up_marks (
        mark_id BIGINT GENERATED ALWAYS AS IDENTITY,
        period_length TEXT NOT NULL,
        period_start TIMESTAMP WITH TIME ZONE NOT NULL,
        CONSTRAINT pk_roll_up_marks PRIMARY KEY (period_length, period_start, mark_id),
        CONSTRAINT ck_roll_up_marks_period_length_known CHECK (period_length IN ('1h', '1d')),
        CONSTRAINT ck_roll_up_marks_period_start_aligned
            CHECK (period_start = date_bin(CASE period_length WHEN '1h' THEN interval '1 hour'
            ELSE interval '24 hours' END, period_start, TIMESTAMPTZ 'epoch'))
    )
    """,
)

_VIEW = """
    CREATE VIEW {view} AS
    WITH counted AS (
        SELECT date_bin('{hours} hours', window_start, TIMESTAMPTZ 'epoch') AS period_start,
               payment_method, currency, payment_status,
               payment_count, amount_sum, amount_min, amount_max
        FROM payment_metrics_5m
        UNION ALL
        SELECT date_bin('{hours} hours', window_start, TIMESTAMPTZ 'epoch') AS period_start,
               payment_method, currency, payment_status,
               payment_count, amount_sum, amount_min, amount_max
        FROM window_deltas
    ), streamed AS (
        SELECT period_start, payment_method, currency, payment_status,
               sum(payment_count)::bigint AS payment_count, sum(amount_sum) AS amount_sum,
               min(amount_min) AS amount_min, max(amount_max) AS amount_max
        FROM counted
        GROUP BY period_start, payment_method, currency, payment_status
    )
    SELECT streamed.period_start,
           streamed.period_start + interval '{hours} hours' AS period_end,
           methods.name AS payment_method,
           currencies.name AS currency,
           statuses.name AS payment_status,
           streamed.payment_count,
           streamed.amount_sum,
           streamed.amount_min,
           streamed.amount_max,
           streamed.amount_sum / streamed.payment_count AS amount_avg,
           rolled_up.amount_p50,
           rolled_up.amount_p95,
           rolled_up.amount_p99,
           rolled_up.distinct_customers,
           rolled_up.distinct_merchants,
           coalesce(rolled_up.final_at <= now(), false)
           AND NOT EXISTS (
               SELECT FROM window_marks
               WHERE window_marks.window_start >= streamed.period_start
                 AND window_marks.window_start < streamed.period_start + interval '{hours} hours'
           )
           AND NOT EXISTS (
               SELECT FROM roll_up_marks
               WHERE roll_up_marks.period_length = '{length}'
                 AND roll_up_marks.period_start = streamed.period_start
           ) AS is_final
    FROM streamed
    JOIN vocabularies AS methods
      ON methods.vocabulary = 'payment_method' AND methods.number = streamed.payment_method
    JOIN vocabularies AS currencies
      ON currencies.vocabulary = 'currency' AND currencies.number = streamed.currency
    JOIN vocabularies AS statuses
      ON statuses.vocabulary = 'payment_status' AND statuses.number = streamed.payment_status
    LEFT JOIN payment_metrics_rolled_up AS rolled_up
      ON rolled_up.period_length = '{length}'
     AND rolled_up.period_start = streamed.period_start
     AND rolled_up.payment_method = streamed.payment_method
     AND rolled_up.currency = streamed.currency
     AND rolled_up.payment_status = streamed.payment_status
"""
_VIEWS = (
    _VIEW.format(view="payment_hours", length="1h", hours=1),
    _VIEW.format(view="payment_days", length="1d", hours=24),
)

# Windows that were closed before this revision are rolled up, too, as soon as the timer comes by.
_FIRST_MARKS = """
    INSERT INTO roll_up_marks (period_length, period_start)
    SELECT DISTINCT '1h', date_bin('1 hour', window_start, TIMESTAMPTZ 'epoch')
    FROM window_revisions
    UNION ALL
    SELECT DISTINCT '1d', date_bin('24 hours', window_start, TIMESTAMPTZ 'epoch')
    FROM window_revisions
"""

_GRANTS = (
    "GRANT SELECT, INSERT, DELETE ON payment_metrics_rolled_up TO payments_writer",
    "GRANT SELECT, INSERT, DELETE ON roll_up_marks TO payments_writer",
    "GRANT SELECT ON payment_hours TO payments_writer",
    "GRANT SELECT ON payment_days TO payments_writer",
    "GRANT SELECT ON payment_metrics_rolled_up TO payments_reader",
    "GRANT SELECT ON roll_up_marks TO payments_reader",
    "GRANT SELECT ON payment_hours TO payments_reader",
    "GRANT SELECT ON payment_days TO payments_reader",
)


def upgrade() -> None:
    for statement in (*_TABLES, *_VIEWS, _FIRST_MARKS, *_GRANTS):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP VIEW payment_days")
    op.execute("DROP VIEW payment_hours")
    op.execute("DROP TABLE roll_up_marks")
    op.execute("DROP TABLE payment_metrics_rolled_up")
