"""Spoils ordinary payments: what is valid but odd, and what has to be refused."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from shared_code.domain.vocabularies import RejectReason
from simulator.generation.scene import Scene
from simulator.violations.incident import Incident, Refusal
from simulator.wire import Payment, to_json

type Document = dict[str, Any]
"""A payment event as JSON values; numbers with a point keep their text."""

_DOCUMENT: Final = msgspec.json.Decoder(
    Document, float_hook=lambda text: msgspec.Raw(text.encode())
)


def in_turn[T](scene: Scene, plain: Sequence[T], hidden: Sequence[T] = (), turn: int = -1) -> T:
    """Return the variant whose turn it is: a hidden one as often as the subtlety says.

    Args:
        scene: of the occurrence.
        plain: variants that are plain to see.
        hidden: variants that are hardly seen; none if empty.
        turn: counts up from 0; the scene's own unless given.
    """
    variants = hidden if hidden and scene.random.random() < scene.subtlety else plain
    return variants[(scene.turn if turn < 0 else turn) % len(variants)]


def odd(payment: Payment, **fields: object) -> Incident:
    """Return a payment with some fields changed, valid all the same."""
    event = msgspec.structs.replace(payment.event, **fields)
    return Incident((payment._replace(event=event),))


def document_of(payment: Payment) -> Document:
    """Return a payment event as JSON values, to be spoilt in ways that its types rule out."""
    document: Document = _DOCUMENT.decode(to_json(payment.event))
    return document


def with_fields(payment: Payment, **fields: object) -> bytes:
    """Return the JSON text of a payment event with some fields replaced, whatever their types."""
    return to_json({**document_of(payment), **fields})


def with_inner(payment: Payment, part: str, **fields: object) -> bytes:
    """Return the JSON text of a payment event with fields of its ``part`` object replaced."""
    document = document_of(payment)
    return to_json({**document, part: {**document.get(part, {}), **fields}})


def refused(
    scene: Scene,
    payment: Payment,
    reason: RejectReason,
    body: bytes,
    *,
    has_id: bool = True,
    alone: bool = False,
) -> Incident:
    """Return what has become of a payment and has to be refused.

    Args:
        scene: of the occurrence.
        payment: what it was; decides on the partition.
        reason: under which it is filed.
        body: what has become of it.
        has_id: whether the payment's own id can still be read.
        alone: whether it would take the other events of its message with it.
    """
    transaction_id = payment.event.transaction_id if has_id else None
    refusal = Refusal(scene.at, body, reason, payment.customer_id, transaction_id, alone)
    return Incident(refused=(refusal,))
