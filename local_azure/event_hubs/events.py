"""A published message becomes events: the message as it came, with the service's annotations."""

import struct
from dataclasses import dataclass

from local_azure.event_hubs.amqp.decode import decode
from local_azure.event_hubs.amqp.encode import encode, encode_described_map
from local_azure.event_hubs.amqp.message import (
    BATCH_FORMAT,
    MESSAGE_ANNOTATIONS,
    Sections,
    batch_members,
    split_sections,
)
from local_azure.event_hubs.amqp.types import Symbol

PARTITION_KEY = "x-opt-partition-key"
SEQUENCE_NUMBER = "x-opt-sequence-number"
OFFSET = "x-opt-offset"
ENQUEUED_TIME = "x-opt-enqueued-time"

# What a publisher claims about these is not passed on.
_OWN = frozenset({SEQUENCE_NUMBER, OFFSET, ENQUEUED_TIME, PARTITION_KEY})

_SEQUENCE_PREFIX = encode(Symbol(SEQUENCE_NUMBER)) + b"\x81"
_OFFSET_PREFIX = encode(Symbol(OFFSET)) + b"\xa1"
_TIME_PREFIX = encode(Symbol(ENQUEUED_TIME)) + b"\x83"
_KEY_PREFIX = encode(Symbol(PARTITION_KEY))
_I64 = struct.Struct(">q")


@dataclass(frozen=True, slots=True)
class Event:
    """One event on its way into a log.

    Attributes:
        header: Its header section as it came, or empty.
        annotations: Encoded pairs that stay: the partition key and what the publisher added.
        annotation_count: Keys and values in ``annotations`` together.
        bare: The bare message as it came: properties, application properties, body.
    """

    header: bytes
    annotations: bytes
    annotation_count: int
    bare: bytes

    def encode(self, sequence: int, offset: int, enqueued_time: int) -> bytes:
        """Encode the message that receivers get, given its place in the log and its time in ms."""
        digits = b"%d" % offset
        body = b"".join(
            (
                _SEQUENCE_PREFIX,
                _I64.pack(sequence),
                _OFFSET_PREFIX,
                bytes((len(digits),)),
                digits,
                _TIME_PREFIX,
                _I64.pack(enqueued_time),
                self.annotations,
            )
        )
        annotations = encode_described_map(MESSAGE_ANNOTATIONS, self.annotation_count + 6, body)
        return self.header + annotations + self.bare


@dataclass(frozen=True, slots=True)
class Publication:
    """The events of one published message; they go to one partition together.

    Attributes:
        partition_key: Decides on the partition where the publisher did not.
        events: In the order in which they are stored.
    """

    partition_key: str | None
    events: tuple[Event, ...]


def read_publication(message: bytes, message_format: int) -> Publication:
    """Take a published message apart.

    Args:
        message: The encoded message.
        message_format: 0, or the batch format, where each data section is one encoded message.

    Raises:
        DecodeError: It is no AMQP message, or a member of the batch is none.
    """
    if message_format != BATCH_FORMAT:
        sections = split_sections(message)
        key = _partition_key(sections)
        return Publication(key, (_event(sections, key),))
    batch_key = _partition_key(split_sections(message))
    members = [split_sections(member) for member in batch_members(message)]
    keys = [_partition_key(member) or batch_key for member in members]
    events = tuple(_event(member, key) for member, key in zip(members, keys, strict=True))
    return Publication(batch_key or next(iter(keys), None), events)


def _partition_key(sections: Sections) -> str | None:
    for key, _, raw in sections.annotations:
        if key == PARTITION_KEY:
            value, _ = decode(raw)
            return str(value) if isinstance(value, str) else None
    return None


def _event(sections: Sections, partition_key: str | None) -> Event:
    pairs = [raw_key + raw for key, raw_key, raw in sections.annotations if key not in _OWN]
    if partition_key is not None:
        pairs.append(_KEY_PREFIX + encode(partition_key))
    return Event(sections.header, b"".join(pairs), 2 * len(pairs), sections.bare)
