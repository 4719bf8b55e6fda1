"""Full card numbers (PAN): where they hide, and how they are masked.

Groups of 13 to 19 digits in all, single spaces or hyphens between them, are taken for a card
number when they start as the big schemes' numbers do (ISO/IEC 7812: 2, 3, 4, 5, 6) and the Luhn
check digit is right.
"""

import re
from collections.abc import Iterator
from typing import Final

# UUIDs and hash digests are matched first, so that digits inside them are passed over: one UUID in
# three hundred would pass for a card number otherwise.
_DIGIT_GROUPS: Final = re.compile(
    r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}"
    r"|[0-9a-fA-F]{32,}"
    r"|(?P<groups>[0-9]+(?:[ -][0-9]+)*)"
)
_GROUP: Final = re.compile(r"[0-9]+")
_LENGTHS: Final = range(13, 20)
_FIRST_DIGITS: Final = frozenset("23456")
_DIGITS_TO_ZERO: Final = bytes(ord("0") if 48 <= byte <= 57 else byte for byte in range(256))
_THIRTEEN: Final = b"0" * 13
_SEPARATORS: Final = b" -."
# What its digits come to is another number: 4.11111111111111E15 ends with a zero.
_EXPONENT_NUMBER: Final = re.compile(rb"\b[0-9]++(?:\.[0-9]++)?+[eE][+-]?[0-9]++\b")
_ZERO: Final = ord("0")
_DOUBLED: Final = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))


def may_hold_card_number(text: bytes) -> bool:
    """Tell whether a JSON text may hold a card number, in a string or as a number.

    Points are passed over like spaces and hyphens, since a card number in a floating-point field
    is written ``4.111111111111111E15``. Runs on every message: 13 digits in a row are looked for
    in a few passes in C, and only the string or number that they stand in is looked at closely.
    """
    figures = text.translate(_DIGITS_TO_ZERO, _SEPARATORS)
    at = figures.find(_THIRTEEN)
    start = seen = 0
    while at >= 0:
        start = _end_of_figures(text, start, at - seen)
        end = text.find(b'"', start)
        piece = text[text.rfind(b'"', 0, start) + 1 : len(text) if end < 0 else end]
        if _EXPONENT_NUMBER.search(piece) or find_card_numbers(piece.decode("utf-8", "replace")):
            return True
        if end < 0:
            return False
        seen = at + len(text[start:end].translate(None, _SEPARATORS))
        start = end
        at = figures.find(_THIRTEEN, seen)
    return False


def _end_of_figures(text: bytes, start: int, figures: int) -> int:
    """Return where so many bytes of ``text`` from ``start`` on end, separators not counted."""
    while figures:
        end = start + figures
        figures = sum(text.count(separator, start, end) for separator in _SEPARATORS)
        start = end
    return start


def passes_luhn(digits: str) -> bool:
    """Tell whether the last of ``digits`` is the check digit of the others (ISO/IEC 7812-1)."""
    figures = digits.encode("ascii")
    single = figures[-1::-2]
    total = sum(single) - _ZERO * len(single) + sum(figures[-2::-2].translate(_DOUBLED))
    return total % 10 == 0


def find_card_numbers(text: str) -> list[str]:
    """Return the card numbers in ``text``, digits only, in order."""
    return [digits for _, _, digits in _spans(text)]


def mask_card_numbers(text: str) -> str:
    """Return ``text`` with every card number cut to its first six and last four digits.

    That is the most that PCI DSS 3.4.1 lets be shown.
    """
    pieces: list[str] = []
    at = 0
    for start, end, digits in _spans(text):
        pieces += [text[at:start], digits[:6], "*" * (len(digits) - 10), digits[-4:]]
        at = end
    return "".join([*pieces, text[at:]])


def _spans(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield start, end and digits of each card number; they do not overlap.

    A number begins and ends with a group of digits, so that neither an order number before it nor
    a date behind it hides it, and a longer number is not cut until some piece of it fits.
    """
    for run in _DIGIT_GROUPS.finditer(text):
        groups = [
            (run.start() + group.start(), run.start() + group.end(), group[0])
            for group in _GROUP.finditer(run["groups"] or "")
        ]
        first = 0
        while first < len(groups):
            digits = ""
            step = 1
            for last in range(first, len(groups)):
                digits += groups[last][2]
                if len(digits) > _LENGTHS[-1]:
                    break
                if _is_card_number(digits):
                    yield groups[first][0], groups[last][1], digits
                    step = last - first + 1
                    break
            first += step


def _is_card_number(digits: str) -> bool:
    return len(digits) in _LENGTHS and digits[0] in _FIRST_DIGITS and passes_luhn(digits)
