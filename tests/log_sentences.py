"""What the product logs, as its code says it, and what queries in KQL expect of it."""

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from shared_code.telemetry import measurements
from shared_code.telemetry.spans import BatchPlace

ROOT = Path(__file__).parents[1]
LOGGING = ("shared_code", *(file.parent.name for file in ROOT.glob("*/function.json")))
_LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
_TEXT = r'"((?:[^"\\]|\\.)*)"'
_EXPECTED = re.compile(rf"\bmessage (?:startswith|has) {_TEXT}|\bhas {_TEXT}")
_PARSED = re.compile(r"parse message with ([^\n|)]*)")


@lru_cache(maxsize=1)
def sentences() -> frozenset[str]:
    """Return the format of each sentence that is logged, and what tells of a batch in one."""
    files = (file for part in LOGGING for file in (ROOT / part).rglob("*.py"))
    place = BatchPlace("3", 7, 9, datetime.now(UTC))
    return frozenset({str(place), *(each for file in files for each in _sentences(file))})


def _sentences(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="_log"), attr=level),
                args=[ast.Constant(value=str(sentence)), *_],
            ) if level in _LEVELS:
                yield sentence


def expected_of_sentences(kql: str) -> Iterator[tuple[str, ...]]:
    """Yield parts that a query expects in one sentence, in their order."""
    for line in kql.splitlines():
        parts = tuple(first or second for first, second in _EXPECTED.findall(line))
        if parts:
            yield parts
        for pattern in _PARSED.findall(line):
            yield tuple(re.findall(_TEXT, pattern))


def is_said(parts: tuple[str, ...]) -> bool:
    """Tell whether some sentence has all of the parts, in their order."""
    wanted = ".*".join(map(re.escape, parts))
    return any(re.search(wanted, sentence, re.DOTALL) for sentence in sentences())


def instruments() -> set[str]:
    """Return the names of what is measured."""
    names = (str(getattr(each, "_name", "")) for each in vars(measurements).values())
    return {name for name in names if name.startswith("payments.")}


def expected_instruments(kql: str) -> set[str]:
    """Return the measurements that a query names."""
    if "customMetrics" not in kql:
        return set()
    chosen = re.findall(r"where name (?:==|in) ([^\n]+)", kql)
    return {name for each in chosen for name in re.findall(_TEXT, each)}
