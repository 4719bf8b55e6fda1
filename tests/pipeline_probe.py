"""What end-to-end tests ask of a running pipeline."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg2
from sqlalchemy import Connection, create_engine

from demo.comparison import differences
from local_azure.environment import LocalAzure
from local_azure.host_client import run_function, wait_until_processed
from shared_code.domain.windows import window_start
from simulator.connection import ProducerSettings
from simulator.ledger import Ledger
from simulator.parameters import Parameters
from simulator.publisher import publish
from simulator.simulation import Message, Simulation, simulate

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
    return simulate(
        Parameters(
            end=window_start(datetime.now(UTC)),
            payments=payments,
            seed=seed,
            windows=6,
            pack=25,
            bad_share=bad_share,
            duplicate_share=0.03,
            late_share=0.05,
            conflict_share=0.005,
        )
    )


def send(local: LocalAzure, messages: Iterable[Message]) -> None:
    """Publish messages through the SDK and wait until Event Hubs has acknowledged them all."""
    publish(messages, ProducerSettings.of(local.settings, event_hub="payments"))


def await_processed(local: LocalAzure, seconds: float = 120) -> None:
    """Wait until ProcessTransaction has checkpointed every message."""
    wait_until_processed(
        local.host.url, local.settings["EventHubConnection"], "ProcessTransaction", seconds=seconds
    )


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
