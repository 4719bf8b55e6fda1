"""What each shipped transaction and window rule is for, and what just misses it."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from unit.rules.shipped_samples import Case, Fields, at, refund, times


class _Nights(NamedTuple):
    """Times inside a country's night, and just outside of it."""

    inside: Sequence[datetime]
    outside: Sequence[datetime]


def _january(*times_of_day: str) -> Sequence[datetime]:
    return [datetime.fromisoformat(f"2026-01-28T{time}Z") for time in times_of_day]


def _both_in(country: str) -> Fields:
    return {"customer_country": country, "merchant_country": country}


_NIGHTS = {
    "DE": _Nights(_january("23:00:00", "03:59:59.999999"), _january("22:59:59", "04:00:00")),
    "US": _Nights(_january("05:00:00", "09:59:59.999999"), _january("04:59:59", "10:00:00")),
}
(_MIDNIGHT,) = _january("23:00:00")
_CURRENCY_OF = {
    code[:2]: code
    for code in (
        *("AED", "AUD", "BHD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "GBP", "HKD", "HUF"),
        *("IDR", "ILS", "INR", "ISK", "JOD", "JPY", "KRW", "KWD", "MXN", "MYR", "NOK", "NZD"),
        *("OMR", "PHP", "PLN", "QAR", "RON", "SAR", "SEK", "SGD", "THB", "TND", "TRY", "USD"),
        "ZAR",
    )
}
_ALL_AT_HOME: Fields = {
    f"{party}_country": "DE" for party in ("customer", "merchant", "counterparty")
}
_CASH: Fields = {"payment_method": "cash_equivalent"}
_TRANSFER: Fields = {"payment_method": "bank_transfer", "counterparty_id": "account"}

TRANSACTION_CASES = {
    "completed_volume": Case(
        [at(amount="12.34"), at(amount="7", currency="JPY")],
        [[at(payment_status=status)] for status in ("failed", "pending", "refunded")],
        ("12.34", "7"),
    ),
    "declined_payment": Case(
        [at(payment_status="failed")], [[at()], [at(payment_status="cancelled")]]
    ),
    "refunded_amount": Case([refund(amount="5.00")], [[at(payment_status="failed")]], ("5",)),
    "cross_border_payment": Case(
        [at(customer_country="DE", merchant_country="FR")],
        [[at(customer_country="DE", merchant_country="DE")], [at(customer_country="DE")], [at()]],
    ),
    "high_value_payment": Case(
        [at(amount="10000.00"), at(amount="1756800", currency="JPY")],
        [
            [at(amount="9999.99")],
            [at(amount="1756799", currency="JPY")],
            [at(amount="10000.00", payment_status="failed")],
        ],
        ("10000", "10000"),
    ),
    "below_reporting_threshold": Case(
        [at(amount="9000.00"), at(amount="9999.99", currency="USD")],
        [
            [at(amount="8999.99")],
            [at(amount="10000.00")],
            [at(amount="9500.00", currency="SEK")],
            [at(amount="9500.00", payment_status="failed")],
        ],
        ("9000", "9999.99"),
    ),
    "round_amount": Case(
        [at(amount="25000.00")],
        [[at(amount=amount)] for amount in ("0.00", "500.00", "1000.01")]
        + [[at(amount="1000", currency="JPY")]],
    ),
    "high_risk_country": Case(
        [at(customer_country="IR"), at(merchant_country="KP"), at(counterparty_country="MM")],
        [[at()], [at(customer_country="DE", merchant_country="US")]],
        ("1", "1", "1"),
    ),
    "increased_monitoring_country": Case(
        [at(amount="1000.00", merchant_country="VN")],
        [
            [at(amount="999.99", merchant_country="VN")],
            [at(amount="1000.00", **_ALL_AT_HOME)],
            [at(amount="1000.00")],
        ],
        ("1000",),
    ),
    "cash_like_high_value": Case(
        [at(amount="1000.00", **_CASH), at(amount="5000.00", payment_method="cryptocurrency")],
        [[at(amount="999.99", **_CASH)], [at(amount="5000.00")]],
        ("1000", "5000"),
    ),
    "gambling_due_diligence": Case(
        [at(amount="2000.00", merchant_mcc="7995")],
        [
            [at(amount="1999.99", merchant_mcc="7995")],
            [at(amount="2000.00", merchant_mcc="7994")],
            [at(amount="2000.00")],
        ],
        ("2000",),
    ),
    "transfer_without_counterparty": Case(
        [at(payment_method="cryptocurrency")],
        [[at(**_TRANSFER)], [at(payment_method="debit_card")], [at(payment_status="failed")]],
    ),
    "travel_rule_transfer": Case(
        [at(amount="3000.00", currency="USD", customer_country="US", counterparty_country="MX")],
        [
            [at(amount="2999.99", currency="USD", customer_country="US", counterparty_country=to)]
            for to in ("MX", "US")
        ]
        + [
            [at(amount="3000.00", currency="USD", customer_country="US", counterparty_country="US")]
        ],
        ("3000",),
    ),
    "night_high_value": Case(
        [
            at(amount="5000.00", customer_country=country, event_time=time)
            for country, nights in _NIGHTS.items()
            for time in nights.inside
        ],
        [
            [at(amount="5000.00", customer_country=country, event_time=time)]
            for country, nights in _NIGHTS.items()
            for time in nights.outside
        ]
        + [
            [at(amount="4999.99", customer_country="DE", event_time=_MIDNIGHT)],
            [at(amount="5000.00", event_time=_MIDNIGHT)],
        ],
        ("1", "1", "1", "1"),
    ),
    "refund_without_original": Case(
        [refund(quality_flags=["original_transaction_missing"], amount="7.00")],
        [[refund()], [at()]],
        ("7",),
    ),
    "missing_kyc_data": Case(
        [
            at(quality_flags=["customer_id_missing", "zero_amount"]),
            at(quality_flags=["customer_country_missing"]),
            at(quality_flags=["customer_country_invalid"]),
            *(at(customer_id=name) for name in ("unknown", "N/A", "Null", "TEST", "0", "-")),
        ],
        [
            [at(quality_flags=["customer_email_missing"])],
            *([at(customer_id=name)] for name in ("ada", "nadia", "unknown-7", "10", "test.user")),
        ],
        ("1",) * 9,
    ),
    "unusable_email": Case(
        [
            at(quality_flags=["customer_email_missing"]),
            at(quality_flags=["customer_email_invalid", "zero_amount"]),
        ],
        [[at()], [at(quality_flags=["customer_id_missing"])]],
        ("1", "1"),
    ),
    "unidentified_high_value": Case(
        [at(amount="1000.00", customer_id=None), at(amount="2000.00", customer_id="unknown")],
        [[at(amount="999.99", customer_id=None)], [at(amount="1000.00")]],
        ("1000", "2000"),
    ),
    "disposable_email": Case(
        [at(customer_email_domain="mailinator.com")],
        [[at(customer_email_domain="example.com")], [at()]],
    ),
    "card_number_in_clear": Case(
        [at(quality_flags=["card_number_present", "card_data_forbidden"])],
        [[at(quality_flags=["card_data_forbidden"])]],
    ),
    "card_data_without_card": Case(
        [at(quality_flags=["card_data_forbidden"])], [[at(quality_flags=["card_data_missing"])]]
    ),
    "card_data_unusable": Case(
        [at(quality_flags=["card_data_missing"]), at(quality_flags=["card_data_invalid"])],
        [[at(quality_flags=["card_data_forbidden"])]],
        ("1", "1"),
    ),
    "zero_amount_payment": Case(
        [at(amount="0.00", quality_flags=["zero_amount"])],
        [[at(amount="0.01")], [at(quality_flags=["zero_amount"], payment_status="failed")]],
    ),
    "future_event_time": Case([at(quality_flags=["future_event_time"])], [[at()]]),
    "unknown_code": Case(
        [at(quality_flags=["channel_unknown"]), at(quality_flags=["merchant_mcc_invalid"])],
        [[at()], [at(quality_flags=["customer_country_invalid"])]],
        ("1", "1"),
    ),
    "foreign_currency_at_home": Case(
        [
            at(currency="USD", customer_country="DE", merchant_country="AT"),
            *(at(currency="EUR", **_both_in(country)) for country in _CURRENCY_OF),
            at(currency="USD", **_both_in("JP")),
            at(currency="JPY", **_both_in("US")),
        ],
        [
            *([at(currency=code, **_both_in(country))] for country, code in _CURRENCY_OF.items()),
            [at(currency="EUR", customer_country="DE", merchant_country="AT")],
            [at(currency="USD", customer_country="DE", merchant_country="US")],
            [at(currency="USD", customer_country="DE")],
            [at(currency="EUR", customer_country="JP", merchant_country="KR")],
            [at(currency="USD", **_both_in("EC"))],
        ],
        ("1",) * (3 + len(_CURRENCY_OF)),
    ),
}

_GAMBLING: Fields = {"merchant_mcc": "7995"}
_SHOP: Fields = {"merchant_id": "shop"}

WINDOW_CASES = {
    "completed_value_in_euro": Case(
        [at(amount="10.00"), at(amount="1757", currency="JPY")],
        [[at(payment_status="failed")], [at(currency="KWD", amount="1.000")]],
        ("20.00",),
    ),
    "completed_volume_by_currency": Case(
        [at(amount="0.10"), at(amount="0.20"), at(amount="5", currency="JPY")],
        [[at(payment_status="failed")]],
        ("0.30", "5"),
    ),
    "amount_p95_by_category": Case(
        [at(amount=f"{amount}.00", merchant_category="food") for amount in range(1, 21)],
        [[at(payment_status="failed", merchant_category="food")]],
        ("19",),
    ),
    "failure_ratio_by_method": Case(
        [*times(33), *times(17, payment_status="failed"), *times(9, payment_status="pending")],
        [
            [*times(67), *times(33, payment_status="failed")],
            times(49, payment_status="failed"),
        ],
        ("0.34",),
    ),
    "cross_border_share": Case(
        [
            at(customer_country="DE", merchant_country="US"),
            *times(3, customer_country="DE", merchant_country="DE"),
            at(customer_country="DE"),
        ],
        [[at(customer_country="DE")], [at()]],
        ("25",),
    ),
    "active_customers": Case(
        [*times(2), at(customer_id="bob"), at(customer_id=None)],
        [[at(customer_id=None)]],
        ("2",),
    ),
    "merchant_refund_ratio": Case(
        [
            *times(69, **_SHOP),
            *times(31, **_SHOP, payment_status="refunded"),
            *times(30, merchant_id="returns", payment_status="refunded"),
        ],
        [
            [*times(21, **_SHOP), *times(9, **_SHOP, payment_status="refunded")],
            times(29, **_SHOP, payment_status="refunded"),
            [*times(18), *times(12, payment_status="refunded")],
        ],
        ("0.31", "1"),
    ),
    "quasi_cash_share": Case(
        [*times(120, **_GAMBLING), *times(80, merchant_mcc="5411")],
        [
            [*times(100, **_GAMBLING), *times(100, merchant_mcc="5411")],
            times(199, **_GAMBLING),
        ],
        ("60",),
    ),
}
