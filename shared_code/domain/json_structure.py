"""Tells the structure of a JSON text from its brackets alone, however broken or deep it is."""

import re
from typing import Final

# A string, up to the end of the text if it is never closed, or a structural character (RFC 8259
# section 2). Possessive, so that hostile text costs one pass and no more.
_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?|[\[\]{},]', re.DOTALL)
_BLANKS: Final = b" \t\r\n"


def split_array(text: bytes) -> list[bytes] | None:
    """Return the text of each item of the array that ``text`` is, or None if it is no array.

    Only strings, brackets and commas are looked at: what is wrong inside an item stays there, and
    however deeply an item is nested it takes no stack. None too if the brackets do not add up,
    since then nobody can tell where one item ends.
    """
    stripped = text.strip(_BLANKS)
    if not (stripped.startswith(b"[") and stripped.endswith(b"]")):
        return None
    items: list[bytes] = []
    depth = 0
    start = 1
    for token in _TOKEN.finditer(stripped):
        kind = token[0]
        if kind in b"[{":
            depth += 1
        elif kind in b"]}":
            depth -= 1
            if depth == 0 and token.end() < len(stripped):
                return None
        elif kind == b"," and depth == 1:
            items.append(stripped[start : token.start()].strip(_BLANKS))
            start = token.end()
    if depth:
        return None
    last = stripped[start:-1].strip(_BLANKS)
    return [*items, last] if items or last else items


def nesting_depth(text: bytes) -> int:
    """Return how many brackets are open at the deepest place of ``text``; a scalar has depth 0."""
    depth = deepest = 0
    for token in _TOKEN.finditer(text):
        if token[0] in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif token[0] in b"]}":
            depth -= 1
    return deepest
