"""Decodes Event Hubs message bodies into normalised payments and refusals.

A body is one JSON object or an array of them. The fast way decodes a whole body at once; whatever
that way cannot take, or must not take unseen, is split and decoded event by event, so that one bad
event never harms its neighbours.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec

from shared_code.domain.card_numbers import find_card_numbers, may_hold_card_number
from shared_code.domain.horizon import Horizon
from shared_code.domain.json_structure import split_array
from shared_code.domain.normalisation import normalise
from shared_code.domain.normalisation_by_columns import normalise_columns
from shared_code.domain.normalised_payment import HASH_BYTES, AcceptedPayment
from shared_code.domain.payment_event import PaymentEvent
from shared_code.domain.pseudonyms import Pseudonymiser
from shared_code.domain.redaction import CardNumberFilter, redact, redact_body
from shared_code.domain.refusal import EventRefused
from shared_code.domain.vocabularies import RejectReason


class Origin(NamedTuple):
    """Where a message stood in Event Hubs: what makes its redelivery the same message."""

    namespace: str
    event_hub: str
    partition_id: str
    sequence_number: int


class Message(NamedTuple):
    """One Event Hubs message; ``enqueued_at`` is aware UTC, None if unknown."""

    origin: Origin
    body: bytes
    enqueued_at: datetime | None = None


class RejectedEvent(NamedTuple):
    """A payment event that was refused, with all that is kept of it."""

    origin: Origin
    event_index: int
    body_hash: bytes
    reason: RejectReason
    detail: str
    body: str


class Placed(msgspec.Struct, frozen=True, gc=False):
    """An accepted payment with its place, should it have to be refused after all."""

    accepted: AcceptedPayment
    origin: Origin
    event_index: int


class DecodedBatch(NamedTuple):
    """What a batch of messages held, in order of arrival."""

    payments: list[Placed]
    rejected: list[RejectedEvent]


_BODY: Final = msgspec.json.Decoder(list[PaymentEvent] | PaymentEvent)
_EVENT: Final = msgspec.json.Decoder(PaymentEvent)
_ITEMS: Final = msgspec.json.Decoder(list[msgspec.Raw])
# A number keeps its text: no exponent is too large to be read and none is written otherwise.
_ANY: Final = msgspec.json.Decoder(float_hook=lambda text: msgspec.Raw(text.encode()))
_ENCODER: Final = msgspec.json.Encoder()
# Every escape, so that an escaped backslash before a "u" is not taken for one.
_ESCAPE: Final = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|\\."
)
_EXPONENT: Final = re.compile(rb"[0-9][eE][+-]?[0-9]")
# UnicodeDecodeError is what msgspec raises for text that is no UTF-8.
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def decode_batch(
    messages: Iterable[Message], pseudonymiser: Pseudonymiser, horizon: Horizon
) -> DecodedBatch:
    """Decode and normalise every payment event of ``messages``; refuse what breaks the contract."""
    read = [(origin, body, _read(body)) for origin, body, _ in messages]
    at_once = iter(
        normalise_columns(
            [event for _, _, events in read for event in events if isinstance(event, PaymentEvent)],
            pseudonymiser=pseudonymiser,
            horizon=horizon,
        )
    )
    batch = DecodedBatch([], [])
    for origin, body, events in read:
        found = [next(at_once) if isinstance(event, PaymentEvent) else None for event in events]
        placed = [Placed(each, origin, index) for index, each in enumerate(found) if each]
        if len(placed) == len(found):
            batch.payments.extend(placed)
            continue
        items: Sequence[bytes] = ()
        for index, (event, known) in enumerate(zip(events, found, strict=True)):
            try:
                accepted = known or _normalised(event, pseudonymiser, horizon)
            except EventRefused as refusal:
                items = items or split_body(body)
                batch.rejected.append(reject(origin, index, items[index], refusal))
            else:
                batch.payments.append(Placed(accepted, origin, index))
    return batch


def _normalised(
    event: PaymentEvent | bytes, pseudonymiser: Pseudonymiser, horizon: Horizon
) -> AcceptedPayment:
    """Return one payment by itself.

    Raises:
        EventRefused: it breaks the contract.
    """
    card_number = None
    if not isinstance(event, PaymentEvent):
        event, card_number = _read_carefully(event, pseudonymiser)
    return normalise(event, pseudonymiser=pseudonymiser, horizon=horizon, card_number=card_number)


def reject(
    origin: Origin, event_index: int, evidence: bytes, refusal: EventRefused
) -> RejectedEvent:
    """Return what is kept of a refused event, free of card numbers and e-mail addresses."""
    return RejectedEvent(
        origin=origin,
        event_index=event_index,
        body_hash=hashlib.blake2b(evidence, digest_size=HASH_BYTES).digest(),
        reason=refusal.reason,
        detail=redact(refusal.detail)[:1000],
        body=redact_body(evidence),
    )


def _read(body: bytes) -> Sequence[PaymentEvent | bytes]:
    """Return the events of a body: decoded where that is safe, else as JSON text."""
    if not _needs_care(body):
        with suppress(*_UNREADABLE):
            events = _BODY.decode(body)
            return events if isinstance(events, list) else (events,)
    return [_read_one(item) for item in split_body(body)]


def _read_one(item: bytes) -> PaymentEvent | bytes:
    if not (_needs_care(item) and _holds_card_number(item)):
        with suppress(*_UNREADABLE):
            return _EVENT.decode(item)
    return item


def _holds_card_number(item: bytes) -> bool:
    """Tell whether an event that needs care holds a card number, or writes it in a way of its own.

    Escapes and exponents are undone only by reading the event.
    """
    return (
        _has_unicode_escape(item)
        or _EXPONENT.search(item) is not None
        or bool(find_card_numbers(item.decode("utf-8", "replace")))
    )


def _needs_care(text: bytes) -> bool:
    """Tell whether a JSON text may hold a card number, or hide one or worse behind escapes."""
    return _has_unicode_escape(text) or may_hold_card_number(text)


def _has_unicode_escape(text: bytes) -> bool:
    # One byte is looked for much faster than two, and hardly any text has a backslash.
    return b"\\" in text and b"\\u" in text


def split_body(body: bytes) -> Sequence[bytes]:
    """Return the JSON text of each event of a body, or the body itself if it is no array."""
    if _has_unicode_escape(body):
        body = _ESCAPE.sub(_mark_lone_surrogate, body)
    if not body.lstrip(b" \t\r\n").startswith(b"["):
        return (body,)
    with suppress(*_UNREADABLE):
        return [bytes(item) for item in _ITEMS.decode(body)]
    items = split_array(body)
    return (body,) if items is None else items


def _mark_lone_surrogate(escape: re.Match[bytes]) -> bytes:
    """Replace half a surrogate pair by NUL, which is refused by name further on.

    msgspec takes a lone half for the end of the text, so that one event would spoil its array.
    """
    return rb"\u0000" if escape["lone"] else escape[0]


def _read_carefully(item: bytes, pseudonymiser: Pseudonymiser) -> tuple[PaymentEvent, str | None]:
    """Return one event free of card numbers, and the first card number that it held.

    Raises:
        EventRefused: no JSON, no object, or not of the contract's shape.
    """
    card_filter = CardNumberFilter(pseudonymiser)
    value = _parse(item)
    if not isinstance(value, dict):
        detail = f"expected a payment event as JSON object, found {type(value).__name__}"
        raise EventRefused(RejectReason.not_an_object, detail)
    cleaned = _cleaned(card_filter, value)
    try:
        # What came is judged before what is left of it: a masked number has become a string.
        _EVENT.decode(item)
        event = _EVENT.decode(cleaned)
    except msgspec.ValidationError as error:
        raise EventRefused(_reason_of(error), str(error)) from error
    return event, card_filter.first_found


def _cleaned(card_filter: CardNumberFilter, value: dict[str, Any]) -> bytes:
    """Return an event as JSON text without card numbers.

    Raises:
        EventRefused: nested too deeply, or with text that no database stores.
    """
    try:
        return _ENCODER.encode(card_filter.clean(value))
    except RecursionError as error:
        raise EventRefused(RejectReason.too_deep, "the event is nested too deeply") from error


def _parse(item: bytes) -> Any:
    """Return the value of a JSON text, numbers exact.

    Raises:
        EventRefused: no JSON, nested too deeply, not UTF-8, or with a number of absurd length.
    """
    try:
        return _ANY.decode(item)
    except RecursionError as error:
        raise EventRefused(RejectReason.too_deep, "the event is nested too deeply") from error
    except UnicodeDecodeError as error:
        raise EventRefused(RejectReason.invalid_text, "the event is no valid UTF-8") from error
    except msgspec.ValidationError as error:
        raise EventRefused(RejectReason.wrong_type, str(error)) from error
    except msgspec.DecodeError as error:
        raise EventRefused(RejectReason.not_json, f"the event is no JSON: {error}") from error


def _reason_of(error: msgspec.ValidationError) -> RejectReason:
    """Return the reason code for a shape that msgspec refused."""
    text = str(error)
    if "missing required field" in text:
        return RejectReason.missing_field
    if "of length" in text:
        return RejectReason.invalid_length
    return RejectReason.wrong_type
