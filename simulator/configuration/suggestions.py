"""Suggests what somebody may have meant."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Final

_MOST_COMPARED: Final = 100
_MOST_LISTED: Final = 12


def did_you_mean(found: str, known: Iterable[str]) -> str:
    """Return the known word that is most like the one found, or what is known if it is little."""
    words = list(known)
    close = nearest(found, words)
    if close:
        return f"did you mean {close}?"
    return f"known are {', '.join(words)}" if len(words) <= _MOST_LISTED else ""


def nearest(found: str, known: Sequence[str]) -> str:
    """Return the known word that is most like the one found; empty if none is."""
    word = found[:_MOST_COMPARED]
    by_lower_case = {each.lower(): each for each in known}
    if word.lower() in by_lower_case:
        return by_lower_case[word.lower()]
    close = difflib.get_close_matches(word, known, n=5, cutoff=0.6)

    def likeness(each: str) -> tuple[float, bool]:
        ratio = difflib.SequenceMatcher(None, each, word).ratio()
        return ratio, each[:1] == word[:1]

    return max(close, key=likeness, default="")
