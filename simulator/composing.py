"""Composes single payment events: who, where, how, how much, and how that is written."""

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from random import Random
from typing import Final

import msgspec

from shared_code.domain.currencies import CURRENCIES
from simulator.parameters import Parameters
from simulator.population import Customer, Merchant, Population, letters_of
from simulator.wire import Counterparty, Event, Label, Payment
from simulator.wire import Customer as WireCustomer
from simulator.wire import Merchant as WireMerchant

_CARD_METHODS: Final = frozenset({"credit_card", "debit_card"})
_DEVICES: Final = {
    "web": ("desktop", "desktop", "mobile", "tablet"),
    "mobile_app": ("mobile", "mobile", "tablet", "wearable"),
    "point_of_sale": ("terminal",),
    "api": ("server",),
    "phone": ("mobile",),
    "branch": ("terminal",),
}
_OFFSETS: Final = tuple(
    timezone(timedelta(minutes=minutes)) for minutes in (-480, -300, 60, 120, 330, 540)
)
_MICROSECOND: Final = timedelta(microseconds=1)


class Composer:
    """Draws payment events; each call moves on its random numbers and its counter of payments."""

    def __init__(self, parameters: Parameters, population: Population, random: Random) -> None:
        self.parameters = parameters
        self.population = population
        self.random = random
        # Another simulation has other payments, so that two runs into one hub never conflict.
        self._run = letters_of(msgspec.json.encode(parameters).decode(), 10)
        self._composed = 0

    def instant(self, start: datetime, length: timedelta) -> datetime:
        """Return a time in ``[start, start + length)``, now and then just inside either edge."""
        draw = self.random.random()
        if draw < 0.002:
            return start
        if draw > 0.998:
            return start + length - _MICROSECOND
        return start + self.random.randrange(length // _MICROSECOND) * _MICROSECOND

    def new_transaction_id(self) -> str:
        """Return an id that no other payment of this or another simulation has."""
        self._composed += 1
        return f"pay_{self._run}_{self._composed:08d}"

    def compose(
        self,
        instant: datetime,
        *,
        customer: Customer | None = None,
        merchant: Merchant | None = None,
        status: str = "completed",
        methods: Sequence[str] = (),
        dollars: float | None = None,
        currency: str | None = None,
        amount: Decimal | None = None,
        label: str | None = None,
    ) -> Payment:
        """Return a new payment; what is not given is drawn.

        Args:
            instant: its event time; the way it is written may cut it to the millisecond.
            customer: who pays.
            merchant: who is paid.
            status: its first status.
            methods: the payment methods to choose from; all that the merchant takes if empty.
            dollars: its size in US dollars, to be expressed in its currency.
            currency: ISO 4217; the customer's if not given.
            amount: its exact size, instead of ``dollars``; needs ``currency``.
            label: what the simulator wants found in it.
        """
        random = self.random
        customer = customer or self.population.customer(random)
        merchant = merchant or self.population.merchant_for(customer, random)
        category = merchant.category
        if methods:
            method = random.choice(methods)
        else:
            method = random.choices(category.methods, weights=category.method_weights)[0]
        channel = self._channel(category.channels, method)
        if amount is None:
            drawn = random.lognormvariate(0, category.sigma) * category.median
            amount = self._money(drawn if dollars is None else dollars, customer, currency)
        text, event_time = self._written(instant)
        event = Event(
            transaction_id=self.new_transaction_id(),
            event_time=text,
            amount=self._amount_text(amount),
            currency=currency or customer.country.currency,
            payment_method=method,
            payment_status=status,
            channel=channel,
            device_type=self._device(channel),
            customer=WireCustomer(
                id=customer.id,
                email=customer.email if random.random() > 0.03 else None,
                country=customer.country.code if random.random() > 0.01 else None,
            ),
            merchant=WireMerchant(
                id=merchant.id,
                name=merchant.name,
                category=category.name,
                mcc=category.mcc if random.random() > 0.02 else None,
                country=merchant.country.code,
            ),
            card=customer.card if method in _CARD_METHODS else None,
            counterparty=self._counterparty(customer, method),
            metadata=self._metadata(),
            simulation=Label(label) if label else None,
        )
        return Payment(event, event_time, amount, customer.id)

    def later(self, payment: Payment, instant: datetime, status: str) -> Payment:
        """Return the same payment in another status at a later time."""
        text, event_time = self._written(instant)
        event = msgspec.structs.replace(payment.event, event_time=text, payment_status=status)
        return payment._replace(event=event, event_time=event_time)

    def refund(self, payment: Payment, instant: datetime) -> Payment:
        """Return a payment of its own that gives all or half of another one back."""
        quantum = Decimal(1).scaleb(-CURRENCIES[payment.event.currency].minor_unit)
        share = self.random.choice((Decimal(1), Decimal(1), Decimal("0.5")))
        amount = (payment.amount * share).quantize(quantum)
        text, event_time = self._written(instant)
        event = msgspec.structs.replace(
            payment.event,
            transaction_id=self.new_transaction_id(),
            event_time=text,
            amount=self._amount_text(amount),
            payment_status="refunded",
            original_transaction_id=payment.event.transaction_id,
        )
        return Payment(event, event_time, amount, payment.customer_id)

    def _money(self, dollars: float, customer: Customer, currency: str | None) -> Decimal:
        country = customer.country
        factor = country.per_dollar if currency in {None, country.currency} else 1.0
        minor_unit = CURRENCIES[currency or country.currency].minor_unit
        minor = max(1, round(dollars * factor * 10**minor_unit))
        return Decimal(minor).scaleb(-minor_unit)

    def _amount_text(self, amount: Decimal) -> str | msgspec.Raw:
        """Return the amount as most producers write it, and as some do: a JSON number."""
        text = f"{amount:f}"
        return msgspec.Raw(text.encode()) if self.random.random() < 0.03 else text

    def _written(self, instant: datetime) -> tuple[str, datetime]:
        """Return RFC 3339 text and the time that it names, cut to the microsecond."""
        draw = self.random.random()
        if draw < 0.7:
            cut = instant.replace(microsecond=instant.microsecond // 1000 * 1000)
            return cut.isoformat(timespec="milliseconds").replace("+00:00", "Z"), cut
        if draw < 0.85:
            return instant.isoformat(timespec="microseconds"), instant
        if draw < 0.95:
            offset = self.random.choice(_OFFSETS)
            return instant.astimezone(offset).isoformat(timespec="microseconds"), instant
        # The digits behind the microsecond are to be cut, never rounded.
        nanoseconds = self.random.choice((1, 500, 999))
        text = instant.isoformat(timespec="microseconds").replace("+00:00", "")
        return f"{text}{nanoseconds:03d}Z", instant

    def _channel(self, channels: Sequence[str], method: str) -> str | None:
        if self.random.random() < 0.05:
            return None
        if method == "cash_equivalent":
            return "point_of_sale"
        return self.random.choice(channels)

    def _device(self, channel: str | None) -> str | None:
        if channel is None or self.random.random() < 0.1:
            return None
        return self.random.choice(_DEVICES[channel])

    def _counterparty(self, customer: Customer, method: str) -> Counterparty | None:
        if method not in {"bank_transfer", "cryptocurrency"}:
            return None
        other = self.population.customer(self.random)
        if other is customer:
            return None
        return Counterparty(id=f"account_{letters_of(other.id, 12)}", country=other.country.code)

    def _metadata(self) -> dict[str, str | int] | None:
        random = self.random
        if random.random() < 0.6:
            return None
        return {
            "order": f"order_{letters_of(str(random.random()), 8)}",
            "items": random.randrange(1, 12),
            # TEST-NET-3 (RFC 5737): nobody's address.
            "ip": f"203.0.113.{random.randrange(256)}",
        }
