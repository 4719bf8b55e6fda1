"""The limit: COPY of the same payments and metrics into plain tables, and nothing else.

Tables and rows are frozen here (text vocabularies, primary keys, logged), so that a slower schema
of the product cannot flatter its ratio.
"""

import io
from collections.abc import Iterable, Sequence
from typing import Any, Final

from shared_code.domain.countries import COUNTRY_BY_NUMBER
from shared_code.domain.currencies import CURRENCY_BY_NUMBER
from shared_code.domain.normalised_payment import AcceptedPayment
from shared_code.domain.vocabularies import Channel, DeviceType, PaymentMethod, PaymentStatus
from shared_code.rules.findings import Matches

CREATE: Final = """
    DROP TABLE IF EXISTS reference_payments, reference_metrics;
    CREATE TABLE reference_payments (
        transaction_id text NOT NULL, payment_status text NOT NULL, event_time timestamptz NOT NULL,
        amount numeric(19, 4) NOT NULL, currency text NOT NULL, payment_method text NOT NULL,
        channel text, device_type text, customer_id text, customer_email_hash text,
        customer_country text, merchant_id text, merchant_name text, merchant_category text,
        merchant_mcc text, merchant_country text, card_brand text, card_bin text, card_last4 text,
        metadata jsonb, content_hash text NOT NULL,
        PRIMARY KEY (event_time, transaction_id, payment_status)
    );
    CREATE TABLE reference_metrics (
        event_time timestamptz NOT NULL, transaction_id text NOT NULL, payment_status text NOT NULL,
        rule text NOT NULL, metric_name text NOT NULL, metric_type text NOT NULL,
        value numeric, rule_set text NOT NULL,
        PRIMARY KEY (event_time, transaction_id, payment_status, rule)
    )
"""


def payment_rows(payments: Sequence[AcceptedPayment]) -> str:
    """Return the payments as COPY text for ``reference_payments``."""
    lines = []
    for accepted in payments:
        payment = accepted.payment
        email = payment.customer_email_hash
        fields = (
            payment.transaction_id,
            PaymentStatus(payment.payment_status).name,
            payment.event_time.isoformat(),
            str(payment.amount),
            CURRENCY_BY_NUMBER[payment.currency].code,
            PaymentMethod(payment.payment_method).name,
            Channel(payment.channel).name if payment.channel else "",
            DeviceType(payment.device_type).name if payment.device_type else "",
            payment.customer_id or "",
            email.hex() if email else "",
            COUNTRY_BY_NUMBER[payment.customer_country] if payment.customer_country else "",
            payment.merchant_id or "",
            payment.merchant_name or "",
            payment.merchant_category or "",
            f"{payment.merchant_mcc:04}" if payment.merchant_mcc else "",
            COUNTRY_BY_NUMBER[payment.merchant_country] if payment.merchant_country else "",
            payment.card_brand or "",
            payment.card_bin or "",
            payment.card_last4 or "",
            accepted.metadata or "",
            accepted.content_hash.hex(),
        )
        lines.append("\t".join(fields) + "\n")
    return "".join(lines)


def metric_rows(
    payments: Sequence[AcceptedPayment], matches: Iterable[Matches], names: Sequence[str]
) -> str:
    """Return the matches as COPY text for ``reference_metrics``."""
    return "".join(
        f"{payments[row].payment.event_time.isoformat()}\t{payments[row].payment.transaction_id}"
        f"\t{PaymentStatus(payments[row].payment.payment_status).name}"
        f"\t{names[rule]}\t{names[rule]}\tamount\t{value}\t1.0.0\n"
        for rule, rows, values, *_ in matches
        for row, value in zip(rows, values, strict=True)
    )


def copy(connection: Any, payments: str, metrics: str) -> None:
    """Copy one batch of ready rows and commit."""
    with connection.cursor() as cursor:
        cursor.copy_expert("COPY reference_payments FROM STDIN (NULL '')", io.StringIO(payments))
        cursor.copy_expert("COPY reference_metrics FROM STDIN (NULL '')", io.StringIO(metrics))
    connection.commit()
