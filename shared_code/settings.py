"""App settings to one frozen object; whatever is missing or wrong is named with an example."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from shared_code.domain.pseudonyms import MIN_KEY_BYTES
from shared_code.errors import PaymentsError

_LOCAL_HOSTS: Final = frozenset({"", "localhost", "127.0.0.1", "::1"})
_DRIVER: Final = "postgresql+psycopg2"


class SettingsError(PaymentsError):
    """One app setting is missing or wrong."""

    def __init__(self, name: str, problem: str, example: str) -> None:
        super().__init__(f"app setting {name} {problem}; for example {name}={example}")
        self.name = name
        self.problem = problem
        self.example = example


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """How to reach PostgreSQL: with a password in the URL, or with Entra tokens without one."""

    url: URL
    entra_authentication: bool
    entra_client_id: str | None
    pool_size: int
    statement_timeout: timedelta


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the functions take from their app settings."""

    database: DatabaseSettings
    retention: timedelta
    allowed_lateness: timedelta
    fold_interval: timedelta
    rules_container: str
    pii_hash_key: bytes = field(repr=False)


def load_settings(values: Mapping[str, str] = os.environ) -> Settings:
    """Return the settings that ``values`` hold.

    Raises:
        SettingsError: a setting is missing or wrong; the message names it and shows an example.
    """
    return Settings(
        database=load_database_settings(values),
        retention=timedelta(days=_whole(values, "RETENTION_DAYS", default=30, least=1, most=3650)),
        allowed_lateness=timedelta(
            minutes=_whole(values, "ALLOWED_LATENESS_MINUTES", default=15, least=0, most=10_080)
        ),
        fold_interval=timedelta(
            milliseconds=_whole(
                values, "FOLD_INTERVAL_MILLISECONDS", default=1000, least=0, most=300_000
            )
        ),
        rules_container=values.get("RULES_CONTAINER") or "compliance-rules",
        pii_hash_key=_key(values, "PII_HASH_KEY"),
    )


def load_database_settings(values: Mapping[str, str] = os.environ) -> DatabaseSettings:
    """Return how to reach the database: ``DATABASE_URL``, or host, name and user with Entra.

    Raises:
        SettingsError: neither is given, or one is wrong.
    """
    pool_size = _whole(values, "DATABASE_POOL_SIZE", default=2, least=1, most=50)
    seconds = _whole(values, "DATABASE_STATEMENT_TIMEOUT_SECONDS", default=60, least=1, most=3600)
    given = values.get("DATABASE_URL", "").strip()
    host = values.get("DATABASE_HOST", "").strip()
    if given:
        url = _database_url(given)
    elif host:
        url = URL.create(
            _DRIVER,
            username=_required(values, "DATABASE_USER", "id-payments-prod"),
            host=host,
            database=_required(values, "DATABASE_NAME", "payments"),
        )
    else:
        example = "postgresql://user:password@localhost:5432/payments"
        raise SettingsError(
            "DATABASE_URL", "is missing and so is DATABASE_HOST (for Entra authentication)", example
        )
    return DatabaseSettings(
        url=_with_tls(url),
        entra_authentication=not given,
        entra_client_id=values.get("DATABASE_CLIENT_ID") or None,
        pool_size=pool_size,
        statement_timeout=timedelta(seconds=seconds),
    )


def _database_url(text: str) -> URL:
    example = "postgresql://user:password@localhost:5432/payments"
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        # The text may hold a password, so it is neither shown nor chained.
        raise SettingsError("DATABASE_URL", "is no URL", example) from None
    if url.get_backend_name() not in {"postgresql", "postgres"} or not url.database:
        raise SettingsError("DATABASE_URL", "is no PostgreSQL URL with a database", example)
    return url.set(drivername=_DRIVER)


def _with_tls(url: URL) -> URL:
    """Require TLS of a remote server unless the URL asks for more; a socket or loopback may do."""
    host = url.host or str(url.query.get("host", ""))
    if host in _LOCAL_HOSTS or host.startswith("/"):
        return url
    mode = url.query.get("sslmode")
    if mode is None:
        return url.update_query_dict({"sslmode": "require"})
    if mode in {"disable", "allow", "prefer"}:
        raise SettingsError(
            "DATABASE_URL",
            f"asks for sslmode={mode}, which may send payments in clear to {host}",
            f"postgresql://user:password@{host}:5432/payments?sslmode=verify-full",
        )
    return url


def _required(values: Mapping[str, str], name: str, example: str) -> str:
    value = values.get(name, "").strip()
    if not value:
        raise SettingsError(name, "is missing", example)
    return value


def _whole(values: Mapping[str, str], name: str, *, default: int, least: int, most: int) -> int:
    text = values.get(name, "").strip()
    if not text:
        return default
    if text.isascii() and text.isdigit() and least <= int(text[:10]) <= most:
        return int(text)
    problem = f"is expected to be a whole number from {least} to {most}, found {text[:40]!r}"
    raise SettingsError(name, problem, str(default))


def _key(values: Mapping[str, str], name: str) -> bytes:
    example = "<64 hexadecimal digits, made by: openssl rand -hex 32>"
    text = _required(values, name, example)
    try:
        key = bytes.fromhex(text)
    except ValueError:
        raise SettingsError(name, "is not hexadecimal", example) from None
    if len(key) < MIN_KEY_BYTES:
        raise SettingsError(name, f"has {len(key)} bytes, at least {MIN_KEY_BYTES} needed", example)
    return key
