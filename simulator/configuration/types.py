"""Kinds of values that configurations are made of, with the limits that the JSON Schema shows."""

from datetime import datetime
from typing import Annotated

from msgspec import Meta

type Share = Annotated[float, Meta(ge=0, le=1)]
"""A part of a whole."""
type SmallShare = Annotated[float, Meta(ge=0, le=0.5)]
"""A part of the payments that may be given to one purpose."""
type Weight = Annotated[float, Meta(ge=0)]
"""Relative: a part of the sum of all weights beside it."""
type Positive = Annotated[float, Meta(gt=0)]
type NotNegative = Annotated[float, Meta(ge=0)]
type Exponent = Annotated[float, Meta(ge=0, le=10)]
"""How uneven things are by their rank; beyond 10 the first of them would be all there is."""
type Duration = Annotated[str, Meta(pattern=r"^[0-9]+(\.[0-9]+)?(ms|s|m|h|d)$")]
"""A number and a unit: ``250ms``, ``90s``, ``5m``, ``24h``, ``7d``."""
type Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
type CountryCode = Annotated[str, Meta(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2."""
type CurrencyCode = Annotated[str, Meta(pattern=r"^[A-Z]{3}$")]
"""ISO 4217 alpha-3."""
type MerchantCategoryCode = Annotated[str, Meta(pattern=r"^[0-9]{4}$")]
"""ISO 18245."""
type Hours = Annotated[tuple[Weight, ...], Meta(min_length=24, max_length=24)]
"""A weight for each hour of the day, from midnight on, by the clock of the place."""
type Moment = Annotated[datetime, Meta(tz=True)]
"""RFC 3339 with offset."""
type Total = Annotated[int, Meta(ge=1, le=10**15)]
