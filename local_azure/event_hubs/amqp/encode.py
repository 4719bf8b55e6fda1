"""Python values to AMQP 1.0 bytes (part 1 of the standard)."""

import struct
from collections.abc import Callable
from typing import Any
from uuid import UUID

from local_azure.event_hubs.amqp.types import (
    Described,
    Int,
    Opaque,
    StringArray,
    Symbol,
    Timestamp,
    UByte,
    UInt,
    ULong,
    UShort,
)
from local_azure.event_hubs.errors import EncodeError

NULL = b"\x40"


def encode(value: object) -> bytes:
    """Encode one value with its constructor, in the smallest form that its type has.

    Raises:
        EncodeError: The value's type has no encoding, or the value is out of its type's range.
    """
    encoder = _ENCODERS.get(type(value))
    if encoder is None:
        msg = f"AMQP has no encoding for {type(value).__name__}: {value!r:.80}"
        raise EncodeError(msg)
    try:
        return encoder(value)
    except (struct.error, UnicodeEncodeError) as error:
        msg = f"{value!r:.80} does not fit the AMQP type of {type(value).__name__}: {error}"
        raise EncodeError(msg) from error


def encode_described_list(code: int, items: list[bytes]) -> bytes:
    """Encode a composite (a performative, an outcome, a message section) from encoded fields.

    The descriptor is always the two-byte small ulong: the SDK's decoder relies on it.
    """
    return bytes((0x00, 0x53, code)) + _compound(0xC0, 0xD0, len(items), b"".join(items))


def encode_described_map(code: int, count: int, body: bytes) -> bytes:
    """Encode a described map, ``count`` being its keys and values together."""
    return bytes((0x00, 0x53, code)) + _compound(0xC1, 0xD1, count, body)


def _compound(small: int, large: int, count: int, body: bytes) -> bytes:
    # The size on the wire counts the count field itself.
    if len(body) + 1 <= 0xFF and count <= 0xFF:
        return struct.pack(">BBB", small, len(body) + 1, count) + body
    return struct.pack(">BII", large, len(body) + 4, count) + body


def _variable(small: int, large: int, raw: bytes) -> bytes:
    if len(raw) <= 0xFF:
        return struct.pack(">BB", small, len(raw)) + raw
    return struct.pack(">BI", large, len(raw)) + raw


def _boolean(value: bool) -> bytes:  # noqa: FBT001 - the value to encode, no switch
    return b"\x41" if value else b"\x42"


def _signed_long(value: int) -> bytes:
    if -128 <= value <= 127:
        return struct.pack(">Bb", 0x55, value)
    return struct.pack(">Bq", 0x81, value)


def _signed_int(value: int) -> bytes:
    if -128 <= value <= 127:
        return struct.pack(">Bb", 0x54, value)
    return struct.pack(">Bi", 0x71, value)


def _unsigned_int(value: int) -> bytes:
    if value == 0:
        return b"\x43"
    if 0 < value <= 0xFF:
        return struct.pack(">BB", 0x52, value)
    return struct.pack(">BI", 0x70, value)


def _unsigned_long(value: int) -> bytes:
    if value == 0:
        return b"\x44"
    if 0 < value <= 0xFF:
        return struct.pack(">BB", 0x53, value)
    return struct.pack(">BQ", 0x80, value)


def _list(items: list[object]) -> bytes:
    if not items:
        return b"\x45"
    return _compound(0xC0, 0xD0, len(items), b"".join(map(encode, items)))


def _map(pairs: dict[object, object]) -> bytes:
    body = b"".join(encode(key) + encode(value) for key, value in pairs.items())
    return _compound(0xC1, 0xD1, 2 * len(pairs), body)


def _string_array(items: StringArray) -> bytes:
    symbols = bool(items) and isinstance(items[0], Symbol)
    element = b"\xb3" if symbols else b"\xb1"
    encoding = "ascii" if symbols else "utf-8"
    raw = [item.encode(encoding) for item in items]
    return _compound(
        0xE0, 0xF0, len(raw), element + b"".join(struct.pack(">I", len(r)) + r for r in raw)
    )


_ENCODERS: dict[type, Callable[[Any], bytes]] = {
    type(None): lambda _: NULL,
    bool: _boolean,
    int: _signed_long,
    Int: _signed_int,
    UByte: lambda value: struct.pack(">BB", 0x50, value),
    UShort: lambda value: struct.pack(">BH", 0x60, value),
    UInt: _unsigned_int,
    ULong: _unsigned_long,
    Timestamp: lambda value: struct.pack(">Bq", 0x83, value),
    float: lambda value: struct.pack(">Bd", 0x82, value),
    UUID: lambda value: b"\x98" + value.bytes,
    bytes: lambda value: _variable(0xA0, 0xB0, value),
    str: lambda value: _variable(0xA1, 0xB1, value.encode()),
    Symbol: lambda value: _variable(0xA3, 0xB3, value.encode("ascii")),
    list: _list,
    dict: _map,
    StringArray: _string_array,
    Described: lambda value: b"\x00" + encode(value.descriptor) + encode(value.value),
    Opaque: lambda value: bytes((value.constructor,)) + value.raw,
}
