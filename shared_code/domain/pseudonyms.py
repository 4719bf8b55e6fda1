"""Keyed hashes that stand in for personal data: equal stays equal, nothing can be read back."""

import hmac
from typing import Final

MIN_KEY_BYTES: Final = 32
_TAG_BYTES: Final = 16


class Pseudonymiser:
    """Makes pseudonyms by HMAC-SHA-256 (RFC 2104) under one secret key, cut to 128 bits."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        self._key = key

    def __repr__(self) -> str:
        return "Pseudonymiser(key=<secret>)"

    def email(self, address: str) -> bytes:
        """Return 16 bytes that stand for an e-mail address, upper and lower case alike."""
        return self._tag(b"email", address.strip().lower())

    def card_number(self, digits: str) -> bytes:
        """Return 16 bytes that stand for a full card number."""
        return self._tag(b"card", digits)

    def identifier(self, text: str) -> bytes:
        """Return 16 bytes that stand for an identifier which may not be kept as it is."""
        return self._tag(b"identifier", text)

    def _tag(self, kind: bytes, text: str) -> bytes:
        """Return the keyed hash of one kind of data; kinds never collide with each other."""
        message = kind + b"\0" + text.encode("utf-8", "surrogatepass")
        return hmac.digest(self._key, message, "sha256")[:_TAG_BYTES]
