"""What rules find: matches of single payments, and values of groups, subjects and sequences."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from shared_code.rules.document import Rule
from shared_code.rules.outcomes import MATCHED

# How many payments stand in the evidence of one finding.
SHOWN_PAYMENTS = 10


class Matches(NamedTuple):
    """Payments for which one transaction rule has one outcome.

    ``rule`` is the rule's position in the document, ``rows`` are positions of payments, ascending.
    ``rates`` holds for each the exchange rate that was used, None where nothing was converted; it
    is None itself if the rule converts nothing.
    """

    rule: int
    rows: Sequence[int]
    values: Sequence[Decimal | None]
    outcome: int = MATCHED
    rates: Sequence[Decimal | None] | None = None


class Finding(NamedTuple):
    """What a rule found in one five-minute window, for one group, subject, sequence or payment.

    Attributes:
        rule: position of the rule in the document.
        window_start: aware UTC.
        dimensions: field names and values as they stand in rules; None for a missing one.
        value: of the measure, the sequence or the score.
        payment_count: how many payments it was found in.
        exceeded: whether the value passes the rule's alert threshold.
        outcome: number of the outcome.
        seen: event times of the first and the last payment at which it was found; None if it is
            about the window as a whole.
        evidence: what to look at; values are fit for JSON.
    """

    rule: int
    window_start: datetime
    dimensions: Mapping[str, str | None]
    value: Decimal
    payment_count: int
    exceeded: bool
    outcome: int = MATCHED
    seen: tuple[datetime, datetime] | None = None
    evidence: Mapping[str, Any] = {}


class RuleCount(NamedTuple):
    """How a rule fared in one window: payments that it matched, and that it could not judge."""

    rule: int
    matched: int
    indeterminate: int


def alert_subject(rule: Rule, finding: Finding) -> Mapping[str, str | None]:
    """Return whom an alert on a finding is about.

    Payments that complete one sequence after the other are one episode of their subject, if the
    rule has a cooldown; otherwise each is a matter of its own.
    """
    episodes = rule.alert is not None and rule.alert.cooldown_minutes is not None
    if rule.scope == "sequence" and episodes and rule.subject is not None:
        return {rule.subject: finding.dimensions[rule.subject]}
    return finding.dimensions
