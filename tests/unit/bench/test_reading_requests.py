"""The reading benchmark asks for all that the page asks for, and tells the slowest of it."""

from datetime import UTC, datetime, timedelta

import pytest

from bench.reading import NO_SPAN, Timed, ratios, rows
from bench.reading_requests import SPANS, Asked, fitting_period, of_no_span, of_span
from shared_code.web.api.resources import RESOURCES
from shared_code.web.parameters import read_query

NOW = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
ALERT = "6f1f6d3c-5f0c-5d1e-9a39-2f6f6f0f7a51"
WITHOUT_SPAN = of_no_span(NOW, ALERT, ["1.0.0", "2.0.0"])


def timed(name: str, number: int, seconds: float, span: str = "hour") -> Timed:
    return Timed(span, name, number, seconds)


@pytest.mark.parametrize("length", SPANS.values())
def test_every_resource_is_asked_for_in_every_span(length: timedelta) -> None:
    asked = [*of_span(length, NOW), *WITHOUT_SPAN]
    found = {
        resource.name
        for each in asked
        for resource in RESOURCES
        if resource.match(each.path.split("/")) is not None
    }
    assert found == {resource.name for resource in RESOURCES}


@pytest.mark.parametrize("asked", [*of_span(SPANS["31 days"], NOW), *WITHOUT_SPAN])
def test_every_request_is_one_that_the_api_takes(asked: Asked) -> None:
    resource = next(each for each in RESOURCES if each.match(asked.path.split("/")) is not None)
    read_query(resource.parameters, asked.query)


@pytest.mark.parametrize(
    ("span", "period"), [("hour", "5m"), ("day", "5m"), ("week", "1h"), ("31 days", "1d")]
)
def test_a_chart_has_the_period_that_the_page_chooses(span: str, period: str) -> None:
    assert fitting_period(SPANS[span]) == period


def test_the_ratio_is_of_the_slowest_request_of_each_round_and_names_the_slowest_of_all() -> None:
    found = ratios(
        [
            timed("alerts", 0, 0.2),
            timed("windows", 0, 0.4),
            timed("alerts", 1, 0.8),
            timed("windows", 1, 0.1),
            timed("windows", 2, 0.6),
            timed("summary", 0, 1.5, NO_SPAN),
        ]
    )
    assert [(each.value, each.low, each.high) for each in found] == [
        (0.6, 0.4, 0.8),
        (1.5, 1.5, 1.5),
    ]
    assert [each.remark for each in found] == ["slowest: alerts", "slowest: summary"]
    assert [each.met for each in found] == [True, False]


def test_a_row_has_median_and_highest_of_each_span_in_milliseconds() -> None:
    found = rows(
        [
            timed("alerts", 0, 0.001),
            timed("alerts", 1, 0.004),
            timed("alerts", 2, 0.002),
            timed("alerts", 0, 0.5, "day"),
            timed("summary", 0, 1.5, NO_SPAN),
        ],
        ["hour", "day"],
    )
    assert found == [["alerts", 2.0, 4.0, 500.0, 500.0]]
