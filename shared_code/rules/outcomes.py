"""The outcomes of a rule and the numbers under which they are stored with a rule set."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np

from shared_code.domain.vocabularies import Severity
from shared_code.rules.document import Band, Rule
from shared_code.rules.packed import Integers

# Numbers of a rule's outcomes: these two mean the same in every rule; its bands follow in order.
MATCHED: Final = 1
INDETERMINATE: Final = 2
_FIRST_BAND: Final = 3

MATCHED_NAME: Final = "matched"
INDETERMINATE_NAME: Final = "indeterminate"


class Outcome(NamedTuple):
    """One outcome of a rule; ``severity`` and ``reason`` are those of its band, if it has one."""

    number: int
    name: str
    severity: Severity
    reason: str | None


class RowOutcomes(NamedTuple):
    """Payments by position and, for each, the number of the outcome that a rule has for it."""

    rows: Integers
    outcomes: Integers


NO_OUTCOMES: Final = RowOutcomes(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))


def row_outcomes(rows: Sequence[int] | Integers, outcomes: Sequence[int]) -> RowOutcomes:
    """Return the outcomes that a rule has for some payments."""
    return RowOutcomes(np.asarray(rows, dtype=np.int64), np.array(outcomes, dtype=np.int64))


def outcomes_of(rule: Rule) -> Iterator[Outcome]:
    """Yield every outcome that a rule can have."""
    severity = Severity[rule.severity]
    yield Outcome(MATCHED, MATCHED_NAME, severity, None)
    yield Outcome(INDETERMINATE, INDETERMINATE_NAME, severity, None)
    for number, band in enumerate(rule.bands, _FIRST_BAND):
        of_band = severity if band.severity is None else Severity[band.severity]
        yield Outcome(number, band.outcome, of_band, band.reason)


def outcome_number(bands: Sequence[Band], value: Decimal | None) -> int:
    """Return the outcome of a matching payment or group; without a value nothing is known."""
    if value is None:
        return INDETERMINATE
    for number, band in enumerate(bands, _FIRST_BAND):
        if band.holds(value):
            return number
    return MATCHED
