"""Full card numbers in foreign files: what is made of them before anything leaves this machine."""

import re
from typing import Any, Final

import msgspec

from shared_code.domain.card_numbers import (
    find_card_numbers,
    mask_card_numbers,
    may_hold_card_number,
)
from shared_code.domain.pseudonyms import MIN_KEY_BYTES, Pseudonymiser
from shared_code.domain.redaction import CardNumberFilter, redact
from shared_code.domain.refusal import EventRefused
from simulator.errors import InvalidConfiguration
from simulator.replay.rows import RowFault, RowRefused

_FULL: Final = re.compile("[0-9]{12,19}")
_MASKED: Final = re.compile(r"(?P<bin>[0-9]{6,8})?[*xX#.\u2022]+(?P<last4>[0-9]{4})")
_SEPARATORS: Final = str.maketrans("", "", " -")
_TRANSACTION_IDS: Final = frozenset({"transaction_id", "original_transaction_id"})
# A number keeps its text, so that none is written otherwise.
_ANY: Final = msgspec.json.Decoder(float_hook=lambda text: msgspec.Raw(text.encode()))
_ENCODER: Final = msgspec.json.Encoder()
# UnicodeDecodeError is what msgspec raises for text that is no UTF-8.
_UNREADABLE: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def pii_hash_key(text: str | None) -> bytes | None:
    """Return the key that the setting PII_HASH_KEY holds, None if it is not set.

    Raises:
        InvalidConfiguration: it is no key.
    """
    if not text:
        return None
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) < MIN_KEY_BYTES:
        msg = (
            f"PII_HASH_KEY is expected to be {2 * MIN_KEY_BYTES} hexadecimal digits or more,"
            " made by: openssl rand -hex 32"
        )
        raise InvalidConfiguration(msg)
    return key


class CardMasking:
    """Takes full card numbers out of events, as the pipeline would.

    With a key their keyed hashes become fingerprints, and stand in for identifiers; without one
    only the first six and last four digits remain.
    """

    def __init__(self, key: bytes | None) -> None:
        self._pseudonymiser = Pseudonymiser(key) if key else None

    def card_fields(self, number: str) -> dict[str, str]:
        """Return what may be known of a card whose full number, or masked one, is given.

        Raises:
            RowRefused: it is neither.
        """
        digits = number.translate(_SEPARATORS)
        if _FULL.fullmatch(digits):
            return self._fields(digits)
        masked = _MASKED.fullmatch(digits)
        if masked is None:
            detail = "card.number: expected 12 to 19 digits, or a masked number such as 411111*1111"
            raise RowRefused(RowFault.invalid_card_number, detail)
        return {name: text for name, text in masked.groupdict().items() if text}

    def cleaned(self, event: bytes) -> bytes:
        """Return the JSON text of an event without full card numbers; what has none as it is.

        Raises:
            RowRefused: without a key, a payment's id holds one: masked, it would be no id.
        """
        # Escapes may hide one from a look at the bytes.
        if b"\\u" not in event and not may_hold_card_number(event):
            return event
        try:
            value = _ANY.decode(event)
            return self._cleaned(event, value) if isinstance(value, dict) else _masked_text(event)
        except _UNREADABLE:
            return _masked_text(event)

    def _cleaned(self, event: bytes, value: dict[str, Any]) -> bytes:
        if self._pseudonymiser is None:
            keyless = _KeylessFilter()
            cleaned, found = keyless.clean(value), keyless.first_found
        else:
            card_filter = CardNumberFilter(self._pseudonymiser)
            try:
                cleaned, found = card_filter.clean(value), card_filter.first_found
            except EventRefused as refusal:
                raise RowRefused(refusal.reason, refusal.detail) from refusal
        if found is None:
            return event
        if isinstance(cleaned.get("card") or {}, dict):
            cleaned["card"] = {
                **self._fields(found),
                **{name: item for name, item in (cleaned.get("card") or {}).items() if item},
            }
        return _ENCODER.encode(cleaned)

    def _fields(self, digits: str) -> dict[str, str]:
        fields = {"bin": digits[:6], "last4": digits[-4:]}
        if self._pseudonymiser is not None:
            fields["fingerprint"] = self._pseudonymiser.card_number(digits).hex()
        return fields


class _KeylessFilter:
    """Masks the card numbers of one event and remembers the first."""

    def __init__(self) -> None:
        self.first_found: str | None = None

    def clean(self, event: dict[str, Any]) -> dict[str, Any]:
        return {
            mask_card_numbers(name): item if name == "amount" else self._clean(item, name)
            for name, item in event.items()
        }

    def _clean(self, value: Any, name: str) -> Any:
        if isinstance(value, dict):
            return {
                mask_card_numbers(key): self._clean(item, f"{name}.{key}")
                for key, item in value.items()
            }
        if isinstance(value, list):
            return [self._clean(item, name) for item in value]
        if value is None or isinstance(value, bool):
            return value
        text = bytes(value).decode() if isinstance(value, msgspec.Raw) else str(value)
        # What stands behind the point of a number is no card number, however much it looks so.
        looked_at = text if isinstance(value, str) else text.partition(".")[0]
        found = find_card_numbers(looked_at)
        if not found:
            return value
        if name in _TRANSACTION_IDS:
            detail = f"{name}: it holds a card number; set PII_HASH_KEY to have it replaced"
            raise RowRefused(RowFault.card_number_as_identifier, detail)
        self.first_found = self.first_found or found[0]
        return mask_card_numbers(text)


def _masked_text(event: bytes) -> bytes:
    """Return what is no event with all that may look like a card number masked.

    Escapes are undone for it, since digits of theirs would hide the first of a number.
    """
    return redact(event.decode("utf-8", "backslashreplace")).encode()
