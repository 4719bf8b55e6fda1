"""Entra tokens that expire: PostgreSQL refuses the old one, the next connection brings the new.

PostgreSQL and its refusal are real; Entra cannot be had here, so that a credential of the tests
gives the tokens.
"""

import base64
import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import azure.identity
import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError
from fault_report import FaultCount
from retried_batches import Delivery, all_messages, partition, settle
from store_fixtures import Store, migrate

from local_azure.services.postgresql import PostgreSQL
from shared_code.engine.metric_engine import MetricEngine

type Record = Callable[[FaultCount], None]

ROLE = "id-payments"
# The tests' own role needs no password; the pipeline's does.
ACCESS = """
host all postgres 127.0.0.1/32 trust
host all all 127.0.0.1/32 scram-sha-256
"""


def token(number: int) -> str:
    """Return what has the form of an Entra token of the pipeline's identity."""
    parts = ({"alg": "none"}, {"upn": ROLE, "number": number}, {"signature": number})
    encoded = (base64.urlsafe_b64encode(json.dumps(part).encode()) for part in parts)
    return ".".join(part.decode().rstrip("=") for part in encoded)


class Entra:
    """Gives one token to whoever asks, or none while it is away."""

    def __init__(self) -> None:
        self.token = token(0)
        self.away = False

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        if self.away:
            raise ClientAuthenticationError("no token can be had")
        return AccessToken(self.token, int(time.time()) + 3600)


@pytest.fixture
def entra(monkeypatch: pytest.MonkeyPatch) -> Entra:
    entra = Entra()
    monkeypatch.setattr(azure.identity, "DefaultAzureCredential", lambda **_options: entra)
    return entra


@pytest.fixture
def guarded_store() -> Iterator[Store]:
    """A store of a server that asks for passwords."""
    with PostgreSQL(settings={"fsync": "off"}) as server:
        store = Store(server.ensure_database("payments"))
        try:
            with store.connection() as connection:
                migrate(connection)
            store.execute(f'CREATE ROLE "{ROLE}" LOGIN SUPERUSER')
            (server._data / "pg_hba.conf").write_text(ACCESS, "utf-8")
            store.execute("SELECT pg_reload_conf()")
            yield store
        finally:
            store.close()


def engine_with_tokens(store: Store) -> MetricEngine:
    database = replace(
        store.settings.database,
        url=store.settings.database.url.set(username=ROLE),
        entra_authentication=True,
    )
    settings = replace(store.settings, database=database, fold_interval=timedelta(0))
    engine = MetricEngine(settings)
    store._engines.append(engine.database.engine)
    return engine


def expire(store: Store, number: int) -> None:
    """Let but a new token be taken, and end the sessions that an older one has opened."""
    store.execute(f"ALTER ROLE \"{ROLE}\" PASSWORD '{token(number)}'")
    store.execute(
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{ROLE}'"
    )


def test_tokens_that_expire_under_load_only_delay(
    guarded_store: Store, entra: Entra, record: Record, *, full: bool
) -> None:
    times = 20 if full else 2
    expire(guarded_store, 0)
    partitions = [partition(number, 20 * times) for number in range(2)]
    slowest = 0.0
    with Delivery(partitions, [engine_with_tokens(guarded_store)], pace=0.05) as delivery:
        for number in range(1, times + 1):
            time.sleep(0.1)
            failures = delivery.failures.total()
            entra.away = number % 2 == 0
            expire(guarded_store, number)
            while delivery.running and delivery.failures.total() < failures + 3:
                time.sleep(0.005)
            assert delivery.running
            entra.token, entra.away = token(number), False
            over = time.monotonic()
            while delivery.running and not delivery.recovery_after(over):
                time.sleep(0.005)
            slowest = max(slowest, delivery.recovery_after(over))
    settle(
        guarded_store,
        all_messages(partitions),
        record,
        fault="database token expired",
        times=times,
        recovery_seconds=slowest,
    )
