"""The times that commands take: ``--from`` and ``--to``."""

import argparse
from datetime import UTC, datetime


def instant(written: str) -> datetime:
    """Return a time of RFC 3339, or a day's beginning; UTC unless it says otherwise.

    Raises:
        ValueError: it is neither.
    """
    time = datetime.fromisoformat(written)
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def _edge(written: str) -> datetime:
    try:
        return instant(written)
    except (ValueError, OverflowError):
        message = f"expected a time such as 2026-01-31T12:00Z, or a day; found {written!r}"
        raise argparse.ArgumentTypeError(message) from None


def add_span(parser: argparse.ArgumentParser) -> None:
    """Add ``--from`` and ``--to``, which become ``start`` and ``end``."""
    parser.add_argument(
        "--from",
        dest="start",
        type=_edge,
        required=True,
        metavar="T",
        help="begin of the half-open span of event time, such as 2026-01-31T12:00Z",
    )
    parser.add_argument("--to", dest="end", type=_edge, required=True, metavar="T", help="its end")
