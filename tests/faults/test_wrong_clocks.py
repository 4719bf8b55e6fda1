"""The clock of the function host jumps by hours, forward and back; that of the database is right.

libfaketime (Debian's package ``faketime``) lies to the host about the wall clock, not about the
clock that measures pauses.
"""

import json
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import psycopg2
import pytest
from fault_load import Load, Pipeline, Record, settle
from payment_messages import payment_event
from pipeline_probe import await_processed, close_windows, query, send

from local_azure.environment import LocalAzure
from simulator.message import Message

LIBRARY = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)

pytestmark = pytest.mark.skipif(
    LIBRARY is None, reason="libfaketime is not installed: apt-get install faketime"
)

# No simulated payment has it.
CURRENCY = "MNT"
CLOSED = f"""
    SELECT revision, payment_count, amount_sum
    FROM payment_metrics_5m_final AS final
    JOIN vocabularies ON vocabulary = 'currency' AND number = final.currency
    WHERE name = '{CURRENCY}' ORDER BY revision
"""
HELD_FOR = 6
HOLD = f"""
    UPDATE leases SET owner = 'another', token = token + 1,
                      until = clock_timestamp() + interval '{HELD_FOR} seconds'
    WHERE name = 'aggregate_metrics'
"""


class Clock:
    """The wall clock of a function host, to be put wrong while it runs."""

    def __init__(self, local: LocalAzure) -> None:
        self._file = local.folder / "clock"
        self.put(hours=0)
        local.kill_host()
        local.start_host(
            {
                "LD_PRELOAD": str(LIBRARY),
                "FAKETIME_TIMESTAMP_FILE": str(self._file),
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                # Or waits on the other clock end late: those of Python's threads for each other,
                # so that the host's first tick, which imports scikit-learn, takes minutes.
                "FAKETIME_FORCE_MONOTONIC_FIX": "0",
                "NO_FAKE_STAT": "1",
            }
        )

    def put(self, *, hours: int) -> None:
        """Put the clock so many hours ahead, or behind."""
        unfinished = self._file.with_suffix(".new")
        unfinished.write_text(f"{hours:+d}h\n")
        unfinished.replace(self._file)


@pytest.fixture
def clock(pipeline: Pipeline) -> Iterator[Clock]:
    clock = Clock(pipeline.local)
    close_windows(pipeline.local)  # a host's first tick takes longest
    yield clock
    pipeline.local.kill_host()


def test_under_a_clock_that_is_hours_off_every_sum_is_right(
    pipeline: Pipeline, clock: Clock, record: Record, *, full: bool
) -> None:
    right = []
    with Load(pipeline, rate=100):
        for turn in range(10 if full else 2):
            time.sleep(1.0)
            clock.put(hours=(6, -6)[turn % 2])
            time.sleep(1.5)
            close_windows(pipeline.local)
            right.append(datetime.now(UTC))
            clock.put(hours=0)
        time.sleep(1.0)
    settle(pipeline, record, "clock of the host jumped by hours", right)


def payments(prefix: str, count: int, at: datetime) -> list[Message]:
    """Return payments of one moment, 10 each."""
    fields = {"event_time": at, "amount": "10", "currency": CURRENCY}
    events = [payment_event(f"{prefix}-{number}", **fields) for number in range(count)]
    return [Message("1", json.dumps(events).encode(), count)]


def hold_lease(local: LocalAzure) -> None:
    connection = psycopg2.connect(local.settings["DATABASE_URL"])
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(HOLD)
            assert cursor.rowcount == 1
    finally:
        connection.close()


@pytest.mark.skipif(
    os.environ.get("FAULTS") != "full",
    reason="starts another host and waits for a lease to end, half a minute: FAULTS=full",
)
def test_a_window_closed_too_early_gets_a_new_revision_and_no_lease_is_taken_early(
    pipeline: Pipeline, clock: Clock
) -> None:
    local = pipeline.local
    now = datetime.now(UTC)
    clock.put(hours=3)
    send(local, payments("first", 5, now))
    await_processed(local)
    close_windows(local)
    assert query(local, CLOSED) == [(1, 5, Decimal(50))], "an open window is closed early"

    clock.put(hours=0)
    send(local, payments("second", 3, now))
    await_processed(local)
    hold_lease(local)
    clock.put(hours=3)
    close_windows(local)
    assert query(local, CLOSED) == [(1, 5, Decimal(50))], "the lease is another's"
    time.sleep(HELD_FOR)
    close_windows(local)
    assert query(local, CLOSED) == [(1, 5, Decimal(50)), (2, 8, Decimal(80))]

    # To a clock two days behind, payments of now lie beyond the horizon: they are kept among the
    # rejected, and taken when they come again.
    clock.put(hours=-48)
    ahead = payments("third", 4, now - timedelta(minutes=1))
    send(local, ahead)
    await_processed(local)
    refused = query(local, "SELECT count(*) FROM rejected_events WHERE body LIKE '%third-%'")
    assert refused == [(4,)]
    clock.put(hours=0)
    send(local, ahead)
    await_processed(local)
    kept = query(local, "SELECT count(*) FROM payments WHERE transaction_id LIKE 'third-%'")
    assert kept == [(4,)]
