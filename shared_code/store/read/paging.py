"""Which part of a list is read: a span of time, and a page of it that begins behind a key."""

from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Final, NamedTuple

import msgspec

from shared_code.domain.currencies import CURRENCIES

_PARTS: Final = (64, 8, 1)

type Key = tuple[Any, ...]
# A number of any size and scale, as text, so that no client rounds it.
PlainNumber = Annotated[str, msgspec.Meta(pattern=r"^-?[0-9]+(\.[0-9]+)?$")]


class Span(NamedTuple):
    """A half-open span ``[start, end)``, both aware and in UTC."""

    start: datetime
    end: datetime

    def parameters(self) -> dict[str, Any]:
        """Return what statements bind as ``:start`` and ``:end``."""
        return {"start": self.start, "end": self.end}


class Page(NamedTuple):
    """At most ``limit`` rows behind the one with the key ``after``; from the first if None."""

    limit: int
    after: Key | None = None

    def parameters(self, *names: str) -> dict[str, Any]:
        """Return what statements bind: ``:more``, a row beyond the page, and ``:after_NAME``."""
        after = self.after or (None,) * len(names)
        bound = {f"after_{name}": value for name, value in zip(names, after, strict=True)}
        return {"more": self.limit + 1, **bound}


class Listing[Item](NamedTuple):
    """One page, and the key that the next one begins behind; None if there is no other."""

    items: Sequence[Item]
    next_key: Key | None = None


def listing[Item](
    rows: Sequence[Any], page: Page, key: Callable[[Any], Key], item: Callable[[Any], Item]
) -> Listing[Item]:
    """Return a page of rows that were read up to one beyond it."""
    kept = rows[: page.limit]
    next_key = key(kept[-1]) if len(rows) > page.limit else None
    return Listing([item(row) for row in kept], next_key)


def newest_rows(read: Callable[[datetime], Sequence[Any]], span: Span, page: Page) -> Sequence[Any]:
    """Return the newest rows of a span, up to one beyond a page.

    What fills a page is mostly found in the newest part of a span, and all of a month would be
    sorted or added up for it. What is rare is looked for in one part after the other.

    Args:
        read: the newest rows from an instant on, up to one beyond the page.
        span: in which they lie.
        page: that is to be filled.
    """
    rows: Sequence[Any] = ()
    for part in _PARTS:
        rows = read(span.end - (span.end - span.start) / part)
        if len(rows) > page.limit:
            break
    return rows


def at_scale(amount: Decimal | None, currency: str) -> Decimal | None:
    """Return an amount at its currency's scale, rounded half to even; None stays None.

    A currency that this release does not know keeps the scale that the database gives.
    """
    known = CURRENCIES.get(currency)
    if amount is None or known is None:
        return amount
    return round(amount, known.minor_unit)


def plain_number(number: Decimal) -> PlainNumber:
    """Return a number without exponent and without zeros behind it."""
    return format(number.normalize(), "f")
