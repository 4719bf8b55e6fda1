"""Expiring leases: who may do what only one instance at a time should.

A lease is a row, so that it survives connection pooling; whoever holds it proves so in every
transaction by its fencing token.
"""

from datetime import timedelta
from typing import Final, NamedTuple

from sqlalchemy import Connection, text

from shared_code.errors import PaymentsError

# The clock of the database alone counts, so that clocks of instances may differ.
_TAKE: Final = text("""
    INSERT INTO leases AS lease (name, owner, token, until)
    VALUES (:name, :owner, 1, clock_timestamp() + :length)
    ON CONFLICT (name) DO UPDATE SET
        owner = excluded.owner, token = lease.token + 1, until = excluded.until
    WHERE lease.until < clock_timestamp() OR lease.owner = excluded.owner
    RETURNING token
""")
_RENEW: Final = text("""
    UPDATE leases SET until = clock_timestamp() + :length
    WHERE name = :name AND owner = :owner AND token = :token
    RETURNING token
""")
_RELEASE: Final = text("""
    UPDATE leases SET until = clock_timestamp()
    WHERE name = :name AND owner = :owner AND token = :token
""")


class LeaseLost(PaymentsError):
    """Another instance has taken the lease over; what this one began is rolled back."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the lease {name!r} has been taken over by another instance")


class Lease(NamedTuple):
    """A lease that was taken: its name, owner, fencing token and length."""

    name: str
    owner: str
    token: int
    length: timedelta


def take_lease(connection: Connection, name: str, owner: str, length: timedelta) -> Lease | None:
    """Take a lease that is free, has expired or is the owner's own; None if another holds it."""
    parameters = {"name": name, "owner": owner, "length": length}
    token: int | None = connection.execute(_TAKE, parameters).scalar_one_or_none()
    return None if token is None else Lease(name, owner, token, length)


def renew_lease(connection: Connection, lease: Lease) -> None:
    """Prolong a lease inside the transaction that relies on it; the row stays locked until its end.

    Raises:
        LeaseLost: the lease has a new owner or token.
    """
    if connection.execute(_RENEW, lease._asdict()).scalar_one_or_none() is None:
        raise LeaseLost(lease.name)


def release_lease(connection: Connection, lease: Lease) -> None:
    """Let a lease go at once; if it is another's by now, change nothing."""
    connection.execute(_RELEASE, lease._asdict())
