"""Independent streams of random numbers, all from one seed."""

from random import Random


def random_stream(seed: int, purpose: str) -> Random:
    """Return the random numbers of one ``purpose``.

    One stream per purpose, so that asking for more duplicates leaves the payments as they were.
    A text seed is hashed by SHA-512, hence independent of ``PYTHONHASHSEED``.
    """
    return Random(f"{seed}/{purpose}")  # noqa: S311 - reproducibility is the point, not secrecy
