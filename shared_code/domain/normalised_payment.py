"""A payment in the form in which it is judged and stored: codes, exact money, no personal data."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec

HASH_BYTES: Final = 16


class Identity(NamedTuple):
    """What makes a payment event itself, and its redelivery the same event."""

    event_time: datetime
    transaction_id: str
    payment_status: int


class NormalisedPayment(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One valid payment event.

    Vocabularies are their stored numbers, currency and countries their ISO numeric codes, the
    amount has its currency's scale. Field names and order are part of ``content_hash``: a new
    field is optional, so that payments without it keep their hash.
    """

    event_time: datetime
    transaction_id: str
    payment_status: int
    payment_method: int
    currency: int
    amount: Decimal
    channel: int | None = None
    device_type: int | None = None
    customer_id: str | None = None
    customer_country: int | None = None
    customer_email_hash: bytes | None = None
    customer_email_domain: str | None = None
    merchant_id: str | None = None
    merchant_name: str | None = None
    merchant_category: str | None = None
    merchant_mcc: int | None = None
    merchant_country: int | None = None
    card_brand: str | None = None
    card_bin: str | None = None
    card_last4: str | None = None
    card_fingerprint: str | None = None
    counterparty_id: str | None = None
    counterparty_country: int | None = None
    original_transaction_id: str | None = None

    @property
    def identity(self) -> Identity:
        """The key under which the event is stored once."""
        return Identity(self.event_time, self.transaction_id, self.payment_status)


class AcceptedPayment(msgspec.Struct, frozen=True, gc=False):
    """A payment with what is stored beside it but is not judged by field."""

    payment: NormalisedPayment
    metadata: str | None
    quality_flags: int
    content_hash: bytes


_ENCODER: Final = msgspec.msgpack.Encoder()
# A copy costs less than a hash made anew.
_EMPTY_HASH: Final = hashlib.blake2b(digest_size=HASH_BYTES)


def content_hash(payment: NormalisedPayment, canonical_metadata: bytes) -> bytes:
    """Return 16 bytes that are equal for equal content.

    BLAKE2b over the payment's fields by name; metadata count in a canonical form, so that another
    order of its keys is no other content. Quality flags do not count: some depend on the clock.
    """
    return content_hashes((payment,), (canonical_metadata,))[0]


def content_hashes(
    payments: Iterable[NormalisedPayment], canonical_metadata: Iterable[bytes]
) -> list[bytes]:
    """Return what ``content_hash`` does of each payment."""
    encode, empty = _ENCODER.encode, _EMPTY_HASH.copy
    hashes = []
    for payment, canonical in zip(payments, canonical_metadata, strict=True):
        content = empty()
        content.update(encode(payment) + canonical)
        hashes.append(content.digest())
    return hashes
