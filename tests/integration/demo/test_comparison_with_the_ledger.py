"""The demo tells every difference between the database and what was sent."""

from collections.abc import Iterator, Sequence

import pytest
from pipeline_probe import traffic
from store_fixtures import NewStore, Store

from demo.comparison import differences
from shared_code.domain.decoding import Message, Origin
from simulator.ledger import Ledger


@pytest.fixture(scope="module")
def processed(new_store: NewStore) -> Iterator[tuple[Store, Ledger]]:
    """A database that has processed a simulation, and the simulation's ledger."""
    simulation = traffic(payments=600, seed=31)
    messages = [
        Message(Origin("local", "payments", "0", number), message.body)
        for number, message in enumerate(simulation)
    ]
    with new_store() as store:
        store.metrics.process_batch(messages)
        store.metrics.aggregate()
        yield store, simulation.ledger


def found(store: Store, ledger: Ledger, *tampering: str) -> Sequence[str]:
    """Return the differences after tampering, which is undone."""
    with store.connection() as connection:
        for statement in tampering:
            connection.exec_driver_sql(statement)
        lines = list(differences(connection, ledger))
        connection.rollback()
    return lines


def test_what_was_processed_equals_what_was_sent(processed: tuple[Store, Ledger]) -> None:
    assert found(*processed) == []


CHANGED_COUNTER = """
    UPDATE payment_metrics_5m SET amount_sum = amount_sum + 0.001 WHERE ctid = '(0,1)'
"""
CHANGED_FIGURE = """
    UPDATE payment_metrics_5m_final SET amount_sum = amount_sum + 1 WHERE ctid = '(0,1)'
"""
LOST_PAYMENT = """
    DELETE FROM normalized_transactions
    WHERE transaction_id = (SELECT min(transaction_id) FROM normalized_transactions)
"""
LOST_REFUSAL = "DELETE FROM rejected_events WHERE reason = 'unknown_currency'"
DRIFT = """
    INSERT INTO alerts (alert_id, kind, severity, subject, evidence, first_seen, last_seen)
    VALUES (gen_random_uuid(), 'drift', 5, 'x', '{}', now(), now())
"""


@pytest.mark.parametrize(
    ("tampering", "told"),
    [
        (CHANGED_COUNTER, "streamed counters, "),
        (CHANGED_FIGURE, "closed windows, "),
        (LOST_PAYMENT, "stored payments, "),
        (LOST_REFUSAL, "rejected as unknown_currency: "),
        (DRIFT, "1 drift alerts"),
    ],
)
def test_every_difference_is_told(
    processed: tuple[Store, Ledger], tampering: str, told: str
) -> None:
    lines = found(*processed, tampering)
    assert lines
    assert all(line.startswith(told) for line in lines)
