"""Regular expressions of rules, by RE2: every one takes linear time on any text.

Syntax: https://github.com/google/re2/wiki/Syntax. There is neither look-around nor a reference back
to a group, which are what makes other engines take exponential time.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final

import re2  # type: ignore[import-untyped]

# What one compiled expression may take; RE2 answers an expression that needs more by an error.
_MAX_MEMORY_BYTES: Final = 1 << 17


class PatternRefused(ValueError):
    """A regular expression that RE2 does not take; the message says why."""


@lru_cache(maxsize=512)
def compile_pattern(pattern: str) -> Callable[[str], bool]:
    """Return a function that tells whether an expression is found anywhere in a text.

    Raises:
        PatternRefused: the expression is wrong, or takes more than 128 KiB.
    """
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY_BYTES
    try:
        compiled: Any = re2.compile(pattern, options)
    except re2.error as error:
        reason = error.args[0]
        message = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
        raise PatternRefused(message) from None
    return lambda text: compiled.search(text) is not None
