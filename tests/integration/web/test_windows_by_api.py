"""Windows, their closings and their payments, as the API tells them: the views' own figures."""

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest
from api_client import ApiClient, utc
from payment_messages import NOW, WINDOW_START, message, messages, payment_event, varied_events
from store_fixtures import NewStore, Store

from shared_code.domain.windows import window_start

SPAN = f"from={utc(NOW - timedelta(hours=2))}&to={utc(NOW + timedelta(days=1))}"
MIDNIGHT = NOW.replace(hour=0)


@pytest.fixture(scope="module")
def stored(new_store: NewStore) -> Iterator[Store]:
    """A store with three closed windows, a second closing of one, and payments that wait."""
    with new_store() as store:
        store.metrics.process_batch(messages(*varied_events(60)), now=NOW)
        store.metrics.aggregate(NOW)
        late = payment_event("late", amount="99.90", payment_status="cancelled")
        store.metrics.process_batch([message(late, 100)], now=NOW)
        store.metrics.aggregate(NOW)
        waiting = payment_event("waiting", event_time=NOW + timedelta(seconds=1))
        in_a_final_hour = payment_event("later", event_time=WINDOW_START + timedelta(minutes=6))
        store.metrics.process_batch(messages(waiting, in_a_final_hour, first=200), now=NOW)
        yield store


@pytest.fixture(scope="module")
def api(stored: Store) -> ApiClient:
    return ApiClient(stored.reader_url, NOW + timedelta(hours=1))


@pytest.mark.parametrize(
    ("period", "view", "start"),
    [
        ("5m", "payment_windows", "window_start"),
        ("1h", "payment_hours", "period_start"),
        ("1d", "payment_days", "period_start"),
    ],
)
def test_groups_are_those_of_the_views(
    api: ApiClient, stored: Store, period: str, view: str, start: str
) -> None:
    from_midnight = f"from={utc(MIDNIGHT)}&to={utc(NOW + timedelta(days=1))}"
    found = api.items(f"windows?{from_midnight}&period={period}&limit=1000")
    columns = [
        "payment_method",
        "currency",
        "payment_status",
        "payment_count",
        "amount_sum",
        "amount_min",
        "amount_max",
        "amount_p50",
        "amount_p99",
        "distinct_customers",
        "is_final",
    ]
    expected = stored.rows(f"SELECT {start}, {', '.join(columns)} FROM {view}")
    assert len(expected) > 1

    def comparable(each: dict[str, object]) -> tuple[object, ...]:
        figures = (each[name] for name in columns)
        return (each["window_start"], *(_number(value) for value in figures))

    assert {comparable(each) for each in found} == {
        (utc(row[0]), *map(_number, row[1:])) for row in expected
    }


def _number(value: object) -> object:
    """Return money as a number, so that scales do not matter here."""
    return Decimal(value) if isinstance(value, str) and value[0].isdigit() else value


def test_amounts_are_at_the_scale_of_their_currency(api: ApiClient) -> None:
    scales = {"EUR": 2, "JPY": 0, "KWD": 3}
    for each in api.items(f"windows?{SPAN}&limit=1000"):
        for name in ("amount_sum", "amount_min", "amount_max", "amount_avg", "amount_p95"):
            if each[name] is not None:
                decimals = -int(Decimal(each[name]).as_tuple().exponent)
                assert decimals == scales[each["currency"]], each


@pytest.mark.parametrize("period", ["5m", "1h"])
def test_pages_add_up_to_the_whole_list(api: ApiClient, period: str) -> None:
    whole = api.items(f"windows?{SPAN}&period={period}&limit=1000")
    assert api.all_items(f"windows?{SPAN}&period={period}&limit=4") == whole
    starts = [each["window_start"] for each in whole]
    assert starts == sorted(starts, reverse=True)


@pytest.mark.parametrize(
    ("query", "column", "values"),
    [
        ("method=bank_transfer", "payment_method", {"bank_transfer"}),
        ("currency=JPY&currency=KWD", "currency", {"JPY", "KWD"}),
        ("status=failed", "payment_status", {"failed"}),
        ("status=failed&period=1h", "payment_status", {"failed"}),
    ],
)
def test_filters_keep_their_groups(
    api: ApiClient, query: str, column: str, values: set[str]
) -> None:
    assert {each[column] for each in api.items(f"windows?{SPAN}&{query}")} == values


def test_a_span_begins_with_its_start_and_ends_before_its_end(api: ApiClient) -> None:
    second = WINDOW_START + timedelta(minutes=5)
    found = api.items(f"windows?from={utc(second)}&to={utc(second + timedelta(minutes=5))}")
    assert {each["window_start"] for each in found} == {utc(second)}
    assert {each["window_end"] for each in found} == {utc(second + timedelta(minutes=5))}


def test_payments_that_wait_for_a_closing_count_at_once(api: ApiClient) -> None:
    newest = api.items(f"windows?{SPAN}&limit=1")[0]
    assert newest["window_start"] == utc(NOW)
    assert (newest["payment_count"], newest["revision"], newest["is_final"]) == (1, None, False)
    assert newest["amount_p50"] is None


def test_a_window_is_not_final_while_a_late_payment_waits_for_its_closing(
    api: ApiClient, stored: Store
) -> None:
    second = WINDOW_START + timedelta(minutes=5)
    for start, is_final in ((WINDOW_START, True), (second, False)):
        found = api.items(f"windows?from={utc(start)}&to={utc(start + timedelta(minutes=5))}")
        view = f"SELECT DISTINCT is_final FROM payment_windows WHERE window_start = '{start}'"
        assert {each["is_final"] for each in found} == {is_final}
        assert stored.rows(view) == [(is_final,)]


def test_windows_to_close_are_those_that_have_ended(new_store: NewStore) -> None:
    with new_store() as store:
        now = store.value("SELECT now()")
        ended = window_start(now - timedelta(minutes=10))
        fills = now + timedelta(minutes=5)
        for number, event_time in enumerate((ended, fills)):
            event = payment_event(f"txn-{number}", event_time=event_time)
            store.metrics.process_batch([message(event, number)], now=now)
        found = ApiClient(store.reader_url, now).get("summary")
        assert (found["open_windows"], found["oldest_open_window"]) == (1, utc(ended))


@pytest.mark.parametrize("period", ["5m", "1h", "1d"])
def test_throughput_is_what_the_groups_add_up_to(api: ApiClient, period: str) -> None:
    span = f"from={utc(MIDNIGHT)}&to={utc(NOW + timedelta(days=1))}&period={period}"
    groups = api.items(f"windows?{span}&limit=1000")
    found = api.all_items(f"throughput?{span}&limit=2")
    assert len(found) == len({each["window_start"] for each in groups})
    for each in found:
        own = [group for group in groups if group["window_start"] == each["window_start"]]
        counts = {
            status: sum(g["payment_count"] for g in own if g["payment_status"] == status)
            for status in ("completed", "failed", "cancelled")
        }
        total = sum(group["payment_count"] for group in own)
        judged = counts["failed"] + counts["completed"]
        assert each["payment_count"] == total
        assert (each["failed_count"], each["cancelled_count"]) == (
            counts["failed"],
            counts["cancelled"],
        )
        assert each["failure_ratio"] == (round(counts["failed"] / judged, 6) if judged else None)
        declined = counts["failed"] + counts["cancelled"]
        assert each["decline_ratio"] == round(declined / total, 6)


def test_each_closing_of_a_window_is_told_the_last_first(api: ApiClient) -> None:
    second, first = api.items(f"windows/{utc(WINDOW_START)}/revisions")
    assert (first["revision"], second["revision"]) == (1, 2)
    assert second["payment_count"] == first["payment_count"] + 1
    for each in (first, second):
        assert sum(group["payment_count"] for group in each["groups"]) == each["payment_count"]
    new = [group for group in second["groups"] if group not in first["groups"]]
    assert [(each["payment_status"], each["amount_sum"]) for each in new] == [
        ("cancelled", "99.90")
    ]


def test_any_instant_of_a_window_names_it(api: ApiClient) -> None:
    inside = utc(WINDOW_START + timedelta(minutes=3))
    assert api.items(f"windows/{inside}/revisions") == api.items(
        f"windows/{utc(WINDOW_START)}/revisions"
    )
    assert api.items(f"windows/{utc(NOW - timedelta(hours=5))}/revisions") == []


def test_payments_of_a_window_lead_behind_its_figures(api: ApiClient) -> None:
    address = f"windows/{utc(WINDOW_START)}/payments"
    found = api.all_items(f"{address}?limit=3")
    assert len(found) == 21
    assert found == api.items(f"{address}?limit=1000")
    assert not {"metadata", "customer_email_hash", "card_fingerprint", "content_hash"} & set(
        found[0]
    )
    (late,) = api.items(f"{address}?status=cancelled")
    assert (late["transaction_id"], late["amount"]) == ("late", "99.90")
    assert {each["payment_method"] for each in api.items(f"{address}?method=credit_card")} == {
        "credit_card"
    }
