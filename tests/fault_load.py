"""Simulated payments at a steady pace while faults happen, and the reckoning afterwards.

The simulator publishes in the background through its own publisher and spool, as an unattended
producer does: when Event Hubs cannot be reached, what was not acknowledged is spooled and sent
first once it can be. Afterwards the database is held to two opinions: the simulator's ledger, and
the oracle over the same messages.
"""

import threading
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count
from types import TracebackType
from typing import Final, Self

import msgspec
from fault_report import FaultCount
from oracle import Expected, Group, expected_of
from pipeline_probe import REFUSED, await_processed, close_windows, database, query
from sqlalchemy import Connection, text
from stored_state import (
    assert_closed,
    assert_metrics,
    stored_figures,
    stored_payments,
    stored_sums,
)

from demo.comparison import differences
from local_azure.environment import LocalAzure
from shared_code.domain.decoding import Message as Delivered
from shared_code.domain.decoding import Origin
from shared_code.engine.aggregation import LEASE_LENGTH
from simulator.configuration.shipped_profiles import load_profile
from simulator.errors import EventHubsUnreachable
from simulator.ledger import Ledger, WindowSum
from simulator.message import Message
from simulator.publishing.connection import ProducerSettings
from simulator.publishing.event_hubs import EventHubsPublisher
from simulator.publishing.publish import publish
from simulator.publishing.retry import Patience
from simulator.publishing.spool import Spool
from simulator.simulation import Simulation, simulate

type Record = Callable[[FaultCount], None]

# Of the kinds of refused events those that the oracle judges, too.
_JUDGED: Final = (
    "negative_amount",
    "wrong_scale",
    "unknown_currency",
    "unknown_status",
    "ancient_time",
)
# Payments of one simulation: a load ends with the one under way.
_IN_ONE: Final = 400
# An outage shall reach the spool, so that the publisher gives up within a second or two.
_PATIENCE: Final = Patience(retries=2, first=0.2, longest=0.5, attempt=5.0)
_PAUSE: Final = 0.2
# A machine that others use needs minutes for what was sent while hosts came and went.
_DRAIN_SECONDS: Final = 600.0
_LEASE_SECONDS: Final = LEASE_LENGTH.total_seconds() + 30.0
_STORED: Final = text("SELECT DISTINCT stored_at FROM normalized_transactions ORDER BY 1")
_REPEATED: Final = text("""
    SELECT (SELECT count(*) FROM dynamic_metrics)
         - (SELECT count(*) FROM (SELECT DISTINCT event_time, transaction_id, payment_status,
                                         rule_set, rule FROM dynamic_metrics) AS metrics),
           (SELECT count(*) FROM normalized_transactions)
         - (SELECT count(*) FROM (SELECT DISTINCT event_time, transaction_id, payment_status
                                  FROM normalized_transactions) AS payments)
""")


class Pipeline:
    """All local parts, which tests may share, and everything that was ever sent through them.

    Attributes:
        local: the parts; whoever breaks one of them sees to it that all run again.
        loads: what was sent, by all tests so far.
        counted: events sent, stored and refused when everything was held to the truth last.
        sound: whether it was, and held, since a test was given the pipeline.
    """

    def __init__(self, local: LocalAzure) -> None:
        self.local = local
        self.loads: list[Load] = []
        self.counted = (0, 0, 0)
        self.sound = True

    @property
    def ledger(self) -> Ledger:
        """The account of all simulations together."""
        ledgers = [ledger for load in self.loads for ledger in load.ledgers]
        sums: dict[Group, tuple[int, Decimal]] = {}
        rejected: Counter[str] = Counter()
        for ledger in ledgers:
            rejected.update(ledger.rejected)
            for row in ledger.sums:
                group = Group(
                    row.window_start, row.payment_method, row.currency, row.payment_status
                )
                before = sums.get(group, (0, Decimal(0)))
                sums[group] = before[0] + row.count, before[1] + row.amount
        return msgspec.structs.replace(
            ledgers[0],
            payments=sum(ledger.payments for ledger in ledgers),
            rejected=dict(rejected),
            sums=tuple(WindowSum(*group, *figures) for group, figures in sums.items()),
        )

    def expected(self) -> Expected:
        """What the oracle makes of everything that was sent."""
        sent = [message for load in self.loads for message in load.sent]
        messages = [
            Delivered(Origin("namespace", "payments", "0", number), message.body)
            for number, message in enumerate(sent)
        ]
        return expected_of(messages, datetime.now(UTC))


class Load:
    """Payments on their way within a ``with`` block, whose end lets the last of them be sent.

    Args:
        pipeline: whose Event Hubs endpoint has been started.
        rate: events a second.
        refused_share: of events that have to be refused; 0 also lets no payment contradict
            another, so that a message which arrives twice is refused nowhere.

    Attributes:
        sent: every message handed to the publisher, in order, each once.
        ledgers: of the simulations that have ended.
        outages: how often the publisher gave up and spooled.
        spooled: a sentence for each file of the spool that was sent late.
    """

    def __init__(
        self, pipeline: Pipeline, *, rate: float = 400.0, refused_share: float = 0.03
    ) -> None:
        local = pipeline.local
        producer = ProducerSettings.of(local.settings, event_hub="payments")
        pipeline.loads.append(self)
        self.spooled: list[str] = []
        self._producer = replace(producer, patience=_PATIENCE)
        self._spool = Spool(local.folder / "spool", self.spooled.append)
        self._seed = 1000 * len(pipeline.loads)
        self._rate = rate
        self._refused_share = refused_share
        self._ended = threading.Event()
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run)
        self.sent: list[Message] = []
        self.ledgers: list[Ledger] = []
        self.outages = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._ended.set()
        self._thread.join()
        if error is None and self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self._publish(self._messages())
        except BaseException as failure:  # noqa: BLE001 - raised at the end of the block
            self._failure = failure

    def _publish(self, messages: Iterator[Message]) -> None:
        """Publish to the end; whenever that fails, begin again where it stopped."""
        while True:
            try:
                with EventHubsPublisher(self._producer) as publisher:
                    publish(messages, publisher, rate=self._rate, spool=self._spool)
            except EventHubsUnreachable:
                self.outages += 1
                time.sleep(_PAUSE)
            else:
                return

    def _messages(self) -> Iterator[Message]:
        for seed in count(self._seed):
            simulation = self._simulation(seed)
            for message in simulation:
                self.sent.append(message)
                yield message
            self.ledgers.append(simulation.ledger)
            if self._ended.is_set():
                return

    def _simulation(self, seed: int) -> Simulation:
        """Return payments of the windows that ended last."""
        share = self._refused_share
        overrides = (
            f"volume.payments={_IN_ONE}",
            f"seed={seed}",
            "messages.pack=5",
            "arrival.duplicate_share=0.03",
            "arrival.late_share=0.05",
            f"arrival.conflict_share={share / 3}",
            *(
                f"violations.{kind}.share={share / len(_JUDGED) if kind in _JUDGED else 0}"
                for kind in REFUSED
            ),
            "violations.card_number_in_clear.share=0",
        )
        return simulate(load_profile("steady", overrides, environment={}))


def settle(
    pipeline: Pipeline,
    record: Record,
    fault: str,
    moments: Sequence[datetime],
    *,
    times: int | None = None,
) -> None:
    """Wait until everything is processed, close all windows, and hold every table to the truth.

    Args:
        pipeline: everything of it running again, and its loads ended.
        record: takes the line of the closing table, which counts what came since the last one.
        fault: what was done, in a few words.
        moments: when what was taken away was given back, aware UTC; from there on it recovers.
        times: how often the fault was caused, if it is not once for each moment.
    """
    local = pipeline.local
    await_processed(local, _DRAIN_SECONDS)
    _close_all(local)
    expected, ledger = pipeline.expected(), pipeline.ledger
    assert len(expected.payments) == ledger.payments, "oracle and ledger differ"
    with database(local) as connection:
        counted = _counted(connection, expected, ledger)
        sent, stored, rejected = pipeline.counted
        pipeline.counted = counted.sent, counted.stored, counted.rejected
        record(
            counted._replace(
                fault=fault,
                times=len(moments) if times is None else times,
                sent=counted.sent - sent,
                stored=counted.stored - stored,
                rejected=counted.rejected - rejected,
                recovery_seconds=_recovery(connection, moments),
            )
        )
        found = list(differences(connection, ledger))
        assert not found, found
        assert_closed(connection, expected)
        assert_metrics(connection, expected)
        assert stored_payments(connection) == expected.payments
        assert stored_sums(connection) == expected.streamed
    pipeline.sound = True


def _close_all(local: LocalAzure) -> None:
    """Close all windows; a tick that died with its host may keep its lease for minutes."""
    until = time.monotonic() + _LEASE_SECONDS
    close_windows(local)
    while query(local, "SELECT 1 FROM window_marks LIMIT 1") and time.monotonic() < until:
        time.sleep(1.0)
        close_windows(local)


def _recovery(connection: Connection, moments: Sequence[datetime]) -> float:
    """Return the longest time from any of the moments to the next batch that was stored, seconds.

    A batch counts from the beginning of its transaction, a few milliseconds before its commit.
    """
    stored = [row[0] for row in connection.execute(_STORED)]
    waits = []
    for moment in moments:
        at = bisect_right(stored, moment)
        assert at < len(stored), f"nothing was stored after the fault of {moment}"
        waits.append(stored[at] - moment)
    return max(waits).total_seconds()


def _counted(connection: Connection, expected: Expected, ledger: Ledger) -> FaultCount:
    payments = stored_payments(connection)
    refused = sum(ledger.rejected.values())
    rejected = connection.execute(text("SELECT count(*) FROM rejected_events")).scalar_one()
    final = stored_figures(connection, expected.final)
    repeated = sum(connection.execute(_REPEATED).one())
    return FaultCount(
        "",
        0,
        sent=ledger.payments + refused,
        stored=len(payments),
        rejected=rejected,
        lost=len(expected.payments.keys() - payments.keys()) + max(0, refused - rejected),
        doubled=repeated
        + max(0, rejected - refused)
        + _surplus({group: sums.count for group, sums in stored_sums(connection).items()}, expected)
        + _surplus({group: figures.sums.count for group, figures in final.items()}, expected),
    )


def _surplus(counts: Mapping[Group, int], expected: Expected) -> int:
    """Return by how much counts of groups are above the oracle's."""
    streamed = expected.streamed
    wanted = {group: streamed[group].count if group in streamed else 0 for group in counts}
    return sum(max(0, found - wanted[group]) for group, found in counts.items())
