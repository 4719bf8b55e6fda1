"""Values of window rules over hours and days, from closed windows where they add up."""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from payment_messages import FIVE_MINUTES, NOW, WINDOW_START, messages, payment_event
from rule_documents import rule, use_rules
from store_fixtures import Store

from shared_code.__main__ import main
from shared_code.domain.windows import PeriodLength, period_of

HOUR = period_of(WINDOW_START, PeriodLength.hour)
RULES = (
    rule("volume", "window", group_by=["currency"], measure={"function": "sum", "field": "amount"}),
    rule(
        "failures",
        "window",
        metric={"name": "failures", "type": "ratio"},
        measure={
            "function": "ratio",
            "of": {"field": "payment_status", "operator": "eq", "value": "failed"},
        },
    ),
    rule("customers", "window", measure={"function": "distinct_count", "field": "customer.id"}),
)


def traffic() -> list[dict[str, Any]]:
    return [
        payment_event(
            f"txn-{at}",
            event_time=WINDOW_START + (at % 4) * FIVE_MINUTES,
            payment_status="failed" if at % 3 == 0 else "completed",
            amount=f"{at}.00",
            customer={"id": f"cus-{at % 5}", "country": "DE"},
        )
        for at in range(20)
    ]


def values(store: Store) -> dict[str, tuple[Decimal, int, bool]]:
    return {
        each.rule_id: (each.value, each.payment_count, each.added_up)
        for each in store.metrics.rule_values(HOUR)
    }


@pytest.fixture
def judged(store: Store) -> Store:
    use_rules(store, *RULES)
    store.metrics.process_batch(messages(*traffic()), now=NOW)
    store.metrics.aggregate(NOW)
    return store


def test_values_of_an_hour_are_exact_and_read_payments_only_where_they_must(judged: Store) -> None:
    assert values(judged) == {
        "volume": (Decimal(190), 20, True),
        "failures": (Decimal("0.35"), 20, True),
        "customers": (Decimal(5), 20, False),
    }


def test_what_adds_up_comes_from_the_windows_alone(judged: Store) -> None:
    judged.execute("UPDATE rule_metrics_5m SET value = value + 1 WHERE rule = 0")
    assert values(judged)["volume"] == (Decimal(194), 20, True)


def test_after_a_change_of_rules_payments_are_read_again(judged: Store) -> None:
    use_rules(judged, *RULES, version="1.1.0")
    assert values(judged)["volume"] == (Decimal(190), 20, False)


def test_the_command_shows_periods_without_a_gap(
    judged: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", judged.url)
    begin: datetime = HOUR.start - timedelta(hours=1)
    arguments = ["--from", begin.isoformat(), "--to", HOUR.end.isoformat(), "--every", "1h"]
    assert main(["rules", "values", "volume", *arguments]) == 0
    heading, only = capsys.readouterr().out.splitlines()
    assert heading.split()[:2] == ["from", "rule"]
    assert only.split()[2:] == ["volume", '{"currency":"EUR"}', "190.00", "20", "windows"]


def test_a_rule_that_is_not_active_is_told(
    judged: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DATABASE_URL", judged.url)
    arguments = ["--from", "2026-01-01", "--to", "2026-01-02"]
    assert main(["rules", "values", "volum", *arguments]) == 1
    assert "Did you mean 'volume'?" in capsys.readouterr().err
