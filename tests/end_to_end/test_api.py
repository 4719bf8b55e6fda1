"""The API and the probes over HTTP, in a host with keys, on what the engine stored."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from payment_messages import NOW, WINDOW_START, messages, varied_events
from store_fixtures import NewStore, Store
from web_host import WebHost, web_host

from shared_code.web.health import VERSION

SPAN = f"from={NOW - timedelta(hours=2):%Y-%m-%dT%H:%M:%SZ}&to={NOW:%Y-%m-%dT%H:%M:%SZ}"


@pytest.fixture(scope="module")
def stored(new_store: NewStore) -> Iterator[Store]:
    with new_store() as store:
        store.metrics.process_batch(messages(*varied_events(40), b"no json"), now=NOW)
        store.metrics.aggregate(NOW)
        yield store


@pytest.fixture(scope="module")
def host(stored: Store, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebHost]:
    folder = tmp_path_factory.mktemp("web-host")
    settings = {"READER_DATABASE_URL": stored.reader_url}
    with web_host(folder, stored.writer_url, **settings) as running:
        yield running


def test_windows_are_what_was_stored(host: WebHost, stored: Store) -> None:
    counted = sum(each["payment_count"] for each in host.items(f"v1/windows?{SPAN}"))
    assert counted == stored.value("SELECT count(*) FROM normalized_transactions") == 40


def test_values_in_paths_reach_their_resource(host: WebHost) -> None:
    start = f"{WINDOW_START:%Y-%m-%dT%H:%M:%SZ}"
    (revision,) = host.items(f"v1/windows/{start}/revisions")
    payments = host.items(f"v1/windows/{start}/payments?method=bank_transfer&method=credit_card")
    groups = [each for each in revision["groups"] if each["payment_method"] != "digital_wallet"]
    assert len(payments) == sum(each["payment_count"] for each in groups) > 0


def test_nobody_gets_in_without_a_key(host: WebHost) -> None:
    assert host.get("v1/windows", key=None).status_code == 401
    assert host.get("v1/windows?code=wrong", key=None).status_code == 401


def test_headers_reach_the_client(host: WebHost) -> None:
    answer = host.get(f"v1/windows?{SPAN}")
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    again = host.get(f"v1/windows?{SPAN}", **{"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_repeated_parameter_keeps_all_its_values(host: WebHost) -> None:
    found = {
        each["currency"] for each in host.items(f"v1/windows?{SPAN}&currency=EUR&currency=JPY")
    }
    assert found == {"EUR", "JPY"}


def test_an_unknown_path_is_a_problem(host: WebHost) -> None:
    answer = host.get("v1/nothing")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_probes_answer_anybody(host: WebHost) -> None:
    assert host.get("health", key=None).json() == {"status": "alive", "version": VERSION}
    assert host.get("ready", key=None).json() == {"status": "ready"}


def test_nothing_that_was_asked_by_whom_is_logged_but_the_path(host: WebHost) -> None:
    host.get("v1/alerts?subject=somebody&code=a-secret", **{"X-MS-CLIENT-PRINCIPAL-ID": "mallory"})
    logged = host.log.read_text("utf-8")
    assert "GET alerts: 200, asked by nobody known" in logged
    assert not {word for word in ("somebody", "a-secret", "mallory") if word in logged}
