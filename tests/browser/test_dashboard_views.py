"""Every view shows what the database holds, and only that."""

import csv
import io
import re
from decimal import Decimal
from pathlib import Path

import pytest
from dashboard_page import (
    FORMULA,
    HOSTILE_CUSTOMER,
    MARKUP,
    NOTHING,
    VIEWS,
    DashboardPage,
    Shown,
    window_place,
)
from pipeline_probe import query
from playwright.sync_api import expect


def number(text: str) -> Decimal:
    return Decimal(text.replace(",", ""))


def download(seen: DashboardPage, panel: str, tmp_path: Path) -> list[dict[str, str]]:
    """Return the rows that the CSV link of a panel saves."""
    with seen.page.expect_download() as saved:
        seen.panel(panel).get_by_role("link", name=re.compile(r"^Download .* as CSV$")).click()
    file = tmp_path / saved.value.suggested_filename
    saved.value.save_as(file)
    return list(csv.DictReader(io.StringIO(file.read_text("utf-8"))))


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_opens_with_figures_in_every_part_and_without_a_complaint(
    seen: DashboardPage, view: str
) -> None:
    seen.open(view)
    expect(seen.page.locator(".notice, .panel .state")).to_have_count(0)
    expect(seen.page.locator(f'nav a[href^="#/{view}"]')).to_have_attribute("aria-current", "page")
    seen.screenshot(f"{view}-light")


def test_the_overview_counts_open_alerts_as_the_database_does(
    seen: DashboardPage, shown: Shown
) -> None:
    seen.open()
    [(alerts,)] = query(shown.local, "SELECT count(*) FROM open_alerts")
    tile = seen.page.locator(".tile", has_text="Open alerts").locator(".figure")
    assert number(tile.inner_text()) == alerts


def test_sums_are_by_currency_and_exact(seen: DashboardPage, shown: Shown) -> None:
    seen.open("windows")
    stored = query(
        shown.local,
        "SELECT currency, sum(payment_count), sum(amount_sum) FILTER (WHERE payment_status ="
        " 'completed') FROM payment_windows GROUP BY currency",
    )
    shown_rows = seen.rows("Sums of amounts by currency and status")
    assert {
        row["Currency"]: (number(row["Payments"]), number(row["completed"].replace(NOTHING, "0")))
        for row in shown_rows
    } == {currency: (count, amount or 0) for currency, count, amount in stored}


def test_filters_choose_groups_and_stand_in_the_address(seen: DashboardPage) -> None:
    caption = "Windows by method, currency and status"
    seen.open("windows")
    seen.page.locator("summary", has_text="Method").click()
    seen.page.get_by_role("checkbox", name="credit card", exact=True).check()
    seen.settle()
    seen.page.locator("summary", has_text="Status").click()
    seen.page.get_by_role("checkbox", name="failed", exact=True).check()
    seen.settle()
    rows = seen.rows(caption)
    assert {(row["Method"], row["Status"]) for row in rows} == {("credit card", "failed")}
    address = seen.page.url
    assert "method=credit_card" in address
    assert "status=failed" in address
    seen.page.goto("about:blank")
    seen.page.goto(address)
    seen.settle()
    assert seen.rows(caption) == rows
    expect(seen.page.locator("summary", has_text="Method")).to_contain_text("credit card")


def test_back_undoes_a_filter(seen: DashboardPage) -> None:
    seen.open("windows")
    before = len(seen.rows("Sums of amounts by currency and status"))
    seen.page.locator("summary", has_text="Currency").click()
    seen.page.get_by_role("checkbox", name="EUR", exact=True).check()
    seen.settle()
    assert [row["Currency"] for row in seen.rows("Sums of amounts by currency and status")] == [
        "EUR"
    ]
    seen.page.go_back()
    seen.settle()
    assert len(seen.rows("Sums of amounts by currency and status")) == before
    expect(seen.page.get_by_role("checkbox", name="EUR", exact=True)).not_to_be_checked()


def test_a_count_leads_to_the_payments_that_it_counts(seen: DashboardPage) -> None:
    seen.open("windows")
    first = seen.rows("Windows by method, currency and status")[0]
    seen.table("Windows by method, currency and status").get_by_role(
        "link", name=re.compile(r"payments$")
    ).first.click()
    seen.settle()
    payments = seen.rows("Payments of this window")
    assert len(payments) == number(first["Payments"])
    assert sum(number(row["Amount"]) for row in payments) == number(first["Sum"])
    assert {row["Currency"] for row in payments} == {first["Currency"]}


def test_a_window_tells_what_late_payments_changed(seen: DashboardPage, shown: Shown) -> None:
    [(window, revisions)] = query(
        shown.local,
        "SELECT window_start, max(revision) FROM window_revisions"
        " GROUP BY window_start ORDER BY 2 DESC, 1 LIMIT 1",
    )
    assert revisions > 1
    seen.open(window_place(window))
    rows = seen.rows("Revisions of this window")
    assert [row["Revision"] for row in rows] == [str(at) for at in range(revisions, 0, -1)]
    seen.page.get_by_text(f"What revision {revisions} changed").click()
    changed = seen.rows(f"Groups of revision {revisions}")
    assert sum(number(row["More by"]) for row in changed) == number(rows[0]["Payments"]) - number(
        rows[1]["Payments"]
    )
    seen.screenshot("windows-one-light")


def test_an_alert_shows_its_evidence_and_leads_to_its_payments(
    seen: DashboardPage, shown: Shown
) -> None:
    seen.open("alerts?kind=velocity")
    seen.table("Alerts, the newest first").locator("tbody th a").first.click()
    seen.settle()
    expect(seen.page.get_by_role("heading", name="Evidence", exact=True)).to_be_visible()
    identity = seen.page.url.rpartition("/")[2].partition("?")[0]
    [(named,)] = query(
        shown.local,
        "SELECT jsonb_array_length(evidence -> 'payments') FROM alerts"
        f" WHERE alert_id = '{identity}'",
    )
    assert len(seen.rows("Payments that its evidence names")) == named
    seen.screenshot("alerts-one-light")


def test_alerts_are_filtered_by_severity(seen: DashboardPage) -> None:
    seen.open("alerts")
    seen.page.locator("summary", has_text="Severity").click()
    seen.page.get_by_role("checkbox", name="high", exact=True).check()
    seen.settle()
    assert {row["Severity"] for row in seen.rows("Alerts, the newest first")} == {"high"}


def test_a_rule_opens_with_its_values_over_time(seen: DashboardPage, shown: Shown) -> None:
    [(rule_id,)] = query(
        shown.local,
        "SELECT rule_id FROM rule_values GROUP BY rule_id ORDER BY count(*) DESC, 1 LIMIT 1",
    )
    seen.open(f"metrics?rule={rule_id}")
    figure = seen.panel("Values over time").get_by_role("img")
    expect(figure).to_have_accessible_name(re.compile(f"Values of {rule_id}"))
    assert {row["Rule"] for row in seen.rows("Values of windows")} == {rule_id}


def test_outliers_are_drawn_and_listed(seen: DashboardPage, shown: Shown) -> None:
    seen.open("clusters")
    [(outliers,)] = query(
        shown.local,
        "SELECT count(*) FROM window_outliers JOIN normalized_transactions"
        " USING (event_time, transaction_id, payment_status) WHERE amount > 0",
    )
    seen.page.get_by_text("Figures of this chart").click()
    scores = [
        number(row["Score"])
        for row in seen.rows("Figures of Payments that stand apart, amount against score")
    ]
    assert len(scores) == outliers
    assert scores == sorted(scores, reverse=True)


def test_rejected_events_are_counted_by_reason_and_shown_masked(
    seen: DashboardPage, shown: Shown
) -> None:
    seen.open("rejected")
    stored = query(shown.local, "SELECT reason, count(*) FROM rejected_events GROUP BY reason")
    assert {
        (row["Reason"], number(row["Events"])) for row in seen.rows("Rejected events by reason")
    } == {(reason.replace("_", " "), count) for reason, count in stored}
    seen.page.get_by_role("link", name="unknown currency").click()
    seen.settle()
    rows = seen.rows("Rejected events, the newest first")
    assert {row["Reason"] for row in rows} == {"unknown currency"}


def test_versions_of_rules_tell_what_changed_in_meaning(seen: DashboardPage, shown: Shown) -> None:
    seen.open("rules")
    newest = seen.rows("Versions of the rules")[0]
    assert newest["Role"] == "active"
    seen.page.get_by_role("link", name=newest["Version"], exact=True).click()
    seen.settle()
    [(older,)] = query(shown.local, "SELECT version FROM rule_sets ORDER BY rule_set LIMIT 1")
    changes = seen.rows(f"From {older} to {newest['Version']}")
    assert {"described_in_markup", "completed_volume"} <= {row["Rule or list"] for row in changes}
    seen.screenshot("rules-one-light")


def test_a_document_that_was_refused_is_listed_without_a_link(
    seen: DashboardPage, shown: Shown
) -> None:
    assert query(shown.local, "SELECT count(*) FROM rule_sets WHERE version IS NULL") == [(1,)]
    seen.open("rules")
    assert [row["Version"] for row in seen.rows("Versions of the rules")].count(NOTHING) == 1
    expect(seen.table("Versions of the rules").locator("a:empty")).to_have_count(0)


def test_stored_markup_is_shown_as_text(seen: DashboardPage, shown: Shown) -> None:
    [(window,)] = query(
        shown.local,
        "SELECT date_bin('5 minutes', event_time, 'epoch') FROM payments"
        " WHERE transaction_id = 'hostile-1'",
    )
    seen.open(f"{window_place(window)}?currency=USD")
    rows = {row["Transaction"]: row for row in seen.rows("Payments of this window")}
    assert rows["hostile-1"]["Merchant"] == MARKUP
    assert rows["hostile-1"]["Customer"] == HOSTILE_CUSTOMER
    seen.open("rules")
    seen.page.locator("tbody a").first.click()
    seen.settle()
    described = {row["Rule"]: row["Description"] for row in seen.rows("Rules of this version")}
    assert described["described_in_markup"] == MARKUP
    assert seen.page.locator("main img, main script, main b b").count() == 0
    assert seen.page.title() != "broken"


COUNTED = {
    ("overview", "Payments"): "SELECT count(DISTINCT window_start) FROM payment_windows",
    ("windows", "Windows by method, currency and status"): "SELECT count(*) FROM payment_windows",
    ("alerts", "Alerts, the newest first"): "SELECT count(*) FROM open_alerts",
    ("metrics", "Values of windows"): "SELECT count(*) FROM rule_values",
    ("clusters", "Clusters of windows"): "SELECT count(*) FROM window_clusters",
    ("rejected", "Events, the newest first"): "SELECT count(*) FROM rejected_events",
    ("rules", "History"): "SELECT count(*) FROM rule_sets",
}


@pytest.mark.parametrize("table", COUNTED, ids=" ".join)
def test_a_csv_has_every_row(
    seen: DashboardPage, shown: Shown, tmp_path: Path, table: tuple[str, str]
) -> None:
    place, panel = table
    seen.open(place)
    assert [(len(download(seen, panel, tmp_path)),)] == query(shown.local, COUNTED[table])


def test_a_csv_of_payments_holds_no_formula(
    seen: DashboardPage, shown: Shown, tmp_path: Path
) -> None:
    [(window,)] = query(
        shown.local,
        "SELECT date_bin('5 minutes', event_time, 'epoch') FROM payments"
        " WHERE transaction_id = 'hostile-2'",
    )
    seen.open(window_place(window))
    rows = {row["transaction_id"]: row for row in download(seen, "Payments", tmp_path)}
    assert rows["hostile-2"]["merchant_name"] == f"'{FORMULA}"
    assert rows["hostile-1"]["merchant_name"] == MARKUP
