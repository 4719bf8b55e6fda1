"""What text without quotes means: words and numbers of YAML 1.2's core schema, all else is text.

So ``NO`` is Norway and not false, and ``12:30``, ``2026-12-25`` and ``0742`` are text.
"""

import re
from collections.abc import Mapping
from typing import Final

from simulator.configuration.nodes import LARGEST_EXACT, Scalar

_WORDS: Final[Mapping[str, Scalar]] = {
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys(("null", "Null", "NULL", "~", ""), None),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), float("nan")),
    **dict.fromkeys(
        (sign + name for sign in ("", "+", "-") for name in (".inf", ".Inf", ".INF")), float("inf")
    ),
}
_NUMBER: Final = re.compile(
    r"[-+]?(?:(?:0|[1-9][0-9]*+)(?:\.[0-9]*+)?|\.[0-9]++)(?:[eE][-+]?[0-9]++)?"
)


def value_of(text: str) -> Scalar:
    """Return what a scalar means that stands without quotes.

    Numbers without a fraction are int, however they are written, as far as a float is exact.
    """
    if text in _WORDS:
        return _WORDS[text]
    if not _NUMBER.fullmatch(text):
        return text
    number = float(text)
    if abs(number) <= LARGEST_EXACT and number.is_integer():
        return int(number)
    return number
