"""Events on their way into messages: one by one as rows, together as columns."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared_code.domain.vocabularies import RejectReason
from simulator.generation.population import Integers, Keys

CONFLICT: Final = RejectReason.conflicting_duplicate.value
REASONS: Final = ("", *(reason.value for reason in RejectReason))
"""Reject reasons by the number that columns of events have; the first is that of valid events."""

REASON_NUMBERS: Final = {reason: number for number, reason in enumerate(REASONS)}


class Events(NamedTuple):
    """Events on their way into messages, in columns; times in microseconds since 1970.

    Attributes:
        arrival: when each arrives.
        key: its key bucket.
        alone: it must not share its message.
        reason: number of its reject reason, 0 if it is valid.
        kind: number of its kind of violation in ``names``, 0 if it is of none.
        bodies: JSON texts, or what stands in for them.
        names: kinds of violations, the first one empty.
    """

    arrival: Integers
    key: Keys
    alone: NDArray[np.bool]
    reason: Keys
    kind: Keys
    bodies: list[bytes]
    names: tuple[str, ...]


class Row(NamedTuple):
    """One event of those that are made one by one; ``Events`` says what the fields are."""

    arrival: int
    key: int
    body: bytes
    alone: bool = False
    reason: int = 0
    kind: str = ""
