"""Composes payment events one by one: what violations and their look-alikes are made of.

Whatever is not given is drawn as the ordinary payments' columns are, so that an event is known by
nothing but what was done to it.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from itertools import accumulate
from random import Random
from typing import Final

import msgspec
import numpy as np

from shared_code.domain.currencies import CURRENCIES
from simulator.configuration.population_settings import Category, Country
from simulator.configuration.structure import Configuration
from simulator.generation.amounts import draw_amounts
from simulator.generation.population import (
    Customer,
    Merchant,
    Population,
    account_of,
    as_wire,
    merchant_as_wire,
)
from simulator.generation.streams import letters, letters_of
from simulator.generation.wording import (
    CARD_METHODS,
    CHANNEL_ABSENT,
    DEVICE_ABSENT,
    DEVICES,
    METADATA_ABSENT,
    OFFSETS_MINUTES,
    TRANSFERS,
)
from simulator.wire import Card, Counterparty, Event, Label, Payment

_OFFSETS: Final = tuple(timezone(timedelta(minutes=minutes)) for minutes in OFFSETS_MINUTES)
_MICROSECOND: Final = timedelta(microseconds=1)
_TRIES: Final = 60


@dataclass(slots=True)
class Scene:
    """Where one occurrence of a violation takes place.

    Attributes:
        configuration: of the simulation.
        population: who may take part.
        random: of this occurrence alone.
        at: when it begins, aware UTC.
        end: event times have to lie before.
        subtlety: 0 plain to see, 1 hardly told from ordinary payments.
        label: of its events; None for a look-alike.
        run_key: makes the ids of different simulations differ.
        turn: successive occurrences of a kind count up from 0.
    """

    configuration: Configuration
    population: Population
    random: Random
    at: datetime
    end: datetime
    subtlety: float
    label: Label | None
    run_key: int
    turn: int
    _columns: np.random.Generator = field(init=False)

    def __post_init__(self) -> None:
        self._columns = np.random.Generator(np.random.PCG64(self.random.getrandbits(64)))

    # --- time -------------------------------------------------------------------------------

    @property
    def remaining(self) -> timedelta:
        """What is left of the simulation from the beginning of the scene on."""
        return self.end - self.at

    def times(self, number: int, within: timedelta) -> list[datetime]:
        """Return ascending times from the beginning on, spread at random over ``within``.

        The end of the simulation cuts the stretch.
        """
        length = min(within, self.remaining)
        draws = sorted(self.random.random() for _ in range(number - 1))
        return [self.at, *(self.after(length, draw) for draw in draws)][:number]

    def after(self, length: timedelta, part: float) -> datetime:
        """Return the time at which a part of ``length`` has passed since the beginning.

        Cut to the microsecond, since rounding could reach the end of the simulation.
        """
        return self.at + timedelta(microseconds=int(length / _MICROSECOND * part))

    def eased(self, plain: float, hidden: float) -> float:
        """Return the value between ``plain`` (subtlety 0) and ``hidden`` (subtlety 1)."""
        return plain + (hidden - plain) * self.subtlety

    def between(self, least: float, most: float) -> float:
        """Return a number drawn evenly from a range."""
        return self.random.uniform(least, most)

    # --- people -----------------------------------------------------------------------------

    def customer(self, *, countries: Sequence[str] = ()) -> Customer:
        """Draw a customer by activity, of one of ``countries`` (all if empty)."""
        population = self.population
        for _ in range(_TRIES):
            group = bisect_right(population.group_cumulative, self.random.random())
            group = min(group, len(population.group_cumulative) - 1)
            found = population.customer(
                population.customer_ranges.draw_one(group, self.random.random())
            )
            if not countries or found.country.code in countries:
                break
        return found

    def customers(self, number: int) -> list[Customer]:
        """Draw different customers, all alike: activity does not count."""
        size = len(self.population.group_of_customer)
        positions = self.random.sample(range(size), min(number, size))
        return [self.population.customer(position) for position in positions]

    def merchant(self, customer: Customer) -> Merchant:
        """Draw a merchant for a customer, at home or anywhere, as customers ordinarily do."""
        population = self.population
        countries = population.countries
        category = bisect_right(population.category_cumulative, self.random.random())
        category = min(category, len(population.categories) - 1)
        cell = category * len(countries) + countries.index(customer.country)
        abroad = self.random.random() < self.configuration.population.abroad_share
        if abroad or not population.merchant_ranges.sizes[cell]:
            position = population.category_ranges.draw_one(category, self.random.random())
        else:
            position = population.merchant_ranges.draw_one(cell, self.random.random())
        return population.merchant(position)

    def new_card(self) -> Card:
        """Return a card that nobody in the population has."""
        brand, issuer = self.random.choice((("visa", "411111"), ("mastercard", "555555")))
        return Card(
            brand=brand,
            bin=issuer,
            last4=f"{self.random.randrange(10_000):04d}",
            fingerprint=f"card_{letters(self.random.randbytes(10))}",
        )

    def new_account(self, country: Country) -> Counterparty:
        """Return an account that belongs to nobody in the population."""
        return Counterparty(id=f"account_{letters(self.random.randbytes(6))}", country=country.code)

    # --- payments ---------------------------------------------------------------------------

    def new_transaction_id(self) -> str:
        """Return an id that no other payment of this or another simulation has."""
        return f"pay_{letters((self.random.getrandbits(64) ^ self.run_key).to_bytes(8))}"

    def money(self, dollars: float, country: Country, currency: str | None = None) -> Decimal:
        """Return an amount of US dollars in a country's currency, or in US dollars or another one.

        A currency that is no country's of the configuration counts as dollars.
        """
        code = currency or country.currency
        rates = {known.currency: known.per_dollar for known in self.configuration.countries}
        rate = country.per_dollar if code == country.currency else rates.get(code, 1.0)
        minor_unit = CURRENCIES[code].minor_unit
        return Decimal(max(1, round(dollars * rate * 10**minor_unit))).scaleb(-minor_unit)

    def compose(
        self,
        instant: datetime,
        *,
        customer: Customer | None = None,
        merchant: Merchant | None = None,
        status: str = "completed",
        methods: Sequence[str] = (),
        channel: str | None = None,
        dollars: float | None = None,
        currency: str | None = None,
        amount: Decimal | None = None,
        card: Card | None = None,
        counterparty: Counterparty | None = None,
    ) -> Payment:
        """Return a new payment with this scene's label; what is not given is drawn.

        Args:
            instant: its event time; the way it is written may cut it to the millisecond.
            customer: who pays.
            merchant: who is paid.
            status: its status.
            methods: the payment methods to choose from; all that the merchant takes if empty.
            channel: where they meet; one of the merchant's if not given.
            dollars: its size in US dollars, to be expressed in its currency.
            currency: ISO 4217; the customer's if not given.
            amount: its exact size, instead of ``dollars``.
            card: instead of the customer's own.
            counterparty: the other account of a transfer, instead of another customer's.
        """
        customer = customer or self.customer()
        merchant = merchant or self.merchant(customer)
        category = merchant.category
        method = self.random.choice(methods) if methods else self._method(category)
        if amount is None:
            drawn = dollars or self.ordinary_dollars(category, customer)
            amount = self.money(drawn, customer.country, currency)
        if channel is None:
            channel = self._channel(category, method)
        text, event_time = self.written(instant)
        event = Event(
            transaction_id=self.new_transaction_id(),
            event_time=text,
            amount=self.amount_text(amount),
            currency=currency or customer.country.currency,
            payment_method=method,
            payment_status=status,
            channel=channel,
            device_type=self._device(channel),
            customer=as_wire(customer),
            merchant=merchant_as_wire(merchant),
            card=(card or customer.card) if method in CARD_METHODS else None,
            counterparty=counterparty or self._counterparty(customer, method),
            metadata=self._metadata(),
            simulation=self.label,
        )
        return Payment(event, event_time, amount, customer.id)

    def later(self, payment: Payment, instant: datetime, status: str) -> Payment:
        """Return the same payment in another status at a later time."""
        text, event_time = self.written(instant)
        event = msgspec.structs.replace(payment.event, event_time=text, payment_status=status)
        return payment._replace(event=event, event_time=event_time)

    def refund(
        self, payment: Payment, instant: datetime, *, original_transaction_id: str | None = None
    ) -> Payment:
        """Return a payment of its own that gives another one back in full."""
        text, event_time = self.written(instant)
        event = msgspec.structs.replace(
            payment.event,
            transaction_id=self.new_transaction_id(),
            event_time=text,
            payment_status="refunded",
            original_transaction_id=original_transaction_id or payment.event.transaction_id,
        )
        return payment._replace(event=event, event_time=event_time)

    def ordinary_dollars(self, category: Category, customer: Customer) -> float:
        """Return what a customer ordinarily spends at a merchant of a category."""
        drawn = float(draw_amounts(category.amounts, 1, self._columns)[0])
        return drawn * customer.segment.spending

    def amount_text(self, amount: Decimal) -> str | msgspec.Raw:
        """Return the amount as most producers write it, and as some do: a JSON number."""
        text = f"{amount:f}"
        number = self.random.random() < self.configuration.writing.number_share
        return msgspec.Raw(text.encode()) if number else text

    def written(self, instant: datetime) -> tuple[str, datetime]:
        """Return RFC 3339 text and the time that it names, cut to the microsecond."""
        writing = self.configuration.writing
        draw = self.random.random()
        if draw < writing.nanosecond_share:
            # The digits behind the microsecond are to be cut, never rounded.
            text = instant.isoformat(timespec="microseconds").replace("+00:00", "")
            return f"{text}{self.random.choice((1, 500, 999)):03d}Z", instant
        if draw < writing.nanosecond_share + writing.offset_share:
            offset = self.random.choice(_OFFSETS)
            return instant.astimezone(offset).isoformat(timespec="microseconds"), instant
        cut = instant.replace(microsecond=instant.microsecond // 1000 * 1000)
        return cut.isoformat(timespec="milliseconds").replace("+00:00", "Z"), cut

    def _method(self, category: Category) -> str:
        weights = msgspec.structs.asdict(category.methods)
        return self.random.choices(list(weights), cum_weights=list(accumulate(weights.values())))[0]

    def _channel(self, category: Category, method: str) -> str | None:
        if self.random.random() < CHANNEL_ABSENT:
            return None
        if method == "cash_equivalent":
            return "point_of_sale"
        weights = msgspec.structs.asdict(category.channels)
        return self.random.choices(list(weights), cum_weights=list(accumulate(weights.values())))[0]

    def _device(self, channel: str | None) -> str | None:
        if channel is None or self.random.random() < DEVICE_ABSENT:
            return None
        return self.random.choice(DEVICES[channel])

    def _counterparty(self, customer: Customer, method: str) -> Counterparty | None:
        if method not in TRANSFERS:
            return None
        other = self.customer()
        if other.number == customer.number:
            # Perhaps nobody else pays.
            size = len(self.population.group_of_customer)
            other = self.population.customer((other.number + 1) % size)
        return account_of(other)

    def _metadata(self) -> dict[str, str | int] | None:
        if self.random.random() < METADATA_ABSENT:
            return None
        return {
            "order": f"order_{letters_of(str(self.random.random()), 8)}",
            "items": self.random.randrange(1, 12),
            # TEST-NET-3 (RFC 5737): nobody's address.
            "ip": f"203.0.113.{self.random.randrange(256)}",
        }
