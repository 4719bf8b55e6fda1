"""Event hubs to publish to."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from integration.simulator.publishing.hub import Endpoint, FaultyHub, faulty_hub


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyHub]:
    with faulty_hub(tmp_path / "event-hubs", monkeypatch) as running:
        yield running


@pytest.fixture
def endpoint(tmp_path: Path) -> Iterator[Endpoint]:
    running = Endpoint(tmp_path / "event-hubs")
    running.start()
    yield running
    running.kill()
