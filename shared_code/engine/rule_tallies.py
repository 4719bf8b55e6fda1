"""Counts what rules have found, the same way for what is stored and for what would be."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

import numpy as np

from shared_code.domain.currencies import CURRENCY_BY_NUMBER
from shared_code.rules.columns import Columns
from shared_code.rules.compiler import CompiledRules
from shared_code.rules.document import Rule
from shared_code.rules.findings import Finding, Matches
from shared_code.rules.judging import Judgement
from shared_code.rules.outcomes import INDETERMINATE, outcomes_of
from shared_code.rules.rule_parts import target_currency
from shared_code.store.alerts import Alert, merged_episodes
from shared_code.store.backtest_read import StoredCount, StoredValues


@dataclass(slots=True)
class RuleTally:
    """What one rule has found.

    Attributes:
        matched: payments that it matched, or counted.
        indeterminate: payments that it could not judge.
        outcomes: how many values have each outcome; for transaction rules, how many payments.
        values: of windows: how many were recorded.
        sums: of the values of payments by currency, where they are amounts.
        alerts: how many there are; an episode counts once.
    """

    matched: int = 0
    indeterminate: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    values: int = 0
    sums: defaultdict[str, Decimal] = field(default_factory=lambda: defaultdict(Decimal))
    alerts: int = 0


class Tallies:
    """The tallies of the rules of one document, by rule id."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules
        self._outcomes = [{each.number: each.name for each in outcomes_of(rule)} for rule in rules]
        self._targets = [target_currency(rule) for rule in rules]
        self.by_id = {rule.id: RuleTally() for rule in rules}

    def add_matches(self, columns: Columns, found: Matches) -> None:
        """Count what a transaction rule says of some payments."""
        tally = self.by_id[self._rules[found.rule].id]
        tally.outcomes[self._outcomes[found.rule][found.outcome]] += len(found.rows)
        if found.outcome == INDETERMINATE:
            tally.indeterminate += len(found.rows)
            return
        tally.matched += len(found.rows)
        if self._are_amounts(found.rule):
            for currency, total in _sums(columns, found):
                tally.sums[self._targets[found.rule] or currency] += total

    def add_judgement(self, judgement: Judgement) -> None:
        """Count what the rules of other scopes find in a window."""
        for count in judgement.counts:
            if self._rules[count.rule].scope != "transaction":
                self.add_count(count.rule, count.matched, count.indeterminate)
        for finding in judgement.findings:
            if self._rules[finding.rule].scope != "transaction":
                currency = _currency_of(finding)
                self._add_values(finding.rule, finding.outcome, currency, 1, finding.value)

    def add_stored_metrics(self, found: StoredValues) -> None:
        """Count metrics that are kept with payments."""
        tally = self.by_id[self._rules[found.rule].id]
        tally.outcomes[self._outcomes[found.rule][found.outcome]] += found.value_count
        if found.outcome == INDETERMINATE:
            tally.indeterminate += found.value_count
            return
        tally.matched += found.value_count
        if self._are_amounts(found.rule):
            code = self._targets[found.rule] or _code(found.currency)
            tally.sums[code] += found.value_sum or 0

    def add_stored_values(self, found: StoredValues) -> None:
        """Count values that are kept of windows."""
        currency = None if found.currency is None else _code(found.currency)
        value = found.value_sum or Decimal(0)
        self._add_values(found.rule, found.outcome, currency, found.value_count, value)

    def add_stored_count(self, found: StoredCount) -> None:
        """Count how a rule fared in closed windows; of transaction rules, metrics are counted."""
        if self._rules[found.rule].scope != "transaction":
            self.add_count(found.rule, found.matched, found.indeterminate)

    def add_count(self, rule: int, matched: int, indeterminate: int) -> None:
        """Count payments that a rule matched, and that it could not judge."""
        tally = self.by_id[self._rules[rule].id]
        tally.matched += matched
        tally.indeterminate += indeterminate

    def _add_values(
        self, rule: int, outcome: int, currency: str | None, count: int, total: Decimal
    ) -> None:
        tally = self.by_id[self._rules[rule].id]
        tally.values += count
        tally.outcomes[self._outcomes[rule][outcome]] += count
        if self._rules[rule].scope == "sequence" and self._are_amounts(rule):
            tally.sums[self._targets[rule] or currency or ""] += total

    def _are_amounts(self, rule: int) -> bool:
        return self._rules[rule].metric.type == "amount"


def _sums(columns: Columns, found: Matches) -> Iterator[tuple[str, Decimal]]:
    """Yield the sum of a rule's values for each currency of its payments."""
    currencies = columns.codes("currency")[found.rows]
    for number in np.unique(currencies).tolist():
        places = np.flatnonzero(currencies == number).tolist()
        values = [found.values[place] for place in places]
        yield _code(number), sum((value for value in values if value is not None), Decimal(0))


def _currency_of(finding: Finding) -> str | None:
    """Return the currency of the last payment that a finding shows."""
    payments = finding.evidence.get("payments")
    currency: str | None = payments[-1]["currency"] if payments else None
    return currency


def _code(currency: int | None) -> str:
    return CURRENCY_BY_NUMBER[currency].code if currency is not None else ""


class AlertCounter:
    """Counts alerts window by window, episodes once, and keeps the first few of each rule.

    Args:
        rules: whose alerts they are.
        examples: how many of each rule are kept.
    """

    def __init__(self, rules: CompiledRules, examples: int) -> None:
        self.counts: Counter[str] = Counter()
        self.examples: dict[str, list[Alert]] = {rule.id: [] for rule in rules.document.rules}
        self._most_examples = examples
        self._open: list[Alert] = []

    def add(self, alerts: Sequence[Alert], until: datetime) -> None:
        """Count the alerts of one window.

        Args:
            alerts: in the windows' order.
            until: end of the window; all that is found later is seen later.
        """
        known = {_episode_key(episode) for episode in self._open}
        parts = [alert for alert in alerts if alert.cooldown is not None]
        episodes = list(merged_episodes([*self._open, *parts])) if parts else self._open
        begun = [episode for episode in episodes if _episode_key(episode) not in known]
        self._open = [
            episode
            for episode in episodes
            if episode.cooldown is not None and episode.last_seen + episode.cooldown >= until
        ]
        for alert in [*(alert for alert in alerts if alert.cooldown is None), *begun]:
            rule_id = alert.rule_id or ""
            self.counts[rule_id] += 1
            if len(self.examples[rule_id]) < self._most_examples:
                self.examples[rule_id].append(alert)


def _episode_key(episode: Alert) -> tuple[str | None, str, datetime]:
    return episode.rule_id, episode.subject, episode.first_seen
