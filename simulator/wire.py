"""The payment event as the simulator writes it.

The shape is the published contract (``payment_event.schema.json``), spelt out a second time on
purpose: what is written here is checked by what reads it, not by itself. Absent fields are left
out.
"""

from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

import msgspec


class Customer(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who pays."""

    id: str | None = None
    email: str | None = None
    country: str | None = None


class Merchant(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who is paid."""

    id: str | None = None
    name: str | None = None
    category: str | None = None
    mcc: str | None = None
    country: str | None = None


class Card(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is known of the card."""

    brand: str | None = None
    bin: str | None = None
    last4: str | None = None
    fingerprint: str | None = None


class Counterparty(msgspec.Struct, frozen=True, omit_defaults=True):
    """The other account of a transfer."""

    id: str | None = None
    country: str | None = None


class Label(msgspec.Struct, frozen=True):
    """What the simulator did to this event on purpose; the pipeline never looks at it."""

    violation: str
    incident: str


class Event(msgspec.Struct, frozen=True, omit_defaults=True):
    """One payment event.

    ``amount`` is a decimal string or the text of a JSON number.
    """

    transaction_id: str
    event_time: str
    amount: str | msgspec.Raw
    currency: str
    payment_method: str
    payment_status: str
    channel: str | None = None
    device_type: str | None = None
    customer: Customer | None = None
    merchant: Merchant | None = None
    card: Card | None = None
    counterparty: Counterparty | None = None
    original_transaction_id: str | None = None
    metadata: dict[str, str | int] | None = None
    simulation: Label | None = None

    @property
    def violation(self) -> str | None:
        """The label of what was done to this event on purpose, if anything."""
        return self.simulation.violation if self.simulation else None


class Payment(NamedTuple):
    """A valid payment event and what the ledger has to know of it.

    ``event_time`` is aware UTC, cut to the microsecond; ``amount`` has its currency's decimals;
    ``customer_id`` decides on the partition, even where the event itself leaves it out.
    """

    event: Event
    event_time: datetime
    amount: Decimal
    customer_id: str

    @property
    def identity(self) -> tuple[str, str, datetime]:
        """What makes a payment event itself, and its repetition a duplicate."""
        return (self.event.transaction_id, self.event.payment_status, self.event_time)


_ENCODER: Final = msgspec.json.Encoder()


def to_json(value: object) -> bytes:
    """Return the JSON text of an event or of a JSON document."""
    return _ENCODER.encode(value)
