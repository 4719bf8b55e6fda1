"""Function host and PostgreSQL die at random moments under load: that only delays."""

import random
import time
from datetime import UTC, datetime
from pathlib import Path

from fault_load import Load, Record, settle

from local_azure.environment import LocalAzure
from local_azure.services.postgresql import StopMode


def test_a_host_killed_at_random_moments_loses_and_doubles_nothing(
    pipeline: LocalAzure, tmp_path: Path, record: Record, *, full: bool
) -> None:
    draw = random.Random(51)
    back = []
    pipeline.start_host()
    with Load(pipeline, tmp_path / "spool", seed=100) as load:
        for _ in range(20 if full else 2):
            time.sleep(draw.uniform(0.2, 2.5))
            pipeline.kill_host()
            back.append(datetime.now(UTC))
            pipeline.start_host()
    settle(pipeline, load, record, "function host killed", back)


def test_a_server_that_crashes_at_random_moments_loses_and_doubles_nothing(
    pipeline: LocalAzure, tmp_path: Path, record: Record, *, full: bool
) -> None:
    draw = random.Random(52)
    back = []
    pipeline.start_host()
    with Load(pipeline, tmp_path / "spool", seed=200) as load:
        for _ in range(20 if full else 2):
            time.sleep(draw.uniform(0.2, 2.5))
            pipeline.postgresql.stop(StopMode.IMMEDIATE)
            time.sleep(draw.uniform(0.0, 1.0))
            back.append(datetime.now(UTC))
            pipeline.postgresql.start()
    settle(pipeline, load, record, "PostgreSQL crashed", back)
