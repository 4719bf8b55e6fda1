"""Keeps card numbers, e-mail addresses and unstorable characters out of kept evidence."""

import re
from decimal import Decimal
from typing import Any, Final

from shared_code.domain.card_numbers import find_card_numbers, mask_card_numbers
from shared_code.domain.pseudonyms import Pseudonymiser
from shared_code.domain.refusal import EventRefused
from shared_code.domain.vocabularies import RejectReason

MAX_BODY_CHARACTERS: Final = 16 * 1024

_EMAIL: Final = re.compile(r"[^\s@\"'<>\\]+@[^\s@\"'<>\\]+")
_ESCAPED_ASCII: Final = re.compile(r"\\u00([2-7][0-9a-fA-F])")
# Keys whose values tell payments apart: masking would make different ones equal.
_IDENTIFIERS: Final = frozenset({"transaction_id", "original_transaction_id", "id"})
_SURROGATES: Final = re.compile("[\ud800-\udfff]")


def redact(text: str) -> str:
    """Return ``text`` without card numbers, e-mail addresses and NUL, fit for a text column."""
    readable = _ESCAPED_ASCII.sub(lambda match: chr(int(match[1], 16)), text.replace("\0", "\\0"))
    readable = _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", readable)
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

    def clean(self, value: Any, path: str = "$", key: str = "") -> Any:
        """Return ``value`` with every card number masked, or hashed where it is an identifier.

        Amounts are left alone: fifteen digits of money may look like a card.

        Raises:
            EventRefused: some text holds NUL or a lone surrogate, which no database stores.
        """
        if isinstance(value, str):
            if "\0" in value or _SURROGATES.search(value):
                detail = f"{path} holds NUL or half of a surrogate pair"
                raise EventRefused(RejectReason.invalid_text, detail)
            return value if path == "$.amount" else self._clean_text(value, key)
        if isinstance(value, dict):
            return {
                self.clean(name, f"{path} (key)"): self.clean(item, f"{path}.{name}", name)
                for name, item in value.items()
            }
        if isinstance(value, list):
            return [self.clean(item, f"{path}[{at}]", key) for at, item in enumerate(value)]
        if isinstance(value, int | Decimal) and not isinstance(value, bool) and path != "$.amount":
            text = str(value)
            cleaned = self._clean_text(text, key)
            return value if cleaned == text else cleaned
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
