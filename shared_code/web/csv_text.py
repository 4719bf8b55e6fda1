"""Rows as CSV (RFC 4180) that spreadsheets show and never run."""

import csv
import io
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

CSV_TYPE: Final = "text/csv; charset=utf-8; header=present"
_NUMBER: Final = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")
# What a spreadsheet takes for a formula, or strips before it looks: OWASP, "CSV Injection".
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_text(item: type[msgspec.Struct], items: Sequence[msgspec.Struct]) -> bytes:
    """Return a header of the item's fields and a line for each item; inner objects are JSON."""
    lines = io.StringIO(newline="")
    writer = csv.writer(lines)
    writer.writerow(item.__struct_fields__)
    for each in items:
        writer.writerow([_cell(getattr(each, name)) for name in item.__struct_fields__])
    return lines.getvalue().encode()


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return _defused(value)
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return _defused(msgspec.json.encode(value).decode().strip('"'))


def _defused(text: str) -> str:
    """Return a text that begins no formula: an apostrophe stands before what is no number."""
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text
