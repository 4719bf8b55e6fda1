"""Reads the JSON text of a rule document, however hostile it is.

The limits keep all that comes after cheap: checking a document takes under a second, and judging
payments by it stays exact.
"""

import json
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

_BYTE_ORDER_MARK: Final = "\ufeff"
_LONGEST_INTEGER: Final = 40
# Without traps: a number that no Decimal holds becomes NaN, which is then refused at its place.
_READER: Final = Context(traps=[])
_NO_NUMBER: Final = Decimal("NaN")


class _Repeating(dict[str, Any]):
    """An object in which keys stand more than once."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.repeated = [
            key for key, count in Counter(key for key, _ in pairs).items() if count > 1
        ]


def parse(content: bytes) -> Any:
    """Return what a JSON text holds; numbers with a point or an exponent as Decimal.

    Raises:
        RuleDocumentRefused: no JSON in UTF-8, beyond a limit, or ambiguous by repeated keys.
    """
    document = _loaded(_text(content))
    errors = list(islice(_structure_errors(document), MAX_ERRORS))
    if errors:
        raise RuleDocumentRefused(errors)
    return document


def _refused(message: str, suggestion: str) -> RuleDocumentRefused:
    return RuleDocumentRefused([RuleError("$", message, suggestion)])


def _text(content: bytes) -> str:
    if len(content) > MAX_DOCUMENT_BYTES:
        message = f"the document has {len(content)} bytes, at most {MAX_DOCUMENT_BYTES} are read"
        raise _refused(message, "Split it, or shorten its lists.")
    try:
        text = content.decode()  # strictly UTF-8, where json would guess
    except UnicodeDecodeError as error:
        message = f"the document is not UTF-8: see byte {error.start}"
        raise _refused(message, "Save it as UTF-8.") from error
    if text.startswith(_BYTE_ORDER_MARK):
        message = "the document begins with a byte order mark"
        raise _refused(message, "Save it as UTF-8 without a byte order mark (BOM).")
    if not text.strip():
        raise _refused("the document is empty", "A document needs 'version' and 'rules'.")
    return text


def _loaded(text: str) -> Any:
    try:
        return json.loads(
            text,
            parse_float=lambda number: Decimal(number, _READER),
            parse_int=lambda number: int(number) if len(number) <= _LONGEST_INTEGER else _NO_NUMBER,
            parse_constant=lambda _name: _NO_NUMBER,
            object_pairs_hook=_object,
        )
    except RecursionError as error:
        raise _refused(*_too_deep()) from error
    except json.JSONDecodeError as error:
        message = f"the document is no JSON: {error.msg} at line {error.lineno}"
        suggestion = f"Look at column {error.colno} and just before it."
        raise _refused(message, suggestion) from error


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    return value if len(value) == len(pairs) else _Repeating(pairs)


def _too_deep() -> tuple[str, str]:
    return f"the document is nested deeper than {MAX_DEPTH} levels", "Flatten its conditions."


def _structure_errors(document: Any) -> Iterator[RuleError]:
    """Walk the document without recursion; stop where it goes on beyond a limit."""
    waiting: list[tuple[Path, Any]] = [((), document)]
    objects, values = 0, 1
    while waiting:
        path, value = waiting.pop()
        if isinstance(value, _Repeating):
            for key in value.repeated:
                message = f"the key {shown(key)} stands twice in one object"
                yield RuleError(json_path((*path, key)), message, "Keep one of them.")
        elif isinstance(value, Decimal | int) and not _is_exact(value):
            message = "the number is too large, too fine or none at all"
            suggestion = f"Use at most {MAX_DIGITS} digits before the point and as many behind it."
            yield RuleError(json_path(path), message, suggestion)
        children = _children(value)
        objects += isinstance(value, dict)
        values += len(children)
        if objects > MAX_OBJECTS or values > MAX_VALUES:
            message = f"the document has over {MAX_OBJECTS} objects or {MAX_VALUES} values"
            yield RuleError("$", message, "Split it, or shorten its lists.")
            return
        if children and len(path) >= MAX_DEPTH:
            yield RuleError(json_path(path), *_too_deep())
            return
        waiting.extend(((*path, key), child) for key, child in reversed(children))


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
