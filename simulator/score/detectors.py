"""What in the pipeline's database tells of which kind of violation: a table, no code.

A *signal* is one way in which the pipeline speaks: an alert of a rule, a payment that a rule
matched, a quality flag, a reason of refusal. A kind is found by its own signals and by others. Its
*own* are specific enough to be counted against it where they are raised for nothing.
"""

from collections.abc import Mapping
from functools import cache
from typing import Final, Literal, NamedTuple


class Signal(NamedTuple):
    """One way in which the pipeline speaks.

    Attributes:
        source: ``alert`` of a rule, ``match`` of a transaction rule with one payment, quality
            ``flag`` of a payment, or reason under which an event was ``refused``.
        name: of the rule, the flag or the reason.
    """

    source: Literal["alert", "match", "flag", "refused"]
    name: str

    def __str__(self) -> str:
        return f"{self.source} {self.name}"


type Unit = Literal["incident", "event"]


class Detector(NamedTuple):
    """How a kind of violation is found.

    Attributes:
        kind: a field of the configuration's ``violations``.
        family: what it belongs to.
        unit: whether incidents are found, each as a whole, or events one by one.
        own: signals that are specific to it.
        others: signals that find it, too, but may well speak of something else.
        has_goal: whether the shipped rules are expected to find nearly all of it.
    """

    kind: str
    family: str
    unit: Unit
    own: tuple[Signal, ...] = ()
    others: tuple[Signal, ...] = ()
    has_goal: bool = True

    @property
    def signals(self) -> tuple[Signal, ...]:
        """All signals that find it, its own first."""
        return self.own + self.others


def _alerts(*rules: str) -> tuple[Signal, ...]:
    return tuple(Signal("alert", rule) for rule in rules)


def _matches(*rules: str) -> tuple[Signal, ...]:
    return tuple(Signal("match", rule) for rule in rules)


def _flags(*flags: str) -> tuple[Signal, ...]:
    return tuple(Signal("flag", flag) for flag in flags)


def _refused(*reasons: str) -> tuple[Signal, ...]:
    return tuple(Signal("refused", reason) for reason in reasons)


_LAUNDERING: Final = "money laundering"
_CUSTOMER: Final = "know your customer"
_CARD: Final = "card data"
_QUALITY: Final = "data quality"
_BUSINESS: Final = "business rules"
_FRAUD: Final = "fraud and operations"

_UNUSABLE: Final = _refused("wrong_type", "invalid_length", "invalid_text")
_OTHER_REASONS: Final = (
    *_UNUSABLE,
    *_refused(
        "not_an_object",
        "missing_field",
        "invalid_amount",
        "too_many_digits",
        "unknown_payment_method",
        "invalid_event_time",
        "too_deep",
    ),
)
_ABOUT_MONEY_THAT_MOVES_ON: Final = (
    *_alerts(
        "customer_daily_sum",
        "refund_then_cash_out",
        "dormant_account_credited",
        "cash_in_then_transfer_abroad",
        "laundering_score",
    ),
)

# In the order of the configuration, so that families stay together.
DETECTORS: Final = (
    Detector("structuring", _LAUNDERING, "incident", _alerts("structuring_by_customer")),
    Detector("large_amount", _LAUNDERING, "event", _matches("high_value_payment")),
    Detector("rapid_fire", _LAUNDERING, "incident", _alerts("customer_rapid_fire")),
    Detector("fan_in", _LAUNDERING, "incident", _alerts("fan_in_transfers")),
    Detector("fan_out", _LAUNDERING, "incident", _alerts("fan_out_transfers")),
    Detector("cycle", _LAUNDERING, "incident", others=_ABOUT_MONEY_THAT_MOVES_ON, has_goal=False),
    Detector(
        "scatter_gather",
        _LAUNDERING,
        "incident",
        others=_alerts("fan_out_transfers", "fan_in_transfers"),
        has_goal=False,
    ),
    Detector(
        "layering", _LAUNDERING, "incident", others=_ABOUT_MONEY_THAT_MOVES_ON, has_goal=False
    ),
    Detector(
        "high_risk_country", _LAUNDERING, "event", _matches("high_risk_country"), has_goal=False
    ),
    Detector(
        "missing_customer_id",
        _CUSTOMER,
        "event",
        _flags("customer_id_missing"),
        _matches("missing_kyc_data"),
    ),
    Detector(
        "invalid_customer_id",
        _CUSTOMER,
        "event",
        _UNUSABLE,
        (*_flags("customer_id_missing"), *_matches("missing_kyc_data")),
    ),
    Detector(
        "missing_email",
        _CUSTOMER,
        "event",
        _flags("customer_email_missing"),
        _matches("unusable_email"),
    ),
    Detector(
        "invalid_email",
        _CUSTOMER,
        "event",
        _flags("customer_email_invalid"),
        (*_matches("unusable_email"), *_UNUSABLE),
    ),
    Detector(
        "missing_country",
        _CUSTOMER,
        "event",
        _flags("customer_country_missing"),
        _matches("missing_kyc_data"),
    ),
    Detector(
        "invalid_country",
        _CUSTOMER,
        "event",
        _flags("customer_country_invalid"),
        (*_matches("missing_kyc_data"), *_UNUSABLE),
    ),
    Detector(
        "card_number_in_clear",
        _CARD,
        "event",
        _flags("card_number_present"),
        _matches("card_number_in_clear"),
    ),
    Detector(
        "missing_card_data",
        _CARD,
        "event",
        _flags("card_data_missing"),
        _matches("card_data_unusable"),
    ),
    Detector(
        "invalid_card_data",
        _CARD,
        "event",
        _flags("card_data_invalid"),
        _matches("card_data_unusable"),
    ),
    Detector(
        "forbidden_card_data",
        _CARD,
        "event",
        _flags("card_data_forbidden"),
        _matches("card_data_without_card"),
    ),
    Detector("negative_amount", _QUALITY, "event", _refused("negative_amount")),
    Detector(
        "zero_amount", _QUALITY, "event", _flags("zero_amount"), _matches("zero_amount_payment")
    ),
    Detector("wrong_scale", _QUALITY, "event", _refused("too_many_decimals")),
    Detector("unknown_currency", _QUALITY, "event", _refused("unknown_currency")),
    Detector("unknown_status", _QUALITY, "event", _refused("unknown_payment_status")),
    Detector(
        "future_time",
        _QUALITY,
        "event",
        (*_flags("future_event_time"), *_refused("outside_horizon")),
        _matches("future_event_time"),
    ),
    Detector("ancient_time", _QUALITY, "event", _refused("outside_horizon")),
    Detector("malformed_json", _QUALITY, "event", _refused("not_json")),
    Detector("truncated_message", _QUALITY, "event", _refused("not_json")),
    Detector("oversized_metadata", _QUALITY, "event", _refused("metadata_too_large")),
    Detector("contract_breach", _QUALITY, "event", _OTHER_REASONS),
    Detector(
        "status_mismatch",
        _BUSINESS,
        "incident",
        _alerts("status_contradiction", "refund_of_unsettled_payment"),
    ),
    Detector(
        "orphan_refund",
        _BUSINESS,
        "event",
        (*_alerts("orphan_refund"), *_matches("refund_without_original")),
    ),
    Detector("currency_mismatch", _BUSINESS, "event", _matches("foreign_currency_at_home")),
    Detector(
        "card_testing",
        _FRAUD,
        "incident",
        _alerts("card_testing", "merchant_card_testing", "card_retries"),
    ),
    Detector(
        "account_takeover",
        _FRAUD,
        "incident",
        _alerts("customer_many_cards", "card_many_customers"),
        (*_alerts("fraud_score", "customer_daily_sum"), *_matches("night_high_value")),
        has_goal=False,
    ),
    Detector("impossible_travel", _FRAUD, "incident", _alerts("impossible_travel")),
    Detector(
        "failure_burst", _FRAUD, "incident", _alerts("merchant_failure_burst"), has_goal=False
    ),
)

# Kinds that are not found by a signal, yet raise it with good reason: sums that have to be large,
# payments abroad, failures at one merchant.
ALSO_RAISED_BY: Final[Mapping[Signal, frozenset[str]]] = {
    Signal("match", "high_value_payment"): frozenset(
        {
            "structuring",  # just below 10,000 pounds is above 10,000 euros
            "fan_in",
            "fan_out",
            "cycle",
            "scatter_gather",
            "layering",
            "high_risk_country",
            "account_takeover",
        }
    ),
    # A full number that stands for the last four digits is no last four digits.
    Signal("flag", "card_data_invalid"): frozenset({"card_number_in_clear"}),
    # A placeholder instead of an id is many people at once.
    Signal("alert", "fan_out_transfers"): frozenset({"invalid_customer_id"}),
    Signal("alert", "impossible_travel"): frozenset({"account_takeover"}),
    Signal("alert", "merchant_card_testing"): frozenset({"failure_burst"}),
    Signal("alert", "merchant_failure_burst"): frozenset({"card_testing"}),
    Signal("alert", "customer_many_cards"): frozenset({"card_testing", "invalid_customer_id"}),
    Signal("alert", "card_many_customers"): frozenset({"card_testing"}),
}

KINDS: Final = tuple(detector.kind for detector in DETECTORS)
KINDS_WITH_GOAL: Final = tuple(detector.kind for detector in DETECTORS if detector.has_goal)


@cache
def raised_by(signal: Signal) -> frozenset[str]:
    """Return the kinds of violations that raise a signal with good reason."""
    found = {detector.kind for detector in DETECTORS if signal in detector.signals}
    return ALSO_RAISED_BY.get(signal, frozenset()) | found
