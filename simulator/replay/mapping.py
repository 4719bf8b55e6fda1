"""The structure of a mapping: how the columns of a foreign file become payment events.

``mapping.schema.json`` beside this file is made from these structures; a test keeps them equal.
"""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from simulator.configuration.base import Part
from simulator.configuration.types import Duration, Moment

type Text = Annotated[str, Meta(max_length=4096)]
type Texts = Annotated[tuple[Text, ...], Meta(min_length=1)]
type Character = Annotated[str, Meta(pattern="^(.|tab|)$")]
type FileType = Literal["csv", "jsonl", "parquet", "capture"]
type DecimalMark = Literal[".", ","]
type ThousandsMark = Literal[".", ",", " ", "'"]
type Sign = Literal["reject", "drop", "refund", "refund_positive"]
type CardNumbers = Literal["mask", "keep"]

REJECT: Final = "reject"
KEEP: Final = "keep"


class FileFormat(Part, frozen=True):
    """How the file is to be read. What is left out is detected."""

    type: Annotated[
        FileType | None, Meta(description="Kind of file. Default: what its name and content say.")
    ] = None
    delimiter: Annotated[
        Character | None, Meta(description="CSV: character between cells, or the word tab.")
    ] = None
    quote: Annotated[
        Character | None,
        Meta(description="CSV: character around cells that hold others; empty for none."),
    ] = None
    encoding: Annotated[Text | None, Meta(description="CSV: such as utf-8, cp1252 or utf-16.")] = (
        None
    )
    header: Annotated[
        bool | None, Meta(description="CSV: whether the first line names the columns.")
    ] = None
    columns: Annotated[
        Texts | None,
        Meta(description="CSV: names of the columns, in place of those of a header."),
    ] = None
    skip_lines: Annotated[
        int, Meta(ge=0, le=1000, description="CSV: lines to pass over before the header.")
    ] = 0
    decimal: Annotated[
        DecimalMark | None, Meta(description="Decimal mark of all amounts in text. Default: point.")
    ] = None
    thousands: Annotated[
        ThousandsMark | None,
        Meta(description="Mark between groups of digits of all amounts in text. Default: none."),
    ] = None


class Value(Part, frozen=True):
    """Where a text comes from: exactly one of column, constant and template."""

    column: Annotated[
        Text | None,
        Meta(description="Name of the column; dotted path of a nested field, such as payer.id."),
    ] = None
    constant: Annotated[Text | None, Meta(description="The same for every row.")] = None
    template: Annotated[
        Text | None,
        Meta(description="Text with columns in braces, such as {branch}-{id}; {{ is a brace."),
    ] = None
    translate: Annotated[
        dict[Text, Text] | None, Meta(description="Their values to ours, letter by letter.")
    ] = None
    otherwise: Annotated[
        Text | None,
        Meta(
            description="For what is not translated: reject makes the row a bad one (default),"
            " keep takes the value as it is, anything else stands in its place."
        ),
    ] = None
    default: Annotated[Text | None, Meta(description="In place of an empty cell.")] = None
    null_values: Annotated[
        Texts | None,
        Meta(description="Texts that mean an empty cell, besides those of the whole mapping."),
    ] = None


class TransactionId(Value, frozen=True):
    """The payment's id: a column, a template, a hash or a number."""

    hash_of: Annotated[
        Texts | None,
        Meta(
            description="Columns whose hash is the id. Rows equal in all of them are one payment."
        ),
    ] = None
    row_number: Annotated[
        bool, Meta(description="Count the rows of all files, from 1, bad ones included.")
    ] = False
    prefix: Annotated[Text, Meta(description="Put before the id.")] = ""


class EventTime(Part, frozen=True):
    """When it happened: exactly one of column and constant."""

    column: Annotated[Text | None, Meta(description="Column of the time, or of the date.")] = None
    time_column: Annotated[
        Text | None,
        Meta(description="Column of the time of day; both are joined by a blank."),
    ] = None
    constant: Annotated[
        Moment | None, Meta(description="The same for every row, RFC 3339 with offset.")
    ] = None
    format: Annotated[
        Text,
        Meta(
            description="rfc3339, unix_seconds, unix_milliseconds, unix_microseconds, steps, or a"
            " pattern of Python's strptime such as %d.%m.%Y %H:%M."
        ),
    ] = "rfc3339"
    time_zone: Annotated[
        Text | None,
        Meta(
            description="IANA name of the zone of times without offset, such as Europe/Berlin."
            " Of a time that the clock shows twice the first is taken; one that it skips makes a"
            " bad row."
        ),
    ] = None
    origin: Annotated[
        Moment | None, Meta(description="For steps: the time of step 0, RFC 3339 with offset.")
    ] = None
    step: Annotated[Duration, Meta(description="For steps: how long one is.")] = "1h"
    default: Annotated[
        Moment | None, Meta(description="In place of an empty cell, RFC 3339 with offset.")
    ] = None
    null_values: Annotated[
        Texts | None,
        Meta(description="Texts that mean an empty cell, besides those of the whole mapping."),
    ] = None


class Amount(Part, frozen=True):
    """How much: exactly one of column and constant. Never rounded."""

    column: Annotated[Text | None, Meta(description="Column of the amount.")] = None
    constant: Annotated[Text | None, Meta(description="The same for every row.")] = None
    unit: Annotated[
        Literal["major", "minor"],
        Meta(description="major: units such as euros; minor: the currency's smallest, as cents."),
    ] = "major"
    decimal: Annotated[
        DecimalMark | None, Meta(description="Decimal mark in text. Default: the format's.")
    ] = None
    thousands: Annotated[
        ThousandsMark | None,
        Meta(description="Mark between groups of digits. Default: the format's."),
    ] = None
    sign: Annotated[
        Sign,
        Meta(
            description="What a sign means. reject: negative amounts are bad rows; drop: it is"
            " left out; refund: negative amounts are refunds; refund_positive: positive amounts"
            " are refunds, negative ones payments, as in an account statement."
        ),
    ] = "reject"
    default: Annotated[Text | None, Meta(description="In place of an empty cell.")] = None
    null_values: Annotated[
        Texts | None,
        Meta(description="Texts that mean an empty cell, besides those of the whole mapping."),
    ] = None


class CustomerFields(Part, frozen=True):
    """Who pays."""

    id: Annotated[Value | None, Meta(description="Decides on the partition.")] = None
    email: Annotated[Value | None, Meta(description="The pipeline keeps only its hash.")] = None
    country: Annotated[Value | None, Meta(description="ISO 3166-1 alpha-2.")] = None


class MerchantFields(Part, frozen=True):
    """Who is paid."""

    id: Annotated[Value | None, Meta(description="The merchant's id.")] = None
    name: Annotated[Value | None, Meta(description="The merchant's name.")] = None
    category: Annotated[Value | None, Meta(description="Kind of business, in words.")] = None
    mcc: Annotated[Value | None, Meta(description="Four digits, ISO 18245.")] = None
    country: Annotated[Value | None, Meta(description="ISO 3166-1 alpha-2.")] = None


class CardFields(Part, frozen=True):
    """What is known of the card."""

    number: Annotated[
        Value | None, Meta(description="The full number; see card_numbers for what is made of it.")
    ] = None
    brand: Annotated[Value | None, Meta(description="Such as visa.")] = None
    bin: Annotated[Value | None, Meta(description="First six to eight digits.")] = None
    last4: Annotated[Value | None, Meta(description="Last four digits.")] = None
    fingerprint: Annotated[Value | None, Meta(description="A hash that stands for it.")] = None


class CounterpartyFields(Part, frozen=True):
    """The other account of a transfer."""

    id: Annotated[Value | None, Meta(description="The other account.")] = None
    country: Annotated[Value | None, Meta(description="ISO 3166-1 alpha-2.")] = None


class EventFields(Part, frozen=True):
    """Where each field of the payment event comes from."""

    transaction_id: Annotated[TransactionId, Meta(description="The payment's id.")]
    event_time: Annotated[EventTime, Meta(description="When it happened.")]
    amount: Annotated[Amount, Meta(description="How much.")]
    currency: Annotated[Value, Meta(description="ISO 4217 alpha-3.")]
    payment_method: Annotated[Value, Meta(description="One of the contract's methods.")]
    payment_status: Annotated[Value, Meta(description="One of the contract's statuses.")]
    channel: Annotated[Value | None, Meta(description="One of the contract's channels.")] = None
    device_type: Annotated[Value | None, Meta(description="One of the contract's devices.")] = None
    customer: Annotated[CustomerFields, Meta(description="Who pays.")] = CustomerFields()
    merchant: Annotated[MerchantFields, Meta(description="Who is paid.")] = MerchantFields()
    card: Annotated[CardFields, Meta(description="What is known of the card.")] = CardFields()
    counterparty: Annotated[
        CounterpartyFields, Meta(description="The other account of a transfer.")
    ] = CounterpartyFields()
    original_transaction_id: Annotated[
        Value | None, Meta(description="Of a refund: the payment that it gives back.")
    ] = None
    metadata: Annotated[
        dict[Text, Value],
        Meta(description="Whatever else is to be kept with the payment, by name."),
    ] = {}  # noqa: RUF012 - msgspec copies it, and the structures are frozen


class Condition(Part, frozen=True):
    """A condition on one column: exactly one of equals and not_equals."""

    column: Annotated[Text, Meta(description="Name of the column.")]
    equals: Annotated[
        Texts | None, Meta(description="True if the cell is one of these; '' is an empty cell.")
    ] = None
    not_equals: Annotated[Texts | None, Meta(description="True if it is none of these.")] = None


class ReplayMapping(Part, frozen=True):
    """How a foreign file becomes payment events. Without fields its events are taken as they are.

    The latter needs a file of payment events: JSON lines, or an Event Hubs Capture.
    """

    description: Annotated[Text, Meta(description="What this mapping is for.")] = ""
    format: Annotated[FileFormat, Meta(description="How the file is to be read.")] = FileFormat()
    null_values: Annotated[
        tuple[Text, ...],
        Meta(description="Texts that mean an empty cell in every column, besides the empty text."),
    ] = ()
    skip_when: Annotated[
        tuple[Condition, ...],
        Meta(description="Rows that are no payments: those for which any of these is true."),
    ] = ()
    card_numbers: Annotated[
        CardNumbers | None,
        Meta(
            description="Full card numbers. mask (default): only bin and last4 leave this machine,"
            " and a keyed fingerprint if PII_HASH_KEY is set; keep: they are passed on for the"
            " pipeline to mask. Events taken as they are keep them unless this says mask."
        ),
    ] = None
    fields: Annotated[
        EventFields | None, Meta(description="Where each field of the event comes from.")
    ] = None


def mapping_schema() -> dict[str, Any]:
    """Return the JSON Schema of a mapping (draft 2020-12)."""
    schema = msgspec.json.schema(ReplayMapping)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:payment-metrics:replay-mapping:1",
        "title": "Replay mapping",
        **_with_any_scalar(schema),
    }


def _with_any_scalar(schema: Any) -> Any:
    """Return a schema that takes numbers and truth values for text, as the reader does."""
    if isinstance(schema, list):
        return [_with_any_scalar(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    changed = {key: _with_any_scalar(item) for key, item in schema.items()}
    if schema.get("type") == "string" and not {"pattern", "format"} & schema.keys():
        changed["type"] = ["string", "number", "boolean"]
    return changed
