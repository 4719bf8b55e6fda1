"""Small factories for tests of configurations."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from simulator.configuration.errors import ConfigurationRefused
from simulator.configuration.reading import parse_configuration
from simulator.configuration.structure import Configuration

NOW = datetime(2026, 10, 1, 12, 0, tzinfo=UTC)


def parsed(
    text: str,
    overrides: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    folder: Path = Path(),
) -> Configuration:
    return parse_configuration(
        text, "mine.yaml", overrides, environment or {}, folder=folder, now=NOW
    )


def mistakes(
    text: str,
    overrides: Sequence[str] = (),
    environment: Mapping[str, str] | None = None,
    folder: Path = Path(),
) -> list[str]:
    with pytest.raises(ConfigurationRefused) as caught:
        parsed(text, overrides, environment, folder)
    return str(caught.value).split("\n")
