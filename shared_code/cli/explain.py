"""``python -m shared_code rules explain``: why rules matched a payment, did not, or could not."""

import argparse
import json
from collections.abc import Iterator, Mapping
from datetime import UTC
from typing import Any, Final

from shared_code.cli.rules_arguments import help_texts
from shared_code.domain.vocabularies import PaymentStatus, Severity
from shared_code.engine.explain import ExplainedEvent, ExplainedRule, explain_transaction
from shared_code.rules.condition_trees import ConditionNode, Holds
from shared_code.rules.explanations import Answer
from shared_code.store.database import Database
from shared_code.store.explain_read import StoredAlert

_MARKS: Final = {Holds.holds: "+", Holds.fails: "-", Holds.unknown: "?"}
_ANSWER_MARKS: Final = {Answer.matched: "+", Answer.indeterminate: "?"}
_INDENT: Final = "    "


def add_command(commands: Any) -> None:
    """Add the command to the subparsers of a group."""
    parser = commands.add_parser(
        "explain",
        **help_texts(
            "say why rules matched a payment, did not, or could not judge it",
            "Say of each stored event of a payment why each rule matched it, did not, or could not"
            " judge it: conditions with the payment's values, values and thresholds, and the alerts"
            " that there are.",
            "explain txn-4711 --rule rapid_fire",
        ),
    )
    parser.add_argument("transaction", help="the payment's transaction_id")
    parser.add_argument(
        "--status", choices=[status.name for status in PaymentStatus], help="only this event"
    )
    parser.add_argument("--rule", metavar="ID", help="only this rule")
    parser.add_argument(
        "--version", metavar="V", help="by this version of the rules (the active one)"
    )
    parser.add_argument("--json", action="store_true", help="write JSON")
    parser.set_defaults(run=_explain)


def _explain(arguments: argparse.Namespace, database: Database) -> str:
    found = explain_transaction(
        database,
        arguments.transaction,
        status=None if arguments.status is None else PaymentStatus[arguments.status],
        rule_id=arguments.rule,
        version=arguments.version,
    )
    if arguments.json:
        return json.dumps([_event_as_json(each) for each in found], indent=2, ensure_ascii=False)
    return "\n".join(line for each in found for line in _event_as_text(each))


def _event_as_json(found: ExplainedEvent) -> dict[str, Any]:
    event = found.event
    return {
        "transaction_id": event.transaction_id,
        "payment_status": PaymentStatus(event.payment_status).name,
        "event_time": event.event_time.astimezone(UTC).isoformat(),
        "rule_set_version": found.version,
        "rules": [_rule_as_json(each) for each in found.rules],
    }


def _rule_as_json(found: ExplainedRule) -> dict[str, Any]:
    explanation = found.explanation
    return {
        "id": explanation.rule.id,
        "scope": explanation.rule.scope,
        "answer": explanation.answer,
        "because": explanation.because,
        "conditions": {name: _node_as_json(node) for name, node in explanation.conditions.items()},
        "facts": dict(explanation.facts),
        "alerts": [_alert_as_json(alert) for alert in found.alerts],
    }


def _node_as_json(node: ConditionNode) -> dict[str, Any]:
    values = {"values": dict(node.values)} if node.values else {}
    parts = {"parts": [_node_as_json(part) for part in node.parts]} if node.parts else {}
    return {"condition": node.text, "verdict": node.verdict, **values, **parts}


def _alert_as_json(alert: StoredAlert) -> dict[str, Any]:
    times = {name: getattr(alert, name).astimezone(UTC) for name in ("first_seen", "last_seen")}
    return {
        **alert._asdict(),
        "subject": json.loads(alert.subject),
        "severity": Severity(alert.severity).name,
        **{name: time.isoformat() for name, time in times.items()},
    }


def _event_as_text(found: ExplainedEvent) -> Iterator[str]:
    """Yield the lines of one event: ``+`` holds or matched, ``-`` does not, ``?`` unknown."""
    event = found.event
    status = PaymentStatus(event.payment_status).name
    time = event.event_time.astimezone(UTC).isoformat()
    yield f"{event.transaction_id}, {status} at {time}, by rule set version {found.version}"
    for each in found.rules:
        explanation = each.explanation
        mark = _ANSWER_MARKS.get(explanation.answer, "-")
        rule = explanation.rule
        yield f"{mark} {rule.id} ({rule.scope}) {explanation.answer}: {explanation.because}"
        for name, node in explanation.conditions.items():
            yield f"{_INDENT}{name}:"
            yield from _node_as_text(node, _INDENT * 2)
        yield from _facts_as_text(explanation.facts)
        for alert in each.alerts:
            yield f"{_INDENT}{_alert_as_text(alert)}"


def _node_as_text(node: ConditionNode, indent: str) -> Iterator[str]:
    values = ", ".join(
        f"{name} is {'absent' if value is None else value}" for name, value in node.values.items()
    )
    line = f"{indent}{_MARKS[node.verdict]} {node.text}: {node.verdict}"
    yield f"{line}; {values}" if values else line
    for part in node.parts:
        yield from _node_as_text(part, indent + _INDENT)


def _facts_as_text(facts: Mapping[str, Any]) -> Iterator[str]:
    for name, value in facts.items():
        if isinstance(value, list):
            yield f"{_INDENT}{name}:" + ("" if value else " none")
            yield from (f"{_INDENT * 2}{_fact(item)}" for item in value)
        else:
            yield f"{_INDENT}{name}: {_fact(value)}"


def _fact(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_fact(item)}" for name, item in value.items()) or "all payments"
    return str(value)


def _alert_as_text(alert: StoredAlert) -> str:
    first, last = (
        time.astimezone(UTC).isoformat(" ", "seconds")
        for time in (alert.first_seen, alert.last_seen)
    )
    state = "withdrawn " if alert.withdrawn else "suppressed " if alert.suppressed else ""
    seen = f"at {first}" if first == last else f"from {first} to {last}"
    return f"{state}alert, {Severity(alert.severity).name}: seen {seen}"
