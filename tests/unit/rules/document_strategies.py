"""Hypothesis strategies of documents of any content, within the limits on their structure."""

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

AWKWARD = [
    *("NO", "on", "true", "null", "~", "", " ", " x ", "1.0", "1e5", "+5", ".5", "5.", "0742"),
    *("#a", "a #b", "a: b", "- a", "-", "? a", "<<", "=", "&a", "*a", "!a", "%a", "@a", "`a", "|"),
    *(">", "[a", "{a", "'", '"', "\\", "---", "...", "12:30", "2026-01-28", "0x1f", "1_000"),
    *("\n", "a\nb", "a\n\nb\n", "a\n b\n", " a\nb", "a \nb", "a\n\tb", "\ta", "a\r\nb", "a\1b"),
    *("\x7f", "\x85", "a\u2028b", "\ufeff", "\ufffe", "é", "\U0001f4b6", "a" * 130),
    *(" word" * 30, "word " * 30, "word: " * 30 + "x", " ".join(["word"] * 30), "word\n" * 30),
    *("$schema", "version", "rules", "id", "when", "value"),
]
PRINTABLE_TEXT = st.text(st.characters(exclude_categories=["C", "Zl", "Zp"]))
ANY_TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0")) | st.sampled_from(AWKWARD)


def documents(
    texts: st.SearchStrategy[str] = ANY_TEXT, *, decimals: bool = True
) -> st.SearchStrategy[Any]:
    """Return objects and lists whose keys and texts are such."""
    numbers: st.SearchStrategy[Any] = st.integers(-(10**18) + 1, 10**18 - 1)
    if decimals:
        numbers |= st.builds(
            lambda digits, exponent: Decimal(digits).scaleb(exponent),
            st.integers(-(10**8), 10**8),
            st.integers(-18, 9),
        )
    scalars = st.none() | st.booleans() | numbers | texts
    parts = st.recursive(scalars, lambda inner: _collections(texts, inner), max_leaves=25)
    return _collections(texts, parts)


def _collections(
    texts: st.SearchStrategy[str], inner: st.SearchStrategy[Any]
) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=5) | st.dictionaries(texts, inner, max_size=5)
