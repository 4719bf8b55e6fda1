"""Thirty transaction rules of the kinds that a real set has, frozen so that results compare."""

import json
from typing import Any, Final

_CARDS: Final = ["credit_card", "debit_card"]
_DISTANT: Final = ["web", "mobile_app"]
_RISKY: Final = ["CU", "IR", "KP", "MM", "SY"]
_PLACEHOLDERS: Final = ["0", "N/A", "customer", "guest", "none", "null", "test", "unknown"]
_DISPOSABLE: Final = ["guerrillamail.com", "mailinator.com", "trashmail.com", "yopmail.com"]
_AMOUNT: Final = {"field": "amount"}
_FEE: Final = {"multiply": [_AMOUNT, 0.015]}


def thirty_rules() -> bytes:
    """Return the rule document; it gives three to four metrics per payment of the workload."""
    rules = [
        _rule("completed", _is("payment_status", "eq", "completed"), _AMOUNT),
        _rule("declined", _is("payment_status", "eq", "failed")),
        _rule(
            "pending_large",
            _all(_is("payment_status", "eq", "pending"), _is("amount", "gte", 500)),
            _AMOUNT,
        ),
        _rule("very_large", _is("amount", "gte", 10_000), _AMOUNT),
        _rule("below_threshold", _is("amount", "near_threshold", 10_000, within_percent=5)),
        _rule("round", _is("amount", "is_round_amount", 100)),
        _rule("cross_border", _is("customer.country", "ne", {"field": "merchant.country"})),
        _rule("domestic", _is("customer.country", "eq", {"field": "merchant.country"}), _AMOUNT),
        _rule("risky_customer", _is("customer.country", "in", _RISKY), _AMOUNT),
        _rule("risky_merchant", _is("merchant.country", "in", _RISKY), _AMOUNT),
        _rule(
            "night_web",
            _all(_is("channel", "eq", "web"), _is("event_time", "hour_between", [0, 6])),
        ),
        _rule(
            "weekend_shop",
            _all(
                _is("channel", "eq", "point_of_sale"),
                _is("event_time", "day_of_week", ["saturday", "sunday"]),
            ),
        ),
        _rule(
            "distant_card",
            _all(
                _is("payment_method", "in", _CARDS),
                _is("channel", "in", _DISTANT),
                _is("amount", "gte", 50),
            ),
            _AMOUNT,
        ),
        _rule("card_testing", _all(_is("amount", "gt", 0), _is("amount", "lte", 1))),
        _rule("below_thousand", _is("amount", "between", [900, 999.99])),
        _rule("disposable_address", _is("customer.email_domain", "in", _DISPOSABLE)),
        _rule("quasi_cash", _is("merchant.mcc", "in", ["4829", "6051", "6540", "7995"])),
        _rule(
            "large_groceries",
            _all(_is("merchant.mcc", "eq", "5411"), _is("amount", "gte", 300)),
        ),
        _rule(
            "issuer_range",
            _all(_is("card.bin", "starts_with", "4111"), _is("amount", "gte", 400)),
        ),
        _rule("rare_brand", _is("card.brand", "not_in", ["visa", "mastercard", "amex"])),
        _rule(
            "customer_unknown",
            _is("quality_flags", "in", ["customer_id_missing", "customer_country_missing"]),
        ),
        _rule("card_forbidden", _is("quality_flags", "eq", "card_data_forbidden")),
        _rule("placeholder", _is("customer.id", "in", _PLACEHOLDERS)),
        _rule("test_merchant", _is("merchant.name", "matches", "(?i)test|demo|sample")),
        _rule(
            "refund_of_nothing",
            _all(
                _is("payment_status", "eq", "refunded"),
                {"not": _is("original_transaction_id", "exists", value=True)},
            ),
        ),
        _rule(
            "wallet_large",
            _all(_is("payment_method", "eq", "digital_wallet"), _is("amount", "gte", 300)),
            _AMOUNT,
        ),
        _rule(
            "odd_device",
            _all(
                {"any": [_is("device_type", "eq", "server"), _is("channel", "eq", "api")]},
                {"not": _is("merchant.category", "eq", "retail")},
            ),
        ),
        _rule(
            "transfer_abroad",
            _all(
                _is("payment_method", "eq", "bank_transfer"),
                _is("amount", "gte", 3_000),
                {"not": _is("counterparty.country", "in", ["CH", "DE", "FR", "GB", "US"])},
            ),
            indeterminate="record",
        ),
        _rule(
            "dollars_or_euros",
            _all(_is("currency", "in", ["EUR", "USD"]), _is("amount", "gte", 100)),
            _AMOUNT,
        ),
        _rule(
            "card_fee",
            _all(_is("payment_method", "in", _CARDS), _is("payment_status", "ne", "failed")),
            _FEE,
        ),
    ]
    return json.dumps({"version": "1.0.0", "rules": rules}).encode()


def _is(field: str, operator: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value, **more}


def _all(*conditions: dict[str, Any]) -> dict[str, Any]:
    return {"all": list(conditions)}


def _rule(
    name: str, when: dict[str, Any], value: Any = None, *, indeterminate: str = "ignore"
) -> dict[str, Any]:
    rule = {
        "id": f"bench_{name}",
        "scope": "transaction",
        "description": "Part of the frozen benchmark workload.",
        "category": "bench",
        "severity": "info",
        "metric": {"name": f"bench_{name}", "type": "count" if value is None else "amount"},
        "indeterminate": indeterminate,
        "when": when,
    }
    return rule if value is None else {**rule, "value": value}
