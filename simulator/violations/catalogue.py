"""Every kind of violation and of look-alike that the simulator knows."""

from typing import Final

from simulator.configuration.violation_settings import Violations
from simulator.violations import (
    business,
    card_data,
    data_quality,
    fraud,
    kyc,
    lookalikes,
    money_laundering,
    networks,
)
from simulator.violations.kind import Kind

_ORDER: Final = Violations.__struct_fields__

KINDS: Final[tuple[Kind, ...]] = tuple(
    sorted(
        (
            *money_laundering.KINDS,
            *networks.KINDS,
            *kyc.KINDS,
            *card_data.KINDS,
            *data_quality.KINDS,
            *business.KINDS,
            *fraud.KINDS,
        ),
        key=lambda kind: _ORDER.index(kind.name),
    )
)
"""Kinds of violations, in the order of the configuration's ``violations``."""

LOOKALIKES: Final[tuple[Kind, ...]] = lookalikes.KINDS
"""Honest payments that resemble violations."""
