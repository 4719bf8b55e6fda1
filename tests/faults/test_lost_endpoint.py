"""The Event Hubs endpoint dies under load: producer and host wait, and the spool is sent first."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from fault_load import Load, Pipeline, Record, settle

WAIT_SECONDS = 60


def wait_until(happened: Callable[[], bool]) -> None:
    """Wait for what the producer does by itself, which takes longer on a busy machine."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not happened():
        assert time.monotonic() < deadline, "the producer did nothing"
        time.sleep(0.05)


# The SDK forgets the socket of a connection that broke, instead of closing it.
@pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)
def test_while_event_hubs_is_away_the_producer_spools_and_nothing_is_lost(
    pipeline: Pipeline, record: Record, *, full: bool
) -> None:
    local = pipeline.local
    back = []
    # What a producer repeats for want of an answer would be refused twice, too.
    with Load(pipeline, refused_share=0) as load:
        for turn in range(15 if full else 2):
            time.sleep(2.0)
            outages, spooled = load.outages, len(load.spooled)
            if turn % 2:
                local.event_hubs.stop()
            else:
                local.event_hubs.kill()
            time.sleep(2.5)
            wait_until(lambda: load.outages > outages)  # noqa: B023 - within the turn
            back.append(datetime.now(UTC))
            local.event_hubs.start()
            wait_until(lambda: len(load.spooled) > spooled)  # noqa: B023 - within the turn
    assert load.outages >= len(back)
    assert len(load.spooled) >= len(back)
    settle(pipeline, record, "Event Hubs endpoint away", back)
