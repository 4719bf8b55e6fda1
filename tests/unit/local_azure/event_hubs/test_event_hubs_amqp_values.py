"""The codec against itself, against the SDK's own, and against hostile bytes."""

import struct
from uuid import UUID

import pytest
from azure.eventhub._pyamqp._decode import _DECODE_BY_CONSTRUCTOR
from azure.eventhub._pyamqp._encode import encode_value
from hypothesis import given, settings
from hypothesis import strategies as st

from local_azure.event_hubs.amqp.decode import MAX_DEPTH, decode, skip
from local_azure.event_hubs.amqp.encode import encode
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
from local_azure.event_hubs.errors import DecodeError, EncodeError

# A busy machine is no failure.
UNHURRIED = settings(deadline=None)

LONGS = st.integers(-(2**63), 2**63 - 1)
SIMPLE = st.one_of(
    st.none(),
    st.booleans(),
    LONGS,
    st.integers(0, 255).map(UByte),
    st.integers(0, 2**16 - 1).map(UShort),
    st.integers(0, 2**32 - 1).map(UInt),
    st.integers(0, 2**64 - 1).map(ULong),
    st.integers(-(2**31), 2**31 - 1).map(Int),
    LONGS.map(Timestamp),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8"), max_size=300),
    st.text(st.characters(codec="ascii"), max_size=300).map(Symbol),
    st.binary(max_size=300),
    st.uuids(),
)
KEYS = st.one_of(LONGS, st.text(st.characters(codec="utf-8"), max_size=20))
VALUES = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.lists(inner, max_size=6),
        st.dictionaries(KEYS, inner, max_size=6),
        st.builds(Described, KEYS, inner),
    ),
    max_leaves=20,
)


@UNHURRIED
@given(VALUES)
def test_what_is_encoded_is_decoded_to_an_equal_value(value: object) -> None:
    raw = encode(value)

    assert decode(raw) == (value, len(raw))


@UNHURRIED
@given(VALUES, st.binary(max_size=9))
def test_skipping_ends_where_decoding_ends(value: object, rest: bytes) -> None:
    raw = encode(value)

    assert skip(raw + rest, 0) == len(raw)


@UNHURRIED
@given(VALUES, st.data())
def test_a_value_that_is_cut_short_is_refused(value: object, data: st.DataObject) -> None:
    raw = encode(value)
    cut = data.draw(st.integers(0, len(raw) - 1))

    with pytest.raises(DecodeError):
        decode(raw[:cut])
    with pytest.raises(DecodeError):
        skip(raw[:cut], 0)


@UNHURRIED
@given(st.binary(max_size=200))
def test_any_bytes_are_decoded_or_refused(raw: bytes) -> None:
    try:
        _, end = decode(raw)
    except DecodeError:
        return
    assert 0 < end <= len(raw)


def as_the_sdk_sees_it(value: object) -> object:
    """The SDK decodes strings and symbols to bytes and drops descriptors."""
    match value:
        case str():
            return value.encode()
        case list():
            return [as_the_sdk_sees_it(item) for item in value]
        case dict():
            return {as_the_sdk_sees_it(k): as_the_sdk_sees_it(v) for k, v in value.items()}
        case _:
            return value


SDK_VALUES = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(st.lists(inner, max_size=6), st.dictionaries(KEYS, inner, max_size=6)),
    max_leaves=20,
)


@UNHURRIED
@given(SDK_VALUES)
def test_the_sdk_decodes_what_is_encoded_here(value: object) -> None:
    raw = encode(value)

    rest, decoded = _DECODE_BY_CONSTRUCTOR[raw[0]](memoryview(raw)[1:])

    assert decoded == as_the_sdk_sees_it(value)
    assert bytes(rest) == b""


INT32 = st.integers(-(2**31), 2**31 - 1)
UNTYPED = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        INT32,
        st.floats(allow_nan=False),
        st.text(st.characters(codec="utf-8"), max_size=300),
        st.binary(max_size=300),
        st.uuids(),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=6), st.dictionaries(INT32, inner, max_size=6)),
    max_leaves=20,
)


@UNHURRIED
@given(UNTYPED)
def test_what_the_sdk_encodes_is_decoded_here(value: object) -> None:
    raw = bytearray()
    encode_value(raw, value)

    assert decode(bytes(raw)) == (value, len(raw))


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        (b"\xe0\x0b\x02\xa1\x03abc\x04defg", ["abc", "defg"]),
        (b"\xe0\x01\x00", []),
        (b"\xf0\x00\x00\x00\x0d\x00\x00\x00\x02\x70\x00\x00\x00\x01\x00\x00\x00\x02", [1, 2]),
        (b"\xe0\x07\x02\x00\x53\x24\x50\x01\x02", [Described(0x24, 1), Described(0x24, 2)]),
        (b"\x72\x3f\x80\x00\x00", 1.0),
        (b"\x56\x01", True),
        (b"\x73\x00\x00\x00A", Opaque(0x73, b"\x00\x00\x00A")),
        (b"\x98" + bytes(range(16)), UUID(bytes=bytes(range(16)))),
    ],
)
def test_encodings_that_only_peers_use_are_decoded(raw: bytes, value: object) -> None:
    assert decode(raw) == (value, len(raw))


def test_an_opaque_value_is_passed_on_as_it_came() -> None:
    decimal = b"\x94" + bytes(range(16))

    value, _ = decode(decimal)

    assert encode(value) == decimal


def test_a_string_array_is_read_by_the_sdk() -> None:
    raw = encode(StringArray(["0", "1"]))

    assert _DECODE_BY_CONSTRUCTOR[raw[0]](memoryview(raw)[1:])[1] == [b"0", b"1"]


def test_an_array_of_symbols_is_decoded_to_symbols() -> None:
    decoded, _ = decode(encode(StringArray([Symbol("a"), Symbol("b")])))

    assert isinstance(decoded, list)
    assert [type(item) for item in decoded] == [Symbol, Symbol]


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"\x3f", "no AMQP constructor"),
        (b"\xa1\x02\xff\xfe", "not text"),
        (b"\xa3\x01\x80", "not text"),
        (b"\x56\x02", "boolean is 0 or 1"),
        (b"\xc1\x02\x01\x40", "a key without a value"),
        (b"\xc1\x03\x02\x45\x40", "as its key"),
        (b"\xc0\x00\x00", "not there"),
        (b"\xd0" + struct.pack(">II", 2**32 - 1, 2**32 - 1), "claims"),
        (b"\xf0" + struct.pack(">II", 5, 2**32 - 1) + b"\x40", "no width"),
        (b"\x00\x53\x24" * (MAX_DEPTH + 2) + b"\x40", "nested"),
    ],
)
def test_hostile_bytes_are_refused_with_the_reason(raw: bytes, reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        decode(raw)


def test_a_value_whose_descriptor_is_described_is_skipped_whole() -> None:
    raw = encode(Described(Described(1, 2), [3]))

    assert skip(raw + b"\x40", 0) == len(raw)


@pytest.mark.parametrize("raw", [b"\x3f", b"\x00\x53", b"\xb0\x00", b"\xa0\x05abc"])
def test_what_cannot_be_skipped_is_refused(raw: bytes) -> None:
    with pytest.raises(DecodeError):
        skip(raw, 0)


def test_deep_nesting_is_refused_before_the_stack_ends() -> None:
    nested = b"\x45"
    for _ in range(40):
        nested = b"\xd0" + struct.pack(">II", 4 + len(nested), 1) + nested

    with pytest.raises(DecodeError, match="nested"):
        decode(nested)


@pytest.mark.parametrize("value", [object(), UByte(256), UInt(-1), 2**63, Symbol("ü"), "\ud800"])
def test_what_has_no_encoding_is_refused(value: object) -> None:
    with pytest.raises(EncodeError):
        encode(value)
