"""What tables are made of: the metadata, and the columns and constraints that they share."""

from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    DateTime,
    MetaData,
    Numeric,
    SmallInteger,
    Text,
    func,
)

metadata: Final = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# Byte order is the order of the keys everywhere, in Python too, and compares fastest.
Key: Final = Text(collation="C")
Time: Final = DateTime(timezone=True)


def now() -> Any:
    """The time of the transaction, by the database's clock."""
    return func.now()


def window_start(name: str = "window_start", **options: Any) -> Column[Any]:
    """The start of a window."""
    return Column(name, Time, nullable=False, **options)


def aligned() -> CheckConstraint:
    """A window starts on a whole five minutes since the Unix epoch."""
    return CheckConstraint(
        "window_start = date_bin('5 minutes', window_start, TIMESTAMPTZ 'epoch')",
        name="window_start_aligned",
    )


def whole_periods() -> list[CheckConstraint]:
    """A period is an hour or a day, and starts on a whole one since the Unix epoch."""
    return [
        CheckConstraint("period_length IN ('1h', '1d')", name="period_length_known"),
        CheckConstraint(
            "period_start = date_bin(CASE period_length WHEN '1h' THEN interval '1 hour'"
            " ELSE interval '24 hours' END, period_start, TIMESTAMPTZ 'epoch')",
            name="period_start_aligned",
        ),
    ]


def group() -> list[Column[Any]]:
    """The group that five-minute figures are kept for; amounts of two currencies never meet."""
    return [
        Column("payment_method", SmallInteger, nullable=False),
        Column("currency", SmallInteger, nullable=False),
        Column("payment_status", SmallInteger, nullable=False),
    ]


def sums() -> list[Column[Any]]:
    """Count, sum, least and greatest amount of a group."""
    return [
        Column("payment_count", BigInteger, nullable=False),
        Column("amount_sum", Numeric, nullable=False),
        Column("amount_min", Numeric, nullable=False),
        Column("amount_max", Numeric, nullable=False),
    ]


def sums_make_sense() -> list[CheckConstraint]:
    """What holds of every count, sum, least and greatest amount."""
    return [
        CheckConstraint("payment_count > 0", name="payment_count_positive"),
        CheckConstraint(
            "amount_min >= 0 AND amount_min <= amount_max AND amount_max <= amount_sum",
            name="amounts_ordered",
        ),
    ]
