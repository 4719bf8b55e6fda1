"""Checks what a configuration means: what a JSON Schema cannot say."""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from simulator.configuration.amount_checks import amount_findings
from simulator.configuration.errors import Path
from simulator.configuration.findings import Finding, value_at
from simulator.configuration.population_checks import population_findings
from simulator.configuration.structure import Configuration
from simulator.configuration.time_checks import time_findings

_MOST_SHARES: Final = 0.5
_ROUNDING: Final = 1e-9


def findings(configuration: Configuration, now: datetime) -> Iterator[Finding]:
    """Yield what contradicts itself or does not exist; ``now`` (aware) tells past from future."""
    yield from time_findings(configuration, now)
    yield from population_findings(configuration)
    yield from amount_findings(configuration)
    yield from _shares(configuration)


def share_paths(configuration: Configuration) -> list[Path]:
    """Return the paths of all shares of violations, that of the lookalikes first."""
    violations = configuration.violations
    kinds = [
        name for name in violations.__struct_fields__ if hasattr(getattr(violations, name), "share")
    ]
    return [
        ("violations", "lookalike_share"),
        *(("violations", name, "share") for name in kinds),
    ]


def _shares(configuration: Configuration) -> Iterator[Finding]:
    paths = share_paths(configuration)
    total = sum(value_at(configuration, path) for path in paths)
    if total > _MOST_SHARES + _ROUNDING:
        message = f"all shares of violations and lookalikes add up to more than {_MOST_SHARES}"
        advice = "lower some of them, or leave them out"
        yield Finding(("violations",), message, paths, advice)
