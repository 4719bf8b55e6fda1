"""Turns a decoded payment event into a normalised payment, or says why it is refused."""

import re
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

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
FLAG: Final = {member.name: int(member) for member in QualityFlag}
CARD_METHOD_NUMBERS: Final = frozenset(int(method) for method in CARD_METHODS)
_REFUNDED: Final = int(PaymentStatus.refunded)

# Deliberately loose: an address is flagged only when it cannot be one.
EMAIL: Final = re.compile(r"[^@\s]+@([^@\s.]+(?:\.[^@\s.]+)+)")
_BIN: Final = re.compile(r"[0-9]{6,8}")
FOUR_DIGITS: Final = {f"{number:04}": number for number in range(10_000)}

_METADATA: Final = msgspec.json.Decoder()
CANONICAL: Final = msgspec.json.Encoder(order="deterministic")

NO_CUSTOMER: Final = Customer()
NO_MERCHANT: Final = Merchant()
NO_CARD: Final = Card()
NO_COUNTERPARTY: Final = Counterparty()

# What few short texts decide is decided once for each combination of them. Ordinary traffic has
# some hundreds; who sends other texts all the time only finds nothing remembered.
_remembered = lru_cache(maxsize=4096)


class Codes(NamedTuple):
    """Stored numbers of an event's vocabularies; None for what is absent or unknown."""

    payment_method: int | None
    payment_status: int | None
    channel: int | None
    device_type: int | None
    flags: int


class CountryNumbers(NamedTuple):
    """The numbers of the parties' countries; None for what is absent or no country."""

    of_customer: int | None
    of_merchant: int | None
    of_counterparty: int | None
    flags: int


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
    codes = codes_of(
        event.payment_method,
        event.payment_status,
        event.channel,
        event.device_type,
        bool(event.original_transaction_id),
    )
    method, status, channel, device_type, code_flags = codes
    if method is None:
        detail = f"{event.payment_method!r} is none of {', '.join(_METHODS)}"
        raise EventRefused(RejectReason.unknown_payment_method, detail)
    if status is None:
        detail = f"{event.payment_status!r} is none of {', '.join(_STATUSES)}"
        raise EventRefused(RejectReason.unknown_payment_status, detail)
    amount = parse_amount(bytes(event.amount), currency)
    event_time = event_time_within(event.event_time, horizon)
    metadata, canonical_metadata = read_metadata(event.metadata)

    customer = event.customer or NO_CUSTOMER
    merchant = event.merchant or NO_MERCHANT
    counterparty = event.counterparty or NO_COUNTERPARTY
    flags = 0 if amount else FLAG["zero_amount"]
    if event_time > horizon.now:
        flags |= FLAG["future_event_time"]
    mcc = FOUR_DIGITS.get(merchant.mcc or "")
    if mcc is None and merchant.mcc:
        flags |= FLAG["merchant_mcc_invalid"]
    customer_country, merchant_country, counterparty_country, country_flags = countries_of(
        customer.country, merchant.country, counterparty.country
    )
    email_hash, email_domain, customer_flags = _customer(customer, pseudonymiser)
    card, of_card = _card(event.card or NO_CARD, method, card_number, pseudonymiser)

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
        flags | code_flags | country_flags | customer_flags | of_card,
        content_hash(payment, canonical_metadata),
    )


def event_time_within(text: str, horizon: Horizon) -> datetime:
    """Return the instant that an event names.

    Raises:
        EventRefused: no RFC 3339 time, or outside the horizon.
    """
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


@_remembered
def codes_of(
    payment_method: str,
    payment_status: str,
    channel: str | None,
    device_type: str | None,
    has_original: bool,  # noqa: FBT001 - given by position where whole columns are mapped
) -> Codes:
    """Return the numbers of vocabularies, and flags for what is unknown or not named."""
    status = _STATUSES.get(payment_status)
    flags = 0
    if status == _REFUNDED and not has_original:
        flags |= FLAG["original_transaction_missing"]
    channel_number = _CHANNELS.get(channel or "")
    if channel_number is None and channel:
        flags |= FLAG["channel_unknown"]
    device_number = _DEVICE_TYPES.get(device_type or "")
    if device_number is None and device_type:
        flags |= FLAG["device_type_unknown"]
    return Codes(_METHODS.get(payment_method), status, channel_number, device_number, flags)


@_remembered
def countries_of(
    customer: str | None, merchant: str | None, counterparty: str | None
) -> CountryNumbers:
    """Return the number of each party's country, and flags for what is missing, none or differs."""
    flags = 0 if customer else FLAG["customer_country_missing"]
    of_customer = COUNTRIES.get(customer or "")
    if of_customer is None and customer:
        flags |= FLAG["customer_country_invalid"]
    of_merchant = COUNTRIES.get(merchant or "")
    if of_merchant is None and merchant:
        flags |= FLAG["merchant_country_invalid"]
    of_counterparty = COUNTRIES.get(counterparty or "")
    if of_counterparty is None and counterparty:
        flags |= FLAG["counterparty_country_invalid"]
    if of_customer != of_merchant and of_customer and of_merchant:
        flags |= FLAG["country_mismatch"]
    return CountryNumbers(of_customer, of_merchant, of_counterparty, flags)


def _customer(
    customer: Customer, pseudonymiser: Pseudonymiser
) -> tuple[bytes | None, str | None, int]:
    """Return hash and domain of the customer's e-mail, and flags for what is missing or wrong."""
    flags = 0 if customer.id else FLAG["customer_id_missing"]
    domain, email_flags = email_domain(customer.email)
    if domain is None:
        return None, None, flags | email_flags
    return pseudonymiser.email(customer.email or ""), domain, flags


def email_domain(address: str | None) -> tuple[str | None, int]:
    """Return the domain of an e-mail address, or None and the flag for why there is none."""
    if not address:
        return None, FLAG["customer_email_missing"]
    match = EMAIL.fullmatch(address)
    if match is None:
        return None, FLAG["customer_email_invalid"]
    return match[1].lower(), 0


def _card(
    card: Card, method: int, card_number: str | None, pseudonymiser: Pseudonymiser
) -> tuple[Card, int]:
    """Return what is kept of the card, and flags for what is missing, wrong or forbidden."""
    flags = 0
    if card_number is not None:
        flags |= FLAG["card_number_present"]
        card = Card(
            brand=card.brand,
            bin=card.bin or card_number[:6],
            last4=card.last4 or card_number[-4:],
            fingerprint=card.fingerprint or pseudonymiser.card_number(card_number).hex(),
        )
    flags |= card_flags(method, card.bin, card.last4, card.fingerprint)
    bin_is_wrong = bool(card.bin) and not is_bin(card.bin or "")
    last4_is_wrong = bool(card.last4) and card.last4 not in FOUR_DIGITS
    if bin_is_wrong or last4_is_wrong:
        flags |= FLAG["card_data_invalid"]
        # A "bin" of twelve digits beside the last four is the whole number.
        card = Card(
            brand=card.brand,
            bin=None if bin_is_wrong else card.bin,
            last4=None if last4_is_wrong else card.last4,
            fingerprint=card.fingerprint,
        )
    return card, flags


def is_bin(text: str) -> bool:
    """Tell whether a text can be the first digits of a card number (ISO/IEC 7812-1)."""
    return _BIN.fullmatch(text) is not None


def card_flags(
    method: int, card_bin: str | None, last4: str | None, fingerprint: str | None
) -> int:
    """Return the flag of a card payment without a card, or of a card where there is none to be."""
    if method in CARD_METHOD_NUMBERS:
        return 0 if last4 or fingerprint else FLAG["card_data_missing"]
    return FLAG["card_data_forbidden"] if card_bin or last4 or fingerprint else 0


def read_metadata(raw: msgspec.Raw) -> tuple[str | None, bytes]:
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
        return text.decode(), CANONICAL.encode(value)
    except UnicodeDecodeError as error:
        raise EventRefused(RejectReason.invalid_text, "metadata are no valid UTF-8") from error
    except msgspec.MsgspecError as error:
        detail = f"metadata cannot be stored: {error}"
        raise EventRefused(RejectReason.wrong_type, detail) from error
