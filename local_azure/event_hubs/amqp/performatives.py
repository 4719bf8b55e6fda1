"""The frame bodies of AMQP 1.0: transport (part 2, section 7) and SASL (part 5, section 3.3).

Every performative is written at its full length, trailing nulls included: the peer's decoder
reads its fields by position and does not fill up a shorter list.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar

from local_azure.event_hubs.amqp.encode import NULL, encode, encode_described_list
from local_azure.event_hubs.amqp.types import (
    Described,
    StringArray,
    Symbol,
    UByte,
    UInt,
    ULong,
    UShort,
)

MAX_UINT = 0xFFFF_FFFF


@dataclass(frozen=True, slots=True)
class Kind:
    """How one field is written, what it may be when read, and the range of a number."""

    encode: Callable[[Any], bytes]
    accepts: tuple[type, ...]
    maximum: int | None = None


def _symbols(value: tuple[str, ...]) -> bytes:
    return encode(StringArray(Symbol(item) for item in value))


def _composite(value: Any) -> bytes:
    return bytes(value.encode())


_KINDS = {
    "any": Kind(encode, (object,)),
    "binary": Kind(encode, (bytes,)),
    "bool": Kind(encode, (bool,)),
    "composite": Kind(_composite, (Described,)),
    "map": Kind(encode, (dict,)),
    "string": Kind(encode, (str,)),
    "symbol": Kind(lambda value: encode(Symbol(value)), (str,)),
    "symbols": Kind(_symbols, (str, list)),
    "ubyte": Kind(lambda value: encode(UByte(value)), (int,), 0xFF),
    "ushort": Kind(lambda value: encode(UShort(value)), (int,), 0xFFFF),
    "uint": Kind(lambda value: encode(UInt(value)), (int,), MAX_UINT),
    "ulong": Kind(lambda value: encode(ULong(value)), (int,), (1 << 64) - 1),
}


def _kinds(names: str) -> tuple[Kind, ...]:
    return tuple(_KINDS[name] for name in names.split())


@dataclass(frozen=True, slots=True)
class Performative:
    """A composite value: a descriptor code and fields in a fixed order."""

    code: ClassVar[int]
    kinds: ClassVar[tuple[Kind, ...]]
    required: ClassVar[tuple[str, ...]] = ()

    def encode(self) -> bytes:
        """Encode at full length, unset fields as null."""
        return encode_described_list(
            self.code,
            [
                NULL if value is None else kind.encode(value)
                for value, kind in zip(
                    (getattr(self, field.name) for field in fields(self)), self.kinds, strict=True
                )
            ],
        )


@dataclass(frozen=True, slots=True)
class AmqpError(Performative):
    """What went wrong: a condition and a description."""

    code: ClassVar[int] = 0x1D
    kinds: ClassVar[tuple[Kind, ...]] = _kinds("symbol string map")
    required: ClassVar[tuple[str, ...]] = ("condition",)

    condition: str
    description: str | None = None
    info: dict[object, object] | None = None


@dataclass(frozen=True, slots=True)
class Accepted(Performative):
    """The outcome of a message that is stored."""

    code: ClassVar[int] = 0x24
    kinds: ClassVar[tuple[Kind, ...]] = _kinds("")


@dataclass(frozen=True, slots=True)
class Rejected(Performative):
    """The outcome of a message that cannot be stored."""

    code: ClassVar[int] = 0x25
    kinds: ClassVar[tuple[Kind, ...]] = _kinds("composite")

    error: AmqpError


@dataclass(frozen=True, slots=True)
class Source(Performative):
    """Where a link's messages come from; ``filters`` selects among them."""

    code: ClassVar[int] = 0x28
    kinds: ClassVar[tuple[Kind, ...]] = _kinds(
        "any uint symbol uint bool map symbol map any symbols symbols"
    )

    address: object = None
    durable: int | None = None
    expiry_policy: str | None = None
    timeout: int | None = None
    dynamic: bool | None = None
    dynamic_node_properties: dict[object, object] | None = None
    distribution_mode: str | None = None
    filters: dict[object, object] | None = None
    default_outcome: object = None
    outcomes: tuple[str, ...] | None = None
    capabilities: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Target(Performative):
    """Where a link's messages go."""

    code: ClassVar[int] = 0x29
    kinds: ClassVar[tuple[Kind, ...]] = _kinds("any uint symbol uint bool map symbols")

    address: object = None
    durable: int | None = None
    expiry_policy: str | None = None
    timeout: int | None = None
    dynamic: bool | None = None
    dynamic_node_properties: dict[object, object] | None = None
    capabilities: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Open(Performative):
    """The first frame of a connection; ``idle_time_out`` is in milliseconds."""

    code: ClassVar[int] = 0x10
    kinds: ClassVar[tuple[Kind, ...]] = _kinds(
        "string string uint ushort uint symbols symbols symbols symbols map"
    )
    required: ClassVar[tuple[str, ...]] = ("container_id",)

    container_id: str
    hostname: str | None = None
    max_frame_size: int | None = None
    channel_max: int | None = None
    idle_time_out: int | None = None
    outgoing_locales: tuple[str, ...] | None = None
    incoming_locales: tuple[str, ...] | None = None
    offered_capabilities: tuple[str, ...] | None = None
    desired_capabilities: tuple[str, ...] | None = None
    properties: dict[object, object] | None = None


@dataclass(frozen=True, slots=True)
class Begin(Performative):
    """The beginning of a session on a channel; windows count transfer frames."""

    code: ClassVar[int] = 0x11
    kinds: ClassVar[tuple[Kind, ...]] = _kinds("ushort uint uint uint uint symbols symbols map")
    required: ClassVar[tuple[str, ...]] = ("next_outgoing_id", "incoming_window", "outgoing_window")

    remote_channel: int | None
    next_outgoing_id: int
    incoming_window: int
    outgoing_window: int
    handle_max: int | None = None
    offered_capabilities: tuple[str, ...] | None = None
    desired_capabilities: tuple[str, ...] | None = None
    properties: dict[object, object] | None = None


@dataclass(frozen=True, slots=True)
class Attach(Performative):
    """The attachment of a link; ``role`` is true for the receiver of messages."""

    code: ClassVar[int] = 0x12
    kinds: ClassVar[tuple[Kind, ...]] = _kinds(
        "string uint bool ubyte ubyte composite composite map bool uint ulong symbols symbols map"
    )
    required: ClassVar[tuple[str, ...]] = ("name", "handle", "role")

    name: str
    handle: int
    role: bool
    snd_settle_mode: int | None = None
    rcv_settle_mode: int | None = None
    source: Source | None = None
    target: Target | None = None
    unsettled: dict[object, object] | None = None
    incomplete_unsettled: bool | None = None
    initial_delivery_count: int | None = None
    max_message_size: int | None = None
    offered_capabilities: tuple[str, ...] | None = None
    desired_capabilities: tuple[str, ...] | None = None
    properties: dict[object, object] | None = None


@dataclass(frozen=True, slots=True)
class Flow(Performative):
    """The state of a session's windows and, with a handle, of a link's credit."""

    code: ClassVar[int] = 0x13
    kinds: ClassVar[tuple[Kind, ...]] = _kinds(
        "uint uint uint uint uint uint uint uint bool bool map"
    )
    required: ClassVar[tuple[str, ...]] = ("incoming_window", "next_outgoing_id", "outgoing_window")

    next_incoming_id: int | None
    incoming_window: int
    next_outgoing_id: int
    outgoing_window: int
    handle: int | None = None
    delivery_count: int | None = None
    link_credit: int | None = None
    available: int | None = None
    drain: bool | None = None
    echo: bool | None = None
    properties: dict[object, object] | None = None


@dataclass(frozen=True, slots=True)
class Transfer(Performative):
    """A message or a part of one; the payload follows the performative in its frame."""

    code: ClassVar[int] = 0x14
    kinds: ClassVar[tuple[Kind, ...]] = _kinds(
        "uint uint binary uint bool bool ubyte any bool bool bool"
    )
    required: ClassVar[tuple[str, ...]] = ("handle",)

    handle: int
    delivery_id: int | None = None
    delivery_tag: bytes | None = None
    message_format: int | None = None
    settled: bool | None = None
    more: bool | None = None
    rcv_settle_mode: int | None = None
    state: object = None
    resume: bool | None = None
    aborted: bool | None = None
    batchable: bool | None = None


@dataclass(frozen=True, slots=True)
class Disposition(Performative):
    """The outcome of the deliveries from ``first`` to ``last``."""

    code: ClassVar[int] = 0x15
    kinds: ClassVar[tuple[Kind, ...]] = _kinds("bool uint uint bool composite bool")
    required: ClassVar[tuple[str, ...]] = ("role", "first")

    role: bool
    first: int
    last: int | None = None
    settled: bool | None = None
    state: Accepted | Rejected | Described | None = None
    batchable: bool | None = None


@dataclass(frozen=True, slots=True)
class Detach(Performative):
    """The end of a link."""

    code: ClassVar[int] = 0x16
    kinds: ClassVar[tuple[Kind, ...]] = _kinds("uint bool composite")
    required: ClassVar[tuple[str, ...]] = ("handle",)

    handle: int
    closed: bool | None = None
    error: AmqpError | None = None


@dataclass(frozen=True, slots=True)
class End(Performative):
    """The end of a session."""

    code: ClassVar[int] = 0x17
    kinds: ClassVar[tuple[Kind, ...]] = _kinds("composite")

    error: AmqpError | None = None


@dataclass(frozen=True, slots=True)
class Close(Performative):
    """The end of a connection."""

    code: ClassVar[int] = 0x18
    kinds: ClassVar[tuple[Kind, ...]] = _kinds("composite")

    error: AmqpError | None = None


@dataclass(frozen=True, slots=True)
class SaslMechanisms(Performative):
    """The ways to authenticate that the server offers."""

    code: ClassVar[int] = 0x40
    kinds: ClassVar[tuple[Kind, ...]] = _kinds("symbols")

    mechanisms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SaslInit(Performative):
    """The way that the client chose."""

    code: ClassVar[int] = 0x41
    kinds: ClassVar[tuple[Kind, ...]] = _kinds("symbol binary string")
    required: ClassVar[tuple[str, ...]] = ("mechanism",)

    mechanism: str
    initial_response: bytes | None = None
    hostname: str | None = None


@dataclass(frozen=True, slots=True)
class SaslOutcome(Performative):
    """How the authentication ended: 0 is success, 1 a refusal."""

    code: ClassVar[int] = 0x44
    kinds: ClassVar[tuple[Kind, ...]] = _kinds("ubyte binary")

    result: int
    additional_data: bytes | None = None
