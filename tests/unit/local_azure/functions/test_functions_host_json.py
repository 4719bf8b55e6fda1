import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local_azure.functions.host_json import (
    EventHubsOptions,
    HostOptions,
    LogLevel,
    OffsetType,
    read_host_json,
)
from local_azure.functions.reader import Findings


def read(folder: Path, **fields: Any) -> HostOptions:
    (folder / "host.json").write_text(json.dumps({"version": "2.0", **fields}))
    findings: Findings = []
    options = read_host_json(folder, findings)
    assert findings == []
    return options


def test_defaults_are_those_of_azure(tmp_path: Path) -> None:
    assert read(tmp_path) == HostOptions(
        EventHubsOptions(100, 1, timedelta(minutes=1), 300, 1, OffsetType.FROM_START),
        "api",
        timedelta(minutes=30),
        {},
        None,
    )


def test_options_are_read(tmp_path: Path) -> None:
    options = read(
        tmp_path,
        extensions={
            "eventHubs": {
                "maxEventBatchSize": 50,
                "minEventBatchSize": 5,
                "maxWaitTime": "00:00:10",
                "prefetchCount": 200,
                "batchCheckpointFrequency": 2,
                "initialOffsetOptions": {
                    "type": "fromEnqueuedTime",
                    "enqueuedTimeUtc": "2026-10-01T02:00:00+02:00",
                },
            },
            "http": {"routePrefix": "/v2/"},
        },
        functionTimeout="-1",
        logging={"logLevel": {"default": "Warning"}, "applicationInsights": {}},
        extensionBundle={"id": "x", "version": "[4.*, 5.0.0)"},
        functions=["A"],
    )
    assert options.event_hubs == EventHubsOptions(
        50, 5, timedelta(seconds=10), 200, 2, datetime(2026, 10, 1, tzinfo=UTC)
    )
    assert options.route_prefix == "v2"
    assert options.function_timeout is None
    assert options.functions == ("A",)


@pytest.mark.parametrize(
    ("category", "level"),
    [
        ("Function.A.User", LogLevel.ERROR),
        ("Function.A", LogLevel.DEBUG),
        ("Function.B.User", LogLevel.WARNING),
        ("Functional", LogLevel.TRACE),
        ("Host.General", LogLevel.TRACE),
    ],
)
def test_the_longest_prefix_gives_the_level(tmp_path: Path, category: str, level: LogLevel) -> None:
    levels = {
        "default": "Trace",
        "Function": "Warning",
        "Function.A": "Debug",
        "Function.A.User": "Error",
    }
    assert read(tmp_path, logging={"logLevel": levels}).log_level(category) is level
