"""The page can be used by anyone, on any screen, and says honestly how things stand."""

import json
import re
from contextlib import closing
from datetime import UTC, datetime
from typing import Any, Literal

import psycopg2
import pytest
from dashboard_page import VIEWS, DashboardPage, Shown, dashboard_page, window_place
from pipeline_probe import query
from playwright.sync_api import Browser, Route, expect

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
OPEN_ALL = "document.querySelectorAll('details.figures').forEach((each) => { each.open = true; })"
API = re.compile(r"/api/v1/")
OUTAGE = {
    "type": "about:blank",
    "title": "the database cannot be reached",
    "status": 503,
    "detail": "try again in 5 seconds",
}


def places(shown: Shown) -> list[str]:
    """Return every view, and one of each that opens from another."""
    [(window, alert, version)] = query(
        shown.local,
        "SELECT min(window_start),"
        " (SELECT CAST(alert_id AS text) FROM open_alerts WHERE kind = 'velocity' LIMIT 1),"
        " (SELECT max(version) FROM rule_sets) FROM window_revisions",
    )
    return [*VIEWS, window_place(window), f"alerts/{alert}", f"rules/{version}"]


def name_of(place: str) -> str:
    """Return what a screenshot of a place is called."""
    view, one, _ = place.partition("/")
    return f"{view}-one" if one else view


def violations(seen: DashboardPage, axe: str) -> list[str]:
    """Return what axe finds against WCAG 2.2 A and AA."""
    seen.page.evaluate(axe)
    options = {"runOnly": {"type": "tag", "values": WCAG}, "resultTypes": ["violations"]}
    found: list[dict[str, Any]] = seen.page.evaluate(
        "async (options) => (await axe.run(document, options)).violations", options
    )
    return [
        f"{each['id']}: {node['html'][:120]} {node['failureSummary']}"
        for each in found
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_view_breaks_a_rule_of_accessibility(
    chromium: Browser, shown: Shown, axe: str, theme: Literal["light", "dark"]
) -> None:
    with dashboard_page(chromium, shown.host_url, theme=theme) as seen:
        for place in places(shown):
            seen.open(place)
            if theme == "dark":
                seen.screenshot(f"{name_of(place)}-{theme}")
            seen.page.evaluate(OPEN_ALL)
            assert violations(seen, axe) == [], place
        assert seen.complaints == []


def test_open_menus_and_the_dialog_break_no_rule_of_accessibility(
    troubled: DashboardPage, axe: str
) -> None:
    troubled.open("windows")
    troubled.page.locator("summary", has_text="Status").click()
    troubled.page.get_by_label("Span", exact=True).select_option("own")
    assert violations(troubled, axe) == []
    troubled.page.route(API, lambda route: route.fulfill(status=401))
    troubled.page.get_by_role("link", name="Alerts").click()
    expect(troubled.page.get_by_role("dialog")).to_be_visible()
    assert violations(troubled, axe) == []


def test_a_narrow_screen_needs_no_scrolling_sideways(chromium: Browser, shown: Shown) -> None:
    with dashboard_page(chromium, shown.host_url, width=360, height=740) as seen:
        for place in places(shown):
            seen.open(place)
            assert seen.page.evaluate("document.documentElement.scrollWidth") <= 360, place
            seen.screenshot(f"{name_of(place)}-360")
        assert seen.complaints == []


def test_the_keyboard_alone_leads_from_the_overview_to_the_payments_of_an_alert(
    seen: DashboardPage,
) -> None:
    seen.open()
    seen.page.keyboard.press("Tab")
    expect(seen.page.get_by_role("link", name="Skip to content")).to_be_focused()
    seen.page.keyboard.press("Enter")
    expect(seen.page.locator("main")).to_be_focused()
    tab_to(seen, 'a[href^="#/alerts/"]')
    assert seen.page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    seen.page.keyboard.press("Enter")
    seen.settle()
    expect(seen.page.get_by_role("heading", level=1)).to_be_focused()
    expect(seen.page.get_by_role("heading", level=1)).to_have_text("Alert")


def test_a_menu_of_filters_opens_closes_and_chooses_by_keyboard(seen: DashboardPage) -> None:
    seen.open("windows")
    summary = seen.page.locator("summary", has_text="Method")
    summary.focus()
    seen.page.keyboard.press("Enter")
    seen.page.keyboard.press("Tab")
    seen.page.keyboard.press("Space")
    seen.settle()
    expect(summary).to_contain_text("credit card")
    seen.page.keyboard.press("Escape")
    expect(summary).to_be_focused()
    expect(seen.page.get_by_role("checkbox", name="credit card", exact=True)).to_be_hidden()


def tab_to(seen: DashboardPage, selector: str, most: int = 60) -> None:
    for _ in range(most):
        seen.page.keyboard.press("Tab")
        if seen.page.evaluate("(sought) => document.activeElement.matches(sought)", selector):
            return
    pytest.fail(f"{selector} was not reached by {most} tabs")


def test_times_are_utc_until_local_time_is_asked_for(seen: DashboardPage, shown: Shown) -> None:
    seen.open("rejected")
    caption = "Rejected events, the newest first"
    utc = seen.rows(caption)[0]["Rejected (UTC)"]
    [(stored,)] = query(shown.local, "SELECT max(rejected_at) FROM rejected_events")
    assert utc == stored.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    seen.page.get_by_role("button", name=re.compile("^UTC")).click()
    seen.settle()
    local = seen.rows(caption)[0]["Rejected (local)"]
    moved = datetime.fromisoformat(utc) - datetime.fromisoformat(local)
    assert moved.total_seconds() in {4 * 3600, 5 * 3600}
    assert "tz=local" in seen.page.url


def test_a_theme_that_was_chosen_lasts(seen: DashboardPage) -> None:
    seen.open()
    ground = "getComputedStyle(document.body).backgroundColor"
    light = seen.page.evaluate(ground)
    seen.page.get_by_role("button", name="Dark theme").click()
    dark = seen.page.evaluate(ground)
    assert dark != light
    seen.page.reload()
    seen.settle()
    assert seen.page.evaluate(ground) == dark
    expect(seen.page.get_by_role("button", name="Light theme")).to_be_visible()


def test_a_span_of_ones_own_stands_in_the_address_and_a_wrong_one_is_told(
    seen: DashboardPage,
) -> None:
    seen.open("windows")
    seen.page.get_by_label("Span", exact=True).select_option("own")
    own = seen.page.get_by_role("form", name="Own span")
    own.get_by_label("From").fill("2026-01-02T00:00")
    own.get_by_label("to", exact=True).fill("2026-01-01T00:00")
    own.get_by_role("button", name="Show").click()
    expect(own.get_by_role("alert")).to_have_text("The end has to be after the beginning.")
    own.get_by_label("to", exact=True).fill("2026-01-03T12:30")
    own.get_by_role("button", name="Show").click()
    seen.settle()
    assert "from=2026-01-02T00%3A00%3A00.000Z&to=2026-01-03T12%3A30%3A00.000Z" in seen.page.url
    expect(seen.panel("Payments by status")).to_contain_text(
        "No payment of these groups has an event time in this span."
    )


def test_new_figures_come_by_themselves_unless_they_are_paused(seen: DashboardPage) -> None:
    asked: list[str] = []
    seen.page.on("request", lambda request: asked.append(request.url))
    seen.page.clock.install()
    seen.open("rejected")
    asked.clear()
    seen.page.clock.run_for(15_500)
    seen.settle()
    assert any("/v1/rejected?" in url for url in asked)
    live = seen.page.get_by_role("button", name="Live")
    live.click()
    expect(live).to_have_attribute("aria-pressed", "false")
    seen.settle()
    asked.clear()
    seen.page.clock.run_for(60_000)
    assert asked == []


def test_an_update_leaves_the_focus_and_what_is_open_where_they_were(seen: DashboardPage) -> None:
    seen.page.clock.install()
    seen.open("rejected")
    body = seen.page.locator("details.body-text").first
    body.locator("summary").click()
    seen.page.route(re.compile("/v1/rejected\\?"), _with_another_event)
    seen.page.clock.run_for(15_500)
    seen.settle()
    expect(seen.table("Rejected events, the newest first")).to_contain_text("one more")
    expect(body).to_have_attribute("open", "")
    expect(body.locator("summary")).to_be_focused()


def _with_another_event(route: Route) -> None:
    answer = route.fetch()
    found = answer.json()
    found["items"].append({**found["items"][0], "detail": "one more", "event_index": 999})
    route.fulfill(response=answer, body=json.dumps(found))


def test_a_database_that_is_gone_is_told_instead_of_figures_until_it_is_back(
    troubled: DashboardPage, shown: Shown
) -> None:
    shown.local.postgresql.stop()
    try:
        troubled.open()
        notice = troubled.panel("Now").locator(".notice.failed")
        expect(notice).to_contain_text("the database cannot be reached")
        expect(troubled.page.locator(".tile, canvas, table")).to_have_count(0)
    finally:
        shown.local.postgresql.start()
    notice.get_by_role("button", name="Try again").click()
    expect(troubled.page.locator(".tile").first).to_be_visible()
    troubled.settle()
    expect(troubled.page.locator(".notice")).to_have_count(0)


def test_a_database_that_is_slow_is_told_and_the_rest_of_the_page_shown(
    troubled: DashboardPage, shown: Shown
) -> None:
    with closing(psycopg2.connect(shown.local.settings["DATABASE_URL"])) as connection:
        connection.cursor().execute("LOCK TABLE rule_history")
        troubled.open()
        expect(troubled.panel("Rules that match most").locator(".notice.failed")).to_contain_text(
            "the database took too long"
        )
        expect(troubled.page.locator(".tile").first).to_be_visible()


def test_figures_that_could_not_be_renewed_stay_and_say_so(troubled: DashboardPage) -> None:
    troubled.page.clock.install()
    troubled.open("rejected")
    rows = troubled.rows("Rejected events by reason")
    troubled.page.route(API, _outage)
    troubled.page.clock.run_for(15_500)
    expect(troubled.panel("By reason").locator(".notice.stale")).to_contain_text(
        re.compile(r"What stands below is as of \d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
    )
    assert troubled.rows("Rejected events by reason") == rows


def test_figures_of_another_filter_do_not_stay(troubled: DashboardPage) -> None:
    troubled.open("rejected")
    troubled.page.route(API, _outage)
    troubled.page.get_by_role("link", name="unknown currency").click()
    expect(troubled.panel("Events, the newest first").locator(".notice.failed")).to_be_visible()
    expect(troubled.table("Rejected events, the newest first")).to_have_count(0)


def test_a_service_that_is_gone_is_told(troubled: DashboardPage) -> None:
    troubled.page.route(API, lambda route: route.abort())
    troubled.open("alerts")
    expect(troubled.page.locator(".notice.failed")).to_contain_text("The API cannot be reached")


def _outage(route: Route) -> None:
    route.fulfill(status=503, content_type="application/problem+json", body=json.dumps(OUTAGE))


def test_a_parameter_that_the_api_refuses_is_named(troubled: DashboardPage) -> None:
    troubled.open("alerts?rule=No%20Rule")
    expect(troubled.page.locator(".notice.failed li")).to_contain_text("rule")


def test_who_gives_no_key_is_asked_again_only_when_they_try_again(
    troubled: DashboardPage,
) -> None:
    troubled.page.route(API, lambda route: route.fulfill(status=401))
    troubled.page.clock.install()
    troubled.page.goto(f"{troubled.url}#/alerts")
    dialog = troubled.page.get_by_role("dialog")
    dialog.get_by_role("button", name="Cancel").click()
    notice = troubled.page.locator(".notice.failed")
    expect(notice).to_contain_text("The API asks for a key")
    troubled.page.clock.run_for(15_500)
    troubled.settle()
    expect(dialog).to_have_count(0)
    notice.get_by_role("button", name="Try again").click()
    expect(dialog).to_be_visible()


def test_who_is_signed_out_is_told_to_sign_in(troubled: DashboardPage) -> None:
    elsewhere = {"Location": "https://login.example/authorize"}
    troubled.page.route(API, lambda route: route.fulfill(status=302, headers=elsewhere))
    troubled.open("alerts")
    expect(troubled.page.locator(".notice.failed")).to_contain_text("You are signed out")


def test_figures_that_were_asked_for_are_announced(seen: DashboardPage) -> None:
    seen.open("rejected")
    expect(seen.page.get_by_role("status")).to_have_text("Rejected events: figures are loaded")


def test_a_key_is_asked_for_once_and_kept_for_the_tab_only(troubled: DashboardPage) -> None:
    given: list[str | None] = []

    def locked(route: Route) -> None:
        key = route.request.headers.get("x-functions-key")
        given.append(key)
        if key == "right":
            route.continue_()
        else:
            route.fulfill(status=401)

    troubled.page.route(API, locked)
    troubled.page.goto(f"{troubled.url}#/overview")
    dialog = troubled.page.get_by_role("dialog", name="A key opens the figures")
    dialog.get_by_label("Function key").fill("right")
    dialog.get_by_role("button", name="Open").click()
    troubled.settle()
    expect(troubled.page.locator(".tile").first).to_be_visible()
    expect(dialog).to_have_count(0)
    kept = "[sessionStorage.length, localStorage.length, document.cookie, location.href]"
    assert troubled.page.evaluate(kept) == [1, 0, "", f"{troubled.url}#/overview"]
    given.clear()
    troubled.page.reload()
    troubled.settle()
    assert set(given) == {"right"}
