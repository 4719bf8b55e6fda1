"""Where something is missing, the page says what, and where nothing is new, it stays as it is."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from dashboard_page import NOTHING, DashboardPage, Shown
from pipeline_probe import query
from playwright.sync_api import Route, expect

LIVE_MILLISECONDS = 15_500
ONE_HOUR = "from=2026-01-02T01:00:00.000Z&to=2026-01-02T02:00:00.000Z"


def changed(change: Callable[[list[Any]], list[Any]]) -> Callable[[Route], None]:
    """Return what answers a request as the API does, but for its items."""

    def answer(route: Route) -> None:
        real = route.fetch()
        found = real.json()
        found["items"] = change(found["items"])
        route.fulfill(response=real, body=json.dumps(found))

    return answer


def open_figures(seen: DashboardPage, panel: str) -> None:
    seen.panel(panel).get_by_text("Figures of this chart").click()


def test_a_window_without_payments_is_drawn_as_none_and_without_ratios(
    seen: DashboardPage,
) -> None:
    missing: list[str] = []

    def without_the_third(items: list[Any]) -> list[Any]:
        missing.append(items[2]["window_start"])
        return items[:2] + items[3:]

    seen.page.route(re.compile("/v1/throughput"), changed(without_the_third))
    seen.open()
    for panel, caption, nothing in (
        ("Payments", "Figures of Payments per five minutes", "0"),
        ("Failure and decline", "Figures of Failure and decline ratio", NOTHING),
    ):
        open_figures(seen, panel)
        shown = {
            row["Window (UTC)"]: [text for name, text in row.items() if "Window" not in name]
            for row in seen.rows(caption)
        }
        assert set(shown[missing[0].replace("T", " ")[:16]]) == {nothing}


def test_an_update_without_news_redraws_nothing(seen: DashboardPage) -> None:
    seen.page.clock.install()
    seen.open()
    chart = seen.panel("Payments").locator("canvas").element_handle()
    seen.page.clock.run_for(LIVE_MILLISECONDS)
    seen.settle()
    assert chart.evaluate("element => element.isConnected")


@pytest.mark.parametrize("focused", ["button.csv", ".scroller"])
def test_an_update_leaves_the_focus_in_the_figures_of_a_chart(
    seen: DashboardPage, focused: str
) -> None:
    seen.page.clock.install()
    seen.open()
    open_figures(seen, "Payments")
    element = seen.panel("Payments").locator(f"details {focused}")
    element.focus()
    seen.page.route(re.compile("/v1/throughput"), changed(lambda items: items[1:]))
    before = len(seen.rows("Figures of Payments per five minutes"))
    seen.page.clock.run_for(LIVE_MILLISECONDS)
    seen.settle()
    assert len(seen.rows("Figures of Payments per five minutes")) < before
    expect(element).to_be_focused()


def test_an_update_leaves_the_focus_on_the_same_link_of_the_same_row(seen: DashboardPage) -> None:
    seen.page.clock.install()
    seen.open("metrics")
    link = seen.table("How often rules match").locator("tbody a").nth(3)
    name = link.inner_text()
    link.focus()
    seen.page.route(re.compile("/v1/metrics/top"), changed(lambda items: items[1:]))
    seen.page.clock.run_for(LIVE_MILLISECONDS)
    seen.settle()
    expect(seen.table("How often rules match").locator("tbody a").nth(2)).to_be_focused()
    assert seen.page.evaluate("document.activeElement.textContent") == name


def test_a_span_in_which_no_day_starts_is_told_apart_from_one_without_payments(
    seen: DashboardPage,
) -> None:
    seen.open(f"windows?{ONE_HOUR}&period=1d")
    expect(seen.panel("Payments by status")).to_contain_text("No day starts in this span")
    seen.open(f"windows?{ONE_HOUR}&period=1h")
    expect(seen.panel("Payments by status")).to_contain_text("No payment of these groups")


def test_payments_of_an_alert_that_are_not_kept_any_more_are_told_as_such(
    seen: DashboardPage, shown: Shown
) -> None:
    [(named,)] = query(
        shown.local,
        "SELECT CAST(alert_id AS text) FROM open_alerts WHERE kind = 'velocity' LIMIT 1",
    )
    seen.page.route(re.compile("/v1/alerts/[^/]+/payments"), changed(lambda _: []))
    seen.open(f"alerts/{named}")
    expect(seen.panel("Payments that its evidence names")).to_contain_text("not kept any more")


def test_an_address_that_cannot_be_decoded_is_no_view(seen: DashboardPage) -> None:
    seen.open("alerts/%E0%A4")
    heading = seen.page.get_by_role("heading", level=1)
    expect(heading).to_have_text('There is no view "alerts/%E0%A4"')
    seen.page.get_by_role("link", name="Alerts").click()
    expect(heading).to_have_text("Alerts")


def test_a_csv_that_failed_can_be_asked_for_again(troubled: DashboardPage) -> None:
    troubled.open("rejected")
    panel = troubled.panel("By reason")
    troubled.page.route(re.compile("format=csv"), lambda route: route.abort())
    link = panel.get_by_role("link", name=re.compile("as CSV$"))
    link.click()
    expect(panel.get_by_role("alert")).to_contain_text("The API cannot be reached")
    troubled.page.unroute(re.compile("format=csv"))
    with troubled.page.expect_download():
        link.click()
    expect(panel.get_by_role("alert")).to_have_count(0)
