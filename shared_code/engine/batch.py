"""Processes one batch of Event Hubs messages: decode, judge and write it, in this order."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any, NamedTuple

from shared_code.domain.decoding import (
    Message,
    Origin,
    Placed,
    RejectedEvent,
    decode_batch,
    reject,
    split_body,
)
from shared_code.domain.horizon import Horizon, horizon_at
from shared_code.domain.normalised_payment import Identity
from shared_code.domain.pseudonyms import Pseudonymiser
from shared_code.domain.refusal import EventRefused
from shared_code.domain.vocabularies import RejectReason
from shared_code.rules.columns import Columns
from shared_code.rules.compiler import CompiledRules
from shared_code.store.database import Database
from shared_code.store.errors import DataRefused
from shared_code.store.partitions import attached_days
from shared_code.store.rule_store import active_rules
from shared_code.store.write_path import write_payments, write_rejected


class BatchResult(NamedTuple):
    """What became of a batch; its events are stored + duplicates + rejected."""

    messages: int
    stored: int
    duplicates: int
    rejected: int
    rule_set_version: str


class _Judges(NamedTuple):
    """What a batch is judged by, read once at its beginning."""

    rule_set: int
    version: str
    rules: CompiledRules
    horizon: Horizon


class BatchProcessor:
    """Turns batches of messages into rows; the same batch again changes nothing.

    Args:
        database: where payments are stored.
        pseudonymiser: replaces personal data.
        retention: how far back payments are accepted.
        shipped_rules: the rule document that came with the code.
    """

    def __init__(
        self,
        database: Database,
        pseudonymiser: Pseudonymiser,
        retention: timedelta,
        shipped_rules: bytes,
    ) -> None:
        self._database = database
        self._pseudonymiser = pseudonymiser
        self._retention = retention
        self._shipped_rules = shipped_rules

    def process(
        self, messages: Sequence[Message], rules_document: bytes | None, now: datetime
    ) -> BatchResult:
        """Store what is new, reject what is wrong, and commit.

        Args:
            messages: of one batch, in order of arrival.
            rules_document: the document of the blob binding; used if it is the active one.
            now: aware UTC.

        Raises:
            StoreUnavailable: a fault that time can heal; the batch has to be delivered again.
        """
        judges = self._judges(rules_document, now)
        payments, rejected = decode_batch(messages, self._pseudonymiser, judges.horizon)
        events = len(payments) + len(rejected)
        candidates, contradictions = _by_identity(payments)
        writer = _Writer(self._database, judges, messages, contradictions)
        writer.write(candidates, rejected)
        return BatchResult(
            messages=len(messages),
            stored=writer.stored,
            duplicates=events - writer.stored - writer.rejected,
            rejected=writer.rejected,
            rule_set_version=judges.version,
        )

    def _judges(self, rules_document: bytes | None, now: datetime) -> _Judges:
        with self._database.transaction() as connection:
            active, rules = active_rules(connection, rules_document, self._shipped_rules)
            days = attached_days(connection)
        horizon = horizon_at(now, self._retention)
        if days is not None:
            first = datetime.combine(days.first, time.min, UTC)
            horizon = horizon._replace(earliest=min(horizon.earliest, first))
        return _Judges(active.rule_set, active.version, rules, horizon)


class _Writer:
    """Writes the payments of one batch, in halves where the database refuses one of them."""

    def __init__(
        self,
        database: Database,
        judges: _Judges,
        messages: Sequence[Message],
        contradictions: dict[Identity, list[Placed]],
    ) -> None:
        self._database = database
        self._judges = judges
        self._contradictions = contradictions
        self._bodies = {message.origin: message.body for message in messages}
        self._texts: dict[Origin, Sequence[bytes]] = {}
        times = [message.enqueued_at for message in messages if message.enqueued_at is not None]
        self._enqueued_at = min(times, default=None)
        self.stored = 0
        self.rejected = 0

    def write(self, payments: Sequence[Placed], rejected: Sequence[RejectedEvent]) -> None:
        """Write payments of distinct identities, and rejected events, in one transaction.

        Where the database refuses the data, halves are tried until the payment at fault stands
        alone: that one is rejected, so that it never blocks its partition.

        Raises:
            StoreUnavailable: a fault that time can heal.
        """
        accepted = [placed.accepted for placed in payments]
        columns = Columns(len(accepted), lambda name: _column(payments, name))
        matches = self._judges.rules.matches(columns)
        try:
            with self._database.transaction() as connection:
                written = write_payments(
                    connection,
                    accepted,
                    matches,
                    rule_set=self._judges.rule_set,
                    enqueued_at=self._enqueued_at,
                )
                refused = [*rejected, *self._conflicts(payments, written.conflicts)]
                write_rejected(connection, refused)
        except DataRefused as refusal:
            self._write_apart(payments, rejected, refusal)
        else:
            self.stored += written.stored
            self.rejected += len(refused)

    def _conflicts(
        self, payments: Sequence[Placed], stored: Mapping[int, bytes]
    ) -> Iterator[RejectedEvent]:
        """Yield what differs from the content that stands in the database for its identity.

        Args:
            payments: one for each identity, written just now.
            stored: hash of what was stored before, by position of the payments that differ from it.
        """
        for position in stored:
            yield self._conflict(payments[position])
        if not self._contradictions:
            return
        for position, placed in enumerate(payments):
            standing = stored.get(position, placed.accepted.content_hash)
            for other in self._contradictions.get(_identity(placed), ()):
                if other.accepted.content_hash != standing:
                    yield self._conflict(other)

    def _conflict(self, placed: Placed) -> RejectedEvent:
        detail = "another content came first for this transaction_id, payment_status and event_time"
        return self._reject(placed, EventRefused(RejectReason.conflicting_duplicate, detail))

    def _write_apart(
        self, payments: Sequence[Placed], rejected: Sequence[RejectedEvent], refusal: DataRefused
    ) -> None:
        if not payments:
            raise refusal
        if len(payments) == 1:
            reason = RejectReason.refused_by_database
            at_fault = self._reject(payments[0], EventRefused(reason, str(refusal)))
            # What contradicts it may be stored in its place.
            others = self._contradictions.pop(_identity(payments[0]), [])
            if others:
                self._contradictions[_identity(others[0])] = others[1:]
            self.write(others[:1], [*rejected, at_fault])
            return
        middle = len(payments) // 2
        self.write(payments[:middle], rejected)
        self.write(payments[middle:], ())

    def _reject(self, placed: Placed, refusal: EventRefused) -> RejectedEvent:
        texts = self._texts.get(placed.origin)
        if texts is None:
            texts = self._texts[placed.origin] = split_body(self._bodies[placed.origin])
        return reject(placed.origin, placed.event_index, texts[placed.event_index], refusal)


def _by_identity(
    payments: Iterable[Placed],
) -> tuple[list[Placed], dict[Identity, list[Placed]]]:
    """Return the first payment of each identity, and by identity those that contradict it.

    Which of them stands is not known before the database has been asked: the first may contradict
    what was stored long ago, and a later one be the redelivery of just that.
    """
    first: dict[Identity, Placed] = {}
    contradictions: dict[Identity, list[Placed]] = {}
    for placed in payments:
        identity = _identity(placed)
        known = first.setdefault(identity, placed)
        if known.accepted.content_hash != placed.accepted.content_hash:
            contradictions.setdefault(identity, []).append(placed)
    return list(first.values()), contradictions


def _identity(placed: Placed) -> Identity:
    return placed.accepted.payment.identity


def _column(payments: Sequence[Placed], name: str) -> Sequence[Any]:
    """Return one stored column of the payments, as rules read it."""
    if name == "quality_flags":
        return [placed.accepted.quality_flags for placed in payments]
    return [getattr(placed.accepted.payment, name) for placed in payments]
