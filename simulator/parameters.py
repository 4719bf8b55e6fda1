"""What a simulation is asked to produce."""

from datetime import datetime, timedelta
from typing import Final

import msgspec

from shared_code.domain.windows import WINDOW_LENGTH, window_start
from simulator.errors import InvalidParameters

MAX_PAYMENTS: Final = 10_000_000
MAX_PACK: Final = 5_000
MAX_SHARE: Final = 0.5


class Parameters(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that decides which messages a simulation consists of.

    Equal parameters give byte-identical messages in the same order.

    Attributes:
        end: aware, on a window's edge; the event time of every payment lies before it.
        payments: distinct valid payment events; one that is pending and then completed counts as
            two. Bad ones, duplicates and conflicts come on top.
        seed: chooses one of the possible simulations.
        windows: five-minute windows over which event time spreads, the last one ending at ``end``.
        pack: most payments in one Event Hubs message.
        bad_share: events that break the contract, as a share of ``payments``.
        duplicate_share: repeated events, as a share of ``payments``.
        late_share: payments that arrive windows after their neighbours in event time, as a share
            of ``payments``; takes effect from three windows on.
        conflict_share: events with the identity of an earlier one but another amount, as a share
            of ``payments``.

    Raises:
        InvalidParameters: one of them is out of range.
    """

    end: datetime
    payments: int = 20_000
    seed: int = 7
    windows: int = 6
    pack: int = 50
    bad_share: float = 0.01
    duplicate_share: float = 0.01
    late_share: float = 0.02
    conflict_share: float = 0.001

    def __post_init__(self) -> None:
        _require(
            "end",
            "a time with offset on the edge of a five-minute window, such as 2026-01-31T12:05:00Z",
            self.end.isoformat(),
            holds=self.end.tzinfo is not None and window_start(self.end) == self.end,
        )
        for name, value, most in (
            ("payments", self.payments, MAX_PAYMENTS),
            ("windows", self.windows, 100_000),
            ("pack", self.pack, MAX_PACK),
        ):
            _require(name, f"between 1 and {most}", value, holds=1 <= value <= most)
        for name, share in (
            ("bad_share", self.bad_share),
            ("duplicate_share", self.duplicate_share),
            ("late_share", self.late_share),
            ("conflict_share", self.conflict_share),
        ):
            _require(name, f"between 0 and {MAX_SHARE}", share, holds=0 <= share <= MAX_SHARE)

    @property
    def start(self) -> datetime:
        """Where event time begins."""
        return self.end - self.windows * WINDOW_LENGTH

    @property
    def span(self) -> timedelta:
        """How long event time lasts."""
        return self.windows * WINDOW_LENGTH

    def count(self, share: float) -> int:
        """Return how many events a share of the payments is."""
        return round(self.payments * share)


def _require(parameter: str, expected: str, found: object, *, holds: bool) -> None:
    if not holds:
        raise InvalidParameters(parameter, expected, found)
