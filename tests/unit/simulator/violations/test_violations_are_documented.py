"""docs/simulator/violations.md lists every kind with its meaning and the signals that find it."""

from collections.abc import Iterator
from pathlib import Path
from typing import get_type_hints

from msgspec import Meta

from simulator.configuration.violation_settings import Violations
from simulator.score.detectors import DETECTORS

GUIDE = Path(__file__).parents[4] / "docs" / "simulator" / "violations.md"


def rows() -> Iterator[str]:
    hints = get_type_hints(Violations, include_extras=True)
    for detector in DETECTORS:
        [meta] = [each for each in hints[detector.kind].__metadata__ if isinstance(each, Meta)]
        signals = [f"{each.source} `{each.name}`" for each in detector.signals]
        yield f"| `{detector.kind}` | {meta.description} | {', '.join(signals)} |"


def test_every_kind_is_listed_with_its_signals() -> None:
    text = GUIDE.read_text("utf-8")
    missing = [row for row in rows() if row not in text]
    assert missing == []
    assert sum(line.startswith("| `") for line in text.splitlines()) == len(DETECTORS)
