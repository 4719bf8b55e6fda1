"""What the fault tests count, collected for their closing table."""

from typing import NamedTuple


class FaultCount(NamedTuple):
    """What one kind of fault did to a stream of payment events.

    Attributes:
        fault: what was done, in a few words.
        times: how often it was done.
        sent: distinct payment events sent.
        stored: distinct payment events found stored.
        rejected: events found in ``rejected_events``.
        lost: sent, but neither stored nor rejected.
        doubled: counted more than once anywhere: rows, metrics, counters or closed windows.
        recovery_seconds: from the end of the fault to the next commit, the longest seen; None where
            nothing had to recover.
    """

    fault: str
    times: int
    sent: int
    stored: int
    rejected: int
    lost: int
    doubled: int
    recovery_seconds: float | None = None
