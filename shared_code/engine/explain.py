"""Explains a stored payment: why each rule matched it, did not, or could not judge it."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from sqlalchemy import Connection

from shared_code.domain.vocabularies import PaymentStatus
from shared_code.domain.windows import window_of
from shared_code.errors import PaymentsError
from shared_code.rules.columns import Columns
from shared_code.rules.compiler import (
    CompiledRules,
    canonical_dimensions,
    compile_document,
)
from shared_code.rules.explaining import Explainer
from shared_code.rules.explanations import RuleExplanation
from shared_code.rules.rule_parts import KEY_COLUMNS
from shared_code.rules.window_slices import WindowSlice
from shared_code.store.backtest_read import forbid_writing
from shared_code.store.database import Database
from shared_code.store.explain_read import StoredAlert, StoredEvent, alerts_about, stored_events
from shared_code.store.partitions import attached_days
from shared_code.store.rule_store import (
    RuleSet,
    accepted_version,
    rule_sets_in_force,
    stored_document,
)
from shared_code.store.subject_history import payments_between, subject_history


class NothingToExplain(PaymentsError):
    """There is no such payment, rule or rule set; the message says what to look at instead."""


class ExplainedRule(NamedTuple):
    """What a rule says of a payment event, and the alerts of the rule that cover it."""

    explanation: RuleExplanation
    alerts: Sequence[StoredAlert]


@dataclass(frozen=True, slots=True)
class ExplainedEvent:
    """One stored event of a payment, as the rules of one rule set see it."""

    event: StoredEvent
    version: str
    rules: Sequence[ExplainedRule]


def explain_transaction(
    database: Database,
    transaction_id: str,
    *,
    status: PaymentStatus | None = None,
    rule_id: str | None = None,
    version: str | None = None,
) -> Sequence[ExplainedEvent]:
    """Explain the stored events of a payment, oldest first; nothing is written.

    Args:
        database: which is only read.
        transaction_id: of the payment.
        status: only events of this status; all without it.
        rule_id: only this rule; all rules without it.
        version: of an accepted rule set; the active one without it.

    Raises:
        NothingToExplain: payment, status, rule or version are not there.
        StoreUnavailable: the database failed.
    """
    with database.transaction("REPEATABLE READ") as connection:
        forbid_writing(connection)
        events = _events(connection, transaction_id, status)
        rule_set = _rule_set(connection, version)
        rules = compile_document(stored_document(connection, rule_set.rule_set))
        known = [rule.id for rule in rules.document.rules]
        if rule_id is not None and rule_id not in known:
            message = f"version {rule_set.version} has no rule {rule_id}; it has {', '.join(known)}"
            raise NothingToExplain(message)
        explainer = Explainer(rules)
        return [
            ExplainedEvent(
                event, rule_set.version, _explained(connection, event, rules, explainer, rule_id)
            )
            for event in events
        ]


def _events(
    connection: Connection, transaction_id: str, status: PaymentStatus | None
) -> Sequence[StoredEvent]:
    events = stored_events(connection, transaction_id)
    if not events:
        days = attached_days(connection)
        kept = f"payments are kept from {days.first} on" if days else "no payments are kept"
        message = (
            f"no payment {transaction_id!r} is stored; {kept};"
            " what was refused stands in rejected_events, with the reason"
        )
        raise NothingToExplain(message)
    chosen = [event for event in events if status is None or event.payment_status == status]
    if not chosen:
        stored = {PaymentStatus(event.payment_status).name: None for event in events}
        message = f"payment {transaction_id!r} is stored as {', '.join(stored)} only"
        raise NothingToExplain(message)
    return chosen


def _rule_set(connection: Connection, version: str | None) -> RuleSet:
    if version is None:
        active = rule_sets_in_force(connection).active
        if active is None:
            raise NothingToExplain("no rule set was ever active; activate one first")
        return active
    accepted = accepted_version(connection, version)
    if accepted is None:
        advice = "see 'rules history' for those that were"
        message = f"no rule set of version {version} was ever accepted; {advice}"
        raise NothingToExplain(message)
    return accepted


def _explained(
    connection: Connection,
    event: StoredEvent,
    rules: CompiledRules,
    explainer: Explainer,
    rule_id: str | None,
) -> Sequence[ExplainedRule]:
    window = window_of(event.event_time)
    columns = payments_between(connection, window, rules.columns | set(KEY_COLUMNS))
    found = explainer.explain(
        WindowSlice(window.start, columns),
        _position(columns, event),
        partial(subject_history, connection),
    )
    chosen = [each for each in found if rule_id in {None, each.rule.id}]
    subjects = {each.rule.id: _subject(each) for each in chosen}
    alerts = alerts_about(
        connection, event, window.start, rule_ids=subjects, subjects=set(subjects.values())
    )
    return [
        ExplainedRule(
            each,
            [
                alert
                for alert in alerts
                if (alert.rule_id, alert.subject) == (each.rule.id, subjects[each.rule.id])
            ],
        )
        for each in chosen
    ]


def _position(columns: Columns, event: StoredEvent) -> int:
    keys = zip(*(columns.values(name) for name in KEY_COLUMNS), strict=True)
    return next(row for row, key in enumerate(keys) if key == tuple(event))


def _subject(explanation: RuleExplanation) -> str:
    return "" if explanation.subject is None else canonical_dimensions(explanation.subject)
