r"""Rows as text for COPY: tab-separated, NULL as the empty string, backslash escapes.

Format: PostgreSQL manual, COPY, "Text Format". No stored text is ever empty, so that the empty
string is free to mean NULL, and most fields can be joined as they are.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from shared_code.domain.normalised_payment import AcceptedPayment
from shared_code.rules.columns import Columns
from shared_code.rules.findings import Matches

_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})

PAYMENT_COLUMNS: Final = (
    "ordinal",
    "event_time",
    "payment_status",
    "payment_method",
    "currency",
    "channel",
    "device_type",
    "customer_country",
    "merchant_country",
    "merchant_mcc",
    "counterparty_country",
    "quality_flags",
    "amount",
    "customer_email_hash",
    "content_hash",
    "transaction_id",
    "customer_id",
    "customer_email_domain",
    "merchant_id",
    "merchant_name",
    "merchant_category",
    "card_brand",
    "card_bin",
    "card_last4",
    "card_fingerprint",
    "counterparty_id",
    "original_transaction_id",
    "metadata",
)
MATCH_COLUMNS: Final = ("ordinal", "rule", "outcome", "value", "rate")
METRIC_COLUMNS: Final = (
    "event_time",
    "transaction_id",
    "payment_status",
    "rule_set",
    "rule",
    "outcome",
    "value",
    "rate",
)


def payment_rows(payments: Iterable[AcceptedPayment]) -> str:
    """Return one line per payment, in the order of ``PAYMENT_COLUMNS``."""
    return "".join([_payment_row(ordinal, accepted) for ordinal, accepted in enumerate(payments)])


def match_rows(matches: Iterable[Matches]) -> str:
    """Return one line per match, in the order of ``MATCH_COLUMNS``."""
    return "".join([line for match in matches for line in _match_rows(match)])


def metric_rows(columns: Columns, matches: Iterable[Matches], rule_set: int) -> str:
    """Return one line per match of stored payments, in the order of ``METRIC_COLUMNS``."""
    keys = [
        f"{event_time.isoformat()}\t{transaction_id.translate(_ESCAPES)}\t{status}\t{rule_set}\t"
        for event_time, transaction_id, status in zip(
            columns.values("event_time"),
            columns.values("transaction_id"),
            columns.values("payment_status"),
            strict=True,
        )
    ]
    return "".join(
        [
            f"{keys[int(row)]}{rest}"
            for match in matches
            for row, _, rest in (line.partition("\t") for line in _match_rows(match))
        ]
    )


def _match_rows(match: Matches) -> Iterator[str]:
    rule, rows, values, outcome, rates = match
    middle = f"\t{rule}\t{outcome}\t"
    if rates is None:
        for row, value in zip(rows, values, strict=True):
            yield f"{row}{middle}{'' if value is None else value}\t\n"
        return
    for row, value, rate in zip(rows, values, rates, strict=True):
        yield (f"{row}{middle}{'' if value is None else value}\t{'' if rate is None else rate}\n")


def _payment_row(ordinal: int, accepted: AcceptedPayment) -> str:
    payment, metadata, quality_flags, content_hash = accepted
    texts = (
        payment.transaction_id,
        payment.customer_id or "",
        payment.customer_email_domain or "",
        payment.merchant_id or "",
        payment.merchant_name or "",
        payment.merchant_category or "",
        payment.card_brand or "",
        payment.card_bin or "",
        payment.card_last4 or "",
        payment.card_fingerprint or "",
        payment.counterparty_id or "",
        payment.original_transaction_id or "",
        metadata or "",
    )
    email_hash = payment.customer_email_hash
    return (
        f"{ordinal}\t{payment.event_time.isoformat()}\t{payment.payment_status}"
        f"\t{payment.payment_method}\t{payment.currency}\t{payment.channel or ''}"
        f"\t{payment.device_type or ''}\t{payment.customer_country or ''}"
        f"\t{payment.merchant_country or ''}\t{payment.merchant_mcc or ''}"
        f"\t{payment.counterparty_country or ''}\t{quality_flags}\t{payment.amount}"
        f"\t{'' if email_hash is None else f'\\\\x{email_hash.hex()}'}"
        f"\t\\\\x{content_hash.hex()}\t{_joined(texts)}\n"
    )


def _joined(texts: Sequence[str]) -> str:
    r"""Return texts tab-separated, escaped only where one of them needs it."""
    joined = "\t".join(texts)
    if "\\" in joined or "\n" in joined or "\r" in joined or joined.count("\t") != len(texts) - 1:
        return "\t".join([text.translate(_ESCAPES) for text in texts])
    return joined
