"""What the database can answer: wait and try again, or never again with these data."""

from typing import Final

from psycopg2 import Error as DriverError

from shared_code.domain.redaction import redact
from shared_code.errors import PaymentsError

# Data exceptions, integrity violations and limits of a single value (SQLSTATE classes, PostgreSQL
# manual, appendix A). Retrying cannot help; every other class is a fault that time or an operator
# heals, and the host retries.
_DATA_CLASSES: Final = frozenset({"22", "23", "54"})
_CHECK_VIOLATION: Final = "23514"
_UNIQUE_VIOLATION: Final = "23505"


class StoreUnavailable(PaymentsError):
    """The database cannot do this now; the caller raises, so that the host tries again."""

    def __init__(self, what: str, sqlstate: str | None = None) -> None:
        super().__init__(f"{what} (SQLSTATE {sqlstate})" if sqlstate else what)
        self.what = what
        self.sqlstate = sqlstate


class StoredMeanwhile(StoreUnavailable):
    """Another instance stored the same key since it was looked for; looking again finds it."""

    def __init__(self, what: str, sqlstate: str) -> None:
        super().__init__(what, sqlstate)
        self.sqlstate: str = sqlstate


class DataRefused(PaymentsError):
    """The database will never take these data."""

    def __init__(self, what: str, sqlstate: str) -> None:
        super().__init__(f"{what} (SQLSTATE {sqlstate})")
        self.what = what
        self.sqlstate = sqlstate


def classify(error: DriverError) -> StoreUnavailable | DataRefused:
    """Return what a database error means for the caller.

    The driver's own text quotes the failing row, so only the primary message is taken, redacted;
    raise the result ``from None``.
    """
    sqlstate: str | None = error.pgcode
    primary = error.diag.message_primary
    what = redact(primary or str(error).partition("\n")[0] or type(error).__name__)
    if sqlstate is None or sqlstate[:2] not in _DATA_CLASSES:
        return StoreUnavailable(what, sqlstate)
    if sqlstate == _UNIQUE_VIOLATION:
        return StoredMeanwhile(what, sqlstate)
    if sqlstate == _CHECK_VIOLATION and not error.diag.constraint_name:
        # No constraint was named: the day has no partition. The payment is good, the day missing.
        advice = "attach the day with 'python -m shared_code maintenance attach-days'"
        return StoreUnavailable(f"{what}; {advice}", sqlstate)
    return DataRefused(what, sqlstate)
