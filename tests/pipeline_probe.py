"""What end-to-end tests ask of a running pipeline."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg2
from sqlalchemy import Connection, create_engine

from demo.comparison import differences
from local_azure.environment import LocalAzure
from local_azure.host_client import run_function, wait_until_processed
from shared_code.domain.windows import WINDOW_LENGTH
from simulator.configuration.shipped_profiles import load_profile
from simulator.ledger import Ledger
from simulator.message import Message
from simulator.publishing.connection import ProducerSettings
from simulator.publishing.event_hubs import EventHubsPublisher
from simulator.publishing.publish import publish
from simulator.simulation import Simulation, simulate

# Kinds of violations that break the contract, at least in some of their forms; contract_breach
# stands for many.
REFUSED = (
    "negative_amount",
    "wrong_scale",
    "unknown_currency",
    "unknown_status",
    "future_time",
    "ancient_time",
    "malformed_json",
    "truncated_message",
    "oversized_metadata",
    "contract_breach",
    "invalid_customer_id",
    "invalid_country",
)
_SUMS = ("payment_metrics_5m", "window_deltas", "payment_metrics_5m_final", "rule_metrics_5m")
_COLUMNS = {
    "payments": "event_time, transaction_id, payment_status, payment_method, amount, currency,"
    " channel, device_type, customer_id, customer_country, customer_email_domain, merchant_id,"
    " merchant_name, merchant_category, merchant_mcc, merchant_country, card_brand, card_bin,"
    " card_last4, counterparty_id, counterparty_country, original_transaction_id, metadata,"
    " quality_flags, rule_set",
    "dynamic_metrics": "event_time, transaction_id, payment_status, rule_set, rule, value",
    "rejected_events": "reason, body, encode(body_hash, 'hex')",
    "alerts": "alert_id, kind, subject, evidence, first_seen, last_seen",
}


def traffic(payments: int, seed: int, bad_share: float = 0.03) -> Simulation:
    """Return simulated payments of the six windows that ended last, of every kind."""
    refused = [f"violations.{kind}.share={bad_share / len(REFUSED)}" for kind in REFUSED]
    overrides = (
        f"volume.payments={payments}",
        f"seed={seed}",
        "messages.pack=25",
        "arrival.duplicate_share=0.03",
        "arrival.late_share=0.05",
        "arrival.conflict_share=0.005",
        *refused,
    )
    return simulate(load_profile("steady", overrides, environment={}))


def send(local: LocalAzure, messages: Iterable[Message]) -> None:
    """Publish messages through the SDK and wait until Event Hubs has acknowledged them all."""
    settings = ProducerSettings.of(local.settings, event_hub="payments")
    with EventHubsPublisher(settings) as publisher:
        publish(messages, publisher)


def await_processed(local: LocalAzure, seconds: float = 120) -> None:
    """Wait until ProcessTransaction has checkpointed every message."""
    wait_until_processed(
        local.host.url, local.settings["EventHubConnection"], "ProcessTransaction", seconds=seconds
    )


def wait_for_a_window_that_lasts(seconds: float) -> None:
    """Wait until no window ends for so long, and the timer of AggregateMetrics closes none."""
    length = WINDOW_LENGTH.total_seconds()
    left = length - datetime.now(UTC).timestamp() % length
    if left < seconds:
        # The timer's run at that moment takes a while of its own.
        time.sleep(left + 2.0)


def close_windows(local: LocalAzure) -> None:
    """Run AggregateMetrics now, through the host's admin endpoint."""
    run_function(local.host.url, "AggregateMetrics")


def query(local: LocalAzure, sql: str) -> Sequence[tuple[Any, ...]]:
    """Return the rows of a query."""
    connection = psycopg2.connect(local.settings["DATABASE_URL"])
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall()
    finally:
        connection.close()


def everything_stored(local: LocalAzure) -> Mapping[str, Sequence[tuple[Any, ...]]]:
    """Return every row that payments leave behind, without the time of storing it.

    Rejected events tell how often they were sent, so that only which ones there are counts.
    """
    rows = {name: query(local, f"TABLE {name}") for name in _SUMS}
    for name, columns in _COLUMNS.items():
        rows[name] = query(local, f"SELECT DISTINCT {columns} FROM {name} ORDER BY {columns}")
    return {name: sorted(found, key=str) for name, found in rows.items()}


@contextmanager
def database(local: LocalAzure) -> Iterator[Connection]:
    """Connect to the pipeline's database."""
    url = local.settings["DATABASE_URL"].replace("postgresql:", "postgresql+psycopg2:", 1)
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def differences_to(local: LocalAzure, ledger: Ledger) -> Sequence[str]:
    """Return every difference between the database and the simulator's ledger."""
    with database(local) as connection:
        return list(differences(connection, ledger))
