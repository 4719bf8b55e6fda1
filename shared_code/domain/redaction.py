"""Keeps card numbers, e-mail addresses and unstorable characters out of kept evidence.

Every expression here takes linear time on any text: where a run of characters may begin is fixed
by what stands before it, and what it has taken it never gives back.
"""

import re
from decimal import Decimal
from typing import Any, Final

import msgspec

from shared_code.domain.card_numbers import find_card_numbers, mask_card_numbers
from shared_code.domain.pseudonyms import Pseudonymiser
from shared_code.domain.refusal import EventRefused
from shared_code.domain.vocabularies import RejectReason

MAX_BODY_CHARACTERS: Final = 16 * 1024

# RFC 5322 in spirit: a quoted local part, or a run of what is no blank and no delimiter of JSON.
_EMAIL: Final = re.compile(
    r"""(?:\\?"[^"\\]{1,64}\\?"|(?<![^\s@"<>\\])[^\s@"<>\\]++)(?:@[^\s@"<>\\]++)+"""
)
# One backslash or more: JSON within a JSON string escapes its escapes.
_ESCAPE: Final = re.compile(r"(?<!\\)\\++u([0-9a-fA-F]{4})")
_EXPONENT_NUMBER: Final = re.compile(
    r"(?<![0-9.])[0-9]++(?:\.[0-9]++)?+[eE][+-]?[0-9]{1,2}(?![0-9])"
)
# Keys whose values tell payments apart: masking would make different ones equal.
_IDENTIFIERS: Final = frozenset({"transaction_id", "original_transaction_id", "id"})
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


def redact(text: str) -> str:
    """Return ``text`` without card numbers, e-mail addresses and NUL, fit for a text column.

    NUL is dropped, so that a body that came as UTF-16 is readable and redacted like any other;
    escapes of readable characters are undone, halves of surrogate pairs replaced by U+FFFD.
    """
    readable = _ESCAPE.sub(_unescape, text.replace("\0", ""))
    readable = readable.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    readable = _EXPONENT_NUMBER.sub(_mask_exponent_number, readable)
    return mask_card_numbers(_EMAIL.sub("<e-mail>", readable))


def redact_body(body: bytes) -> str:
    r"""Return a refused body as redacted text, bytes that are no UTF-8 shown as ``\xNN``.

    What is cut off at 16 Ki characters is cut after redaction, so that no number is halved into
    something that no longer looks like one.
    """
    text = redact(body.decode("utf-8", "backslashreplace"))
    if len(text) <= MAX_BODY_CHARACTERS:
        return text
    return f"{text[:MAX_BODY_CHARACTERS]}... ({len(text)} characters)"


class CardNumberFilter:
    """Takes full card numbers out of one decoded event and remembers the first."""

    def __init__(self, pseudonymiser: Pseudonymiser) -> None:
        self._pseudonymiser = pseudonymiser
        self.first_found: str | None = None

    def clean(self, event: dict[str, Any]) -> dict[str, Any]:
        """Return ``event`` with every card number masked, or hashed where it is an identifier.

        Its amount is left alone: fifteen digits of money may look like a card. Numbers with a
        point or an exponent are expected as ``msgspec.Raw``.

        Raises:
            EventRefused: some text holds NUL or a lone surrogate, which no database stores.
        """
        return {
            self._clean_key(name): self._clean_amount(item)
            if name == "amount"
            else self._clean(item, name)
            for name, item in event.items()
        }

    def _clean(self, value: Any, key: str) -> Any:
        if isinstance(value, str):
            _refuse_unstorable(value, key)
            return self._clean_text(value, key)
        if isinstance(value, dict):
            return {self._clean_key(name): self._clean(item, name) for name, item in value.items()}
        if isinstance(value, list):
            return [self._clean(item, key) for item in value]
        if isinstance(value, msgspec.Raw):
            return self._clean_number(value, bytes(value).decode(), key)
        if isinstance(value, int) and not isinstance(value, bool):
            return self._clean_number(value, str(value), key)
        return value

    def _clean_key(self, name: str) -> str:
        _refuse_unstorable(name, name)
        return self._clean_text(name, "")

    def _clean_amount(self, value: Any) -> Any:
        if isinstance(value, str):
            _refuse_unstorable(value, "amount")
            return value
        return self._clean(value, "amount") if isinstance(value, dict | list) else value

    def _clean_number(self, value: Any, json_text: str, key: str) -> Any:
        """Return a number, or masked text if its whole part is a card number.

        What stands behind the point is none: one random double in twenty would look like one.
        """
        for text in (json_text, _positional(json_text)):
            if find_card_numbers(text.partition(".")[0]):
                return self._clean_text(text, key)
        return value

    def _clean_text(self, text: str, key: str) -> str:
        found = find_card_numbers(text)
        if not found:
            return text
        if self.first_found is None:
            self.first_found = found[0]
        if key in _IDENTIFIERS:
            return f"masked-{self._pseudonymiser.identifier(text).hex()}"
        return mask_card_numbers(text)


def _refuse_unstorable(text: str, key: str) -> None:
    if "\0" in text or _SURROGATES.search(text):
        detail = f"{key} holds NUL or half of a surrogate pair"
        raise EventRefused(RejectReason.invalid_text, detail)


def _unescape(escape: re.Match[str]) -> str:
    """Return the character that an escape names; control characters stay escaped."""
    character = chr(int(escape[1], 16))
    return escape[0] if character < " " else character


def _mask_exponent_number(number: re.Match[str]) -> str:
    text = _positional(number[0])
    masked = mask_card_numbers(text)
    return number[0] if masked == text else masked


def _positional(number: str) -> str:
    """Return a number without the exponent that may hide a card number in it.

    Java and JavaScript write a card number that passed through a double as
    ``4.111111111111111E15``.
    """
    if _EXPONENT_NUMBER.fullmatch(number.removeprefix("-")) is None:
        return number
    return format(Decimal(number), "f")
