"""With ``simulation`` removed from every event, the pipeline stores and finds the same."""

import json
from collections.abc import Iterable, Sequence
from typing import Any

from pipeline_probe import traffic
from store_fixtures import NewStore

from shared_code.domain.decoding import Message, Origin

# All that payments leave behind, without when it was stored and in which order.
TABLES = {
    "payments": "event_time, transaction_id, payment_status, payment_method, amount, currency,"
    " customer_id, customer_country, merchant_id, card_last4, counterparty_id, metadata,"
    " quality_flags",
    "normalized_transactions": "event_time, transaction_id, payment_status,"
    " encode(content_hash, 'hex')",
    "payment_outcomes": "event_time, transaction_id, rule_id, outcome, value",
    "payment_metrics_5m_final": "window_start, payment_method, currency, payment_status, revision,"
    " payment_count, amount_sum, amount_p95, distinct_customers",
    "rule_values": "window_start, rule_id, dimensions, value, payment_count, exceeded, outcome",
    "alerts": "alert_id, rule_id, subject, severity, evidence, first_seen, last_seen",
    "rejected_events": "reason",
}


def without_label(body: bytes) -> bytes:
    """Return a body whose events have no label; one that is no JSON as it is."""
    try:
        value = json.loads(body, parse_float=str)
    except (ValueError, RecursionError):
        return body.replace(b'"simulation"', b'"elsewhere_"')
    events = value if isinstance(value, list) else [value]
    if not any(isinstance(event, dict) and "simulation" in event for event in events):
        return body
    # Amounts that are JSON numbers have become strings: the contract reads both alike.
    for event in events:
        if isinstance(event, dict):
            event.pop("simulation", None)
    return json.dumps(value).encode()


def stored(new_store: NewStore, bodies: Iterable[bytes]) -> dict[str, Sequence[Any]]:
    messages = [
        Message(Origin("local", "payments", "0", number), body)
        for number, body in enumerate(bodies)
    ]
    with new_store() as store:
        store.metrics.process_batch(messages)
        store.metrics.aggregate()
        with store.connection() as connection:
            return {
                name: sorted(
                    map(str, connection.exec_driver_sql(f"SELECT {columns} FROM {name}").all())
                )
                for name, columns in TABLES.items()
            }


def test_results_are_the_same_without_labels(new_store: NewStore) -> None:
    bodies = [message.body for message in traffic(payments=3000, seed=41)]
    bare = [without_label(body) for body in bodies]
    assert sum(b'"simulation"' in body for body in bodies) > 50
    assert not any(b'"simulation"' in body for body in bare)
    with_labels, without_labels = stored(new_store, bodies), stored(new_store, bare)
    for name, rows in with_labels.items():
        assert without_labels[name] == rows, name
        assert rows
