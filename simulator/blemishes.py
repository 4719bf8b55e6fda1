"""Payments that are valid but odd: the pipeline stores them and flags what is odd."""

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from msgspec.structs import replace

from simulator.wire import Card, Customer, Event, Label, Merchant, Payment

# The schemes' published test numbers, as people type them into the wrong field.
_CARD_NUMBERS: Final = ("4111 1111 1111 1111", "5555555555554444", "3782-822463-10005")

_EVERY: Final = 120
"""One ordinary payment of so many gets a blemish."""


def _number_in_metadata(payment: Payment) -> Payment:
    note = f"customer read out {_CARD_NUMBERS[0]} on the phone"
    return _labelled(
        payment, replace(payment.event, metadata={"note": note}), "card_number_present"
    )


def _number_as_merchant_name(payment: Payment) -> Payment:
    merchant = replace(payment.event.merchant or Merchant(), name=f"Top-up {_CARD_NUMBERS[1]}")
    return _labelled(payment, replace(payment.event, merchant=merchant), "card_number_present")


def _number_as_last_digits(payment: Payment) -> Payment:
    card = replace(payment.event.card or Card(), last4=_CARD_NUMBERS[2])
    return _labelled(payment, replace(payment.event, card=card), "card_number_present")


def _no_customer_id(payment: Payment) -> Payment:
    customer = replace(payment.event.customer or Customer(), id=None)
    return _labelled(payment, replace(payment.event, customer=customer), "customer_id_missing")


def _no_address(payment: Payment) -> Payment:
    customer = replace(payment.event.customer or Customer(), email="not given")
    return _labelled(payment, replace(payment.event, customer=customer), "customer_email_invalid")


def _no_such_country(payment: Payment) -> Payment:
    customer = replace(payment.event.customer or Customer(), country="UK")
    return _labelled(payment, replace(payment.event, customer=customer), "customer_country_invalid")


def _no_card(payment: Payment) -> Payment:
    event = replace(payment.event, payment_method="credit_card", card=None)
    return _labelled(payment, event, "card_data_missing")


def _card_with_cash(payment: Payment) -> Payment:
    card = Card(brand="visa", last4="1111")
    event = replace(payment.event, payment_method="cash_equivalent", card=card)
    return _labelled(payment, event, "card_data_forbidden")


def _nothing_to_pay(payment: Payment) -> Payment:
    amount = payment.amount - payment.amount
    event = replace(payment.event, amount=f"{amount:f}")
    return _labelled(payment, event, "zero_amount", amount)


def _labelled(
    payment: Payment, event: Event, violation: str, amount: Decimal | None = None
) -> Payment:
    labelled = replace(event, simulation=Label(violation))
    return payment._replace(event=labelled, amount=payment.amount if amount is None else amount)


_BLEMISHES: Final[tuple[Callable[[Payment], Payment], ...]] = (
    _number_in_metadata,
    _no_customer_id,
    _nothing_to_pay,
    _no_address,
    _number_as_merchant_name,
    _no_card,
    _no_such_country,
    _number_as_last_digits,
    _card_with_cash,
)


class Blemishes:
    """Puts every kind of blemish in turn on a payment now and then."""

    def __init__(self) -> None:
        self._seen = 0

    def put_on(self, payment: Payment) -> Payment:
        """Return the payment as it is, or blemished when its turn has come."""
        self._seen += 1
        turn, left = divmod(self._seen, _EVERY)
        return payment if left else _BLEMISHES[(turn - 1) % len(_BLEMISHES)](payment)
