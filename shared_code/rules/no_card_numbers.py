"""Refuses rule documents that hold full card numbers: a rule set is kept, shown and sent around.

Nothing is lost by it. Payments are stored with masked numbers, so that no rule could match one.
"""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from shared_code.domain.card_numbers import find_card_numbers, mask_card_numbers
from shared_code.rules.errors import Path, RuleError, json_path

_PROBLEM: Final = "a full card number stands here"
_ADVICE: Final = "Leave it out; rules may name card.fingerprint, card.bin and card.last4."


def card_number_errors(document: Any) -> Iterator[RuleError]:
    """Yield an error for each key and each value that holds a card number, and show none.

    Args:
        document: what ``parse_document`` returned, whose depth is limited.
    """
    yield from _errors(document, ())


def _errors(value: Any, path: Path) -> Iterator[RuleError]:
    if isinstance(value, dict):
        for key, child in value.items():
            if find_card_numbers(key):
                yield _error(path)
            yield from _errors(child, (*path, key))
    elif isinstance(value, list):
        for place, child in enumerate(value):
            yield from _errors(child, (*path, place))
    elif find_card_numbers(_text(value)):
        yield _error(path)


def _error(path: Path) -> RuleError:
    return RuleError(mask_card_numbers(json_path(path)), _PROBLEM, _ADVICE)


def _text(value: Any) -> str:
    """Return a value as text, of a number what stands before the point."""
    return format(value, "f").partition(".")[0] if isinstance(value, Decimal) else str(value)
