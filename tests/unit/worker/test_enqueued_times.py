"""Enqueued times are read as Microsoft's converter reads them, and as quickly as they can be."""

import json
import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.functions import meta
from azure.functions.eventhub import EventHubTriggerConverter
from hypothesis import example, given
from hypothesis import strategies as st

from local_azure.functions.bindings import DataType
from local_azure.functions.wire import Event, Json, PartitionPlace, event_batch
from shared_code.worker import enqueued_times
from shared_code.worker.enqueued_times import quick_parser, quicken_enqueued_times

ORIGINAL: Any = meta._BaseConverter._parse_datetime


def outcome(parse: Any, text: str | None) -> str:
    try:
        return repr(parse(text))
    except (ValueError, TypeError) as error:
        return f"{type(error).__name__}: {error}"


def never(text: str | None) -> datetime | None:
    msg = f"the slow way was taken for {text}"
    raise AssertionError(msg)


times = st.builds(
    "{}{}{}".format,
    st.datetimes().map(lambda time: time.replace(microsecond=0).isoformat()),
    st.sampled_from(["", "."]).flatmap(
        lambda point: st.text("0123456789", max_size=9).map(lambda digits: point + digits)
    ),
    st.sampled_from(
        ["", "Z", "z", "+00:00", "-00:00", "+01:00", " ", "Zjunk", "+0:00", "+00:00:00"]
    ),
)


@given(times | st.text(max_size=30) | st.text("0123456789-T:.Z+/ ", max_size=30))
@example("2026-02-30T00:00:00Z")
@example("2026-01-31T24:00:00Z")
@example("2026-01-31T23:59:60Z")
@example("0000-01-31T23:59:59Z")
@example("01/31/2026 23:59:59.5Z")
@example("٢٠٢٦-01-31T23:59:59Z")
@example("2026-01-31T23:59:59.1234567\n")
def test_every_time_is_read_as_the_converter_reads_it(text: str) -> None:
    assert outcome(quick_parser(ORIGINAL), text) == outcome(ORIGINAL, text)


def test_the_usual_times_are_not_left_to_the_converter() -> None:
    parse = quick_parser(never)
    for text in (
        "2026-01-31T23:59:59.1234567Z",
        "2026-01-31T23:59:59.627Z",
        "2026-01-31T23:59:59.123456",
        "2026-01-31T23:59:59",
    ):
        assert parse(text) is not None


def test_no_time_of_the_host_is_left_to_the_converter() -> None:
    # Event Hubs counts milliseconds, and the host leaves out zeros at the end.
    second = datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC)
    times = [second + timedelta(milliseconds=each) for each in range(1000)]
    events = [Event(b"{}", 0, "0", time, None, {}) for time in times]
    place = PartitionPlace("namespace", "payments", "metrics", "0")
    sent = event_batch("ProcessTransaction", events, place, DataType.BINARY)
    properties = sent.metadata["SystemPropertiesArray"]
    assert isinstance(properties, Json)
    parse = quick_parser(never)
    read = [parse(each["EnqueuedTimeUtc"]) for each in json.loads(properties.value)]
    assert read == [time.replace(tzinfo=None) for time in times]


class Moved:
    """A converter without the private name."""


class Changed:
    """A converter that reads times in another way."""

    @classmethod
    def _parse_datetime(cls, _text: str | None, _zone: str = "UTC") -> str:
        return "a time"


def test_a_converter_that_is_known_is_quickened() -> None:
    # The library's own, whatever function another test has loaded into this process.
    known = {"_parse_datetime": classmethod(ORIGINAL.__func__)}
    converter = type("Known", (EventHubTriggerConverter,), known, binding=None)
    assert quicken_enqueued_times(converter)
    assert isinstance(vars(converter)["_parse_datetime"], staticmethod)
    expected = ORIGINAL("2026-01-31T23:59:59.1234567Z")
    assert converter._parse_datetime("2026-01-31T23:59:59.1234567Z") == expected


@pytest.mark.parametrize("converter", [Moved, Changed])
def test_a_converter_that_has_changed_is_left_alone_and_named(
    converter: type, caplog: pytest.LogCaptureFixture
) -> None:
    before = vars(converter).get("_parse_datetime")
    with caplog.at_level(logging.WARNING, enqueued_times.__name__):
        assert not quicken_enqueued_times(converter)
    assert vars(converter).get("_parse_datetime") is before
    assert "azure-functions has changed" in caplog.text
