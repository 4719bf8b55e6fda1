"""AMQP 1.0 bytes to Python values (part 1 of the standard), safe against hostile input.

Every length is checked against the bytes that are really there, so that what a peer claims can
never make the server allocate more than the peer has sent.
"""

import struct
from collections.abc import Callable
from uuid import UUID

from local_azure.event_hubs.amqp.types import Described, Opaque, Symbol, Timestamp
from local_azure.event_hubs.errors import DecodeError

# Real traffic nests three or four deep; beyond this it is an attempt on the stack.
MAX_DEPTH = 32
# Elements of an array may be of no width (null, true), so that nothing else bounds their number.
MAX_WIDTHLESS_ELEMENTS = 4096

type _Decoded = tuple[object, int]

_COUNT8 = struct.Struct(">BB")
_COUNT32 = struct.Struct(">II")
_U32 = struct.Struct(">I")
# Bytes that follow a fixed-width constructor, by its upper four bits.
_FIXED_WIDTHS = {0x4: 0, 0x5: 1, 0x6: 2, 0x7: 4, 0x8: 8, 0x9: 16}


def decode(buffer: bytes | memoryview, position: int = 0) -> _Decoded:
    """Decode the value that begins at ``position``.

    Returns:
        The value, and the position behind it.

    Raises:
        DecodeError: The bytes end too early, or no AMQP type looks like this.
    """
    try:
        return _decode(memoryview(buffer), position, 0)
    except (struct.error, IndexError) as error:
        msg = f"an AMQP value is cut short behind byte {position} of {len(buffer)}"
        raise DecodeError(msg) from error
    except UnicodeDecodeError as error:
        msg = f"an AMQP string or symbol behind byte {position} is not text: {error.reason}"
        raise DecodeError(msg) from error


def skip(buffer: bytes | memoryview, position: int) -> int:
    """Give the position behind the value at ``position`` without decoding it.

    Raises:
        DecodeError: The bytes end too early, or the constructor is unknown.
    """
    try:
        end = _skip(memoryview(buffer), position)
    except (struct.error, IndexError) as error:
        msg = f"an AMQP value is cut short behind byte {position} of {len(buffer)}"
        raise DecodeError(msg) from error
    if end > len(buffer):
        msg = f"an AMQP value at byte {position} claims {end - len(buffer)} bytes too many"
        raise DecodeError(msg)
    return end


def _skip(buffer: memoryview, position: int) -> int:
    code = buffer[position]
    category = code >> 4
    if category in _FIXED_WIDTHS:
        return position + 1 + _FIXED_WIDTHS[category]
    if category in {0xA, 0xC, 0xE}:
        return position + 2 + buffer[position + 1]
    if category in {0xB, 0xD, 0xF}:
        return position + 5 + int(_U32.unpack_from(buffer, position + 1)[0])
    if code == 0x00:
        depth = 0
        # A descriptor may itself be described: a loop, since a peer chooses how often.
        while buffer[position] == 0x00:
            position += 1
            depth += 1
        for _ in range(depth + 1):
            position = _skip(buffer, position)
        return position
    msg = f"0x{code:02x} at byte {position} is no AMQP constructor"
    raise DecodeError(msg)


def _decode(buffer: memoryview, position: int, depth: int) -> _Decoded:
    if depth > MAX_DEPTH:
        msg = f"AMQP values are nested more than {MAX_DEPTH} deep at byte {position}"
        raise DecodeError(msg)
    code = buffer[position]
    if code == 0x00:
        descriptor, position = _decode(buffer, position + 1, depth + 1)
        value, position = _decode(buffer, position, depth + 1)
        return Described(descriptor, value), position
    return _decode_body(buffer, code, position + 1, depth)


def _decode_body(buffer: memoryview, code: int, position: int, depth: int) -> _Decoded:
    fixed = _FIXED.get(code)
    if fixed is not None:
        end = position + _FIXED_WIDTHS[code >> 4]
        return fixed(_take(buffer, position, end)), end
    category = code >> 4
    if code in _VARIABLE:
        if category == 0xA:
            start = position + 1
            end = start + buffer[position]
        else:
            start = position + 4
            end = start + int(_U32.unpack_from(buffer, position)[0])
        return _VARIABLE[code](_take(buffer, start, end)), end
    if code in _OPAQUE:
        end = position + _FIXED_WIDTHS[category]
        return Opaque(code, _take(buffer, position, end)), end
    if code in _COMPOUND:
        small = category in {0xC, 0xE}
        size, count = (_COUNT8 if small else _COUNT32).unpack_from(buffer, position)
        start = position + (2 if small else 8)
        # The size includes the count field.
        end = position + (1 if small else 4) + size
        if end > len(buffer) or end < start:
            msg = f"a list, map or array at byte {position - 1} claims {size} bytes: not there"
            raise DecodeError(msg)
        return _COMPOUND[code](buffer[:end], start, count, depth + 1), end
    msg = f"0x{code:02x} at byte {position - 1} is no AMQP constructor"
    raise DecodeError(msg)


def _take(buffer: memoryview, start: int, end: int) -> bytes:
    if end > len(buffer):
        msg = f"an AMQP value at byte {start} needs {end - len(buffer)} bytes more"
        raise DecodeError(msg)
    return bytes(buffer[start:end])


def _decode_list(buffer: memoryview, position: int, count: int, depth: int) -> list[object]:
    items = []
    for _ in range(count):
        item, position = _decode(buffer, position, depth)
        items.append(item)
    return items


def _decode_map(buffer: memoryview, position: int, count: int, depth: int) -> dict[object, object]:
    if count % 2:
        msg = f"a map at byte {position} has a key without a value ({count} items)"
        raise DecodeError(msg)
    pairs = {}
    for _ in range(count // 2):
        key, position = _decode(buffer, position, depth)
        if isinstance(key, list | dict | Described):
            msg = f"a map before byte {position} has a list, map or described value as its key"
            raise DecodeError(msg)
        value, position = _decode(buffer, position, depth)
        pairs[key] = value
    return pairs


def _decode_array(buffer: memoryview, position: int, count: int, depth: int) -> list[object]:
    if depth > MAX_DEPTH:
        msg = f"AMQP values are nested more than {MAX_DEPTH} deep at byte {position}"
        raise DecodeError(msg)
    if not count:
        return []
    code = buffer[position]
    position += 1
    if code >> 4 == 0x4 and count > MAX_WIDTHLESS_ELEMENTS:
        msg = f"an array claims {count} elements of no width; {MAX_WIDTHLESS_ELEMENTS} are allowed"
        raise DecodeError(msg)
    descriptor: object = None
    described = code == 0x00
    if described:
        descriptor, position = _decode(buffer, position, depth)
        code = buffer[position]
        position += 1
    items: list[object] = []
    for _ in range(count):
        item, position = _decode_body(buffer, code, position, depth)
        items.append(Described(descriptor, item) if described else item)
    return items


def _number(pattern: str) -> Callable[[bytes], object]:
    unpack = struct.Struct(pattern).unpack

    def read(raw: bytes) -> object:
        value: object = unpack(raw)[0]
        return value

    return read


def _boolean(raw: bytes) -> bool:
    if raw not in {b"\x00", b"\x01"}:
        msg = f"an AMQP boolean is 0 or 1, not {raw[0]}"
        raise DecodeError(msg)
    return raw == b"\x01"


_FIXED: dict[int, Callable[[bytes], object]] = {
    0x40: lambda _: None,
    0x41: lambda _: True,
    0x42: lambda _: False,
    0x43: lambda _: 0,
    0x44: lambda _: 0,
    0x45: lambda _: [],
    0x50: _number(">B"),
    0x51: _number(">b"),
    0x52: _number(">B"),
    0x53: _number(">B"),
    0x54: _number(">b"),
    0x55: _number(">b"),
    0x56: _boolean,
    0x60: _number(">H"),
    0x61: _number(">h"),
    0x70: _number(">I"),
    0x71: _number(">i"),
    0x72: _number(">f"),
    0x80: _number(">Q"),
    0x81: _number(">q"),
    0x82: _number(">d"),
    0x83: lambda raw: Timestamp(int.from_bytes(raw, signed=True)),
    0x98: lambda raw: UUID(bytes=raw),
}
# Characters (0x73) and decimals are passed on as they are.
_OPAQUE = frozenset({0x73, 0x74, 0x84, 0x94})
_VARIABLE: dict[int, Callable[[bytes], object]] = {
    0xA0: bytes,
    0xB0: bytes,
    0xA1: bytes.decode,
    0xB1: bytes.decode,
    0xA3: lambda raw: Symbol(raw.decode("ascii")),
    0xB3: lambda raw: Symbol(raw.decode("ascii")),
}
_COMPOUND: dict[int, Callable[[memoryview, int, int, int], object]] = {
    0xC0: _decode_list,
    0xD0: _decode_list,
    0xC1: _decode_map,
    0xD1: _decode_map,
    0xE0: _decode_array,
    0xF0: _decode_array,
}
