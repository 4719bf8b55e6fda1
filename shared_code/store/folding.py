"""Folds appended deltas into the streamed counters of ``payment_metrics_5m``."""

from typing import Final

from sqlalchemy import text

from shared_code.store.database import Database

# Held for one transaction only: whoever does not get it leaves the deltas to the one who did.
_TRY_LOCK: Final = text("SELECT pg_try_advisory_xact_lock(hashtext('fold_window_deltas'))")
# One statement moves deltas from where they wait to where they count, so that a crash loses none
# and counts none twice. Counters are locked in the order of their key.
_FOLD: Final = text("""
    WITH moved AS (
        DELETE FROM window_deltas
        WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM window_deltas ORDER BY delta_id LIMIT :most
            FOR UPDATE SKIP LOCKED
        ))
        RETURNING window_start, payment_method, currency, payment_status,
                  payment_count, amount_sum, amount_min, amount_max
    ), folded AS (
        INSERT INTO payment_metrics_5m AS counter
            (window_start, payment_method, currency, payment_status,
             payment_count, amount_sum, amount_min, amount_max)
        SELECT window_start, payment_method, currency, payment_status,
               sum(payment_count), sum(amount_sum), min(amount_min), max(amount_max)
        FROM moved
        GROUP BY window_start, payment_method, currency, payment_status
        ORDER BY window_start, payment_method, currency, payment_status
        ON CONFLICT (window_start, payment_method, currency, payment_status) DO UPDATE SET
            payment_count = counter.payment_count + excluded.payment_count,
            amount_sum = counter.amount_sum + excluded.amount_sum,
            amount_min = least(counter.amount_min, excluded.amount_min),
            amount_max = greatest(counter.amount_max, excluded.amount_max)
    )
    SELECT count(*) FROM moved
""")
_AT_ONCE: Final = 20_000


def fold_deltas(database: Database) -> int:
    """Fold what waits, unless another instance is at it; return how many deltas were folded.

    Raises:
        StoreUnavailable: the database failed; the deltas wait for the next fold.
    """
    total = 0
    while True:
        with database.transaction() as connection:
            if not connection.execute(_TRY_LOCK).scalar_one():
                return total
            folded = int(connection.execute(_FOLD, {"most": _AT_ONCE}).scalar_one())
        total += folded
        if folded < _AT_ONCE:
            return total
