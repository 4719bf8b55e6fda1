"""Function host and PostgreSQL die at random moments under load: that only delays."""

import random
import time
from datetime import UTC, datetime

from fault_load import Load, Pipeline, Record, settle

from local_azure.services.postgresql import StopMode


def test_a_host_killed_at_random_moments_loses_and_doubles_nothing(
    pipeline: Pipeline, record: Record, *, full: bool
) -> None:
    draw = random.Random(51)
    back = []
    local = pipeline.local
    with Load(pipeline):
        for _ in range(20 if full else 2):
            time.sleep(draw.uniform(0.2, 2.5))
            local.kill_host()
            back.append(datetime.now(UTC))
            local.start_host()
    settle(pipeline, record, "function host killed", back)


def test_a_server_that_crashes_at_random_moments_loses_and_doubles_nothing(
    pipeline: Pipeline, record: Record, *, full: bool
) -> None:
    draw = random.Random(52)
    back = []
    local = pipeline.local
    with Load(pipeline):
        for _ in range(20 if full else 2):
            time.sleep(draw.uniform(0.2, 2.5))
            local.postgresql.stop(StopMode.IMMEDIATE)
            time.sleep(draw.uniform(0.0, 1.0))
            back.append(datetime.now(UTC))
            local.postgresql.start()
    settle(pipeline, record, "PostgreSQL crashed", back)
