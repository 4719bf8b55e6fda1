"""Batches and ticks tell what they did, and the batch of a stored payment is found again."""

import importlib.util
import json
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from azure.functions import meta
from azure.functions.eventhub import EventHubTriggerConverter
from payment_messages import NOW, WINDOW_START, messages, payment_event, varied_events
from store_fixtures import PII_HASH_KEY, Store
from telemetry_probe import Told, told

from local_azure.functions.bindings import DataType
from local_azure.functions.wire import Event, Json, PartitionPlace, RawMany, event_batch
from shared_code.engine.metric_engine import engine_of_process
from shared_code.store.errors import StoreUnavailable

__all__ = ["told"]
ROOT = Path(__file__).parents[3]
PUBLISHER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
CONTEXT = SimpleNamespace(trace_context=SimpleNamespace(trace_parent="", trace_state=""))

type Load = Callable[[str], ModuleType]


@pytest.fixture
def load(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[Load]:
    """Load a function's folder as the worker does, on the test's database."""
    monkeypatch.setenv("DATABASE_URL", store.writer_url)
    monkeypatch.setenv("PII_HASH_KEY", PII_HASH_KEY)
    engine_of_process.cache_clear()

    def loaded(folder: str) -> ModuleType:
        spec = importlib.util.spec_from_file_location(folder, ROOT / folder / "__init__.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    yield loaded
    engine_of_process().database.engine.dispose()
    engine_of_process.cache_clear()


def sent(*events: Event) -> Sequence[Any]:
    """Return events as a function gets them from Microsoft's converter."""
    place = PartitionPlace("namespace", "payments", "metrics", "3")
    data = event_batch("ProcessTransaction", list(events), place, DataType.BINARY)
    assert isinstance(data.data, RawMany)
    metadata = {
        name: meta.Datum(each.value, "json")
        for name, each in data.metadata.items()
        if isinstance(each, Json)
    }
    bodies = SimpleNamespace(bytes=list(data.data.values))
    decoded = EventHubTriggerConverter.decode(
        meta.Datum(bodies, "collection_bytes"), trigger_metadata=metadata
    )
    assert isinstance(decoded, list)
    return decoded


def event(number: int, enqueued_at: datetime, **fields: Any) -> Event:
    body = json.dumps(payment_event(f"txn-{number}", **fields)).encode()
    return Event(body, number, str(number), enqueued_at, None, {"traceparent": PUBLISHER})


def test_the_batch_of_a_stored_payment_is_found_by_when_it_was_enqueued(
    store: Store, load: Load, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    oldest = datetime.now(UTC).replace(microsecond=627_000) - timedelta(seconds=95)
    function = load("ProcessTransaction")
    with caplog.at_level(logging.INFO):
        function.main(sent(event(7, oldest), event(8, oldest + timedelta(1))), None, CONTEXT)
    span = told.span()
    assert (span.name, len(span.links)) == ("ProcessTransaction", 1)
    assert span.attributes is not None
    assert span.attributes["payments.stored"] == 2
    assert span.attributes["payments.sequence_number.last"] == 8
    assert span.attributes["messaging.destination.partition.id"] == "3"
    enqueued_at = store.value("SELECT DISTINCT enqueued_at FROM normalized_transactions")
    assert span.attributes["payments.enqueued_at"] == enqueued_at.astimezone(UTC).isoformat()
    (line,) = [each for each in caplog.messages if "payments stored" in each]
    assert re.fullmatch(
        r"2 messages: 2 payments stored, 0 duplicates, 0 rejected, rule set \S+;"
        r" partition 3, sequence numbers 7 to 8, enqueued at \S+, 9\d\.\d s ago",
        line,
    )
    ((partition, (count, waited)),) = told.measured()["payments.lag"]
    assert (partition, count) == ({"messaging.destination.partition.id": "3"}, 1)
    assert 90 <= waited < 100


def test_a_batch_that_cannot_be_stored_tells_how_long_it_waits(
    store: Store, load: Load, told: Told, caplog: pytest.LogCaptureFixture
) -> None:
    function = load("ProcessTransaction")
    store.execute("ALTER TABLE normalized_transactions RENAME TO gone")
    with pytest.raises(StoreUnavailable), caplog.at_level(logging.ERROR):
        function.main(sent(event(7, datetime.now(UTC) - timedelta(hours=1))), None, CONTEXT)
    assert re.match(r"ProcessTransaction failed: .*, 360\d\.\d s ago", caplog.messages[-1])
    assert "payments.lag" in told.measured()
    assert not told.span().status.is_ok


def test_a_tick_is_a_span_that_counts(store: Store, load: Load, told: Told) -> None:
    store.metrics.process_batch(messages(*varied_events(30)), now=NOW)
    output = SimpleNamespace(set=lambda _: None)
    timer = SimpleNamespace(past_due=False)
    load("AggregateMetrics").main(timer, None, output, CONTEXT)
    span = told.span()
    assert span.name == "AggregateMetrics"
    assert span.attributes is not None
    assert span.attributes["payments.windows_closed"] == 3


def test_events_are_measured_by_what_became_of_them(store: Store, told: Told) -> None:
    good = varied_events(10)
    wrong = payment_event("txn-wrong", currency="XXY")
    store.metrics.process_batch(messages(*good, wrong, b"no JSON"), now=NOW)
    store.metrics.process_batch(messages(*good), now=NOW)
    version = store.value("SELECT max(version) FROM rule_sets")
    measured = told.measured()
    events = measured["payments.events"]
    assert {each["payments.outcome"]: count for each, count in events} == {
        "stored": 10,
        "duplicate": 10,
        "rejected": 2,
    }
    assert {each["payments.rule_set_version"] for each, _ in events} == {version}
    assert {each["payments.reason"]: count for each, count in measured["payments.rejected"]} == {
        "unknown_currency": 1,
        "not_json": 1,
    }
    ((_, batches),) = measured["payments.batch.messages"]
    assert batches == (2, 22)
    assert measured["payments.commit.duration"][0][1][0] == 2


def test_windows_are_measured_as_they_close(store: Store, told: Told) -> None:
    store.metrics.process_batch(messages(*varied_events(30)), now=NOW)
    told.measured()
    store.metrics.aggregate(WINDOW_START + timedelta(minutes=25))
    measured = told.measured()
    assert measured["payments.windows.waiting"] == [({}, 3)]
    # They ended 20, 15 and 10 minutes before the tick.
    first = {"payments.window.revision": "first"}
    assert measured["payments.window.close.delay"] == [(first, (3, 45 * 60))]
    assert measured["payments.window.close.duration"][0][1][0] == 3
    assert measured["payments.drift"] == [({}, 0)]


def test_drift_is_measured(store: Store, told: Told) -> None:
    store.metrics.process_batch(messages(payment_event()), now=NOW)
    store.execute("UPDATE window_deltas SET payment_count = payment_count + 1")
    store.execute("UPDATE payment_metrics_5m SET payment_count = payment_count + 1")
    store.metrics.aggregate(NOW)
    assert told.measured()["payments.drift"] == [({}, 1)]
