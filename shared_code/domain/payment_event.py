"""The payment event as it stands on the wire.

``payment_event.schema.json`` beside this file is the published contract (JSON Schema, draft
2020-12); the structs here decode the same shape at speed. A test keeps the two equal.
"""

from typing import Annotated, Final

import msgspec

MAX_METADATA_BYTES: Final = 16 * 1024
# Far below where PostgreSQL (max_stack_depth) or Python would give up, so that neither decides.
MAX_METADATA_DEPTH: Final = 64

type Identifier = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
type OptionalIdentifier = Annotated[str, msgspec.Meta(max_length=64)] | None
type Name = Annotated[str, msgspec.Meta(max_length=256)] | None
type Code = Annotated[str, msgspec.Meta(max_length=32)] | None
type Address = Annotated[str, msgspec.Meta(max_length=320)] | None

_ABSENT: Final = msgspec.Raw()


class Customer(msgspec.Struct, gc=False):
    """Who pays. Countries are ISO 3166-1 alpha-2."""

    id: OptionalIdentifier = None
    email: Address = None
    country: Code = None


class Merchant(msgspec.Struct, gc=False):
    """Who is paid. The merchant category code is four digits (ISO 18245)."""

    id: OptionalIdentifier = None
    name: Name = None
    category: OptionalIdentifier = None
    mcc: Code = None
    country: Code = None


class Card(msgspec.Struct, gc=False):
    """What may be known of a card: never its full number."""

    brand: Code = None
    bin: Code = None
    last4: Code = None
    fingerprint: Annotated[str, msgspec.Meta(max_length=128)] | None = None


class Counterparty(msgspec.Struct, gc=False):
    """The other account of a transfer."""

    id: OptionalIdentifier = None
    country: Code = None


class PaymentEvent(msgspec.Struct, gc=False):
    """One payment in one status at one time.

    ``amount`` and ``metadata`` keep their JSON text: the amount so that it is read exactly, the
    metadata because it is stored as it came. Fields that are not listed are ignored, so that a
    producer may move first; ``simulation`` is one of them on purpose.
    """

    transaction_id: Identifier
    event_time: Annotated[str, msgspec.Meta(max_length=64)]
    amount: msgspec.Raw
    currency: Annotated[str, msgspec.Meta(max_length=32)]
    payment_method: Annotated[str, msgspec.Meta(max_length=64)]
    payment_status: Annotated[str, msgspec.Meta(max_length=64)]
    channel: Name = None
    device_type: Name = None
    customer: Customer | None = None
    merchant: Merchant | None = None
    card: Card | None = None
    counterparty: Counterparty | None = None
    original_transaction_id: OptionalIdentifier = None
    metadata: msgspec.Raw = _ABSENT
