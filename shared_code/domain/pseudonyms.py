"""Keyed hashes that stand in for personal data: equal stays equal, nothing can be read back."""

import hashlib
from collections.abc import Iterable
from typing import Final

MIN_KEY_BYTES: Final = 32
_TAG_BYTES: Final = 16
_BLOCK_BYTES: Final = hashlib.sha256().block_size
_INNER_PAD: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD: Final = bytes(byte ^ 0x5C for byte in range(256))


class Pseudonymiser:
    """Makes pseudonyms by HMAC-SHA-256 (RFC 2104) under one secret key, cut to 128 bits."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        # The key's part of both hashes, taken once: hmac.digest costs twice as much for texts as
        # short as these.
        block = hashlib.sha256(key).digest() if len(key) > _BLOCK_BYTES else key
        block = block.ljust(_BLOCK_BYTES, b"\0")
        self._inner = hashlib.sha256(block.translate(_INNER_PAD))
        self._outer = hashlib.sha256(block.translate(_OUTER_PAD))

    def __repr__(self) -> str:
        return "Pseudonymiser(key=<secret>)"

    def email(self, address: str) -> bytes:
        """Return 16 bytes that stand for an e-mail address, upper and lower case alike."""
        return self.emails((address,))[0]

    def emails(self, addresses: Iterable[str]) -> list[bytes]:
        """Return what ``email`` does of each address."""
        return self._tags(b"email", (address.strip().lower() for address in addresses))

    def card_number(self, digits: str) -> bytes:
        """Return 16 bytes that stand for a full card number."""
        return self._tag(b"card", digits)

    def identifier(self, text: str) -> bytes:
        """Return 16 bytes that stand for an identifier which may not be kept as it is."""
        return self._tag(b"identifier", text)

    def _tag(self, kind: bytes, text: str) -> bytes:
        return self._tags(kind, (text,))[0]

    def _tags(self, kind: bytes, texts: Iterable[str]) -> list[bytes]:
        """Return the keyed hashes of one kind of data; kinds never collide with each other."""
        inner_copy, outer_copy = self._inner.copy, self._outer.copy
        head = kind + b"\0"
        tags = []
        for text in texts:
            inner, outer = inner_copy(), outer_copy()
            inner.update(head + text.encode("utf-8", "surrogatepass"))
            outer.update(inner.digest())
            tags.append(outer.digest()[:_TAG_BYTES])
        return tags
