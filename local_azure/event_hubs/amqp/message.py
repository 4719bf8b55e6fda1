"""Messages (part 3, section 3.2): sections, found without decoding what is only passed on."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from local_azure.event_hubs.amqp.decode import decode, skip
from local_azure.event_hubs.amqp.encode import encode, encode_described_map
from local_azure.event_hubs.amqp.types import Described, Symbol
from local_azure.event_hubs.errors import DecodeError

HEADER = 0x70
DELIVERY_ANNOTATIONS = 0x71
MESSAGE_ANNOTATIONS = 0x72
PROPERTIES = 0x73
APPLICATION_PROPERTIES = 0x74
DATA = 0x75
VALUE = 0x77
FOOTER = 0x78
# Event Hubs' own format: every data section of the outer message is one encoded message.
BATCH_FORMAT = 0x80013700

_U32 = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Sections:
    """Where a message's sections lie.

    Attributes:
        header: The header section as it came, or empty.
        annotations: The pairs of the message annotations: key, encoded key and encoded value.
        bare: Everything from the properties on, as it came.
    """

    header: bytes
    annotations: tuple[tuple[object, bytes, bytes], ...]
    bare: bytes


def split_sections(message: bytes | memoryview) -> Sections:
    """Split an encoded message.

    Raises:
        DecodeError: The bytes are not a sequence of message sections in order.
    """
    header = b""
    annotations: tuple[tuple[object, bytes, bytes], ...] = ()
    bare_start: int | None = None
    for code, start, value_start, end in _sections(message):
        if code == HEADER:
            header = bytes(message[start:end])
        elif code == MESSAGE_ANNOTATIONS:
            annotations = tuple(_raw_pairs(message[:end], value_start))
        elif bare_start is None and code >= PROPERTIES:
            bare_start = start
    bare = b"" if bare_start is None else bytes(message[bare_start:])
    return Sections(header, annotations, bare)


def batch_members(message: bytes | memoryview) -> list[memoryview]:
    """Give the messages inside a message of the batch format.

    Raises:
        DecodeError: The bytes are not a sequence of message sections in order.
    """
    view = memoryview(message)
    members = []
    for code, _, value_start, end in _sections(view):
        if code == DATA:
            constructor = view[value_start]
            if constructor not in {0xA0, 0xB0}:
                msg = f"a data section holds a binary, not constructor 0x{constructor:02x}"
                raise DecodeError(msg)
            members.append(view[value_start + (2 if constructor == 0xA0 else 5) : end])
    return members


def read_sections(message: bytes | memoryview) -> dict[int, object]:
    """Decode a small message whole: section code to value; of repeated sections the last.

    Raises:
        DecodeError: The bytes are not a sequence of message sections in order.
    """
    return {code: decode(message, value)[0] for code, _, value, _ in _sections(message)}


def encode_section(code: int, value: object) -> bytes:
    """Encode one section.

    Raises:
        EncodeError: The value has no encoding.
    """
    return bytes((0x00, 0x53, code)) + encode(value)


def encode_annotations(pairs: list[tuple[bytes, bytes]], code: int = MESSAGE_ANNOTATIONS) -> bytes:
    """Encode an annotations section from encoded keys and values."""
    return encode_described_map(code, 2 * len(pairs), b"".join(key + value for key, value in pairs))


def insert_delivery_annotations(message: bytes | memoryview, values: dict[str, object]) -> bytes:
    """Put delivery annotations where the standard wants them: right behind the header.

    Raises:
        DecodeError: The message does not begin with a section.
    """
    pairs = [(encode(Symbol(key)), encode(value)) for key, value in values.items()]
    position = 0
    for code, _, _, end in _sections(message):
        position = end if code == HEADER else 0
        break
    return b"".join(
        (
            message[:position],
            encode_annotations(pairs, DELIVERY_ANNOTATIONS),
            message[position:],
        )
    )


def _sections(message: bytes | memoryview) -> Iterator[tuple[int, int, int, int]]:
    """Yield each section's code, its start, the start of its value, and its end."""
    position = 0
    total = len(message)
    previous = HEADER
    while position < total:
        start = position
        if total - position < 3 or message[position] != 0 or message[position + 1] != 0x53:
            code, value_start = _unusual_descriptor(message, position)
        else:
            code, value_start = message[position + 2], position + 3
        if not previous <= code <= FOOTER:
            msg = f"0x{code:x} at byte {start} is no message section, or comes too late"
            raise DecodeError(msg)
        position = skip(message, value_start)
        yield code, start, value_start, position
        previous = code


def _unusual_descriptor(message: bytes | memoryview, position: int) -> tuple[int, int]:
    # The standard also allows the 9-byte ulong as a descriptor.
    if message[position] == 0 and position + 1 < len(message):
        descriptor, end = decode(message, position + 1)
        if isinstance(descriptor, int):
            return int(descriptor), end
    msg = f"a message section begins with a numeric descriptor; byte {position} does not"
    raise DecodeError(msg)


def _raw_pairs(message: bytes | memoryview, position: int) -> Iterator[tuple[object, bytes, bytes]]:
    constructor = message[position]
    if constructor == 0x40:
        return
    if constructor == 0xC1:
        count, position = message[position + 2], position + 3
    elif constructor == 0xD1:
        if len(message) < position + 9:
            msg = f"annotations at byte {position} are cut short"
            raise DecodeError(msg)
        count, position = _U32.unpack_from(message, position + 5)[0], position + 9
    else:
        msg = f"annotations are a map, not constructor 0x{constructor:02x}"
        raise DecodeError(msg)
    for _ in range(count // 2):
        key, key_end = decode(message, position)
        if isinstance(key, list | dict | Described):
            msg = "an annotation's key is a symbol or a number"
            raise DecodeError(msg)
        value_end = skip(message, key_end)
        yield key, bytes(message[position:key_end]), bytes(message[key_end:value_end])
        position = value_end
