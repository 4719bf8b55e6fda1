"""What a mapping must be beyond its structure: each check yields paths and mistakes."""

import re
import warnings
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from string import Formatter
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from shared_code.domain.currencies import CURRENCIES
from shared_code.domain.vocabularies import Channel, DeviceType, PaymentMethod, PaymentStatus
from simulator.replay.mapping import (
    KEEP,
    REJECT,
    Amount,
    Condition,
    EventTime,
    FileFormat,
    ReplayMapping,
    TransactionId,
    Value,
)
from simulator.replay.suggestions import did_you_mean

type Mistakes = Iterator[tuple[str, str]]

NAMED_FORMATS: Final = (
    "rfc3339",
    "unix_seconds",
    "unix_milliseconds",
    "unix_microseconds",
    "steps",
)
# Directives that tell the year, without which no moment is known.
_YEAR: Final = re.compile("%[YyGcx]")
_IN_SUMMER: Final = datetime(2026, 7, 29, 13, 45, 30, 250_000, UTC)
_CSV_ONLY: Final = ("delimiter", "quote", "encoding", "header", "columns", "skip_lines")


def placeholders(template: str) -> list[str]:
    """Return the columns that a template names, in order.

    Raises:
        ValueError: a brace is not closed, or a name is followed by a format or a conversion.
    """
    names = []
    for _, name, format_spec, conversion in Formatter().parse(template):
        if format_spec or conversion:
            msg = f"only the name of a column may stand in braces, found {template!r}"
            raise ValueError(msg)
        if name is not None:
            names.append(name)
    return names


def mistakes_of(part: Any, path: str) -> Mistakes:
    """Yield what is wrong within one part of a mapping, as paths within it and sentences.

    Args:
        part: of the right structure.
        path: where it stands in the mapping, which tells the vocabulary of its values.
    """
    for kind, check in _CHECKS:
        if isinstance(part, kind):
            yield from check(part)
    if path in _VOCABULARIES:
        yield from _check_vocabulary(part, _VOCABULARIES[path])


def _exactly_one(part: Any, *names: str) -> Mistakes:
    given = [name for name in names if getattr(part, name) not in {None, False}]
    if len(given) != 1:
        found = " and ".join(given) or "none of them"
        yield "", f"expected exactly one of {', '.join(names)}, found {found}"


def _check_value(value: Value) -> Mistakes:
    if not isinstance(value, TransactionId):
        yield from _exactly_one(value, "column", "constant", "template")
    if value.translate is not None and value.constant is not None:
        yield "translate", "a constant needs no translation"
    if value.otherwise is not None and value.translate is None:
        yield "otherwise", "expected translate beside it"
    if value.template is not None:
        try:
            names = placeholders(value.template)
        except ValueError as error:
            yield "template", str(error)
        else:
            if not names or "" in names:
                yield "template", "expected the name of a column in braces, such as {id}"


def _check_transaction_id(value: TransactionId) -> Mistakes:
    yield from _exactly_one(value, "column", "template", "hash_of", "row_number")
    if value.constant is not None:
        yield "constant", "every row would be the same payment"


def _check_time(part: EventTime) -> Mistakes:
    yield from _exactly_one(part, "column", "constant")
    if part.time_column is not None and part.column is None:
        yield "time_column", "expected column beside it, for the date"
    if part.time_zone is not None:
        try:
            ZoneInfo(part.time_zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            close = did_you_mean(part.time_zone, available_timezones())
            yield "time_zone", f"no time zone is called {part.time_zone}{close}"
    if part.format == "steps" and part.origin is None:
        yield "origin", "steps need the time of step 0"
    if part.format != "steps" and part.origin is not None:
        yield "origin", f"is for steps, and the format is {part.format}"
    if part.time_column is not None and part.format in NAMED_FORMATS[1:]:
        yield "time_column", f"is for dates, and the format is {part.format}"
    if part.format not in NAMED_FORMATS:
        yield from _check_pattern(part.format)


def _check_pattern(pattern: str) -> Mistakes:
    if "%" not in pattern:
        names = ", ".join(NAMED_FORMATS)
        close = did_you_mean(pattern, NAMED_FORMATS)
        yield "format", f"expected one of {names} or a pattern, found {pattern}{close}"
    elif not _YEAR.search(pattern):
        yield "format", f"the pattern {pattern} tells no year"
    else:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                datetime.strptime(_IN_SUMMER.strftime(pattern), pattern)  # noqa: DTZ007 - a trial
        except ValueError as error:
            yield "format", f"the pattern {pattern} cannot be read: {error}"


def _check_amount(part: Amount) -> Mistakes:
    yield from _exactly_one(part, "column", "constant")
    if part.decimal is not None and part.decimal == part.thousands:
        yield "thousands", "the decimal mark cannot part thousands too"
    for name in ("constant", "default"):
        text = getattr(part, name)
        if text is not None and not _is_decimal(text):
            yield name, f"expected a decimal such as 10.50, found {text}"


def _is_decimal(text: str) -> bool:
    try:
        return Decimal(text).is_finite()
    except InvalidOperation:
        return False


def _check_condition(part: Condition) -> Mistakes:
    yield from _exactly_one(part, "equals", "not_equals")


def _check_format(part: FileFormat) -> Mistakes:
    if part.type not in {None, "csv"}:
        for name in _CSV_ONLY:
            if getattr(part, name) not in {None, 0}:
                yield name, f"is for CSV, and the type is {part.type}"
    if part.encoding is not None and not _is_text_encoding(part.encoding):
        yield "encoding", f"no encoding of text is called {part.encoding}"
    if part.columns is not None and len(set(part.columns)) < len(part.columns):
        yield "columns", "two columns have the same name"
    if part.thousands is not None and part.thousands == (part.decimal or "."):
        yield "thousands", "the decimal mark cannot part thousands too"
    yield from _check_characters(part)


def _check_characters(part: FileFormat) -> Mistakes:
    if part.delimiter == "":
        yield "delimiter", "expected one character, or the word tab"
    if part.quote == "tab":
        yield "quote", "expected one character, or nothing"
    if part.delimiter is not None and part.delimiter == part.quote:
        yield "quote", "the delimiter cannot be the quote too"


def _is_text_encoding(name: str) -> bool:
    try:
        "".encode(name)
    except LookupError:
        return False
    return True


_VOCABULARIES: Final[dict[str, Iterable[str]]] = {
    "fields.currency": CURRENCIES,
    "fields.payment_method": PaymentMethod.__members__,
    "fields.payment_status": PaymentStatus.__members__,
    "fields.channel": Channel.__members__,
    "fields.device_type": DeviceType.__members__,
}


def _check_vocabulary(value: Value, members: Iterable[str]) -> Mistakes:
    """Yield each text that the mapping itself puts into a field that cannot hold it."""
    written = {"constant": value.constant, "default": value.default}
    if value.otherwise not in {REJECT, KEEP}:
        written["otherwise"] = value.otherwise
    for theirs, ours in (value.translate or {}).items():
        written[f"translate.{theirs}"] = ours
    for key, text in written.items():
        if text and text not in members:
            close = did_you_mean(text, members)
            shown = "the codes of ISO 4217" if members is CURRENCIES else ", ".join(members)
            yield key, f"expected one of {shown}, found {text}{close}"


def _check_mapping(mapping: ReplayMapping) -> Mistakes:
    if mapping.fields is not None:
        return
    if mapping.format.type in {"csv", "parquet"}:
        yield "fields", f"missing; a {mapping.format.type} file holds no payment events as they are"
    if mapping.skip_when:
        yield "skip_when", "needs fields; without them events are taken as they are"


type _Check = Callable[[Any], Mistakes]
_CHECKS: Final[tuple[tuple[type, _Check], ...]] = (
    (Value, _check_value),
    (TransactionId, _check_transaction_id),
    (EventTime, _check_time),
    (Amount, _check_amount),
    (Condition, _check_condition),
    (FileFormat, _check_format),
    (ReplayMapping, _check_mapping),
)
