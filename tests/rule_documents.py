"""Small factories of rules and documents, for tests on a real database."""

import json
from typing import Any

from store_fixtures import Store

from shared_code.rules.compiler import canonical_content
from shared_code.store.rule_store import activate, start_shadow


def rule(rule_id: str, scope: str = "transaction", **changes: Any) -> dict[str, Any]:
    """Return a rule of the tests; a key given as None is left out."""
    plain = {
        "id": rule_id,
        "scope": scope,
        "description": "A rule of the tests.",
        "category": "fraud",
        "severity": "medium",
        "metric": {"name": rule_id, "type": "count"},
    }
    return {key: value for key, value in (plain | changes).items() if value is not None}


def rapid_fire(times: int = 3, minutes: int = 10, **alert: Any) -> dict[str, Any]:
    """Return a velocity rule: so many payments of a customer within so many minutes."""
    return rule(
        "rapid_fire",
        "velocity",
        subject="customer.id",
        within_minutes=minutes,
        measure={"function": "count"},
        alert={"operator": "gte", "value": times, **alert},
    )


def document(version: str, *rules: Any, **changes: Any) -> bytes:
    """Return a rule document in its canonical form."""
    return canonical_content(
        json.dumps({"version": version, "rules": list(rules), **changes}).encode()
    )


def use_rules(store: Store, *rules: Any, version: str = "1.0.0", **changes: Any) -> None:
    """Make rules the active rule set."""
    with store.connection() as connection:
        activate(connection, document(version, *rules, **changes), by="a test", reason="a test")


def shadow_rules(store: Store, *rules: Any, version: str = "9.0.0") -> None:
    """Let rules run beside the active ones."""
    with store.connection() as connection:
        start_shadow(connection, document(version, *rules), by="a test", reason="a test")
