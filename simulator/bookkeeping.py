"""Keeps the ledger of a simulation while its messages are given out."""

from collections import Counter, defaultdict
from collections.abc import Container, Sequence
from datetime import timedelta
from decimal import Decimal

from msgspec.structs import replace

from shared_code.domain.currencies import CURRENCIES
from simulator.generation.account import Account
from simulator.generation.blocks import Block, known_countries
from simulator.generation.packing import Packer
from simulator.generation.span import moment
from simulator.generation.world import World
from simulator.ledger import CurrencyTotal, InjectedViolation, Ledger, WindowSum
from simulator.wire import Payment


class Bookkeeper:
    """Adds up blocks as they are given out."""

    def __init__(self, world: World, packer: Packer) -> None:
        self._world = world
        self._start = world.span.start
        self._ends = [world.span.end]
        self._packer = packer
        self._account = Account()
        self._injected: list[InjectedViolation] = []

    def record(self, block: Block) -> None:
        """Enter one block."""
        self._account.add(block.account)
        self._injected.extend(block.injected)

    def take_back(self, payments: Sequence[Payment]) -> None:
        """Let payments that were entered not have been made."""
        account = Account()
        account.enter(payments, known_countries(self._world))
        self._account.take_back(account)
        gone = {
            (each.event.transaction_id, each.event.payment_status, each.event_time)
            for each in payments
        }
        cut = (_cut(each, gone) for each in self._injected)
        self._injected = [each for each in cut if each.events or each.refused]

    def change(self, world: World) -> None:
        """Go on with another configuration."""
        self._world = world
        self._ends.append(world.span.end)

    def close(self, *, complete: bool) -> Ledger:
        """Return the ledger of all that was entered."""
        account, packer = self._account, self._packer
        rejected = dict(sorted(packer.rejected.items()))
        sums = tuple(
            WindowSum(
                moment(window),
                method,
                currency,
                status,
                count=count,
                amount=_amount(account.sums[window, method, currency, status], currency),
            )
            for (window, method, currency, status), count in sorted(account.counts.items())
        )
        return Ledger(
            configuration=self._world.configuration,
            complete=complete,
            start=moment(self._start),
            # What is under way passes an end that has become an earlier one.
            end=moment(max(self._ends)),
            holds_until=moment(min(self._ends)) + timedelta(hours=1),
            messages=packer.messages,
            repeated_messages=packer.repeated,
            events=packer.events,
            payments=account.payments,
            duplicates=packer.events - account.payments - sum(rejected.values()),
            late=account.late,
            rejected=rejected,
            violations=dict(sorted((account.violations + packer.violations).items())),
            qualities=dict(sorted(account.qualities.items())),
            sums=sums,
            totals=_totals(sums),
            injected=tuple(sorted(self._injected, key=lambda each: (each.first, each.incident))),
        )


def _cut(violation: InjectedViolation, gone: Container[object]) -> InjectedViolation:
    """Return a violation as far as it has come."""
    events = tuple(
        each
        for each in violation.events
        if (each.transaction_id, each.payment_status, each.event_time) not in gone
    )
    if len(events) == len(violation.events) or not events:
        return replace(violation, events=events)
    return replace(violation, events=events, last=max(each.event_time for each in events))


def _amount(minor: int, currency: str) -> Decimal:
    return Decimal(minor).scaleb(-CURRENCIES[currency].minor_unit)


def _totals(sums: tuple[WindowSum, ...]) -> tuple[CurrencyTotal, ...]:
    counts: Counter[str] = Counter()
    amounts: defaultdict[str, Decimal] = defaultdict(Decimal)
    for each in sums:
        counts[each.currency] += each.count
        amounts[each.currency] += each.amount
    return tuple(
        CurrencyTotal(currency, count, amounts[currency])
        for currency, count in sorted(counts.items())
    )
