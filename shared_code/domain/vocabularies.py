"""Closed vocabularies and the numbers under which the database stores them.

The numbers are owned by this file and append-only: one that was ever stored keeps its meaning
for ever. A new member takes the next free number and comes with a revision that adds it to the
``vocabularies`` table.
"""

from enum import IntEnum, IntFlag, StrEnum


class PaymentMethod(IntEnum):
    """How a payment was made."""

    credit_card = 1
    debit_card = 2
    bank_transfer = 3
    digital_wallet = 4
    cryptocurrency = 5
    cash_equivalent = 6


CARD_METHODS = frozenset({PaymentMethod.credit_card, PaymentMethod.debit_card})


class PaymentStatus(IntEnum):
    """Where a payment stands; one payment passes through several."""

    completed = 1
    failed = 2
    pending = 3
    cancelled = 4
    refunded = 5


class Channel(IntEnum):
    """Where the payer met the merchant."""

    web = 1
    mobile_app = 2
    point_of_sale = 3
    atm = 4
    phone = 5
    mail_order = 6
    api = 7
    branch = 8


class DeviceType(IntEnum):
    """What the payer used."""

    desktop = 1
    mobile = 2
    tablet = 3
    terminal = 4
    wearable = 5
    server = 6


class QualityFlag(IntFlag):
    """What is odd about a payment that is stored all the same; rules can count each."""

    zero_amount = 1 << 0
    future_event_time = 1 << 1
    customer_id_missing = 1 << 2
    customer_email_missing = 1 << 3
    customer_email_invalid = 1 << 4
    customer_country_missing = 1 << 5
    customer_country_invalid = 1 << 6
    merchant_country_invalid = 1 << 7
    counterparty_country_invalid = 1 << 8
    merchant_mcc_invalid = 1 << 9
    card_data_missing = 1 << 10
    card_data_forbidden = 1 << 11
    card_data_invalid = 1 << 12
    card_number_present = 1 << 13
    country_mismatch = 1 << 14
    channel_unknown = 1 << 15
    device_type_unknown = 1 << 16
    original_transaction_missing = 1 << 17


class RejectReason(StrEnum):
    """Why a payment event was refused; stored with the event in ``rejected_events``."""

    not_json = "not_json"
    not_an_object = "not_an_object"
    wrong_type = "wrong_type"
    missing_field = "missing_field"
    invalid_length = "invalid_length"
    invalid_text = "invalid_text"
    invalid_amount = "invalid_amount"
    negative_amount = "negative_amount"
    too_many_digits = "too_many_digits"
    too_many_decimals = "too_many_decimals"
    unknown_currency = "unknown_currency"
    unknown_payment_method = "unknown_payment_method"
    unknown_payment_status = "unknown_payment_status"
    invalid_event_time = "invalid_event_time"
    outside_horizon = "outside_horizon"
    metadata_too_large = "metadata_too_large"
    too_deep = "too_deep"
    conflicting_duplicate = "conflicting_duplicate"
    refused_by_database = "refused_by_database"


class Severity(IntEnum):
    """How urgent an alert is, ascending."""

    info = 1
    low = 2
    medium = 3
    high = 4
    critical = 5
