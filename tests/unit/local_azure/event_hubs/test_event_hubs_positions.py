"""Where a receiver begins, and who may receive."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from azure.eventhub._utils import event_position_selector

from local_azure.event_hubs.amqp.types import Described
from local_azure.event_hubs.audience import MAX_RECEIVERS, Audience
from local_azure.event_hubs.errors import LinkRefused
from local_azure.event_hubs.log.partition_log import HOUR_MS, LogLimits, PartitionLog
from local_azure.event_hubs.log.records import RECORD_HEADER_SIZE
from local_azure.event_hubs.positions import (
    FROM_THE_BEGINNING,
    SELECTOR_FILTER,
    SELECTOR_FILTER_CODE,
    Measure,
    StartPosition,
    first_sequence,
    parse_selector,
    read_filters,
)

START = 1_700_000_000_000
SIZE = RECORD_HEADER_SIZE + 1


@pytest.mark.parametrize(
    ("value", "inclusive", "position"),
    [
        ("-1", False, FROM_THE_BEGINNING),
        ("-1", True, FROM_THE_BEGINNING),
        ("@latest", False, StartPosition(Measure.LATEST)),
        ("1234", False, StartPosition(Measure.OFFSET, 1234, inclusive=False)),
        ("1234", True, StartPosition(Measure.OFFSET, 1234)),
        (7, False, StartPosition(Measure.SEQUENCE_NUMBER, 7, inclusive=False)),
        (7, True, StartPosition(Measure.SEQUENCE_NUMBER, 7)),
        (-1, False, FROM_THE_BEGINNING),
        (
            datetime.fromtimestamp(START / 1000, UTC),
            False,
            StartPosition(Measure.ENQUEUED_TIME, START, inclusive=False),
        ),
    ],
)
def test_every_selector_of_the_sdk_is_read(
    *, value: str | int | datetime, inclusive: bool, position: StartPosition
) -> None:
    assert parse_selector(event_position_selector(value, inclusive).decode()) == position


@pytest.mark.parametrize(
    "text",
    [
        "",
        "amqp.annotation.x-opt-offset > no offset",
        "amqp.annotation.x-opt-offset < '5'",
        "amqp.annotation.x-opt-colour > '5'",
        "amqp.annotation.x-opt-sequence-number > '@latest'",
        "amqp.annotation.x-opt-offset > '5' OR 1=1",
        "amqp.annotation.x-opt-offset > '²'",
    ],
)
def test_any_other_selector_is_refused_with_what_was_expected(text: str) -> None:
    with pytest.raises(LinkRefused, match="expected") as raised:
        parse_selector(text)

    assert raised.value.condition == "com.microsoft:argument-error"


def test_no_filter_means_the_beginning() -> None:
    assert read_filters(None) == read_filters({}) == FROM_THE_BEGINNING


@pytest.mark.parametrize("descriptor", [SELECTOR_FILTER, SELECTOR_FILTER_CODE])
def test_the_filters_descriptor_may_be_a_name_or_a_number(descriptor: object) -> None:
    described = Described(descriptor, "amqp.annotation.x-opt-offset > '@latest'")

    assert read_filters({SELECTOR_FILTER: described}) == StartPosition(Measure.LATEST)


@pytest.mark.parametrize("value", ["text", Described("apache.org:other", "x")])
def test_an_unknown_filter_is_refused(value: object) -> None:
    with pytest.raises(LinkRefused, match="not supported") as raised:
        read_filters({"f": value})

    assert raised.value.condition == "amqp:not-implemented"


@pytest.fixture
def log(tmp_path: Path) -> Iterator[PartitionLog]:
    """Ten events of equal size, one each second, the first two past retention."""
    limits = LogLimits(retention_ms=24 * HOUR_MS, segment_bytes=2 * SIZE)
    log = PartitionLog.open(tmp_path, limits)
    for number in range(10):
        log.append([lambda *_: b"x"], START + number * 1000)
    log.drop_expired(START + 3000 + 24 * HOUR_MS)
    assert log.first_sequence == 3
    yield log
    log.close()


@pytest.mark.parametrize(
    ("position", "sequence"),
    [
        (FROM_THE_BEGINNING, 3),
        (StartPosition(Measure.LATEST), 10),
        (StartPosition(Measure.OFFSET, 0), 3),
        (StartPosition(Measure.OFFSET, 5 * SIZE), 5),
        (StartPosition(Measure.OFFSET, 5 * SIZE, inclusive=False), 6),
        (StartPosition(Measure.OFFSET, 5 * SIZE + 1), 6),
        (StartPosition(Measure.OFFSET, 9 * SIZE, inclusive=False), 10),
        (StartPosition(Measure.SEQUENCE_NUMBER, 1), 3),
        (StartPosition(Measure.SEQUENCE_NUMBER, 5), 5),
        (StartPosition(Measure.SEQUENCE_NUMBER, 5, inclusive=False), 6),
        (StartPosition(Measure.SEQUENCE_NUMBER, 10), 10),
        (StartPosition(Measure.ENQUEUED_TIME, START + 5000), 5),
        (StartPosition(Measure.ENQUEUED_TIME, START + 5000, inclusive=False), 6),
        (StartPosition(Measure.ENQUEUED_TIME, START - 1), 3),
        (StartPosition(Measure.ENQUEUED_TIME, START + HOUR_MS), 10),
    ],
)
def test_a_position_is_the_next_event_that_is_wanted(
    log: PartitionLog, position: StartPosition, sequence: int
) -> None:
    assert first_sequence(position, log, log.end) == sequence


@pytest.mark.parametrize(
    ("position", "message"),
    [
        (StartPosition(Measure.OFFSET, 9 * SIZE + 1), f"offset '{9 * SIZE + 1}'.*'{9 * SIZE}'"),
        (StartPosition(Measure.SEQUENCE_NUMBER, 11), "number '11'.*'9'"),
    ],
)
def test_a_position_of_another_log_is_refused_rather_than_waited_for(
    log: PartitionLog, position: StartPosition, message: str
) -> None:
    with pytest.raises(LinkRefused, match=message) as raised:
        first_sequence(position, log, log.end)

    assert raised.value.condition == "com.microsoft:argument-error"


class Reader:
    def __init__(self, epoch: int | None) -> None:
        self.epoch = epoch
        self.evicted_by: tuple[str, str] | None = None

    def evict(self, condition: str, description: str) -> None:
        self.evicted_by = (condition, description)


@pytest.mark.parametrize("epoch", [None, 0, 3])
def test_an_owner_evicts_those_of_lower_or_equal_level(epoch: int | None) -> None:
    audience, first, second = Audience(), Reader(epoch), Reader(3)
    audience.admit(first)

    audience.admit(second)

    assert first.evicted_by is not None
    assert first.evicted_by[0] == "amqp:link:stolen"
    assert second.evicted_by is None


@pytest.mark.parametrize("epoch", [None, 2])
def test_an_owner_stays_against_a_lower_level_and_against_none(epoch: int | None) -> None:
    audience, owner = Audience(), Reader(3)
    audience.admit(owner)

    with pytest.raises(LinkRefused, match="epoch") as raised:
        audience.admit(Reader(epoch))

    assert raised.value.condition == "amqp:link:stolen"
    assert owner.evicted_by is None
    audience.leave(owner)
    audience.admit(Reader(epoch))


def test_an_evicted_owner_that_leaves_late_does_not_take_the_place_along() -> None:
    audience, first, second = Audience(), Reader(1), Reader(2)
    audience.admit(first)
    audience.admit(second)

    audience.leave(first)

    with pytest.raises(LinkRefused, match="higher epoch '2'"):
        audience.admit(Reader(1))


def test_five_may_share_a_partition_and_no_more() -> None:
    audience = Audience()
    readers = [Reader(None) for _ in range(MAX_RECEIVERS)]
    for reader in readers:
        audience.admit(reader)

    with pytest.raises(LinkRefused, match="which is 5"):
        audience.admit(Reader(None))
    audience.leave(readers[0])
    audience.admit(Reader(None))
