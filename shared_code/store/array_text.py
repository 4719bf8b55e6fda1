"""Arrays as PostgreSQL reads them from one text parameter.

Format: PostgreSQL manual, "Array Input and Output Syntax". The driver would adapt each element by
itself, which costs more than the statement.
"""

from collections.abc import Iterable, Sequence
from typing import Any


def array_text(values: Iterable[Any]) -> str:
    """Return an array of numbers or times, whose text needs no quotes."""
    return f"{{{','.join(map(str, values))}}}"


def quoted_array_text(values: Sequence[str]) -> str:
    """Return an array of any text."""
    if not values:
        return "{}"
    joined = '","'.join(values)
    # Looking at them all at once is quick, and hardly any has something to escape.
    if "\\" in joined or joined.count('"') != 2 * (len(values) - 1):
        joined = '","'.join(value.replace("\\", r"\\").replace('"', r"\"") for value in values)
    return f'{{"{joined}"}}'
