"""Engines and transactions, safe behind PgBouncer's transaction pooling.

Settings are made with ``SET LOCAL`` inside each transaction; there are no session settings, no
session locks and no server-side prepared statements.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, Final, Literal

from azure_postgresql_auth.errors import EntraConnectionValueError
from psycopg2 import Error as DriverError
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from shared_code.settings import DatabaseSettings
from shared_code.store.errors import DataRefused, StoreUnavailable, classify
from shared_code.store.silence import watched

type Isolation = Literal["READ COMMITTED", "REPEATABLE READ"]

# Keepalives and the user time-out find a dead peer, after a failover say, within half a minute.
_CONNECT_ARGUMENTS: Final[dict[str, Any]] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "application_name": "payment-metrics",
}
# A server that never hears of its client's end would keep the locks of an open transaction, and the
# batch that is delivered again would wait for them: for ever between two statements, and for the
# system's two hours of keepalive within COPY, which no statement time-out interrupts.
_IDLE_MILLISECONDS: Final = 60_000
# Who reads from one snapshot computes between two statements: a window of a million payments takes
# minutes beside threads that store. As long as host.json lets a function run.
_COMPUTING_MILLISECONDS: Final = 600_000
_SERVER_KEEPALIVES: Final = """
    SET LOCAL tcp_keepalives_idle = 10;
    SET LOCAL tcp_keepalives_interval = 5;
    SET LOCAL tcp_keepalives_count = 3;
    SET LOCAL tcp_user_timeout = 30000
"""
# How long an answer may be on its way once the server has had its time for the statement.
_ANSWER_SECONDS: Final = 30
_POOL_WAIT_SECONDS: Final = 30
_RECYCLE_SECONDS: Final = 1800


@lru_cache(maxsize=4)
def engine_for(settings: DatabaseSettings) -> Engine:
    """Return this process's engine for a database: a small pool, checked before each use."""
    arguments = dict(_CONNECT_ARGUMENTS)
    answer_seconds, wait_seconds = _patience(settings)
    patience = settings.statement_timeout.total_seconds() + answer_seconds
    arguments["connection_factory"] = watched(patience)
    if settings.entra_authentication:
        # Imported where needed: together they cost half a second of every cold start.
        from azure.identity import DefaultAzureCredential  # noqa: PLC0415

        arguments["credential"] = DefaultAzureCredential(
            managed_identity_client_id=settings.entra_client_id
        )
    engine = create_engine(
        settings.url,
        connect_args=arguments,
        pool_size=settings.pool_size,
        max_overflow=0,
        pool_timeout=wait_seconds,
        pool_recycle=_RECYCLE_SECONDS,
        pool_pre_ping=True,
        hide_parameters=True,
    )
    if settings.entra_authentication:
        from azure_postgresql_auth.sqlalchemy import (  # noqa: PLC0415
            enable_entra_authentication,
        )

        enable_entra_authentication(engine)
    return engine


def _patience(settings: DatabaseSettings) -> tuple[float, float]:
    """Return how long to wait for a late answer, and for a connection to become free, seconds."""
    if settings.patience is None:
        return _ANSWER_SECONDS, _POOL_WAIT_SECONDS
    return settings.patience.total_seconds(), settings.patience.total_seconds()


class Database:
    """A database and the way in which transactions on it are run."""

    def __init__(self, settings: DatabaseSettings) -> None:
        self.engine = engine_for(settings)
        self.pool_size = settings.pool_size
        self._statement_timeout = int(settings.statement_timeout.total_seconds() * 1000)

    @contextmanager
    def transaction(self, isolation: Isolation = "READ COMMITTED") -> Iterator[Connection]:
        """Run one transaction, committed at the end of the block.

        Raises:
            StoreUnavailable: a fault that time can heal; nothing is known of the commit.
            DataRefused: the database will never take these data; nothing was stored.
        """
        idle = _IDLE_MILLISECONDS
        with classified_errors(), self.engine.begin() as connection:
            if isolation != "READ COMMITTED":
                idle = _COMPUTING_MILLISECONDS
                connection.execute(text(f"SET TRANSACTION ISOLATION LEVEL {isolation}"))
            connection.execute(
                text(
                    f"SET LOCAL statement_timeout = {self._statement_timeout};"
                    f"SET LOCAL idle_in_transaction_session_timeout = {idle};"
                    f"{_SERVER_KEEPALIVES}"
                )
            )
            yield connection


@contextmanager
def classified_errors() -> Iterator[None]:
    """Raise what goes wrong in the block as what it means for the caller.

    Raises:
        StoreUnavailable: a fault that time can heal.
        DataRefused: the database will never take these data.
    """
    try:
        yield
    except DBAPIError as error:
        raise _classified(error.orig) from None
    except DriverError as error:  # from COPY, which goes to the driver directly
        raise classify(error) from None
    except PoolTimeoutError:
        raise StoreUnavailable("no connection became free in time") from None
    except EntraConnectionValueError as error:
        message = f"no Entra token for the database: {error.__cause__ or error}"
        raise StoreUnavailable(message) from None


def _classified(error: BaseException | None) -> StoreUnavailable | DataRefused:
    """Return what the driver's error inside SQLAlchemy's means; SQLAlchemy may add its own."""
    return classify(error) if isinstance(error, DriverError) else StoreUnavailable(str(error))
