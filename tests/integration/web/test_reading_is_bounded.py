"""Whoever asks gets an answer in time, changes nothing, and is told honestly what is wrong."""

import json
import runpy
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import azure.functions as func
import pytest
from api_client import ApiClient, utc
from payment_messages import NOW, messages, varied_events
from store_fixtures import NewStore, Store, store_settings

from shared_code.settings import READING_TIMEOUT, load_reading_settings
from shared_code.store.database import Database
from shared_code.store.errors import StoreUnavailable
from shared_code.store.read.snapshot import snapshot
from shared_code.store.schema import REVISION
from shared_code.web.api.resources import RESOURCES
from shared_code.web.api.serving import JsonApi
from shared_code.web.exchange import Request
from shared_code.web.health import Probe, probe_settings

SPAN = f"from={utc(NOW - timedelta(hours=2))}&to={utc(NOW + timedelta(hours=1))}"
LISTS = [each.path for each in RESOURCES if each.key_types and "{" not in each.path]
READY = Request("GET", "")
ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def stored(new_store: NewStore) -> Iterator[Store]:
    with new_store() as store:
        store.metrics.process_batch(messages(*varied_events(30), b"no json"), now=NOW)
        store.metrics.aggregate(NOW)
        yield store


@pytest.fixture(scope="module")
def api(stored: Store) -> ApiClient:
    return ApiClient(stored.reader_url, NOW)


def reading(url: str) -> Database:
    """Return a database as the functions reach it for looking."""
    values = {"DATABASE_URL": url, "READER_DATABASE_URL": url}
    return Database(load_reading_settings(values))


@contextmanager
def locked(store: Store, table: str) -> Iterator[None]:
    """Keep everybody from reading a table."""
    with store.connection() as connection:
        connection.exec_driver_sql(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield


@pytest.mark.parametrize("url", ["writer_url", "reader_url"])
def test_every_list_can_be_read_by_either_login(stored: Store, url: str) -> None:
    api = ApiClient(getattr(stored, url), NOW)
    for path in LISTS:
        api.get(f"{path.strip('/')}?{SPAN}")


def test_a_snapshot_changes_nothing_whoever_looks(stored: Store) -> None:
    with (
        pytest.raises(StoreUnavailable, match="read-only transaction"),
        snapshot(stored.database) as seen,
    ):
        seen.connection.exec_driver_sql("DELETE FROM alerts")


def test_a_statement_that_takes_too_long_is_told_as_a_time_out(stored: Store) -> None:
    began = time.monotonic()
    with locked(stored, "window_clusters"):
        answer = ApiClient(stored.reader_url, NOW).ask("clusters")
    assert time.monotonic() - began < READING_TIMEOUT.total_seconds() + 3
    assert (answer.status, answer.headers["Retry-After"]) == (504, "10")
    assert json.loads(answer.body)["title"] == "Gateway Timeout"


def test_a_database_that_is_not_there_is_told_as_such(stored: Store) -> None:
    api = ApiClient(stored.url.rpartition("/")[0] + "/no_such_database", NOW)
    answer = api.ask("windows")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
    assert "no_such_database" not in answer.body.decode()


def test_who_finds_all_connections_taken_is_told_within_seconds(stored: Store) -> None:
    database = reading(stored.reader_url)
    taken = [database.engine.connect() for _ in range(2)]
    began = time.monotonic()
    answer = JsonApi(database).answer(Request("GET", "summary"))
    assert answer.status == 503
    assert time.monotonic() - began < READING_TIMEOUT.total_seconds() + 2
    for each in taken:
        each.close()
    database.engine.dispose()


def test_no_more_requests_look_than_there_are_connections_and_no_other_waits_long(
    stored: Store,
) -> None:
    database = reading(stored.reader_url)
    api = JsonApi(database)
    with ThreadPoolExecutor(6) as callers, locked(stored, "window_clusters"):
        asked = [callers.submit(api.answer, Request("GET", "clusters")) for _ in range(6)]
        done, looking = wait(asked, timeout=READING_TIMEOUT.total_seconds() - 1)
        assert (len(done), len(looking)) == (4, database.pool_size)
        for each in done:
            told = each.result()
            assert (told.status, told.headers["Retry-After"]) == (503, "10")
            assert told.media_type == "application/problem+json"
        assert {each.result().status for each in looking} == {504}
    assert api.answer(Request("GET", "clusters")).status == 200, "places are given back"
    database.engine.dispose()


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=0", 400),
        ("limit=1001", 400),
        ("from=yesterday", 400),
        ("order=asc", 400),
        ("format=xml", 400),
        ("cursor=x", 422),
        (f"from={utc(NOW)}&to={utc(NOW)}", 422),
    ],
)
def test_no_list_is_longer_or_other_than_described(
    api: ApiClient, path: str, query: str, status: int
) -> None:
    problem = api.problem(f"{path.strip('/')}?{query}")
    assert problem["status"] == status
    assert problem["errors"][0]["parameter"] == query.partition("=")[0]


@pytest.mark.parametrize("path", [path for path in LISTS if path != "/rules"])
def test_no_span_is_longer_than_a_month(api: ApiClient, path: str) -> None:
    month = f"from={utc(NOW - timedelta(days=31))}&to={utc(NOW)}"
    assert api.ask(f"{path.strip('/')}?{month}").status == 200
    longer = f"from={utc(NOW - timedelta(days=31, microseconds=1))}&to={utc(NOW)}"
    assert "31 days" in api.problem(f"{path.strip('/')}?{longer}")["detail"]


def test_a_list_of_the_last_day_is_of_the_same_day_on_every_page(stored: Store) -> None:
    day = ApiClient(stored.reader_url, NOW + timedelta(hours=23))
    first = day.get("windows?limit=2")
    later = replace(day, now=NOW + timedelta(days=9))
    assert later.items("windows") == []
    assert (
        later.items(f"windows?limit=2&cursor={first['next_cursor']}")
        == day.items("windows?limit=4")[2:]
    )


def test_what_has_not_changed_is_not_sent_again(api: ApiClient) -> None:
    first = api.ask(f"windows?{SPAN}")
    again = api.ask(f"windows?{SPAN}", if_none_match=first.headers["ETag"])
    assert (again.status, again.body) == (304, b"")
    other = api.ask(f"windows?{SPAN}&limit=3", if_none_match=first.headers["ETag"])
    assert other.status == 200


def test_csv_has_the_same_rows(api: ApiClient) -> None:
    items = api.items(f"windows?{SPAN}&limit=3")
    for answer in (
        api.ask(f"windows?{SPAN}&limit=3&format=csv"),
        api.ask(f"windows?{SPAN}&limit=3", accept="text/csv"),
    ):
        header, *rows = answer.body.decode().splitlines()
        assert header.split(",") == list(items[0])
        assert [row.split(",")[6] for row in rows] == [each["amount_sum"] for each in items]
        assert answer.headers["Content-Disposition"] == 'attachment; filename="windows.csv"'
        assert answer.headers["Link"].endswith('rel="next"')


def test_head_tells_what_get_would_without_telling_it(api: ApiClient) -> None:
    told = api.ask(f"windows?{SPAN}")
    head = api.ask(f"windows?{SPAN}", method="HEAD")
    assert (head.status, head.body, head.headers) == (200, b"", told.headers)
    assert api.ask("windows", method="POST").status == 405


@pytest.mark.parametrize("path", ["nothing", "windows/x/y/z", "", "WINDOWS", "alerts//payments"])
def test_what_is_not_there_is_a_problem(api: ApiClient, path: str) -> None:
    assert api.problem(path)["status"] in {400, 404}


def test_the_document_is_served(api: ApiClient) -> None:
    document = json.loads(api.ask("openapi.json").body)
    assert document["openapi"] == "3.1.0"
    assert set(document["paths"]) == {each.path for each in RESOURCES} | {"/openapi.json"}


def test_ready_is_a_database_with_the_schema_of_the_release(
    stored: Store, new_store: NewStore
) -> None:
    for url in (stored.writer_url, stored.reader_url):
        assert Probe(Database(store_settings(url).database)).ready(READY).status == 200
    missing = stored.url.rpartition("/")[0] + "/no_such_database"
    answer = Probe(Database(store_settings(missing).database)).ready(READY)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "10")
    with new_store() as behind:
        assert behind.value("SELECT max(version_num) FROM alembic_version") >= REVISION
        behind.execute("UPDATE alembic_version SET version_num = '0011'")
        answer = Probe(behind.database).ready(READY)
        assert answer.status == 503
        assert "0011" not in answer.body.decode()
        behind.execute("UPDATE alembic_version SET version_num = '9999'")
        assert Probe(behind.database).ready(READY).status == 200


@pytest.mark.parametrize("reader", ["reader_url", "writer_url"])
def test_an_instance_that_stores_is_ready_however_many_look(stored: Store, reader: str) -> None:
    values = {"DATABASE_URL": stored.writer_url, "DATABASE_POOL_SIZE": "1"}
    shown = Database(
        load_reading_settings({**values, "READER_DATABASE_URL": getattr(stored, reader)})
    )
    own = Database(probe_settings(values))
    with shown.engine.connect():
        assert Probe(own).ready(READY).status == 200
    for each in (shown, own):
        each.engine.dispose()


def test_an_instance_that_cannot_store_is_not_ready_whoever_may_look(
    stored: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = urlsplit(stored.writer_url)
    nobody = parts._replace(netloc="no_such_login@" + parts.netloc.rpartition("@")[2])
    monkeypatch.setenv("DATABASE_URL", nobody.geturl())
    monkeypatch.setenv("READER_DATABASE_URL", stored.reader_url)
    function = runpy.run_path(str(ROOT / "Ready" / "__init__.py"))
    asked = func.HttpRequest(method="GET", url="https://host/api/ready", body=b"")
    assert function["main"](asked).status_code == 503


def test_whoever_asks_before_the_first_look_has_ended_waits_for_it(stored: Store) -> None:
    database = Database(probe_settings({"DATABASE_URL": stored.writer_url}))
    probe = Probe(database)
    with ThreadPoolExecutor(3) as callers:
        with locked(stored, "rule_sets"):
            asked = [callers.submit(probe.ready, READY) for _ in range(3)]
            assert not wait(asked, timeout=1).done
        assert {each.result().status for each in asked} == {200}
    database.engine.dispose()


def test_however_many_ask_whether_all_is_ready_one_of_them_waits(stored: Store) -> None:
    database = reading(stored.reader_url)
    probe = Probe(database)
    assert probe.ready(READY).status == 200
    taken = [database.engine.connect() for _ in range(2)]
    assert probe.ready(READY).status == 200, "what was found just now is told again"
    time.sleep(2.1)
    with ThreadPoolExecutor(4) as callers:
        began = time.monotonic()
        asked = [callers.submit(probe.ready, READY) for _ in range(4)]
        done, waiting = wait(asked, timeout=2)
        assert (len(done), len(waiting)) == (3, 1)
        assert {each.result().status for each in done} == {200}
        assert next(iter(waiting)).result().status == 503
        assert time.monotonic() - began < READING_TIMEOUT.total_seconds() + 2
    for each in taken:
        each.close()
    database.engine.dispose()
