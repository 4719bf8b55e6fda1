"""The forms that texts must have, in plain words, with what somebody may have meant."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from simulator.configuration.durations import likely_duration
from simulator.configuration.types import (
    CountryCode,
    CurrencyCode,
    Duration,
    MerchantCategoryCode,
    Name,
)

_TRUE: Final = ("yes", "on", "1", "true")
_FALSE: Final = ("no", "off", "0", "false")
_LONGEST: Final = 40


class Form(NamedTuple):
    """A form of texts.

    Attributes:
        words: what it is, for "expected ...".
        likely: returns what a text of another form may have meant, or nothing.
        of_number: suggests what to write for a number without quotes.
    """

    words: str
    likely: Callable[[str], str]
    of_number: Callable[[str], str]

    def suggest(self, text: str) -> str:
        """Return a suggestion for a text of another form; empty if there is none."""
        meant = self.likely(text) if len(text) <= _LONGEST else ""
        return f"did you mean {meant}?" if meant else ""


def form_of(pattern: str) -> Form:
    """Return the form that a pattern of the schema stands for; that of any text if it is empty."""
    return _FORMS[pattern]


def likely_number(text: str) -> str:
    """Suggest a number for a text that looks like one."""
    if len(text) > _LONGEST:
        return ""
    digits = re.sub(r"(?<=[0-9])[_ ,'](?=[0-9]{3})", "", text.strip())
    percent = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?) *%", digits, re.ASCII)
    if percent:
        return f"did you mean {float(percent[1]) / 100:g}?"
    if re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", digits, re.ASCII):
        return f"write {digits}, without quotes or separators"
    return ""


def likely_truth(text: str) -> str:
    """Suggest true or false for a word that other programs take for it."""
    for words, truth in ((_TRUE, "true"), (_FALSE, "false")):
        if text.lower() in words:
            return f"write {truth}, without quotes"
    return ""


def _pattern_of(alias: Any) -> str:
    return str(alias.__value__.__metadata__[0].pattern)


def _nothing(_text: str) -> str:
    return ""


def _name(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_0123456789")


def _code(length: int) -> Callable[[str], str]:
    def likely(text: str) -> str:
        code = text.strip().upper()
        return code if re.fullmatch(rf"[A-Z]{{{length}}}", code) else ""

    return likely


def _in_quotes(text: str) -> str:
    return f'put it in quotes: "{text}"'


def _with_unit(text: str) -> str:
    return f"add a unit: {text}s, {text}m or {text}h"


_FORMS: Final[Mapping[str, Form]] = {
    "": Form("text", _nothing, _in_quotes),
    _pattern_of(Duration): Form(
        "a duration (a number and one of ms, s, m, h, d)", likely_duration, _with_unit
    ),
    _pattern_of(Name): Form(
        "a name of lower-case letters, digits and underscores", _name, _nothing
    ),
    _pattern_of(CountryCode): Form(
        "a country as two capital letters (ISO 3166-1)", _code(2), _nothing
    ),
    _pattern_of(CurrencyCode): Form(
        "a currency as three capital letters (ISO 4217)", _code(3), _nothing
    ),
    _pattern_of(MerchantCategoryCode): Form(
        "a merchant category of four digits (ISO 18245)", _nothing, _in_quotes
    ),
    r"^([0-9]{4}-)?[0-9]{2}-[0-9]{2}$": Form(
        "a date such as 12-25 or 2026-12-25", _nothing, _in_quotes
    ),
}
