"""Independent streams of random numbers, all from one seed."""

import hashlib
from random import Random

import numpy as np


def random_stream(seed: int, purpose: str) -> Random:
    """Return the random numbers of one ``purpose``.

    One stream per purpose, so that asking for more duplicates leaves the payments as they were.
    A text seed is hashed by SHA-512, hence independent of ``PYTHONHASHSEED``.
    """
    return Random(f"{seed}/{purpose}")  # noqa: S311 - reproducibility is the point, not secrecy


def column_stream(seed: int, purpose: str) -> np.random.Generator:
    """Return the random columns of one ``purpose``: the same for ever, PCG64 by definition."""
    digest = hashlib.blake2b(f"{seed}/{purpose}".encode(), digest_size=16).digest()
    return np.random.Generator(np.random.PCG64(int.from_bytes(digest)))


_HEX_TO_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")


def letters(digest: bytes) -> str:
    """Return two letters from a to p for each byte.

    Letters only: a row of digits by chance could pass for a card number.
    """
    return digest.hex().translate(_HEX_TO_LETTERS)


def letters_of(text: str, length: int) -> str:
    """Return letters that stand for ``text``, the same in every process."""
    return letters(hashlib.blake2b(text.encode()).digest())[:length]
