"""Payment events that are replayed as they are: byte for byte, unless their time is moved."""

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from shared_code.domain.decoding import split_body
from shared_code.domain.event_time import parse_event_time
from simulator.generation.partition_keys import partition_key
from simulator.replay.card_masking import CardMasking
from simulator.replay.rows import RowFault, RowRefused
from simulator.replay.translation import MAX_EVENT_BYTES, ReadyEvent, key_of, rfc_3339

_FIELDS: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENCODER: Final = msgspec.json.Encoder()
_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError)


class _Owner(msgspec.Struct):
    id: str | None = None


class _Known(msgspec.Struct):
    """What has to be known of an event to send it on."""

    transaction_id: str | None = None
    customer: _Owner | None = None


_KNOWN: Final = msgspec.json.Decoder(_Known)


def event_time_of(event: bytes) -> datetime | None:
    """Return the event time of an event in aware UTC, None if it cannot be read."""
    try:
        text = msgspec.json.decode(_FIELDS.decode(event)["event_time"], type=str)
        return parse_event_time(text).astimezone(UTC)
    except (*_UNREADABLE, KeyError):
        return None


def ready_event(event: bytes, shift: timedelta, masking: CardMasking | None) -> ReadyEvent:
    """Return one line of JSON as an event, moved in time.

    Raises:
        RowRefused: it is no JSON object, or too large for a message.
    """
    try:
        _FIELDS.decode(event)
    except _UNREADABLE as error:
        raise RowRefused(RowFault.unreadable, f"expected a JSON object: {error}") from error
    if len(event) > MAX_EVENT_BYTES:
        detail = f"the event has {len(event)} bytes, at most {MAX_EVENT_BYTES} go into a message"
        raise RowRefused(RowFault.too_large, detail)
    body = _changed(event, shift, masking)
    return ReadyEvent(own_key(event), body, event_time_of(body))


def changed_body(body: bytes, shift: timedelta, masking: CardMasking | None) -> bytes:
    """Return the body of a message with its events moved in time; unreadable ones as they are."""
    if not shift and masking is None:
        return body
    events = [_changed(event, shift, masking) for event in split_body(body)]
    is_array = body.lstrip().startswith(b"[")
    return b"[" + b",".join(events) + b"]" if is_array else b"".join(events)


def own_key(event: bytes) -> str:
    """Return the partition key of an event; of one that cannot be read, a key by its bytes."""
    try:
        known = _KNOWN.decode(event)
    except _UNREADABLE:
        return partition_key(event.decode("utf-8", "backslashreplace"))
    return key_of(msgspec.to_builtins(known))


def _changed(event: bytes, shift: timedelta, masking: CardMasking | None) -> bytes:
    if shift:
        event = _moved(event, shift)
    return event if masking is None else masking.cleaned(event)


def _moved(event: bytes, shift: timedelta) -> bytes:
    """Return an event with another time, all else letter by letter; as it is if it has no time."""
    moment = event_time_of(event)
    if moment is None:
        return event
    try:
        moved = rfc_3339(moment + shift)
    except OverflowError:
        return event
    fields = _FIELDS.decode(event)
    fields["event_time"] = msgspec.Raw(_ENCODER.encode(moved))
    return _ENCODER.encode(fields)
