"""Take from the writer and the reader what they do not need.

Revision ID: 0009
Revises: 0008
"""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_UP = (
    "REVOKE SELECT ON rejected_events FROM payments_writer",
    "REVOKE SELECT ON rejected_events, normalized_transactions FROM payments_reader",
    """
    GRANT SELECT (
        eventhub_namespace, event_hub, partition_id, sequence_number, event_index, body_hash,
        reason, detail, rejected_at
    ) ON rejected_events TO payments_reader
    """,
    """
    GRANT SELECT (
        event_time, transaction_id, payment_status, payment_method, currency, channel, device_type,
        customer_country, merchant_country, merchant_mcc, counterparty_country, quality_flags,
        rule_set, enqueued_at, stored_at, amount, customer_id, customer_email_domain, merchant_id,
        merchant_name, merchant_category, card_brand, card_bin, card_last4, counterparty_id,
        original_transaction_id, metadata
    ) ON normalized_transactions TO payments_reader
    """,
)
_DOWN = (
    # What is revoked from a table is revoked from its columns, too.
    "REVOKE SELECT ON rejected_events, normalized_transactions FROM payments_reader",
    "GRANT SELECT ON rejected_events, normalized_transactions TO payments_reader",
    "GRANT SELECT ON rejected_events TO payments_writer",
)


def upgrade() -> None:
    for statement in _UP:
        op.execute(statement)


def downgrade() -> None:
    for statement in _DOWN:
        op.execute(statement)
