"""Proposes a mapping for a foreign file, with reasons, gaps and samples as comments."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from simulator.replay.describing.guessing import Guess, Guesses, guess, holds_own_events
from simulator.replay.describing.samples import Column, Sample, read_sample
from simulator.replay.describing.synonyms import WORDS
from simulator.replay.describing.value_kinds import (
    AmountKind,
    amount_kind,
    distinct,
    time_kind,
    time_of_day,
    translation,
)
from simulator.replay.mapping import FileFormat, FileType
from simulator.replay.readers.byte_files import ByteFile
from simulator.replay.readers.csv_dialect import SAMPLE_BYTES, detect_dialect
from simulator.replay.readers.opening import file_type
from simulator.replay.rejects import Redactor

_FILL_IN: Final = "# FILL IN:"
_GROUPS: Final = ("customer", "merchant", "card", "counterparty")
_SAMPLES: Final = 3
_WIDEST: Final = 40
_LISTED: Final = 40
# What stands in for a field that the file does not have, and has to be confirmed.
_CONSTANTS: Final = {
    "currency": "EUR",
    "payment_method": "credit_card",
    "payment_status": "completed",
}


def describe(path: Path, file_format: FileFormat | None = None) -> str:
    """Return a mapping for a file as YAML, which is accepted as it stands.

    Card numbers and e-mail addresses among the samples are masked.

    Args:
        path: of the file.
        file_format: what is known of it already.

    Raises:
        UnreadableData: it cannot be read.
        MissingLibrary: its kind needs a library that is not installed.
    """
    given = file_format or FileFormat()
    kind = given.type or file_type(path)
    sample = read_sample(path, given)
    if kind in {"jsonl", "capture"} and holds_own_events(sample):
        return "\n".join(_as_they_are(path, kind)) + "\n"
    guesses = guess(sample)
    return "\n".join(_proposal(path, kind, given, sample, guesses)) + "\n"


def _as_they_are(path: Path, kind: FileType) -> Iterator[str]:
    yield f"# {_plain(path.name)} holds payment events already: they are replayed as they are."
    yield "format:"
    yield f"  type: {kind}"


def _proposal(
    path: Path, kind: FileType, given: FileFormat, sample: Sample, guesses: Guesses
) -> Iterator[str]:
    bad = f", {sample.bad} of which cannot be read" if sample.bad else ""
    yield f"# A guess from the first {sample.rows} rows of {_plain(path.name)}{bad}."
    yield f"# Look through all of it, and mend what is marked {_FILL_IN[2:-1]}."
    amount = guesses.by_field.get("amount")
    yield from _format(path, kind, given, amount_kind(amount.column) if amount else None)
    yield "fields:"
    yield from _transaction_id(guesses.by_field.get("transaction_id"))
    yield from _event_time(guesses.by_field.get("event_time"), guesses.time_column)
    yield from _amount(amount)
    for field in ("currency", "payment_method", "payment_status"):
        yield from _required(field, guesses.by_field.get(field))
    for field in ("channel", "device_type", "original_transaction_id"):
        if found := guesses.by_field.get(field):
            yield from _value(field, found, "  ")
    for group in _GROUPS:
        inside = [
            found for field, found in guesses.by_field.items() if field.startswith(f"{group}.")
        ]
        if inside:
            yield f"  {group}:"
        for found in inside:
            yield from _value(found.field.partition(".")[2], found, "    ")
    yield from _left(guesses.left)


def _format(
    path: Path, kind: FileType, given: FileFormat, amount: AmountKind | None
) -> Iterator[str]:
    yield "format:"
    yield f"  type: {kind}"
    if kind == "csv":
        with ByteFile(path) as file:
            dialect = detect_dialect(file.head(SAMPLE_BYTES), given)
        yield f"  delimiter: {_quoted(dialect.delimiter)}"
        yield f"  quote: {_quoted(dialect.quote)}"
        yield f"  encoding: {dialect.encoding.removesuffix('-sig')}"
        yield f"  header: {str(dialect.has_header).lower()}"
        if given.skip_lines:
            yield f"  skip_lines: {given.skip_lines}"
    if amount is not None and amount.decimal == ",":
        yield '  decimal: ","'
    if amount is not None and amount.thousands:
        yield f"  thousands: {_quoted(amount.thousands)}"


def _transaction_id(found: Guess | None) -> Iterator[str]:
    if found is None:
        yield f"  {_FILL_IN} no column of ids was found; the numbers of the rows stand in."
        yield "  transaction_id: {row_number: true, prefix: row-}"
        return
    yield f"  {_reason(found)}"
    if len(set(found.column.texts)) < len(found.column.texts):
        yield f"  {_FILL_IN} some ids stand in several rows; are those the same payments?"
    yield f"  transaction_id: {{column: {_quoted(found.column.name)}}}"


def _event_time(found: Guess | None, time_column: Column | None) -> Iterator[str]:
    if found is None:
        yield f"  {_FILL_IN} no column of times was found; one time stands in for all rows."
        yield "  event_time: {constant: 2026-01-01T00:00:00Z}"
        return
    kind = time_kind(found.column)
    yield f"  {_reason(found, masked=False)}"
    pattern = kind.format
    keys = [f"column: {_quoted(found.column.name)}"]
    if time_column is not None:
        pattern = f"{pattern} {time_of_day(time_column)}"
        keys.append(f"time_column: {_quoted(time_column.name)}")
    keys.append(f"format: {_quoted(pattern)}")
    if kind.needs_zone:
        yield f"  {_FILL_IN} the times tell no offset; in which zone are they?"
        keys.append("time_zone: UTC")
    if kind.needs_origin:
        step = "1h" if "step" in found.column.name.casefold() else "1s"
        yield f"  {_FILL_IN} the numbers count from some time on; from when, and in which steps?"
        keys += ["origin: 2026-01-01T00:00:00Z", f"step: {step}"]
    yield f"  event_time: {{{', '.join(keys)}}}"


def _amount(found: Guess | None) -> Iterator[str]:
    if found is None:
        yield f"  {_FILL_IN} no column of amounts was found; one stands in for all rows."
        yield '  amount: {constant: "1"}'
        return
    kind = amount_kind(found.column)
    yield f"  {_reason(found)}"
    keys = [f"column: {_quoted(found.column.name)}"]
    if kind.whole:
        yield f"  {_FILL_IN} all are whole numbers; if they are cents, say unit: minor."
        keys.append("unit: major")
    if kind.negative:
        yield f"  {_FILL_IN} some are negative: refund, refund_positive, or drop the sign?"
        keys.append("sign: refund")
    yield f"  amount: {{{', '.join(keys)}}}"


def _required(field: str, found: Guess | None) -> Iterator[str]:
    if found is not None:
        yield from _value(field, found, "  ")
        return
    yield f"  {_FILL_IN} no column was found; what is it for all rows?"
    yield f"  {field}: {{constant: {_CONSTANTS[field]}}}"


def _value(name: str, found: Guess, indent: str) -> Iterator[str]:
    yield f"{indent}{_reason(found)}"
    column = _quoted(found.column.name)
    words = distinct(found.column) if found.field in WORDS else ()
    known = translation(found.field, words) if words else {}
    if all(word.casefold() == known.get(word) for word in words):
        yield f"{indent}{name}: {{column: {column}}}"
        return
    yield f"{indent}{name}:"
    yield f"{indent}  column: {column}"
    yield f"{indent}  translate:"
    for word, ours in known.items():
        yield f"{indent}    {_quoted(word)}: {ours}"
    unknown = [_shown(word) for word in words if word not in known]
    if unknown:
        yield f"{indent}  {_FILL_IN} no translation is known for {', '.join(unknown)}"
    yield f"{indent}  otherwise: reject"


def _left(columns: tuple[Column, ...]) -> Iterator[str]:
    if not columns:
        return
    yield "# Columns that are not used; those to be kept go under fields, as"
    yield "#   metadata: {name: {column: NAME}}"
    for column in columns[:_LISTED]:
        yield f"#   {_plain(column.name)}{_samples(column, masked=True)}"
    if len(columns) > _LISTED:
        yield f"#   and {len(columns) - _LISTED} more"


def _reason(found: Guess, *, masked: bool = True) -> str:
    samples = _samples(found.column, masked=masked)
    return f"# confidence: {found.confidence}, {found.why}{samples}"


def _samples(column: Column, *, masked: bool) -> str:
    texts = list(dict.fromkeys(column.texts[:_LISTED]))[:_SAMPLES]
    return f"; such as {', '.join(_shown(text, masked=masked) for text in texts)}" if texts else ""


def _shown(text: str, *, masked: bool = True) -> str:
    """Return a value fit for a comment; times alone may look like card numbers and stay."""
    redacted = Redactor(("*",) if masked else ()).detail(text)
    plain = _plain(redacted)
    return plain if len(plain) <= _WIDEST else f"{plain[:_WIDEST]}..."


def _plain(text: str) -> str:
    return "".join(character if character.isprintable() else " " for character in text)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
