"""Payments as rows for COPY into ``normalized_transactions``."""

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import chain, repeat
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from shared_code.domain.windows import EPOCH
from shared_code.rules.columns import ABSENT, Columns
from shared_code.store import copy_fields as fields

# Columns that every payment has, and how many bytes each takes.
_WIDTHS: Final = {
    "event_time": 8,
    "payment_status": 2,
    "payment_method": 2,
    "currency": 2,
    "quality_flags": 4,
}
_CODES: Final = (
    "channel",
    "device_type",
    "customer_country",
    "merchant_country",
    "merchant_mcc",
    "counterparty_country",
)
# Texts of which a batch holds many different ones, and those that repeat from payment to payment.
_VARIED: Final = (
    "customer_id",
    "merchant_id",
    "card_last4",
    "card_fingerprint",
    "counterparty_id",
    "original_transaction_id",
)
_REPEATED: Final = (
    "customer_email_domain",
    "merchant_name",
    "merchant_category",
    "card_brand",
    "card_bin",
)
_PAYMENT_COLUMNS: Final = (
    *_WIDTHS,
    "amount",
    "rule_set",
    "enqueued_at",
    "transaction_id",
    "content_hash",
    "customer_email_hash",
    *_CODES,
    *_VARIED,
    *_REPEATED,
    "metadata",
)
COPY_PAYMENTS: Final = (
    f"COPY normalized_transactions ({', '.join(_PAYMENT_COLUMNS)}) FROM STDIN (FORMAT binary)"
)
_ROW: Final = np.dtype(
    [
        ("columns", ">i2"),
        *(
            part
            for name, width in _WIDTHS.items()
            for part in ((f"{name} width", ">i4"), (name, f">i{width}"))
        ),
    ]
)
_MICROSECOND: Final = timedelta(microseconds=1)


class _Fields(dict[Any, bytes]):
    """Fields by value, each made once."""

    def __init__(self, make: Callable[[Any], bytes]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, value: Any) -> bytes:
        field = self[value] = self._make(value)
        return field


def _code(number: int) -> bytes:
    return fields.NULL if number == ABSENT else fields.small_integer(number)


def _text(value: str | None) -> bytes:
    return fields.texts((value,))[0]


def payment_rows(
    columns: Columns,
    *,
    content_hashes: Iterable[bytes],
    metadata: Iterable[str | None],
    rule_set: int,
    enqueued_at: datetime | None,
) -> bytes:
    """Return payments as input of ``COPY_PAYMENTS``.

    Args:
        columns: of the payments.
        content_hashes: one for each payment, 16 bytes.
        metadata: JSON text of each payment; None where it has none.
        rule_set: by which they were judged.
        enqueued_at: aware; None if unknown.
    """
    batch = fields.integer(rule_set) + (
        fields.NULL if enqueued_at is None else fields.time((enqueued_at - EPOCH) // _MICROSECOND)
    )
    codes = _Fields(_code)
    parts: list[Iterable[bytes]] = [
        fields.pieces(_fixed(columns)),
        columns.once(fields.amounts),
        repeat(batch, columns.size),
        columns.once(fields.transaction_ids),
        fields.hashes(content_hashes),
        fields.hashes(columns.values("customer_email_hash")),
        *(map(codes.__getitem__, columns.codes(name).tolist()) for name in _CODES),
        *(fields.texts(columns.values(name)) for name in _VARIED),
        *(map(_Fields(_text).__getitem__, columns.values(name)) for name in _REPEATED),
        fields.json_texts(metadata),
    ]
    rows = chain.from_iterable(zip(*parts, strict=True))
    return b"".join([fields.HEADER, *rows, fields.TRAILER])


def _fixed(columns: Columns) -> NDArray[np.void]:
    """Return the head of each row: how many fields it has, and those that all payments have."""
    rows = np.empty(columns.size, dtype=_ROW)
    rows["columns"] = len(_PAYMENT_COLUMNS)
    for name, width in _WIDTHS.items():
        rows[f"{name} width"] = width
        rows[name] = fields.event_times(columns) if name == "event_time" else columns.codes(name)
    return rows
