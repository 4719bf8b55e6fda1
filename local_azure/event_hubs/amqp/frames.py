"""Frames and protocol headers (part 2, sections 2.2 and 2.3)."""

import struct
from dataclasses import dataclass
from enum import IntEnum

from local_azure.event_hubs.errors import DecodeError

AMQP_HEADER = b"AMQP\x00\x01\x00\x00"
SASL_HEADER = b"AMQP\x03\x01\x00\x00"
HEADER_SIZE = 8
# The least that any peer may ask for, and what is allowed before both have said.
MIN_MAX_FRAME_SIZE = 512

_HEAD = struct.Struct(">IBBH")


class FrameType(IntEnum):
    """What a frame's body is."""

    AMQP = 0
    SASL = 1


EMPTY_FRAME = _HEAD.pack(HEADER_SIZE, 2, FrameType.AMQP, 0)


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame; an empty body is a sign of life and nothing else.

    Attributes:
        channel: The session's number; without meaning in a SASL frame.
        kind: What the body is.
        body: The performative and, after it, the payload of a transfer.
    """

    channel: int
    kind: FrameType
    body: bytes


def encode_frame(channel: int, body: bytes, kind: FrameType = FrameType.AMQP) -> bytes:
    """Put the frame's header in front of ``body``."""
    return _HEAD.pack(HEADER_SIZE + len(body), 2, kind, channel) + body


class FrameReader:
    """Cuts a stream of bytes into protocol headers and frames.

    Attributes:
        max_frame_size: Largest frame that is let in, in bytes.
    """

    def __init__(self, max_frame_size: int) -> None:
        self.max_frame_size = max_frame_size
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """Add bytes that arrived."""
        self._buffer += data

    def take_header(self) -> bytes | None:
        """Take a protocol header of 8 bytes, or give None until it is complete."""
        if len(self._buffer) < HEADER_SIZE:
            return None
        header = bytes(self._buffer[:HEADER_SIZE])
        del self._buffer[:HEADER_SIZE]
        return header

    def take_frame(self) -> Frame | None:
        """Take one frame, or give None until it is complete.

        Raises:
            DecodeError: The frame's size, data offset or type is impossible.
        """
        buffer = self._buffer
        if len(buffer) < HEADER_SIZE:
            return None
        size, data_offset, kind, channel = _HEAD.unpack_from(buffer)
        if size > self.max_frame_size:
            msg = f"a frame of {size} bytes; at most {self.max_frame_size} were agreed"
            raise DecodeError(msg)
        if data_offset < 2 or size < 4 * data_offset:
            msg = f"a frame of {size} bytes cannot have its data {data_offset} words in"
            raise DecodeError(msg)
        if kind not in {FrameType.AMQP, FrameType.SASL}:
            msg = f"a frame's type is 0 (AMQP) or 1 (SASL), not {kind}"
            raise DecodeError(msg)
        if len(buffer) < size:
            return None
        body = bytes(memoryview(buffer)[4 * data_offset : size])
        del buffer[:size]
        return Frame(channel, FrameType(kind), body)
