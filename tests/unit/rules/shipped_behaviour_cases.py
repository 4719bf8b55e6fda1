"""What each shipped velocity, sequence and score rule is for, and what just misses it."""

from unit.rules.shipped_samples import DAY, Case, Fields, at, each, refund, times

_CASH: Fields = {"payment_method": "cash_equivalent"}
_CARD: Fields = {"payment_method": "credit_card", "card_fingerprint": "card"}
_FAILED: Fields = {"payment_status": "failed"}
_SHOP: Fields = {"merchant_id": "shop"}
_SMALL_FAILURE: Fields = {**_CARD, **_FAILED, "amount": "5.00"}
_AT_THE_TILL: Fields = {**_CARD, "channel": "point_of_sale", "amount": "300.00"}
_FAR_AWAY: Fields = {**_AT_THE_TILL, "merchant_country": "TH"}
_LEAK: Fields = {**_SHOP, "quality_flags": ["card_number_present"]}
_UNLINKED: Fields = {**_SHOP, "quality_flags": ["original_transaction_missing"]}
_ABROAD: Fields = {"amount": "1000.00", "customer_country": "DE", "counterparty_country": "AE"}
_AT_HOME: Fields = {**_ABROAD, "counterparty_country": "DE"}
_ONE: Fields = {"transaction_id": "one"}
_BACK_AGAIN: Fields = {"payment_status": "refunded"}
_SALE: Fields = {**_CARD, "transaction_id": "sale", "amount": "100.00"}
_BACK: Fields = {**_CARD, "amount": "100.00"}
_LITTLE: Fields = {**_CARD, "amount": "99.99"}
_LAST_MINUTE = 28 * DAY - 1
_EARLY: Fields = {"counterparty_id": "account", "amount": "500.00"}
_AWAKE: Fields = {"counterparty_id": "account", "amount": "5000.00"}

VELOCITY_CASES = {
    "structuring_by_customer": Case(
        times(3, 240, amount="9000.00"),
        [
            times(3, DAY / 2, amount="9500.00"),
            times(3, 240, amount="8999.99"),
            each("customer_id", 3, amount="9500.00"),
            times(3, 240, amount="9500.00", currency="SEK"),
        ],
        ("3",),
    ),
    "cash_like_daily_sum": Case(
        times(2, 600, amount="5000.00", **_CASH),
        [
            times(2, DAY, amount="5000.00", **_CASH),
            times(2, 600, amount="4999.99", **_CASH),
            times(2, 600, amount="5000.00"),
        ],
        ("10000",),
    ),
    "customer_daily_sum": Case(
        [at(amount="99000.00"), at(600, amount="1000.00")],
        [
            times(2, DAY, amount="50000.00"),
            times(2, amount="49999.99"),
            [at(amount="99500.00"), at(600, amount="999.99")],
        ],
        ("100000",),
    ),
    "customer_feeds_merchant": Case(
        [at(amount="49000.00", **_SHOP), at(600, amount="1000.00", **_SHOP)],
        [
            times(2, DAY, amount="25000.00", **_SHOP),
            each("merchant_id", 2, amount="25000.00"),
            [at(amount="50000.00", **_SHOP)],
            [at(amount="49500.00", **_SHOP), at(600, amount="999.99", **_SHOP)],
        ],
        ("50000",),
    ),
    "fan_out_transfers": Case(
        each("counterparty_id", 8, amount="500.00"),
        [
            each("counterparty_id", 7, amount="500.00"),
            each("counterparty_id", 8, amount="499.99"),
            times(8, counterparty_id="account", amount="500.00"),
        ],
        ("8",),
    ),
    "fan_in_transfers": Case(
        each("customer_id", 8, counterparty_id="account", amount="500.00"),
        [
            each("customer_id", 7, counterparty_id="account", amount="500.00"),
            each("customer_id", 8, counterparty_id="account", amount="499.99"),
            times(8, counterparty_id="account", amount="500.00"),
        ],
        ("8",),
    ),
    "customer_rapid_fire": Case(
        times(18, 0.05),
        [times(17, 0.05), times(18, 0.06), times(18, 0.05, payment_status="pending")],
        ("18",),
    ),
    "merchant_failure_burst": Case(
        times(25, 0.1, **_SHOP, **_FAILED),
        [
            times(24, 0.1, **_SHOP, **_FAILED),
            times(25, **_SHOP),
            times(25, 0.5, **_SHOP, **_FAILED),
        ],
        ("25",),
    ),
    "merchant_card_testing": Case(
        each(
            "card_fingerprint", 10, **_SHOP, **_FAILED, amount="5.00", payment_method="debit_card"
        ),
        [
            each(
                "card_fingerprint",
                9,
                **_SHOP,
                **_FAILED,
                amount="5.00",
                payment_method="debit_card",
            ),
            each(
                "card_fingerprint",
                10,
                **_SHOP,
                **_FAILED,
                amount="5.01",
                payment_method="debit_card",
            ),
            times(10, **_SHOP, **_SMALL_FAILURE),
        ],
        ("10",),
    ),
    "card_retries": Case(
        times(15, **_CARD, **_SHOP, **_FAILED),
        [
            times(14, **_CARD, **_SHOP, **_FAILED),
            each("merchant_id", 15, **_CARD, **_FAILED),
            times(15, **_CARD, **_SHOP),
        ],
        ("15",),
    ),
    "customer_many_cards": Case(
        each("card_fingerprint", 4, payment_method="debit_card"),
        [each("card_fingerprint", 3, payment_method="debit_card"), times(4, **_CARD)],
        ("4",),
    ),
    "card_many_customers": Case(
        each("customer_id", 3, **_CARD),
        [each("customer_id", 2, **_CARD), times(3, **_CARD)],
        ("3",),
    ),
    "customer_refunds": Case(
        [refund(minute) for minute in range(10)],
        [
            [refund(minute) for minute in range(9)],
            times(10),
            each("customer_id", 10, payment_status="refunded"),
        ],
        ("10",),
    ),
    "customer_refund_sum": Case(
        [refund(amount="2500.00"), refund(600, amount="2500.00")],
        [
            [refund(amount="2500.00"), refund(DAY, amount="2500.00")],
            [refund(amount="2500.00"), refund(amount="2499.99")],
        ],
        ("5000",),
    ),
    "merchant_unlinked_refunds": Case(
        times(5, 60, **_UNLINKED),
        [times(4, 60, **_UNLINKED), times(5, 60, **_SHOP), times(5, DAY / 4, **_UNLINKED)],
        ("5",),
    ),
    "merchant_leaks_card_numbers": Case(
        times(3, 60, **_LEAK),
        [times(2, 60, **_LEAK), times(3, 60, **_SHOP), times(3, DAY / 2, **_LEAK)],
        ("3",),
    ),
}

SEQUENCE_CASES = {
    "dormant_account_credited": Case(
        [
            at(**_EARLY),
            at(20 * DAY, **_AWAKE),
            at(29 * DAY, **_EARLY | {"counterparty_id": "second"}),
            at(58 * DAY, **_AWAKE | {"counterparty_id": "second"}),
        ],
        [
            [at(**_EARLY), at(20 * DAY - 1, **_AWAKE)],
            [at(**_EARLY), at(20 * DAY, **_AWAKE | {"amount": "4999.99"})],
            [at(**_EARLY | {"amount": "400.00"}), at(20 * DAY, **_AWAKE | {"amount": "4999.99"})],
            [at(**_EARLY | {"amount": "501.00"}), at(20 * DAY, **_AWAKE)],
            [at(**_EARLY), at(20 * DAY, **_AWAKE | {"counterparty_id": "other"})],
        ],
        ("5000", "5000"),
    ),
    "refund_then_cash_out": Case(
        [refund(amount="500.00"), at(DAY - 1, amount="500.00")],
        [
            [at(amount="500.00"), refund(60, amount="500.00")],
            [refund(amount="499.99"), at(60, amount="500.00")],
            [refund(amount="500.00"), at(60, amount="499.99")],
            [refund(amount="500.00"), at(60, amount="500.00", payment_method="debit_card")],
            [refund(amount="500.00"), at(DAY + 1, amount="500.00")],
        ],
    ),
    "cash_in_then_transfer_abroad": Case(
        [*times(3, 60, amount="500.00", **_CASH), at(DAY - 1, **_ABROAD)],
        [
            [*times(3, 60, amount="500.00", **_CASH), at(DAY + 1, **_ABROAD)],
            [*times(2, 60, amount="500.00", **_CASH), at(240, **_ABROAD)],
            [*times(3, 60, amount="499.99", **_CASH), at(240, **_ABROAD)],
            [*times(3, 60, amount="500.00", **_CASH), at(240, **_ABROAD | {"amount": "999.99"})],
            [*times(3, 60, amount="500.00", **_CASH), at(240, **_AT_HOME)],
        ],
        ("3",),
    ),
    "card_testing": Case(
        [*times(3, 1, **_SMALL_FAILURE), at(29, **_CARD, amount="900.00")],
        [
            [*times(2, 1, **_SMALL_FAILURE), at(5, **_CARD, amount="900.00")],
            [*times(3, 1, **_SMALL_FAILURE | {"amount": "5.01"}), at(5, **_CARD, amount="900.00")],
            [*times(3, 1, **_SMALL_FAILURE), at(5, **_CARD | {"card_fingerprint": "other"})],
            [*times(3, 1, **_SMALL_FAILURE), at(33, **_CARD)],
        ],
        ("3",),
    ),
    "impossible_travel": Case(
        [at(**_AT_THE_TILL, merchant_country="DE"), at(14, **_AT_THE_TILL, merchant_country="TH")],
        [
            [at(**_AT_THE_TILL, merchant_country="DE"), at(16, **_FAR_AWAY)],
            [at(**_AT_THE_TILL, merchant_country="DE"), at(9, **_FAR_AWAY | {"channel": "web"})],
            [at(**_AT_THE_TILL, merchant_country="DE"), at(9, **_FAR_AWAY | {"amount": "299.99"})],
            [at(**_FAR_AWAY | {"amount": "299.99"}), at(9, **_AT_THE_TILL, merchant_country="DE")],
            times(2, 10, **_FAR_AWAY),
        ],
    ),
    "duplicate_payment": Case(
        times(2, 2, **_SHOP),
        [
            times(2, 3.5, **_SHOP),
            times(2, 2, **_SHOP, amount="9.99"),
            each("merchant_id", 2),
            [at(**_SHOP), at(2, **_SHOP, amount="10.01")],
            times(2, 2, **_SHOP, transaction_id="one"),
        ],
        ("10",),
    ),
    "status_contradiction": Case(
        [
            at(**_ONE, **_FAILED),
            at(DAY - 1, **_ONE),
            at(**_ONE | {"transaction_id": "two"}, payment_status="cancelled"),
            at(60, **_ONE | {"transaction_id": "two"}, payment_status="pending"),
            at(120, **_ONE | {"transaction_id": "two"}, payment_status="refunded"),
        ],
        [
            [at(**_ONE, **_FAILED), at(DAY, **_ONE)],
            [at(**_ONE), at(5, **_ONE, **_FAILED)],
            [at(**_ONE, **_FAILED), at(**_ONE)],
            [at(**_ONE, payment_status="pending"), at(5, **_ONE), at(9, **_ONE, **_BACK_AGAIN)],
            [at(**_FAILED), at(5, **_ONE)],
            [at(**_ONE, **_FAILED), at(5, **_ONE, payment_status="pending")],
        ],
        ("1", "1"),
    ),
    "refund_of_unsettled_payment": Case(
        [
            at(**_SALE, **_FAILED),
            refund(_LAST_MINUTE, amount="10.00"),
            at(1, **_SALE | {"transaction_id": "other"}),
            at(2, **_SALE | {"transaction_id": "other"}, payment_status="cancelled"),
            refund(60, original_transaction_id="other", amount="20.00"),
        ],
        [
            [at(**_SALE, **_FAILED), refund(60, amount="9.99")],
            [at(**_SALE, **_FAILED), refund(28 * DAY, amount="10.00")],
            [at(**_SALE, **_FAILED), at(5, **_SALE), refund(60, amount="10.00")],
            [at(**_SALE), refund(60, amount="10.00")],
            [refund(60, amount="10.00")],
        ],
        ("10", "20"),
    ),
    "orphan_refund": Case(
        [refund(60, **_BACK)],
        [
            [at(**_SALE), refund(_LAST_MINUTE, **_BACK)],
            [refund(60, **_LITTLE)],
            [refund(60, **_BACK, original_transaction_id=None)],
        ],
        ("100",),
    ),
    "refund_above_original": Case(
        [at(**_SALE | {"amount": "99.98"}), refund(_LAST_MINUTE, **_BACK)],
        [
            [at(**_SALE), refund(60, **_BACK)],
            [at(**_SALE | {"amount": "50.00"}), refund(60, **_LITTLE)],
            [at(**_SALE | {"amount": "50.00"}, **_FAILED), refund(60, **_BACK)],
        ],
        ("0.02",),
    ),
    "refund_to_somebody_else": Case(
        [
            at(**_SALE),
            refund(60, **_BACK, customer_id="bob"),
            refund(_LAST_MINUTE, **_BACK | {"card_fingerprint": "other"}),
        ],
        [
            [at(**_SALE), refund(60, **_BACK)],
            [at(**_SALE), refund(60, **_LITTLE, customer_id="bob")],
            [at(**_SALE), refund(60, amount="100.00")],
        ],
        ("100", "100"),
    ),
    "quick_refund": Case(
        [at(**_SALE | {"amount": "1000.00"}), refund(9, **_BACK | {"amount": "1000.00"})],
        [
            [at(**_SALE | {"amount": "1000.00"}), refund(11, **_BACK | {"amount": "1000.00"})],
            [at(**_SALE | {"amount": "1000.00"}), refund(9, **_BACK | {"amount": "999.99"})],
        ],
        ("1000",),
    ),
}

_TESTED_CARD = [*times(3, 1, **_SMALL_FAILURE), at(5, **_CARD, amount="900.00")]
_TESTED_ABROAD = [
    *times(3, 1, **_SMALL_FAILURE),
    at(
        5,
        **_CARD,
        customer_country="DE",
        merchant_country="FR",
        customer_email_domain="yopmail.com",
    ),
]

SCORE_CASES = {
    "fraud_score": Case(_TESTED_ABROAD, [_TESTED_CARD], ("95",)),
    "laundering_score": Case(
        [at(amount="15001.00", customer_country="IR", counterparty_id="account")],
        [[at(amount="9999.00", customer_country="IR", counterparty_id="account")]],
        ("80",),
    ),
}
