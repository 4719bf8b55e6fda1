"""The bytes of a log file: one header for the file, one for each record.

A file begins with where it stands in its partition's log, so that numbering goes on after every
older file is gone::

    magic            8 bytes  "EHUBLOG1"
    base_offset      u64      offset of the file's first record
    base_sequence    u64      sequence number of the file's first record
    previous_offset  i64      offset of the last record before this file, -1 without one
    previous_time    i64      its enqueued time, milliseconds since the epoch, 0 without one
    checksum         u32      CRC-32 of the above

and then holds records without gaps::

    size             u32      bytes of the message
    checksum         u32      CRC-32 of all that follows
    sequence         u64
    enqueued_time    i64      milliseconds since the epoch
    message          bytes    the encoded message, exactly as a receiver gets it

All numbers are big-endian. An event's offset is its record's place in the endless log: base_offset
plus the distance from the end of the file's header.
"""

import struct
import zlib
from dataclasses import dataclass

MAGIC = b"EHUBLOG1"

_FILE_HEADER = struct.Struct(">8sQQqq")
_RECORD_HEADER = struct.Struct(">IIQq")
_CHECKED = struct.Struct(">Qq")
_CHECKSUM = struct.Struct(">I")

FILE_HEADER_SIZE = _FILE_HEADER.size + _CHECKSUM.size
RECORD_HEADER_SIZE = _RECORD_HEADER.size


@dataclass(frozen=True, slots=True)
class LogEnd:
    """Where a log stands after its last record.

    Attributes:
        next_offset: Offset that the next record gets.
        next_sequence: Sequence number that the next record gets.
        last_offset: Offset of the last record, -1 if there never was one.
        last_time: Enqueued time of the last record, milliseconds since the epoch, or 0.
    """

    next_offset: int = 0
    next_sequence: int = 0
    last_offset: int = -1
    last_time: int = 0


def encode_file_header(end: LogEnd) -> bytes:
    """Encode the header of a file that begins where the log ends."""
    fields = _FILE_HEADER.pack(
        MAGIC, end.next_offset, end.next_sequence, end.last_offset, end.last_time
    )
    return fields + _CHECKSUM.pack(zlib.crc32(fields))


def decode_file_header(raw: bytes) -> LogEnd | None:
    """Decode a file's header, or give None if it is none or is damaged."""
    if len(raw) < FILE_HEADER_SIZE:
        return None
    fields = raw[: _FILE_HEADER.size]
    if raw[_FILE_HEADER.size : FILE_HEADER_SIZE] != _CHECKSUM.pack(zlib.crc32(fields)):
        return None
    magic, base_offset, base_sequence, previous_offset, previous_time = _FILE_HEADER.unpack(fields)
    if magic != MAGIC:
        return None
    return LogEnd(base_offset, base_sequence, previous_offset, previous_time)


def encode_record(sequence: int, enqueued_time: int, message: bytes) -> bytes:
    """Encode one record."""
    checksum = zlib.crc32(message, zlib.crc32(_CHECKED.pack(sequence, enqueued_time)))
    return _RECORD_HEADER.pack(len(message), checksum, sequence, enqueued_time) + message


def read_record(raw: memoryview, position: int, sequence: int) -> tuple[int, int] | None:
    """Check the record at ``position``.

    Args:
        raw: A log file's bytes.
        position: Where the record begins.
        sequence: The sequence number that it must have.

    Returns:
        The position behind it and its enqueued time; None if no whole, sound record is there.
    """
    body = position + RECORD_HEADER_SIZE
    if body > len(raw):
        return None
    size, checksum, found_sequence, enqueued_time = _RECORD_HEADER.unpack_from(raw, position)
    end = body + size
    if found_sequence != sequence or end > len(raw):
        return None
    if zlib.crc32(raw[position + 8 : end]) != checksum:
        return None
    return end, enqueued_time
