"""App settings to one frozen object; whatever is missing or wrong is named with an example."""

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

import certifi
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from shared_code.app_settings import (
    ALLOWED_LATENESS_MINUTES,
    DATABASE_CLIENT_ID,
    DATABASE_HOST,
    DATABASE_NAME,
    DATABASE_POOL_SIZE,
    DATABASE_STATEMENT_TIMEOUT_SECONDS,
    DATABASE_URL,
    DATABASE_USER,
    FOLD_INTERVAL_MILLISECONDS,
    PII_HASH_KEY,
    READER_DATABASE_CLIENT_ID,
    READER_DATABASE_URL,
    READER_DATABASE_USER,
    RETENTION_DAYS,
    RULES_CONTAINER,
    AppSetting,
    WholeNumber,
)
from shared_code.domain.pseudonyms import MIN_KEY_BYTES
from shared_code.errors import PaymentsError

_LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "::1"})
# The one mode of libpq by which no other server can pose as the database: "require" looks at no
# certificate, "verify-ca" takes anybody's. An Entra token is sent as it is, for whoever answers.
_TLS_MODE: Final = "verify-full"
_DRIVER: Final = "postgresql+psycopg2"
_TLS_EXAMPLE: Final = (
    "postgresql://user:password@HOST:5432/payments?sslmode=verify-full&sslrootcert=/path/ca.pem"
)
_HOST_NAME: Final = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_CLIENT_ID: Final = re.compile(r"[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
# Azure: 3 to 63 lower-case letters, digits and single hyphens between them.
_CONTAINER: Final = re.compile(r"(?=.{3,63}\Z)[a-z0-9]+(-[a-z0-9]+)*")
_MOST_PORT: Final = 65_535
_WHOLE: Final = re.compile(r"[0-9]{1,10}")
_SHOWN: Final = 40
# A statement of a revision may build an index; the functions could not wait so long.
REVISION_TIMEOUT: Final = timedelta(minutes=30)
# Who looks at a page waits for seconds, and then would rather be told.
READING_TIMEOUT: Final = timedelta(seconds=5)


class SettingsError(PaymentsError):
    """One app setting is missing or wrong."""

    def __init__(self, name: str, problem: str, example: str) -> None:
        super().__init__(f"app setting {name} {problem}; for example {name}={example}")
        self.name = name
        self.problem = problem
        self.example = example


@dataclass(frozen=True, slots=True)
class DatabaseSettings:
    """How to reach PostgreSQL: with a password in the URL, or with Entra tokens without one.

    ``patience`` is how long to wait for a connection to become free, and for an answer that should
    have come by the end of ``statement_timeout``; None leaves it to the store.
    """

    url: URL = field(repr=False)  # SQLAlchemy hides a password, but not one in the query
    entra_authentication: bool
    entra_client_id: str | None
    pool_size: int
    statement_timeout: timedelta
    patience: timedelta | None = None

    def for_revisions(self) -> "DatabaseSettings":
        """Return the same with as much time for a statement as one of a revision may take."""
        return replace(self, statement_timeout=REVISION_TIMEOUT)


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
        retention=load_retention(values),
        allowed_lateness=load_allowed_lateness(values),
        fold_interval=timedelta(milliseconds=_whole(values, FOLD_INTERVAL_MILLISECONDS)),
        rules_container=load_rules_container(values),
        pii_hash_key=_key(values, PII_HASH_KEY),
    )


def load_rules_container(values: Mapping[str, str] = os.environ) -> str:
    """Return the blob container of the rules.

    Raises:
        SettingsError: the setting is wrong.
    """
    return _matching(values, RULES_CONTAINER, _CONTAINER) or RULES_CONTAINER.example


def load_retention(values: Mapping[str, str] = os.environ) -> timedelta:
    """Return how far back payments are kept.

    Raises:
        SettingsError: the setting is wrong.
    """
    return timedelta(days=_whole(values, RETENTION_DAYS))


def load_allowed_lateness(values: Mapping[str, str] = os.environ) -> timedelta:
    """Return how long after its end a window's figures become final.

    Raises:
        SettingsError: the setting is wrong.
    """
    return timedelta(minutes=_whole(values, ALLOWED_LATENESS_MINUTES))


def load_database_settings(values: Mapping[str, str] = os.environ) -> DatabaseSettings:
    """Return how to reach the database: ``DATABASE_URL``, or host, name and user with Entra.

    Raises:
        SettingsError: neither is given, or one is wrong.
    """
    pool_size = _whole(values, DATABASE_POOL_SIZE)
    seconds = _whole(values, DATABASE_STATEMENT_TIMEOUT_SECONDS)
    given = values.get(DATABASE_URL.name, "").strip()
    if given:
        url = _with_tls(_database_url(given), values)
    elif host := _matching(values, DATABASE_HOST, _HOST_NAME):
        user = _required(values, DATABASE_USER)
        database = _required(values, DATABASE_NAME)
        url = URL.create(_DRIVER, username=user, host=host, database=database)
        url = _with_tls(url, values)
    else:
        problem = "is missing and so is DATABASE_HOST (for Entra authentication)"
        raise SettingsError(DATABASE_URL.name, problem, DATABASE_URL.example)
    return DatabaseSettings(
        url=url,
        entra_authentication=not given,
        entra_client_id=_matching(values, DATABASE_CLIENT_ID, _CLIENT_ID),
        pool_size=pool_size,
        statement_timeout=timedelta(seconds=seconds),
    )


def load_reading_settings(values: Mapping[str, str] = os.environ) -> DatabaseSettings:
    """Return how to reach the database for what only looks: as the reader, if one is named.

    Raises:
        SettingsError: a setting is missing or wrong.
    """
    own = load_database_settings(values)
    reading = replace(own, statement_timeout=READING_TIMEOUT, patience=READING_TIMEOUT)
    given = values.get(READER_DATABASE_URL.name, "").strip()
    if given:
        url = _with_tls(_database_url(given, READER_DATABASE_URL), values)
        return replace(reading, url=url, entra_authentication=False, entra_client_id=None)
    user = values.get(READER_DATABASE_USER.name, "").strip()
    if not user:
        return reading
    if not own.entra_authentication:
        problem = "is given, but DATABASE_URL takes no Entra tokens; give READER_DATABASE_URL"
        raise SettingsError(READER_DATABASE_USER.name, problem, READER_DATABASE_USER.example)
    client_id = _matching(values, READER_DATABASE_CLIENT_ID, _CLIENT_ID) or own.entra_client_id
    return replace(reading, url=own.url.set(username=user), entra_client_id=client_id)


def _database_url(text: str, setting: AppSetting = DATABASE_URL) -> URL:
    """Return a PostgreSQL URL. It may hold a password, so that no message shows a part of it."""
    try:
        url = make_url(text)
    except (ArgumentError, ValueError):
        raise SettingsError(setting.name, "is no URL", setting.example) from None
    if url.get_backend_name() not in {"postgresql", "postgres"} or not url.database:
        problem = "is no PostgreSQL URL with a database"
        raise SettingsError(setting.name, problem, setting.example)
    if "@" in (url.host or "") + url.database or "/" in url.database:
        problem = "has an @ or / out of place, which a password needs to hold as %40 or %2F"
        raise SettingsError(setting.name, problem, setting.example)
    if url.port is not None and not 0 < url.port <= _MOST_PORT:
        problem = f"needs a port from 1 to {_MOST_PORT}"
        raise SettingsError(setting.name, problem, setting.example)
    if "sslpassword" in url.query:
        problem = "holds an sslpassword, which SQLAlchemy would show; use a key that needs none"
        raise SettingsError(setting.name, problem, setting.example)
    return _with_hidden_password(url.set(drivername=_DRIVER))


def _with_hidden_password(url: URL) -> URL:
    """Take a password out of the query, which SQLAlchemy shows, to where it shows asterisks."""
    password = url.query.get("password")
    if password is None:
        return url
    last = password if isinstance(password, str) else password[-1]
    return url.difference_update_query(["password"]).set(password=last)


def _with_tls(url: URL, values: Mapping[str, str]) -> URL:
    """Require TLS with the server's name proven, unless all is on this machine.

    Without ``sslrootcert`` the authorities are Mozilla's, which are Azure's, too: ``system`` would
    ask the driver's own OpenSSL, which looks for them where no machine has any.
    """
    if all(map(_is_local, _hosts(url, values))):
        return url
    if url.query.get("sslmode", "") not in {"", _TLS_MODE}:
        problem = (
            "asks for an sslmode by which another server could pose as the database, or read along;"
            f" leave it out or write {_TLS_MODE}, with sslrootcert for a private authority"
        )
        raise SettingsError(DATABASE_URL.name, problem, _TLS_EXAMPLE)
    roots = url.query.get("sslrootcert") or certifi.where()
    return url.update_query_dict({"sslmode": _TLS_MODE, "sslrootcert": roots})


def _hosts(url: URL, values: Mapping[str, str]) -> Iterator[str]:
    """Yield every host that libpq might connect to; none means its default, a local socket.

    What the URL leaves open libpq takes from its environment variables, and a service file may name
    any host.
    """
    named = {
        "PGHOST": [url.host, url.query.get("host")],
        "PGHOSTADDR": [url.query.get("hostaddr")],
        "PGSERVICE": [url.query.get("service")],
    }
    for variable, in_url in named.items():
        for given in [each for each in in_url if each] or [values.get(variable, "")]:
            for hosts in [given] if isinstance(given, str) else given:
                yield from hosts.split(",") if hosts else ()


def _is_local(host: str) -> bool:
    return host.startswith("/") or host.lower() in _LOCAL_HOSTS


def _matching(
    values: Mapping[str, str], setting: AppSetting, pattern: re.Pattern[str]
) -> str | None:
    """Return the text of an optional setting."""
    text = values.get(setting.name, "").strip()
    if text and not pattern.fullmatch(text):
        problem = f"has the wrong form, found {text[:_SHOWN]!r}"
        raise SettingsError(setting.name, problem, setting.example)
    return text or None


def _required(values: Mapping[str, str], setting: AppSetting) -> str:
    value = values.get(setting.name, "").strip()
    if not value:
        raise SettingsError(setting.name, "is missing", setting.example)
    return value


def _whole(values: Mapping[str, str], setting: WholeNumber) -> int:
    text = values.get(setting.name, "").strip()
    if not text:
        return int(setting.example)
    if _WHOLE.fullmatch(text) and setting.least <= int(text) <= setting.most:
        return int(text)
    span = f"a whole number from {setting.least} to {setting.most}"
    problem = f"is expected to be {span}, found {text[:_SHOWN]!r}"
    raise SettingsError(setting.name, problem, setting.example)


def _key(values: Mapping[str, str], setting: AppSetting) -> bytes:
    text = _required(values, setting)
    try:
        key = bytes.fromhex(text)
    except ValueError:
        raise SettingsError(setting.name, "is not hexadecimal", setting.example) from None
    if len(key) < MIN_KEY_BYTES:
        problem = f"has {len(key)} bytes, at least {MIN_KEY_BYTES} needed"
        raise SettingsError(setting.name, problem, setting.example)
    return key
