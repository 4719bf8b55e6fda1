"""The app settings that the code reads, and what each means: one list for code and documents."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class AppSetting:
    """One app setting.

    ``example`` is shown where the setting is missing or wrong; where ``has_default``, it also
    stands for a setting that is left out.
    """

    name: str
    meaning: str
    example: str
    has_default: bool = False
    secret: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeNumber(AppSetting):
    """A setting that is a whole number from ``least`` to ``most``, both included."""

    least: int
    most: int


def _whole(name: str, meaning: str, *, default: int, least: int, most: int) -> WholeNumber:
    return WholeNumber(name, meaning, str(default), has_default=True, least=least, most=most)


DATABASE_URL: Final = AppSetting(
    "DATABASE_URL",
    "PostgreSQL with a password or on this machine; a remote server is reached by verified TLS",
    "postgresql://user:password@localhost:5432/payments",
    secret=True,
)
DATABASE_HOST: Final = AppSetting(
    "DATABASE_HOST",
    "instead of DATABASE_URL: server that is reached with Entra tokens of the managed identity",
    "server.postgres.database.azure.com",
)
DATABASE_NAME: Final = AppSetting("DATABASE_NAME", "database, with DATABASE_HOST", "payments")
DATABASE_USER: Final = AppSetting(
    "DATABASE_USER", "role to act as, with DATABASE_HOST", "id-payments-prod"
)
DATABASE_CLIENT_ID: Final = AppSetting(
    "DATABASE_CLIENT_ID",
    "client id of a user-assigned identity, with DATABASE_HOST; left out for the system's",
    "00000000-0000-0000-0000-000000000000",
)
READER_DATABASE_URL: Final = AppSetting(
    "READER_DATABASE_URL",
    "PostgreSQL as the reader, for what only looks; left out, that is done as the functions' login",
    "postgresql://reader:password@localhost:5432/payments",
    secret=True,
)
READER_DATABASE_USER: Final = AppSetting(
    "READER_DATABASE_USER",
    "instead of READER_DATABASE_URL, with DATABASE_HOST: role to act as for what only looks",
    "id-payments-reader-prod",
)
READER_DATABASE_CLIENT_ID: Final = AppSetting(
    "READER_DATABASE_CLIENT_ID",
    "client id of the identity that READER_DATABASE_USER is; left out for that of DATABASE_USER",
    "00000000-0000-0000-0000-000000000000",
)
DATABASE_POOL_SIZE: Final = _whole(
    "DATABASE_POOL_SIZE",
    "connections of each process that store, and as many for what only looks; readiness takes one",
    default=2,
    least=1,
    most=50,
)
DATABASE_STATEMENT_TIMEOUT_SECONDS: Final = _whole(
    "DATABASE_STATEMENT_TIMEOUT_SECONDS",
    "how long one statement may take, seconds; its answer may take 30 more",
    default=60,
    least=1,
    # A wait has to end before functionTimeout, after which the host would give the batch up.
    most=540,
)
PII_HASH_KEY: Final = AppSetting(
    "PII_HASH_KEY",
    "key of the hashes that replace e-mail addresses and card numbers, at least 64 hexadecimal"
    " digits; another key makes other hashes",
    "<64 hexadecimal digits, made by: openssl rand -hex 32>",
    secret=True,
)
RETENTION_DAYS: Final = _whole(
    "RETENTION_DAYS", "how far back payments are accepted and kept", default=30, least=1, most=3650
)
ALLOWED_LATENESS_MINUTES: Final = _whole(
    "ALLOWED_LATENESS_MINUTES",
    "how long after its end a window's figures become final",
    default=15,
    least=0,
    most=10_080,
)
FOLD_INTERVAL_MILLISECONDS: Final = _whole(
    "FOLD_INTERVAL_MILLISECONDS",
    "how long a process waits between two foldings of counters",
    default=1000,
    least=0,
    most=300_000,
)
RULES_CONTAINER: Final = AppSetting(
    "RULES_CONTAINER", "blob container of the rules", "compliance-rules", has_default=True
)

APP_SETTINGS: Final = (
    DATABASE_URL,
    DATABASE_HOST,
    DATABASE_NAME,
    DATABASE_USER,
    DATABASE_CLIENT_ID,
    READER_DATABASE_URL,
    READER_DATABASE_USER,
    READER_DATABASE_CLIENT_ID,
    DATABASE_POOL_SIZE,
    DATABASE_STATEMENT_TIMEOUT_SECONDS,
    PII_HASH_KEY,
    RETENTION_DAYS,
    ALLOWED_LATENESS_MINUTES,
    FOLD_INTERVAL_MILLISECONDS,
    RULES_CONTAINER,
)
