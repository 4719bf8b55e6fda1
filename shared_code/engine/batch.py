"""Processes one batch of Event Hubs messages: decode, judge and write it, in this order."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic
from typing import Final, NamedTuple

from sqlalchemy import Connection

from shared_code.domain.decoding import (
    DecodedBatch,
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
from shared_code.rules.batch_columns import columns_of
from shared_code.rules.columns import Columns
from shared_code.store.database import Database
from shared_code.store.errors import DataRefused, StoredMeanwhile
from shared_code.store.partitions import attached_days
from shared_code.store.rule_store import CompiledRuleSet, Judges, judges, last_activation
from shared_code.store.write_path import (
    RuleSetMatches,
    standing_hashes,
    write_payments,
    write_rejected,
)
from shared_code.telemetry.measurements import record_batch, record_commit

_DAYS_KNOWN_SECONDS: Final = 60.0
# Whoever stored a payment meanwhile is seen the second time. What goes on colliding is no payment.
_LOOKS: Final = 3


class BatchResult(NamedTuple):
    """What became of a batch; its events are stored + duplicates + rejected."""

    messages: int
    stored: int
    duplicates: int
    rejected: int
    rule_set_version: str


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
        self._first_day: date | None = None
        self._look_again = 0.0
        self._judges: tuple[int, Judges] | None = None

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
        payments, rejected = self._decoded(messages, now)
        candidates, repeats = by_identity(payments)
        writer = _Writer(
            self._database,
            lambda connection: self._judges_now(connection, rules_document),
            messages,
            repeats,
        )
        writer.write(candidates, rejected)
        result = BatchResult(
            messages=len(messages),
            stored=writer.stored,
            duplicates=len(payments) + len(rejected) - writer.stored - writer.rejected,
            rejected=writer.rejected,
            rule_set_version=writer.rule_set_version,
        )
        record_batch(
            messages=result.messages,
            stored=result.stored,
            duplicates=result.duplicates,
            rule_set_version=result.rule_set_version,
        )
        return result

    def _judges_now(self, connection: Connection, rules_document: bytes | None) -> Judges:
        """Return what payments are judged by; looked up anew only when an activation was added."""
        last = last_activation(connection)
        known = self._judges
        if known is not None and known[0] == last:
            return known[1]
        found = judges(connection, rules_document, self._shipped_rules)
        # The first activation is made in this transaction, and not known before it is committed.
        self._judges = None if last is None else (last, found)
        return found

    def _decoded(self, messages: Sequence[Message], now: datetime) -> DecodedBatch:
        horizon = self._horizon(now)
        decoded = decode_batch(messages, self._pseudonymiser, horizon)
        if any(event.reason is RejectReason.outside_horizon for event in decoded.rejected):
            # Days may have been attached for just these payments.
            self._look_again = 0.0
            looked_again = self._horizon(now)
            if looked_again != horizon:
                return decode_batch(messages, self._pseudonymiser, looked_again)
        return decoded

    def _horizon(self, now: datetime) -> Horizon:
        if monotonic() >= self._look_again:
            self._look_at_days()
        horizon = horizon_at(now, self._retention)
        if self._first_day is None:
            return horizon
        first = datetime.combine(self._first_day, time.min, UTC)
        return horizon._replace(earliest=min(horizon.earliest, first))

    def _look_at_days(self) -> None:
        """Find the first day that payments can be stored for.

        The catalogue query is dear beside a small batch, so that it is not made for each. A day
        that went meanwhile makes the batch fail and be delivered again.
        """
        with self._database.transaction() as connection:
            days = attached_days(connection)
        self._first_day = None if days is None else days.first
        self._look_again = monotonic() + _DAYS_KNOWN_SECONDS


class _Writer:
    """Writes the payments of one batch, in halves where the database refuses one of them."""

    def __init__(
        self,
        database: Database,
        judges: Callable[[Connection], Judges],
        messages: Sequence[Message],
        repeats: dict[Identity, list[Placed]],
    ) -> None:
        self._database = database
        self._judges = judges
        self._repeats = repeats
        self._bodies = {message.origin: message.body for message in messages}
        self._texts: dict[Origin, Sequence[bytes]] = {}
        times = [message.enqueued_at for message in messages if message.enqueued_at is not None]
        self._enqueued_at = min(times, default=None)
        self.stored = 0
        self.rejected = 0
        self.rule_set_version = ""

    def write(self, payments: Sequence[Placed], rejected: Sequence[RejectedEvent]) -> None:
        """Write payments, and rejected events, in one transaction.

        Where the database refuses the data, halves are tried until the payment at fault stands
        alone: that one is rejected, so that it never blocks its partition.

        Args:
            payments: of distinct identities, in the order of their identity.
            rejected: in any order.

        Raises:
            StoreUnavailable: a fault that time can heal.
        """
        for _ in range(_LOOKS):
            try:
                self._write_together(payments, rejected)
            except StoredMeanwhile as overtaken:
                refusal = DataRefused(overtaken.what, overtaken.sqlstate)
            except DataRefused as error:
                refusal = error
                break
            else:
                return
        self._write_apart(payments, rejected, refusal)

    def _write_together(
        self, payments: Sequence[Placed], rejected: Sequence[RejectedEvent]
    ) -> None:
        fresh = [placed.accepted for placed in payments]
        columns = columns_of(fresh)
        with self._database.transaction() as connection:
            in_force = self._judges(connection)
            standing = standing_hashes(connection, columns)
            if standing:
                fresh = [item for place, item in enumerate(fresh) if place not in standing]
                columns = columns_of(fresh)
            write_payments(
                connection,
                fresh,
                columns,
                _judged(in_force.active, columns),
                enqueued_at=self._enqueued_at,
                shadow=None if in_force.shadow is None else _judged(in_force.shadow, columns),
            )
            refused = [*rejected, *self._conflicts(payments, standing)]
            write_rejected(connection, refused)
            written = monotonic()
        version = in_force.active.version
        record_commit(monotonic() - written, (event.reason for event in refused), version)
        self.stored += len(fresh)
        self.rejected += len(refused)
        self.rule_set_version = version

    def _conflicts(
        self, payments: Sequence[Placed], standing: Mapping[int, bytes]
    ) -> Iterator[RejectedEvent]:
        """Yield what differs from the content that stands in the database for its identity.

        Args:
            payments: one for each identity, written just now where nothing stood.
            standing: hash of what was stored before, by position.
        """
        for position, content_hash in standing.items():
            if payments[position].accepted.content_hash != content_hash:
                yield self._conflict(payments[position])
        if not self._repeats:
            return
        for position, placed in enumerate(payments):
            stands = standing.get(position, placed.accepted.content_hash)
            for repeat in self._repeats.get(placed.accepted.payment.identity, ()):
                if repeat.accepted.content_hash != stands:
                    yield self._conflict(repeat)

    def _conflict(self, placed: Placed) -> RejectedEvent:
        detail = "another content came first for this transaction_id, payment_status and event_time"
        return self._reject(placed, EventRefused(RejectReason.conflicting_duplicate, detail))

    def _write_apart(
        self, payments: Sequence[Placed], rejected: Sequence[RejectedEvent], refusal: DataRefused
    ) -> None:
        if not payments:
            raise refusal
        if rejected:
            # Apart from the payments, so that no payment is taken to be at fault for them.
            self.write((), rejected)
        if len(payments) == 1:
            self._write_without(payments[0], refusal)
            return
        middle = len(payments) // 2
        self.write(payments[:middle], ())
        self.write(payments[middle:], ())

    def _write_without(self, at_fault: Placed, refusal: DataRefused) -> None:
        """Reject a payment and its like; another content of its identity may be stored instead."""
        content = at_fault.accepted.content_hash
        alike: list[Placed] = [at_fault]
        others: list[Placed] = []
        for repeat in self._repeats.pop(at_fault.accepted.payment.identity, ()):
            (alike if repeat.accepted.content_hash == content else others).append(repeat)
        reason = EventRefused(RejectReason.refused_by_database, str(refusal))
        candidates, repeats = by_identity(others)
        self._repeats |= repeats
        self.write(candidates, [self._reject(placed, reason) for placed in alike])

    def _reject(self, placed: Placed, refusal: EventRefused) -> RejectedEvent:
        texts = self._texts.get(placed.origin)
        if texts is None:
            texts = self._texts[placed.origin] = split_body(self._bodies[placed.origin])
        return reject(placed.origin, placed.event_index, texts[placed.event_index], refusal)


def _judged(rule_set: CompiledRuleSet, columns: Columns) -> RuleSetMatches:
    return RuleSetMatches(rule_set.rule_set, rule_set.rules.matches(columns))


def by_identity(
    payments: Sequence[Placed],
) -> tuple[list[Placed], dict[Identity, list[Placed]]]:
    """Return the first payment of each identity, in its order, and by identity what repeats it.

    Which content stands is not known before the database has been asked: the first may contradict
    what was stored long ago, and a later one be the redelivery of just that.
    """
    times = [placed.accepted.payment.event_time for placed in payments]
    if len(set(times)) == len(times):
        # Nothing repeats, and the time alone orders identities: a third of the work.
        return [payments[place] for place in sorted(range(len(times)), key=times.__getitem__)], {}
    first: dict[Identity, Placed] = {}
    repeats: dict[Identity, list[Placed]] = {}
    for placed in payments:
        identity = placed.accepted.payment.identity
        if first.setdefault(identity, placed) is not placed:
            repeats.setdefault(identity, []).append(placed)
    return [first[identity] for identity in sorted(first)], repeats
