"""The columns that a mapping names, held against those of a file."""

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from simulator.replay.errors import InvalidMapping
from simulator.replay.mapping import (
    Amount,
    Condition,
    EventTime,
    ReplayMapping,
    TransactionId,
    Value,
)
from simulator.replay.mapping_checks import placeholders
from simulator.replay.readers.opening import open_rows
from simulator.replay.rows import Row
from simulator.replay.suggestions import did_you_mean

_REQUIRED: Final = (
    "fields.transaction_id",
    "fields.event_time",
    "fields.amount",
    "fields.currency",
    "fields.payment_method",
    "fields.payment_status",
)
# So many records tell what fields there are where each has its own.
_SAMPLE_RECORDS: Final = 1000


class ColumnUse(NamedTuple):
    """A place in a mapping that names a column; without it no row gives an event, if needed."""

    path: str
    column: str
    needed: bool


def columns_used(mapping: ReplayMapping) -> list[ColumnUse]:
    """Return every use of a column in a mapping, in its order."""
    return list(_uses(mapping, ""))


def check_columns(mapping: ReplayMapping, path: Path, name: str) -> None:
    """Hold a mapping against a file.

    Files that have a schema or a header have to hold every column; of others, only columns without
    which there is no event have to stand in one of the first thousand records.

    Raises:
        InvalidMapping: some columns are unknown; all of them are told, with names close to them.
        UnreadableData: the file cannot be read.
    """
    with closing(open_rows(path, mapping.format)) as source:
        known: dict[str, None] = dict.fromkeys(source.columns or ())
        if source.columns is None:
            for row in islice(source.rows(), _SAMPLE_RECORDS):
                if isinstance(row, Row):
                    known.update(dict.fromkeys(row.cells))
            if not known:
                # Not one row can be read, which is told row by row.
                return
    mistakes = [
        f"{use.path}: {path.name} has no column {use.column}"
        f"{did_you_mean(use.column, known) or _listed(known)}"
        for use in columns_used(mapping)
        if use.column not in known and (use.needed or source.columns is not None)
    ]
    if mistakes:
        raise InvalidMapping(name, mistakes)


def _listed(known: dict[str, None]) -> str:
    shown = list(islice(known, 12)) or ["none"]
    return f"; it has {', '.join(shown)}{' and more' if len(known) > len(shown) else ''}"


def _uses(part: Any, path: str) -> Iterator[ColumnUse]:
    if isinstance(part, msgspec.Struct):
        needed = path in _REQUIRED and not getattr(part, "default", None)
        for name, column in _named(part):
            yield ColumnUse(f"{path}.{name}", column, needed)
        for name in part.__struct_fields__:
            yield from _uses(getattr(part, name), f"{path}.{name}" if path else name)
    elif isinstance(part, dict):
        for name, item in part.items():
            yield from _uses(item, f"{path}.{name}")
    elif isinstance(part, tuple):
        for number, item in enumerate(part):
            yield from _uses(item, f"{path}[{number}]")


def _named(part: msgspec.Struct) -> Iterator[tuple[str, str]]:
    """Yield key and column of each column that a part itself names."""
    match part:
        case EventTime(column=str(column), time_column=of_day):
            yield "column", column
            if of_day is not None:
                yield "time_column", of_day
        case Value(column=str(column)) | Amount(column=str(column)) | Condition(column=column):
            yield "column", column
        case Value(template=str(template)):
            for column in placeholders(template):
                yield "template", column
        case TransactionId(hash_of=tuple(columns)):
            for column in columns:
                yield "hash_of", column
