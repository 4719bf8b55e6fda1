"""Makes payment events of foreign rows, as a mapping says."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

import msgspec

from shared_code.domain.currencies import CURRENCIES
from shared_code.domain.payment_event import MAX_METADATA_BYTES, PaymentEvent
from shared_code.domain.vocabularies import PaymentMethod, PaymentStatus, RejectReason
from simulator.generation.partition_keys import partition_key
from simulator.replay.amounts import amount_reader
from simulator.replay.card_masking import CardMasking
from simulator.replay.mapping import EventFields, ReplayMapping, Value
from simulator.replay.rows import Cells, RowFault, RowRefused
from simulator.replay.times import time_reader
from simulator.replay.values import (
    Nulls,
    TextOf,
    condition_reader,
    text_reader,
    transaction_id_reader,
)

MAX_EVENT_BYTES: Final = 900 * 1024 - 2

_ENCODER: Final = msgspec.json.Encoder(decimal_format="number")
_CONTRACT: Final = msgspec.json.Decoder(PaymentEvent)
_NUL: Final = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_GROUPS: Final = ("customer", "merchant", "card", "counterparty")
# Codes and vocabularies of which upper and lower case mean the same.
_UPPER: Final = frozenset({"customer.country", "merchant.country", "counterparty.country"})
_LOWER: Final = ("channel", "device_type")


class MappedEvent(NamedTuple):
    """A payment event before its time is written; ``event_time`` is aware UTC."""

    fields: dict[str, Any]
    event_time: datetime


class ReadyEvent(NamedTuple):
    """The JSON text of an event, where it goes, and its time in aware UTC, None if unreadable."""

    partition_key: str
    body: bytes
    event_time: datetime | None


class EventMapper:
    """A mapping made ready for rows."""

    def __init__(self, mapping: ReplayMapping, fields: EventFields, masking: CardMasking) -> None:
        nulls = Nulls(mapping.null_values)
        self.event_time = time_reader(fields.event_time, nulls)
        self._conditions = [condition_reader(condition) for condition in mapping.skip_when]
        self._transaction_id = transaction_id_reader(fields.transaction_id, nulls)
        self._amount = amount_reader(fields.amount, mapping.format, nulls)
        self._required: dict[str, TextOf] = {
            name: text_reader(getattr(fields, name), name, nulls)
            for name in ("currency", "payment_method", "payment_status")
        }
        self._optional = _optional_readers(fields, nulls)
        self._metadata = {
            name: _metadata_reader(value, name, nulls) for name, value in fields.metadata.items()
        }
        self._masking = masking if mapping.card_numbers != "keep" else None

    def skips(self, cells: Cells) -> bool:
        """Tell whether a row is no payment."""
        return any(condition(cells) for condition in self._conditions)

    def event(self, cells: Cells, number: int) -> MappedEvent:
        """Return the payment event that a row is.

        Args:
            cells: of the row.
            number: of the row among all rows of all files, from 1.

        Raises:
            RowRefused: it is none, and why.
        """
        event_time = self.event_time(cells)
        code = self._text("currency", cells).upper()
        currency = CURRENCIES.get(code)
        if currency is None:
            detail = f"currency: {code} is no ISO 4217 currency"
            raise RowRefused(RejectReason.unknown_currency, detail)
        amount, refund = self._amount(cells, currency)
        method = self._member("payment_method", cells, PaymentMethod.__members__)
        status = self._member("payment_status", cells, PaymentStatus.__members__)
        fields: dict[str, Any] = {
            "transaction_id": self._transaction_id(cells, number),
            "event_time": "",
            "amount": f"{amount:f}",
            "currency": code,
            "payment_method": method,
            "payment_status": PaymentStatus.refunded.name if refund else status,
        }
        if not fields["transaction_id"]:
            raise RowRefused(RejectReason.missing_field, "transaction_id: the cell is empty")
        self._add_optional(fields, cells)
        return MappedEvent(fields, event_time)

    def ready(self, event: MappedEvent, shift: timedelta) -> ReadyEvent:
        """Return an event as JSON text, moved in time, without full card numbers if so mapped.

        Raises:
            RowRefused: the pipeline would refuse it.
        """
        try:
            event_time = event.event_time + shift
        except OverflowError as error:
            detail = f"event_time: {event.event_time} cannot be moved by {shift}"
            raise RowRefused(RejectReason.invalid_event_time, detail) from error
        fields = event.fields
        fields["event_time"] = rfc_3339(event_time)
        try:
            body = _ENCODER.encode(fields)
        except UnicodeEncodeError as error:
            detail = "some text holds half of a surrogate pair"
            raise RowRefused(RejectReason.invalid_text, detail) from error
        if self._masking is not None:
            body = self._masking.cleaned(body)
        _check_contract(body)
        return ReadyEvent(key_of(fields), body, event_time)

    def _text(self, name: str, cells: Cells) -> str:
        found = self._required[name](cells)
        if not found:
            raise RowRefused(RejectReason.missing_field, f"{name}: the cell is empty")
        return found

    def _member(self, name: str, cells: Cells, members: Mapping[str, Any]) -> str:
        found = self._text(name, cells).lower()
        if found not in members:
            detail = f"{name}: {found} is none of {', '.join(members)}"
            raise RowRefused(RejectReason[f"unknown_{name}"], detail)
        return found

    def _add_optional(self, fields: dict[str, Any], cells: Cells) -> None:
        for group, name, text_of_row in self._optional:
            text = text_of_row(cells)
            if not text:
                continue
            if not group:
                fields[name] = text
            elif (group, name) == ("card", "number") and self._masking is not None:
                fields["card"] = self._masking.card_fields(text) | fields.get("card", {})
            else:
                fields.setdefault(group, {})[name] = text
        metadata = {
            name: value
            for name, reader in self._metadata.items()
            if (value := reader(cells)) not in {"", None}
        }
        if metadata:
            _check_size(metadata)
            fields["metadata"] = metadata


def rfc_3339(moment: datetime) -> str:
    """Return an aware UTC time as RFC 3339 with a Z."""
    return moment.replace(tzinfo=None).isoformat() + "Z"


def key_of(fields: dict[str, Any]) -> str:
    """Return the partition key of an event: its customer's, else one by its transaction."""
    customer = fields.get("customer")
    customer_id = customer.get("id") if isinstance(customer, dict) else None
    return partition_key(str(customer_id or fields.get("transaction_id")))


def _optional_readers(fields: EventFields, nulls: Nulls) -> list[tuple[str, str, TextOf]]:
    """Return group, name and reader of each optional field; the card's number stands last."""
    readers: list[tuple[str, str, TextOf]] = []
    for name in (*_LOWER, "original_transaction_id"):
        value = getattr(fields, name)
        if value is not None:
            text = text_reader(value, name, nulls)
            readers.append(("", name, _lower(text) if name in _LOWER else text))
    for group in _GROUPS:
        part = getattr(fields, group)
        for name in sorted(part.__struct_fields__, key="number".__eq__):
            value = getattr(part, name)
            if value is not None:
                full = f"{group}.{name}"
                text = text_reader(value, full, nulls)
                readers.append((group, name, _upper(text) if full in _UPPER else text))
    return readers


def _lower(text: TextOf) -> TextOf:
    return lambda cells: text(cells).lower()


def _upper(text: TextOf) -> TextOf:
    return lambda cells: text(cells).upper()


def _metadata_reader(value: Value, name: str, nulls: Nulls) -> Callable[[Cells], Any]:
    """Return what reads one value of the metadata; a number in the file stays a number."""
    text = text_reader(value, f"metadata.{name}", nulls)
    if value.column is None or value.translate is not None:
        return text
    column = value.column

    def raw(cells: Cells) -> Any:
        found = text(cells)
        cell = cells.get(column)
        return cell if found and isinstance(cell, bool | int | Decimal) else found

    return raw


def _check_size(metadata: dict[str, Any]) -> None:
    try:
        size = len(_ENCODER.encode(metadata))
    except UnicodeEncodeError:
        # The event as a whole is refused for it.
        return
    if size > MAX_METADATA_BYTES:
        detail = f"metadata: {size} bytes, at most {MAX_METADATA_BYTES} are kept"
        raise RowRefused(RejectReason.metadata_too_large, detail)


def _check_contract(body: bytes) -> None:
    """Refuse what the pipeline would refuse for its shape."""
    if _NUL.search(body):
        raise RowRefused(RejectReason.invalid_text, "some text holds NUL")
    try:
        _CONTRACT.decode(body)
    except msgspec.ValidationError as error:
        text = str(error)
        reason = RejectReason.invalid_length if "length" in text else RejectReason.wrong_type
        raise RowRefused(reason, text) from error
    if len(body) > MAX_EVENT_BYTES:
        detail = f"the event has {len(body)} bytes, at most {MAX_EVENT_BYTES} go into a message"
        raise RowRefused(RowFault.too_large, detail)
