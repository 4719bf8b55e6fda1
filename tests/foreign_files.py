"""Small foreign files and mappings for tests of replaying."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from simulator.message import Message
from simulator.replay.mapping import ReplayMapping
from simulator.replay.mapping_reading import parse_mapping
from simulator.replay.replaying import Replay, ReplayOptions

FIELDS: Mapping[str, Any] = {
    "transaction_id": {"column": "id"},
    "event_time": {"column": "time"},
    "amount": {"column": "amount"},
    "currency": {"constant": "EUR"},
    "payment_method": {"constant": "bank_transfer"},
    "payment_status": {"constant": "completed"},
}
ROW: Mapping[str, Any] = {"id": "p-1", "time": "2026-01-31T12:00:00Z", "amount": "10.50"}
CARD_NUMBER = "4111111111111111"
KEY = bytes(range(32))


def mapping(fields: Mapping[str, Any] | None = None, **parts: Any) -> ReplayMapping:
    """Return a mapping of the ordinary columns, with other fields and parts; None leaves out."""
    merged = {**FIELDS, **(fields or {})}
    kept = {name: value for name, value in merged.items() if value is not None}
    return parse_mapping(json.dumps({"fields": kept, **parts}))


def csv_file(folder: Path, rows: Iterable[Mapping[str, Any]], name: str = "rows.csv") -> Path:
    """Write rows of the same columns as CSV."""
    rows = list(rows)
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    path = folder / name
    path.write_bytes(text.getvalue().encode())
    return path


def json_file(folder: Path, rows: Iterable[Any], name: str = "rows.jsonl") -> Path:
    """Write rows as JSON lines."""
    path = folder / name
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return path


def events_of(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """Return the events of messages, in order."""
    events: list[dict[str, Any]] = []
    for message in messages:
        content = json.loads(message.body)
        events += content if isinstance(content, list) else [content]
    return events


def replayed(
    path: Path | Sequence[Path], mapped: ReplayMapping, **options: Any
) -> tuple[list[dict[str, Any]], Replay]:
    """Return the events that files become, one message each unless told otherwise."""
    files = [path] if isinstance(path, Path) else path
    replay = Replay(files, mapped, ReplayOptions(**{"pack": 1, **options}))
    return events_of(replay.messages()), replay


def replayed_row(
    folder: Path,
    row: Mapping[str, Any],
    fields: Mapping[str, Any] | None = None,
    options: Mapping[str, Any] | None = None,
    **parts: Any,
) -> dict[str, Any]:
    """Return the event that one row becomes."""
    path = csv_file(folder, [{**ROW, **row}])
    events, replay = replayed(path, mapping(fields, **parts), **(options or {}))
    assert replay.summary.bad == {}
    (event,) = events
    return event


def refusal(
    folder: Path, row: Mapping[str, Any], fields: Mapping[str, Any] | None = None, **parts: Any
) -> tuple[str, str]:
    """Return reason and detail of why one row is a bad one."""
    path = csv_file(folder, [{**ROW, **row}])
    rejects = folder / "rejects.jsonl"
    events, _ = replayed(path, mapping(fields, **parts), rejects=rejects)
    assert events == []
    (line,) = map(json.loads, rejects.read_text().splitlines())
    assert line["line"] == 2
    return line["reason"], line["detail"]
