"""The Event Hubs endpoint dies under load: producer and host wait, and the spool is sent first."""

import time
from datetime import UTC, datetime

import pytest
from fault_load import Load, Pipeline, Record, settle


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
            if turn % 2:
                local.event_hubs.stop()
            else:
                local.event_hubs.kill()
            time.sleep(2.5)
            back.append(datetime.now(UTC))
            local.event_hubs.start()
        time.sleep(2.0)
    assert load.outages >= len(back)
    assert len(load.spooled) >= len(back)
    settle(pipeline, record, "Event Hubs endpoint away", back)
