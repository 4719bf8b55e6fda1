"""Python values that carry the AMQP types which Python itself does not tell apart.

A plain ``int`` is an AMQP long, a ``str`` a string, ``bytes`` a binary, a ``dict`` a map and a
``list`` a list; everything else is named here.
"""

from dataclasses import dataclass
from typing import NamedTuple


class Symbol(str):
    """A name from a constrained vocabulary, ASCII; equal to the plain string."""

    __slots__ = ()


class UByte(int):
    """An unsigned integer of 8 bits."""


class UShort(int):
    """An unsigned integer of 16 bits."""


class UInt(int):
    """An unsigned integer of 32 bits."""


class ULong(int):
    """An unsigned integer of 64 bits."""


class Int(int):
    """A signed integer of 32 bits."""


class Timestamp(int):
    """Milliseconds since the Unix epoch, signed, 64 bits."""


class Described(NamedTuple):
    """A value with a descriptor that says how to read it."""

    descriptor: object
    value: object


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value of a type that is only passed on: a decimal or a character.

    Attributes:
        constructor: The type's code on the wire.
        raw: The fixed-width bytes that follow it.
    """

    constructor: int
    raw: bytes


class StringArray(tuple[str, ...]):
    """An array whose elements are all strings, or all symbols if the first one is."""

    __slots__ = ()
