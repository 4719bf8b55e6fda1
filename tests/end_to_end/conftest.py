"""The whole pipeline, on real parts, for tests that may stop, kill and restart any of them."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from local_azure.config import load_config
from local_azure.environment import LocalAzure

ROOT = Path(__file__).parents[2]


@pytest.fixture
def local_azure(tmp_path: Path) -> Iterator[LocalAzure]:
    """All services, each test its own; the host is started by the test."""
    config = load_config(ROOT / "local_azure.yaml")
    config = replace(config, data_folder=tmp_path, functions=replace(config.functions, port=0))
    with LocalAzure(config) as local:
        yield local
