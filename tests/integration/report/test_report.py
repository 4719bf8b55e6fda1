"""A report shows what was stored, has one checksum for the same figures, and runs nothing."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from payment_messages import FIVE_MINUTES, NOW, WINDOW_START, messages, payment_event, varied_events
from store_fixtures import Store

from shared_code.__main__ import main
from shared_code.domain.windows import Window
from shared_code.report.figures import Figures, figures_of
from shared_code.report.page import report_page

SPAN = Window(WINDOW_START, WINDOW_START + 3 * FIVE_MINUTES)
DAY = Window(NOW.replace(hour=0), NOW.replace(hour=0) + timedelta(days=1))


def watch(_done: int, _all: int) -> None:
    """Take no notice."""


def fill(store: Store, events: Sequence[Mapping[str, Any]], *, first: int = 0) -> None:
    store.metrics.process_batch(messages(*events, first=first), now=NOW)


def read(store: Store, span: Window = SPAN) -> Figures:
    return figures_of(store.engine(url=store.reader_url).database, span, watch)


def test_totals_are_what_was_sent_each_currency_by_itself(store: Store) -> None:
    events = varied_events(60)
    fill(store, events)
    store.metrics.aggregate(NOW)
    counts: Counter[tuple[str, ...]] = Counter()
    sums: dict[tuple[str, ...], Decimal] = {}
    for event in events:
        key = tuple(event[name] for name in ("currency", "payment_method", "payment_status"))
        counts[key] += 1
        sums[key] = sums.get(key, Decimal(0)) + Decimal(event["amount"])
    figures = read(store)
    found = {
        (each.currency, each.payment_method, each.payment_status): each for each in figures.totals
    }
    assert {key: each.payments for key, each in found.items()} == counts
    assert {key: each.amount for key, each in found.items()} == sums
    assert figures.payments == figures.payments_kept == 60


def test_payments_outside_the_span_are_left_out(store: Store) -> None:
    before = payment_event("txn-before", event_time=SPAN.start - timedelta(microseconds=1))
    first = payment_event("txn-first", event_time=SPAN.start)
    last = payment_event("txn-last", event_time=SPAN.end - timedelta(microseconds=1))
    after = payment_event("txn-after", event_time=SPAN.end)
    fill(store, [before, first, last, after])
    assert read(store).payments == read(store).payments_kept == 2


def test_failures_are_a_share_of_all_payments_of_a_currency_and_method(store: Store) -> None:
    statuses = ("failed", "completed", "pending")
    fill(store, [payment_event(f"txn-{each}", payment_status=each) for each in statuses])
    (ratio,) = read(store).failure_ratios
    assert (ratio.currency, ratio.payment_method) == ("EUR", "bank_transfer")
    assert (ratio.payments, ratio.failed, ratio.ratio) == (3, 1, Decimal("0.3333"))


def test_a_late_payment_is_seen_as_a_revision(store: Store) -> None:
    fill(store, [payment_event("txn-1")])
    assert read(store).windows.closed == 0
    store.metrics.aggregate(NOW)
    assert read(store).windows.revised == 0
    fill(store, [payment_event("txn-2")], first=1)
    assert read(store).windows.final == 0
    store.metrics.aggregate(NOW)
    figures = read(store)
    assert (figures.windows.revised, figures.windows.payments_late) == (1, 1)
    (revised,) = figures.revised
    assert (revised.window_start, revised.first_count, revised.last_count) == (WINDOW_START, 1, 2)
    store.execute("UPDATE window_revisions SET final_at = now()")
    assert read(store).windows.final == 1


def test_windows_without_payments_make_no_other_figure_final_or_open(store: Store) -> None:
    fill(store, [payment_event("txn-1")])
    store.metrics.aggregate(NOW)
    silent = """
        INSERT INTO window_revisions (window_start, revision, payment_count, rule_set, final_at)
        SELECT CAST(:start AS timestamptz) + number * interval '5 minutes', 1, 0, rule_set, now()
        FROM window_revisions, generate_series(1, 2) AS number
    """
    store.execute(silent, {"start": WINDOW_START})
    store.execute("UPDATE window_revisions SET final_at = 'infinity' WHERE payment_count > 0")
    figures = read(store)
    windows = figures.windows
    assert (windows.with_payments, windows.closed, windows.final) == (1, 1, 0)
    assert sum(figures.windows_by_version.values()) == 1
    assert b"figures of the others may still change" in report_page(figures, NOW)
    store.execute("UPDATE window_revisions SET final_at = now() WHERE payment_count > 0")
    store.execute("UPDATE window_revisions SET final_at = 'infinity' WHERE payment_count = 0")
    assert b"no figure of theirs is expected to change" in report_page(read(store), NOW)


def test_quality_rejects_and_rules_are_shown(store: Store) -> None:
    fill(store, [payment_event("txn-1", customer=None), payment_event("txn-2", currency="XXY")])
    store.metrics.aggregate(NOW)
    now = datetime.now(UTC)
    figures = read(store, Window(SPAN.start, now + timedelta(hours=1)))
    assert figures.quality_flags["customer_id_missing"] == 1
    assert figures.rejected == {"unknown_currency": 1}
    version = store.value("SELECT max(version) FROM rule_sets")
    assert [each.version for each in figures.rule_sets] == [version]
    assert figures.windows_by_version == {version: 1}


def test_the_rules_in_force_begin_with_those_that_were_active_at_the_start(store: Store) -> None:
    fill(store, [payment_event()])
    store.execute("UPDATE rule_set_activations SET activated_at = :at", {"at": DAY.start})
    again = """
        INSERT INTO rule_set_activations (rule_set, role, activated_at, activated_by, reason)
        SELECT rule_set, 'active', :at, 'ada', :why FROM rule_sets LIMIT 1
    """
    for hours in (2, 4, 30):
        at = DAY.start + timedelta(hours=hours)
        store.execute(again, {"at": at, "why": f"after {hours} hours"})
    late = Window(DAY.start + timedelta(hours=3), DAY.end)
    assert [each.reason for each in read(store, late).rule_sets] == [
        "after 2 hours",
        "after 4 hours",
    ]


def test_alerts_are_counted_and_shown_the_most_severe_first(store: Store) -> None:
    raised = """
        INSERT INTO alerts (alert_id, kind, severity, rule_id, subject, evidence,
                            first_seen, last_seen, withdrawn_at)
        VALUES (gen_random_uuid(), 'velocity', :severity, 'fast', :subject, '{"value": 3}',
                :at, :at, :withdrawn)
    """
    for severity, subject, withdrawn in ((2, "low", None), (5, "high", None), (5, "gone", NOW)):
        values = {"severity": severity, "subject": subject, "at": SPAN.start}
        store.execute(raised, {**values, "withdrawn": withdrawn})
    store.execute(raised, {**values, "subject": "later", "at": SPAN.end, "withdrawn": None})
    figures = read(store)
    assert [each.subject for each in figures.alerts] == ["high", "low"]
    assert [(each.alerts, each.withdrawn) for each in figures.alert_counts] == [(2, 1), (1, 0)]


def test_of_a_cards_fingerprint_the_head_is_shown_and_nowhere_all_of_it(store: Store) -> None:
    fingerprint = "0123456789abcdef" * 4
    raised = """
        INSERT INTO alerts (alert_id, kind, severity, rule_id, subject, evidence,
                            first_seen, last_seen)
        VALUES (gen_random_uuid(), 'velocity', 5, 'fast', :subject, '{"value": 3}', :at, :at)
    """
    subject = json.dumps({"card.fingerprint": fingerprint, "currency": "EUR"})
    store.execute(raised, {"subject": subject, "at": SPAN.start})
    figures = read(store)
    (alert,) = figures.alerts
    assert alert.subject == '{"card.fingerprint":"01234567…","currency":"EUR"}'
    for told in (figures.canonical(), report_page(figures, NOW)):
        assert "01234567…" in told.decode()
        assert fingerprint[:9] not in told.decode()


def test_the_same_figures_have_the_same_checksum_whenever_a_report_is_made(store: Store) -> None:
    fill(store, varied_events(30))
    store.metrics.aggregate(NOW)
    first, again = read(store), read(store)
    assert first.checksum() == again.checksum()
    pages = [report_page(each, made) for each, made in ((first, NOW), (again, NOW + FIVE_MINUTES))]
    assert pages[0] != pages[1]
    assert all(first.checksum().encode() in page for page in pages)
    fill(store, [payment_event("txn-more")], first=30)
    assert read(store).checksum() != first.checksum()


def test_the_command_writes_the_page_and_the_json_that_was_hashed(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    fill(store, varied_events(9))
    monkeypatch.setenv("DATABASE_URL", store.reader_url)
    page, figures = tmp_path / "report.html", tmp_path / "report.json"
    span = ["--from", DAY.start.isoformat(), "--to", DAY.end.isoformat()]
    assert main(["report", *span, "--out", str(page), "--json", str(figures)]) == 0
    checksum = hashlib.sha256(figures.read_bytes()).hexdigest()
    assert capsys.readouterr().out.startswith(f"{checksum}  9 payments")
    assert checksum in page.read_text("utf-8")
    assert json.loads(figures.read_bytes())["payments"] == 9


def test_a_span_that_has_not_ended_is_refused(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", store.reader_url)
    page = tmp_path / "report.html"
    span = ["--from", "2026-01-01", "--to", "2999-01-01"]
    assert main(["report", *span, "--out", str(page)]) == 1
    assert "has not ended yet" in capsys.readouterr().err
    assert not page.exists()


def test_a_page_that_cannot_be_written_is_named(
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DATABASE_URL", store.reader_url)
    span = ["--from", DAY.start.isoformat(), "--to", DAY.end.isoformat()]
    assert main(["report", *span, "--out", str(tmp_path)]) == 1
    assert f"cannot write {tmp_path}" in capsys.readouterr().err
