"""Tries a rule set on payment events from a file: what it would find, with nothing stored."""

import secrets
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from itertools import batched
from typing import Final

import msgspec

from shared_code.domain.decoding import (
    Message,
    Origin,
    Placed,
    RejectedEvent,
    decode_batch,
    split_body,
)
from shared_code.domain.horizon import Horizon
from shared_code.domain.normalised_payment import Identity
from shared_code.domain.pseudonyms import MIN_KEY_BYTES, Pseudonymiser
from shared_code.rules.batch_columns import columns_of
from shared_code.rules.canonical import plain_number
from shared_code.rules.columns import Columns
from shared_code.rules.compiler import CompiledRules
from shared_code.rules.document import Rule
from shared_code.rules.dry_run import DryRun, dry_run
from shared_code.rules.findings import Finding, Matches, alert_subject
from shared_code.rules.outcomes import INDETERMINATE_NAME, outcomes_of
from shared_code.rules.rule_parts import payment_evidence

_CHUNK: Final = 500


@dataclass(frozen=True, slots=True)
class Found:
    """One thing that a rule found: a payment, or a value of a group or subject."""

    subject: Mapping[str, str | None]
    value: str | None
    outcome: str


@dataclass(frozen=True, slots=True)
class RuleTrial:
    """How one rule fared; ``outcomes`` counts what it found by the outcome's name."""

    rule_id: str
    scope: str
    outcomes: Mapping[str, int]
    alerts: int
    examples: Sequence[Found]


@dataclass(frozen=True, slots=True)
class Rejected:
    """An event that would be refused: the line or the item that it stands in, from 1, and why."""

    place: int
    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule set finds in some events."""

    payments: int
    repeated: int
    rejected: Sequence[Rejected]
    rules: Sequence[RuleTrial]


def event_bodies(content: bytes) -> Sequence[bytes]:
    """Return the JSON texts of a file: the items of an array, or one object, or its lines."""
    text = content.strip()
    items = split_body(text)
    if len(items) > 1 or _is_json(text):
        return items
    lines = [line for line in text.splitlines() if line.strip()]
    return lines if any(map(_is_json, lines)) else items


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text, type=dict | list)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def try_rules(
    rules: CompiledRules,
    bodies: Sequence[bytes],
    examples: int = 0,
    progress: Callable[[int], None] = lambda _done: None,
) -> Trial:
    """Return what rules find in events of any time.

    Personal data are replaced under a key that is thrown away: what is shown leads to nobody.

    Args:
        rules: the rule set.
        bodies: JSON texts of payment events, or of arrays of them.
        examples: how many examples of each rule are kept.
        progress: told now and then how many bodies were read.
    """
    placed, rejected = _decoded(bodies, progress)
    payments, conflicts = _once_each(placed)
    columns = columns_of([placed.accepted for placed in payments])
    run = dry_run(rules, columns)
    found = list(_rules_found(rules, run, examples))
    refused = sorted([*rejected, *conflicts], key=lambda event: event.place)
    repeated = len(placed) - len(payments) - len(conflicts)
    return Trial(len(payments), repeated, refused, found)


def _decoded(
    bodies: Sequence[bytes], progress: Callable[[int], None]
) -> tuple[list[Placed], list[Rejected]]:
    pseudonymiser = Pseudonymiser(secrets.token_bytes(MIN_KEY_BYTES))
    any_time = Horizon(
        datetime.min.replace(tzinfo=UTC), datetime.now(UTC), datetime.max.replace(tzinfo=UTC)
    )
    messages = (
        Message(Origin("", "file", "0", place), body) for place, body in enumerate(bodies, start=1)
    )
    placed: list[Placed] = []
    rejected: list[Rejected] = []
    done = 0
    for chunk in batched(messages, _CHUNK, strict=False):
        batch = decode_batch(chunk, pseudonymiser, any_time)
        placed += batch.payments
        rejected += map(_rejected, batch.rejected)
        done += len(chunk)
        progress(done)
    return placed, rejected


def _rejected(event: RejectedEvent) -> Rejected:
    return Rejected(event.origin.sequence_number, event.reason.name, event.detail)


def _once_each(placed: Iterable[Placed]) -> tuple[list[Placed], list[Rejected]]:
    """Return the first payment of each identity, and those that contradict it."""
    first: dict[Identity, Placed] = {}
    conflicts: list[Rejected] = []
    for each in placed:
        known = first.setdefault(each.accepted.payment.identity, each)
        if known.accepted.content_hash != each.accepted.content_hash:
            detail = f"another content came first, at {known.origin.sequence_number}"
            conflicts.append(Rejected(each.origin.sequence_number, "conflicting_duplicate", detail))
    return list(first.values()), conflicts


def _rules_found(rules: CompiledRules, run: DryRun, examples: int) -> Iterator[RuleTrial]:
    findings: dict[int, list[Finding]] = defaultdict(list)
    for judgement in run.judgements:
        for finding in judgement.findings:
            findings[finding.rule].append(finding)
    for number, rule in enumerate(rules.document.rules):
        if not rule.enabled:
            continue
        alerts = sum(finding.exceeded for finding in findings[number])
        if rule.scope == "transaction":
            matches = [match for match in run.matches if match.rule == number]
            yield _of_payments(rule, matches, run.columns, alerts, examples)
        else:
            unsure = sum(
                count.indeterminate
                for judgement in run.judgements
                for count in judgement.counts
                if count.rule == number
            )
            yield _of_windows(rule, findings[number], unsure, alerts, examples)


def _of_payments(
    rule: Rule, matches: Sequence[Matches], columns: Columns, alerts: int, examples: int
) -> RuleTrial:
    names = {outcome.number: outcome.name for outcome in outcomes_of(rule)}
    outcomes: Counter[str] = Counter()
    shown: list[Found] = []
    for match in matches:
        outcomes[names[match.outcome]] += len(match.rows)
        wanted = slice(examples - len(shown))
        shown += [
            Found(payment_evidence(columns, row), _text(value), names[match.outcome])
            for row, value in zip(match.rows[wanted], match.values[wanted], strict=True)
        ]
    return RuleTrial(rule.id, rule.scope, outcomes, alerts, shown)


def _of_windows(
    rule: Rule, findings: Sequence[Finding], unsure: int, alerts: int, examples: int
) -> RuleTrial:
    names = {outcome.number: outcome.name for outcome in outcomes_of(rule)}
    outcomes = Counter(names[finding.outcome] for finding in findings)
    if unsure:
        outcomes[INDETERMINATE_NAME] += unsure
    shown = [
        Found(alert_subject(rule, finding), _text(finding.value), names[finding.outcome])
        for finding in findings[:examples]
    ]
    return RuleTrial(rule.id, rule.scope, outcomes, alerts, shown)


def _text(value: Decimal | None) -> str | None:
    return None if value is None else plain_number(value)
