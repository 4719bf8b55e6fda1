"""Names that may have been meant."""

from collections.abc import Iterable

from simulator.configuration.suggestions import nearest


def did_you_mean(found: str, names: Iterable[str]) -> str:
    """Return a half sentence that names the closest of ``names``, empty if none comes near."""
    close = nearest(found, list(names))
    return f"; did you mean {close}?" if close else ""
