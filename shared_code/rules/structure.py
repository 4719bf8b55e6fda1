"""The structure that every rule document has, whether it was written in JSON or in YAML.

The limits keep all that comes after cheap: checking a document takes under a second, and judging
payments by it stays exact.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Context, Decimal
from itertools import islice
from typing import Any, Final

from shared_code.rules.errors import (
    MAX_ERRORS,
    Path,
    RuleDocumentRefused,
    RuleError,
    json_path,
    shown,
)

MAX_DOCUMENT_BYTES: Final = 1024 * 1024
MAX_DEPTH: Final = 32
MAX_OBJECTS: Final = 5_000
MAX_VALUES: Final = 50_000
MAX_DIGITS: Final = 18

TOO_DEEP: Final = (
    f"the document is nested deeper than {MAX_DEPTH} levels",
    "Flatten its conditions.",
)
TOO_MANY: Final = RuleError(
    "$",
    f"the document has over {MAX_OBJECTS} objects or {MAX_VALUES} values",
    "Split it, or shorten its lists.",
)
NO_NUMBER: Final = Decimal("NaN")

_BYTE_ORDER_MARK: Final = "\ufeff"
_LONGEST_INTEGER: Final = 40
# Without traps: a number that no Decimal holds becomes NaN, which is then refused at its place.
_READER: Final = Context(traps=[])
# PostgreSQL stores neither, and so no payment has one.
_NOT_STORABLE: Final = re.compile("[\0\ud800-\udfff]")


class _Repeating(dict[str, Any]):
    """An object in which keys stand more than once."""

    def __init__(self, pairs: Sequence[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.repeated = [
            key for key, count in Counter(key for key, _ in pairs).items() if count > 1
        ]


def refused(message: str, suggestion: str) -> RuleDocumentRefused:
    """Return the refusal of a document as a whole."""
    return RuleDocumentRefused([RuleError("$", message, suggestion)])


def readable_text(content: bytes) -> str:
    """Return the text of a document.

    Raises:
        RuleDocumentRefused: it is too large, not in UTF-8, or empty.
    """
    if len(content) > MAX_DOCUMENT_BYTES:
        message = f"the document has {len(content)} bytes, at most {MAX_DOCUMENT_BYTES} are read"
        raise refused(message, "Split it, or shorten its lists.")
    try:
        text = content.decode()  # strictly UTF-8, where json would guess
    except UnicodeDecodeError as error:
        message = f"the document is not UTF-8: see byte {error.start}"
        raise refused(message, "Save it as UTF-8.") from error
    if text.startswith(_BYTE_ORDER_MARK):
        message = "the document begins with a byte order mark"
        raise refused(message, "Save it as UTF-8 without a byte order mark (BOM).")
    if not text.strip():
        raise empty()
    return text


def empty() -> RuleDocumentRefused:
    """Return the refusal of a document that holds nothing."""
    return refused("the document is empty", "A document needs 'version' and 'rules'.")


def whole_number(text: str) -> int | Decimal:
    """Return an integer; one that is far too long as a number that the structure refuses."""
    return int(text) if len(text) <= _LONGEST_INTEGER else NO_NUMBER


def decimal_number(text: str) -> Decimal:
    """Return a number with a point or an exponent, digit by digit."""
    return Decimal(text, _READER)


def object_of(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object; it remembers which of its keys stand more than once."""
    value = dict(pairs)
    return value if len(value) == len(pairs) else _Repeating(pairs)


def well_built(document: Any) -> Any:
    """Return a document as it is, once its structure has passed every check.

    Raises:
        RuleDocumentRefused: beyond a limit, or ambiguous by repeated keys.
    """
    errors = list(islice(_structure_errors(document), MAX_ERRORS))
    if errors:
        raise RuleDocumentRefused(errors)
    return document


def _structure_errors(document: Any) -> Iterator[RuleError]:
    """Walk the document without recursion; stop where it goes on beyond a limit."""
    waiting: list[tuple[Path, Any]] = [((), document)]
    objects, values = 0, 1
    while waiting:
        path, value = waiting.pop()
        yield from _own_errors(path, value)
        children = _children(value)
        objects += isinstance(value, dict)
        values += len(children)
        if objects > MAX_OBJECTS or values > MAX_VALUES:
            yield TOO_MANY
            return
        if children and len(path) >= MAX_DEPTH:
            yield RuleError(json_path(path), *TOO_DEEP)
            return
        waiting.extend(((*path, key), child) for key, child in reversed(children))


def _own_errors(path: Path, value: Any) -> Iterator[RuleError]:
    if isinstance(value, dict):
        for key in value.repeated if isinstance(value, _Repeating) else ():
            message = f"the key {shown(key)} stands twice in one object"
            yield RuleError(json_path((*path, key)), message, "Keep one of them.")
        for key in value:
            yield from _text_errors((*path, key), key)
    elif isinstance(value, str):
        yield from _text_errors(path, value)
    elif isinstance(value, Decimal | int) and not _is_exact(value):
        message = "the number is too large, too fine or none at all"
        suggestion = f"Use at most {MAX_DIGITS} digits before the point and as many behind it."
        yield RuleError(json_path(path), message, suggestion)


def _text_errors(path: Path, text: str) -> Iterator[RuleError]:
    found = _NOT_STORABLE.search(text)
    if found is None:
        return
    if found[0] == "\0":
        yield RuleError(json_path(path), "the text holds a NUL character", "Leave it out.")
        return
    message = "the text holds half a character, a surrogate that stands alone"
    yield RuleError(json_path(path), message, "Write the character itself, not its \\u escapes.")


def _children(value: Any) -> Sequence[tuple[str | int, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else ()


def _is_exact(number: Decimal | int) -> bool:
    """Tell whether a number has few enough digits; looks at its exponent before its size."""
    if isinstance(number, int):
        return abs(number) < 10**MAX_DIGITS
    exponent = number.as_tuple().exponent
    return isinstance(exponent, int) and exponent >= -MAX_DIGITS and number.adjusted() < MAX_DIGITS
