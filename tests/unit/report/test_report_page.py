"""A report shows whatever was stored, does nothing, and needs no other file."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html.parser import HTMLParser

import msgspec
import pytest

from shared_code.report.figures import Amount, Figures, Period, Total, Windows
from shared_code.report.page import report_page
from shared_code.store.report_read import AlertCount, AlertOf, InForce

START = datetime(2026, 1, 31, tzinfo=UTC)
MARKUP = '<script>alert("x")</script><img src=x onerror=alert(1)>&amp;'
EMPTY = Figures(
    start=START,
    end=START + timedelta(days=1),
    period_seconds=3600,
    windows=Windows(0, 0, 0, 0, 0),
    payments=0,
    totals=[],
    failure_ratios=[],
    periods=[],
    completed=[],
    payments_kept=0,
    quality_flags={},
    rejected={},
    rule_sets=[],
    windows_by_version={},
    revised=[],
    alert_counts=[],
    alerts=[],
)


class Read(HTMLParser):
    """What a browser makes of a page: its elements with their attributes, and its texts."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def names(self) -> list[str]:
        return [tag for tag, _ in self.elements]


def with_payments(**changes: object) -> Figures:
    filled = msgspec.structs.replace(
        EMPTY,
        payments=3,
        payments_kept=3,
        windows=Windows(2, 2, 2, 0, 0),
        totals=[
            Total("EUR", "bank_transfer", "completed", 2, Decimal("1234.50")),
            Total("JPY", "bank_transfer", "failed", 1, Decimal(900)),
        ],
        periods=[Period(START, 2, 0), Period(START + timedelta(hours=20), 1, 1)],
        completed=[Amount("EUR", START, Decimal("1234.50"))],
    )
    return msgspec.structs.replace(filled, **changes)


def test_markup_is_shown_and_does_nothing() -> None:
    figures = with_payments(
        rule_sets=[InForce("1.0.0", "ab", START, MARKUP, MARKUP)],
        alert_counts=[AlertCount("high", "velocity", MARKUP, 1, 0, 0)],
        alerts=[AlertOf("high", "velocity", MARKUP, MARKUP, None, {"m": MARKUP}, START, START)],
        rejected={MARKUP: 1},
    )
    read = Read(report_page(figures, START))
    assert read.texts.count(MARKUP) == 6
    assert not {"script", "img"} & set(read.names())


@pytest.mark.parametrize("figures", [EMPTY, with_payments()])
def test_a_page_needs_nothing_else_and_runs_nothing(figures: Figures) -> None:
    page = report_page(figures, START)
    read = Read(page)
    assert not {"script", "link", "img", "iframe", "object", "form"} & set(read.names())
    for _, attributes in read.elements:
        assert not {"src", "href", "style"} & set(attributes)
        assert not any(name.startswith("on") for name in attributes)
    assert b"url(" not in page
    assert b"@import" not in page
    policy = next(of["content"] for tag, of in read.elements if "http-equiv" in of)
    assert policy is not None
    assert policy.startswith("default-src 'none'")


def test_what_is_not_there_is_said_to_be_none() -> None:
    texts = Read(report_page(EMPTY, START)).texts
    assert "Alerts by severity: none." in texts
    assert "Payments and amounts: none." in texts


def test_amounts_are_shown_by_currency_and_never_added_up() -> None:
    texts = Read(report_page(with_payments(), START)).texts
    assert "1,234.50" in texts
    assert "900" in texts
    assert not any("2,134.50" in each for each in texts)


def test_finality_is_told() -> None:
    texts = " ".join(Read(report_page(with_payments(), START)).texts)
    assert "no figure of theirs is expected to change" in texts
    open_ = msgspec.structs.replace(with_payments(), windows=Windows(2, 2, 1, 0, 0))
    assert "may still change" in " ".join(Read(report_page(open_, START)).texts)


def test_bars_stand_where_their_time_is() -> None:
    read = Read(report_page(with_payments(), START))
    wide = [of for tag, of in read.elements if tag == "rect" and of["class"] == "whole"]
    first, later = (float(of["x"] or 0) for of in wide[:2])
    hour = (720 - 70) / 24
    assert later - first == pytest.approx(20 * hour, abs=0.2)


def test_canonical_json_is_sorted_and_exact() -> None:
    canonical = with_payments().canonical()
    assert canonical.startswith(b'{"alert_counts":[],"alerts":[],"completed":[')
    assert b'"amount":"1234.50"' in canonical
    assert b'"start":"2026-01-31T00:00:00Z"' in canonical
