"""Where a receiver begins: the selector filter of its link, and what it means in a log."""

import re
from dataclasses import dataclass
from enum import Enum

from local_azure.event_hubs.amqp.types import Described
from local_azure.event_hubs.errors import LinkRefused
from local_azure.event_hubs.log.partition_log import PartitionLog
from local_azure.event_hubs.log.records import LogEnd

SELECTOR_FILTER = "apache.org:selector-filter:string"
# The same filter's numeric descriptor, which other clients use.
SELECTOR_FILTER_CODE = 0x0000_468C_0000_0004
ARGUMENT_ERROR = "com.microsoft:argument-error"

_BEGINNING = "-1"
_LATEST = "@latest"
_SELECTOR = re.compile(
    r"\s*amqp\.annotation\.x-opt-(offset|sequence-number|enqueued-time)\s*(>=?)\s*'([^']*)'\s*"
)


class Measure(Enum):
    """What a position is counted in."""

    OFFSET = "offset"
    SEQUENCE_NUMBER = "sequence-number"
    ENQUEUED_TIME = "enqueued-time"
    LATEST = "latest"


@dataclass(frozen=True, slots=True)
class StartPosition:
    """Where to begin.

    Attributes:
        measure: What ``value`` is.
        value: An offset, a sequence number, or milliseconds since the epoch; below 0 is the
            beginning.
        inclusive: Whether the event at ``value`` itself is wanted.
    """

    measure: Measure
    value: int = -1
    inclusive: bool = True


FROM_THE_BEGINNING = StartPosition(Measure.OFFSET)


def read_filters(filters: dict[object, object] | None) -> StartPosition:
    """Read the filters of a link's source; without any, a receiver begins at the beginning.

    Raises:
        LinkRefused: A filter is unknown or cannot be read.
    """
    position = FROM_THE_BEGINNING
    for name, value in (filters or {}).items():
        if not isinstance(value, Described) or value.descriptor not in {
            SELECTOR_FILTER,
            SELECTOR_FILTER_CODE,
        }:
            raise LinkRefused(
                "amqp:not-implemented",
                f"The filter {name!r:.60} is not supported, only {SELECTOR_FILTER} is.",
            )
        position = parse_selector(str(value.value))
    return position


def parse_selector(text: str) -> StartPosition:
    """Read ``amqp.annotation.x-opt-{offset|sequence-number|enqueued-time} {>|>=} '...'``.

    Raises:
        LinkRefused: The text is none of these.
    """
    match = _SELECTOR.fullmatch(text)
    if match is not None:
        measure, operator, value = Measure(match[1]), match[2], match[3]
        if measure is Measure.OFFSET and value == _LATEST:
            return StartPosition(Measure.LATEST)
        if value == _BEGINNING:
            return FROM_THE_BEGINNING
        if value.isascii() and value.isdecimal():
            return StartPosition(measure, int(value), inclusive=operator == ">=")
    raise LinkRefused(
        ARGUMENT_ERROR,
        f"The filter '{text:.200}' is not a valid amqp filter for EventHub entities: expected "
        "amqp.annotation.x-opt-offset, x-opt-sequence-number or x-opt-enqueued-time, then > or "
        ">=, then a number in quotes, or for the offset '-1' or '@latest'.",
    )


def first_sequence(position: StartPosition, log: PartitionLog, end: LogEnd) -> int:
    """Give the sequence number of the first event that a receiver gets.

    Args:
        position: What the receiver asked for.
        log: The partition's log.
        end: Where the log's acknowledged part ends.

    Raises:
        LinkRefused: The position lies behind the end, so the receiver remembers another log: it
            would wait in silence for events that have other numbers.
    """
    after = position.value + (0 if position.inclusive else 1)
    match position.measure:
        case Measure.LATEST:
            return end.next_sequence
        case Measure.ENQUEUED_TIME:
            return min(log.first_sequence_from_time(after), end.next_sequence)
        case Measure.SEQUENCE_NUMBER:
            if position.value > end.next_sequence:
                raise _behind_the_end("sequence number", position.value, end.next_sequence - 1)
            return max(after, log.first_sequence)
        case Measure.OFFSET:
            if position.value > max(end.last_offset, 0):
                raise _behind_the_end("offset", position.value, end.last_offset)
            return max(log.first_sequence_from_offset(max(after, 0)), log.first_sequence)


def _behind_the_end(name: str, value: int, last: int) -> LinkRefused:
    return LinkRefused(
        ARGUMENT_ERROR,
        f"The supplied {name} '{value}' is invalid. The last {name} in the system is '{last}'. "
        "A checkpoint of an earlier data folder has to be removed before it can be read.",
    )
