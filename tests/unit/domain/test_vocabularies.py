import pytest

from shared_code.domain.vocabularies import (
    CARD_METHODS,
    Channel,
    DeviceType,
    PaymentMethod,
    PaymentStatus,
    QualityFlag,
    RejectReason,
    Severity,
)

# What a number once meant it means for ever: append here, never change.
STORED_NUMBERS = {
    PaymentMethod: [
        "credit_card", "debit_card", "bank_transfer", "digital_wallet", "cryptocurrency",
        "cash_equivalent",
    ],
    PaymentStatus: ["completed", "failed", "pending", "cancelled", "refunded"],
    Channel: [
        "web", "mobile_app", "point_of_sale", "atm", "phone", "mail_order", "api", "branch",
    ],
    DeviceType: ["desktop", "mobile", "tablet", "terminal", "wearable", "server"],
    Severity: ["info", "low", "medium", "high", "critical"],
}  # fmt: skip
STORED_BITS = [
    "zero_amount", "future_event_time", "customer_id_missing", "customer_email_missing",
    "customer_email_invalid", "customer_country_missing", "customer_country_invalid",
    "merchant_country_invalid", "counterparty_country_invalid", "merchant_mcc_invalid",
    "card_data_missing", "card_data_forbidden", "card_data_invalid", "card_number_present",
    "country_mismatch", "channel_unknown", "device_type_unknown", "original_transaction_missing",
]  # fmt: skip


@pytest.mark.parametrize("vocabulary", STORED_NUMBERS)
def test_stored_numbers_never_change_their_meaning(
    vocabulary: type[PaymentMethod | PaymentStatus | Channel | DeviceType | Severity],
) -> None:
    numbers = {member.name: int(member) for member in vocabulary}
    assert numbers == {name: at for at, name in enumerate(STORED_NUMBERS[vocabulary], start=1)}


def test_stored_bits_never_change_their_meaning() -> None:
    bits = {flag.name: int(flag) for flag in QualityFlag}
    assert bits == {name: 1 << at for at, name in enumerate(STORED_BITS)}


def test_reasons_are_stored_by_their_name() -> None:
    assert all(reason.name == reason.value for reason in RejectReason)


def test_cards_are_paid_with_by_credit_and_debit() -> None:
    assert {method.name for method in CARD_METHODS} == {"credit_card", "debit_card"}
