"""A span for each invocation: linked to who published, and free of what a payment says."""

import logging
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.trace import SpanKind, StatusCode
from payment_messages import message, messages, payment_event
from telemetry_probe import Told, told

from shared_code.store.errors import StoreUnavailable
from shared_code.telemetry.spans import (
    MOST_LINKS,
    TRACEPARENT,
    function_span,
    link_publishers,
    place_of,
)

__all__ = ["told"]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
NO_HOST: Any = SimpleNamespace(trace_parent="", trace_state="")


def publisher(number: int) -> str:
    return f"00-{number:032x}-{number:016x}-01"


def linked(told: Told, properties: Any) -> list[str]:
    with function_span("ProcessTransaction", NO_HOST) as span:
        link_publishers(span, properties)
    return [f"{each.context.trace_id:032x}" for each in told.span().links]


def test_the_span_of_a_function_lies_within_that_of_the_host(told: Told) -> None:
    host: Any = SimpleNamespace(trace_parent=PARENT, trace_state="vendor=1")
    with function_span("AggregateMetrics", host):
        pass
    span = told.span()
    assert (span.name, span.kind) == ("AggregateMetrics", SpanKind.SERVER)
    assert f"{span.context.trace_id:032x}" == TRACE
    assert span.parent is not None
    assert span.parent.span_id == 0x00F067AA0BA902B7


@pytest.mark.parametrize("nothing", ["", None, "no traceparent"])
def test_without_a_host_that_traces_a_span_begins_its_own_trace(told: Told, nothing: Any) -> None:
    host: Any = SimpleNamespace(trace_parent=nothing, trace_state=nothing)
    with function_span("AggregateMetrics", host):
        pass
    assert told.span().parent is None


def test_a_batch_is_linked_to_each_publisher_once(told: Told) -> None:
    properties = [{TRACEPARENT: publisher(number)} for number in (1, 2, 1)]
    assert linked(told, properties) == [f"{1:032x}", f"{2:032x}"]


def test_links_are_bounded(told: Told) -> None:
    properties = [{TRACEPARENT: publisher(number)} for number in range(1, 500)]
    assert len(linked(told, properties)) == MOST_LINKS


@pytest.mark.parametrize(
    "properties",
    [
        None,
        "text",
        [],
        [{}],
        [None],
        [{TRACEPARENT: None}],
        [{TRACEPARENT: 17}],
        [{TRACEPARENT: "ada@example.com"}],
        [{TRACEPARENT: f"00-{'0' * 32}-00f067aa0ba902b7-01"}],
        [{TRACEPARENT: f"00-{TRACE}-{'0' * 16}-01"}],
        [{TRACEPARENT: f"ff-{TRACE}-00f067aa0ba902b7-01"}],
        [{TRACEPARENT: PARENT.upper()}],
    ],
)
def test_what_is_no_valid_traceparent_links_nothing(told: Told, properties: Any) -> None:
    assert linked(told, properties) == []


def test_no_other_property_of_a_message_is_kept(told: Told) -> None:
    others = {"tracestate": "who=example.com", "email": "ada@example.com"}
    linked(told, [{TRACEPARENT: PARENT, **others}])
    assert "example.com" not in told.span().to_json()


def test_a_batch_is_placed_by_its_partition_its_numbers_and_its_oldest_message() -> None:
    later = datetime(2026, 1, 31, 12, tzinfo=UTC)
    oldest = later - timedelta(seconds=5)
    batch = [
        message(payment_event(), 7, "3", later),
        message(payment_event(), 8, "3", oldest),
        message(payment_event(), 9, "3"),
    ]
    place = place_of(batch)
    assert place == ("3", 7, 9, oldest)
    assert str(place).startswith(
        "partition 3, sequence numbers 7 to 9, enqueued at 2026-01-31T11:59:55+00:00, "
    )
    assert place.attributes()["payments.enqueued_at"] == "2026-01-31T11:59:55+00:00"


def test_nothing_is_a_batch_of_no_partition() -> None:
    assert place_of([]) == ("", -1, -1, None)


def test_an_error_of_the_product_fails_the_span_and_is_logged_with_its_batch(
    told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    place = place_of(messages(payment_event()))
    with (
        caplog.at_level(logging.ERROR),
        pytest.raises(StoreUnavailable),
        function_span("ProcessTransaction", NO_HOST, place=place),
    ):
        raise StoreUnavailable("the server is gone")
    assert told.span().status.status_code is StatusCode.ERROR
    assert told.span().attributes is not None
    assert told.span().attributes["error.type"] == "StoreUnavailable"
    assert caplog.messages == [
        "ProcessTransaction failed: the server is gone; partition 0, sequence numbers 0 to 0"
    ]
    assert vars(caplog.records[0])["messaging.destination.partition.id"] == "0"


def test_the_text_of_any_other_error_is_told_nowhere(
    told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ValueError, match="ada"), function_span("ReloadRules", NO_HOST):
        raise ValueError("ada@example.com")
    assert caplog.messages == ["ReloadRules failed: ValueError"]
    assert "example.com" not in told.span().to_json()
