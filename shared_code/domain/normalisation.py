"""Turns a decoded payment event into a normalised payment, or says why it is refused."""

import re
from datetime import datetime
from typing import Any, Final

import msgspec

from shared_code.domain.countries import COUNTRIES
from shared_code.domain.currencies import CURRENCIES
from shared_code.domain.event_time import parse_event_time
from shared_code.domain.horizon import Horizon
from shared_code.domain.json_structure import nesting_depth
from shared_code.domain.money import parse_amount
from shared_code.domain.normalised_payment import (
    AcceptedPayment,
    NormalisedPayment,
    content_hash,
)
from shared_code.domain.payment_event import (
    MAX_METADATA_BYTES,
    MAX_METADATA_DEPTH,
    Card,
    Counterparty,
    Customer,
    Merchant,
    PaymentEvent,
)
from shared_code.domain.pseudonyms import Pseudonymiser
from shared_code.domain.refusal import EventRefused
from shared_code.domain.vocabularies import (
    CARD_METHODS,
    Channel,
    DeviceType,
    PaymentMethod,
    PaymentStatus,
    QualityFlag,
    RejectReason,
)

_METHODS: Final = {member.name: int(member) for member in PaymentMethod}
_STATUSES: Final = {member.name: int(member) for member in PaymentStatus}
_CHANNELS: Final = {member.name: int(member) for member in Channel}
_DEVICE_TYPES: Final = {member.name: int(member) for member in DeviceType}
_FLAG: Final = {member.name: int(member) for member in QualityFlag}
_CARD_METHODS: Final = frozenset(int(method) for method in CARD_METHODS)
_REFUNDED: Final = int(PaymentStatus.refunded)

# Deliberately loose: an address is flagged only when it cannot be one.
_EMAIL: Final = re.compile(r"[^@\s]+@([^@\s.]+(?:\.[^@\s.]+)+)")
_BIN: Final = re.compile(r"[0-9]{6,8}")
_FOUR_DIGITS: Final = {f"{number:04}": number for number in range(10_000)}

_METADATA: Final = msgspec.json.Decoder()
_CANONICAL: Final = msgspec.json.Encoder(order="deterministic")

_NO_CUSTOMER: Final = Customer()
_NO_MERCHANT: Final = Merchant()
_NO_CARD: Final = Card()
_NO_COUNTERPARTY: Final = Counterparty()


def normalise(
    event: PaymentEvent,
    *,
    pseudonymiser: Pseudonymiser,
    horizon: Horizon,
    card_number: str | None = None,
) -> AcceptedPayment:
    """Return the payment that ``event`` describes.

    Args:
        event: decoded and free of full card numbers.
        pseudonymiser: replaces the e-mail address and the card number.
        horizon: the event times that are accepted.
        card_number: the first full card number that was masked in the event, digits only.

    Raises:
        EventRefused: a required field is unknown, malformed or outside the horizon.
    """
    currency = CURRENCIES.get(event.currency)
    if currency is None:
        detail = f"{event.currency!r} is no ISO 4217 currency"
        raise EventRefused(RejectReason.unknown_currency, detail)
    method = _METHODS.get(event.payment_method)
    if method is None:
        detail = f"{event.payment_method!r} is none of {', '.join(_METHODS)}"
        raise EventRefused(RejectReason.unknown_payment_method, detail)
    status = _STATUSES.get(event.payment_status)
    if status is None:
        detail = f"{event.payment_status!r} is none of {', '.join(_STATUSES)}"
        raise EventRefused(RejectReason.unknown_payment_status, detail)
    amount = parse_amount(bytes(event.amount), currency)
    event_time = _event_time(event.event_time, horizon)
    metadata, canonical_metadata = _metadata(event.metadata)

    customer = event.customer or _NO_CUSTOMER
    merchant = event.merchant or _NO_MERCHANT
    counterparty = event.counterparty or _NO_COUNTERPARTY
    flags = 0 if amount else _FLAG["zero_amount"]
    if event_time > horizon.now:
        flags |= _FLAG["future_event_time"]
    if status == _REFUNDED and not event.original_transaction_id:
        flags |= _FLAG["original_transaction_missing"]
    channel = _CHANNELS.get(event.channel or "")
    if channel is None and event.channel:
        flags |= _FLAG["channel_unknown"]
    device_type = _DEVICE_TYPES.get(event.device_type or "")
    if device_type is None and event.device_type:
        flags |= _FLAG["device_type_unknown"]
    mcc = _FOUR_DIGITS.get(merchant.mcc or "")
    if mcc is None and merchant.mcc:
        flags |= _FLAG["merchant_mcc_invalid"]
    customer_country, merchant_country, counterparty_country, country_flags = _countries(
        customer.country, merchant.country, counterparty.country
    )
    email_hash, email_domain, customer_flags = _customer(customer, pseudonymiser)
    card, card_flags = _card(event.card or _NO_CARD, method, card_number, pseudonymiser)

    # By position, in the order of the fields: naming them makes this the dearest line of all.
    payment = NormalisedPayment(
        event_time,
        event.transaction_id,
        status,
        method,
        currency.number,
        amount,
        channel,
        device_type,
        customer.id or None,
        customer_country,
        email_hash,
        email_domain,
        merchant.id or None,
        merchant.name or None,
        merchant.category or None,
        mcc,
        merchant_country,
        card.brand or None,
        card.bin or None,
        card.last4 or None,
        card.fingerprint or None,
        counterparty.id or None,
        counterparty_country,
        event.original_transaction_id or None,
    )
    return AcceptedPayment(
        payment,
        metadata,
        flags | country_flags | customer_flags | card_flags,
        content_hash(payment, canonical_metadata),
    )


def _event_time(text: str, horizon: Horizon) -> datetime:
    try:
        event_time = parse_event_time(text)
    except ValueError as error:
        raise EventRefused(RejectReason.invalid_event_time, str(error)) from error
    if not horizon.earliest <= event_time <= horizon.latest:
        detail = (
            f"event_time {event_time.isoformat()} lies outside "
            f"{horizon.earliest.isoformat()} to {horizon.latest.isoformat()}"
        )
        raise EventRefused(RejectReason.outside_horizon, detail)
    return event_time


def _countries(
    customer: str | None, merchant: str | None, counterparty: str | None
) -> tuple[int | None, int | None, int | None, int]:
    """Return the number of each party's country, and flags for what is none or differs."""
    flags = 0
    of_customer = COUNTRIES.get(customer or "")
    if of_customer is None and customer:
        flags = _FLAG["customer_country_invalid"]
    of_merchant = COUNTRIES.get(merchant or "")
    if of_merchant is None and merchant:
        flags |= _FLAG["merchant_country_invalid"]
    of_counterparty = COUNTRIES.get(counterparty or "")
    if of_counterparty is None and counterparty:
        flags |= _FLAG["counterparty_country_invalid"]
    if of_customer != of_merchant and of_customer and of_merchant:
        flags |= _FLAG["country_mismatch"]
    return of_customer, of_merchant, of_counterparty, flags


def _customer(
    customer: Customer, pseudonymiser: Pseudonymiser
) -> tuple[bytes | None, str | None, int]:
    """Return hash and domain of the customer's e-mail, and flags for what is missing or wrong."""
    flags = 0 if customer.id else _FLAG["customer_id_missing"]
    if not customer.country:
        flags |= _FLAG["customer_country_missing"]
    if not customer.email:
        return None, None, flags | _FLAG["customer_email_missing"]
    address = _EMAIL.fullmatch(customer.email)
    if address is None:
        return None, None, flags | _FLAG["customer_email_invalid"]
    return pseudonymiser.email(customer.email), address[1].lower(), flags


def _card(
    card: Card, method: int, card_number: str | None, pseudonymiser: Pseudonymiser
) -> tuple[Card, int]:
    """Return what is kept of the card, and flags for what is missing, wrong or forbidden."""
    flags = 0
    if card_number is not None:
        flags |= _FLAG["card_number_present"]
        card = Card(
            brand=card.brand,
            bin=card.bin or card_number[:6],
            last4=card.last4 or card_number[-4:],
            fingerprint=card.fingerprint or pseudonymiser.card_number(card_number).hex(),
        )
    if method in _CARD_METHODS:
        if not (card.last4 or card.fingerprint):
            flags |= _FLAG["card_data_missing"]
    elif card.bin or card.last4 or card.fingerprint:
        flags |= _FLAG["card_data_forbidden"]
    bin_is_wrong = bool(card.bin) and _BIN.fullmatch(card.bin or "") is None
    last4_is_wrong = bool(card.last4) and card.last4 not in _FOUR_DIGITS
    if bin_is_wrong or last4_is_wrong:
        flags |= _FLAG["card_data_invalid"]
        # A "bin" of twelve digits beside the last four is the whole number.
        card = Card(
            brand=card.brand,
            bin=None if bin_is_wrong else card.bin,
            last4=None if last4_is_wrong else card.last4,
            fingerprint=card.fingerprint,
        )
    return card, flags


def _metadata(raw: msgspec.Raw) -> tuple[str | None, bytes]:
    """Return metadata as it came and in its canonical form, in which key order does not count.

    Raises:
        EventRefused: no object, over 16 KiB, nested deeper than 64 levels, or no valid text.
    """
    text = bytes(raw)
    if text in {b"", b"null"}:
        return None, b""
    if len(text) > MAX_METADATA_BYTES:
        detail = f"metadata have {len(text)} bytes, at most {MAX_METADATA_BYTES} are kept"
        raise EventRefused(RejectReason.metadata_too_large, detail)
    if not text.startswith(b"{"):
        raise EventRefused(RejectReason.wrong_type, "metadata is expected to be an object")
    # Counting brackets is quick and settles nearly every case.
    brackets = text.count(b"[") + text.count(b"{")
    if brackets > MAX_METADATA_DEPTH and nesting_depth(text) > MAX_METADATA_DEPTH:
        detail = f"metadata are nested deeper than {MAX_METADATA_DEPTH} levels"
        raise EventRefused(RejectReason.too_deep, detail)
    try:
        value: Any = _METADATA.decode(text)
        return text.decode(), _CANONICAL.encode(value)
    except UnicodeDecodeError as error:
        raise EventRefused(RejectReason.invalid_text, "metadata are no valid UTF-8") from error
    except msgspec.MsgspecError as error:
        detail = f"metadata cannot be stored: {error}"
        raise EventRefused(RejectReason.wrong_type, detail) from error
