"""The views of hours and days, as SQL."""

from typing import Final

# Counts and sums are those of this moment, unfolded deltas included; percentiles and distinct
# counts, which cannot be added up, are those of the last roll-up. A period is final only while
# nothing waits to be closed or rolled up, so that all figures of a final row are of the same
# payments. Hours are added, never days: a day of the session's time zone may have 23 of them.
_PERIODS: Final = """\
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
 AND rolled_up.payment_status = streamed.payment_status"""

PAYMENT_HOURS: Final = _PERIODS.format(view="payment_hours", length="1h", hours=1)
PAYMENT_DAYS: Final = _PERIODS.format(view="payment_days", length="1d", hours=24)
