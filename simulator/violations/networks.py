"""Money laundering by several accounts together: funnels, rounds and chains of transfers.

Amounts are kept in US dollars from hand to hand, so that each payer pays in the own currency.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

from simulator.configuration.violation_settings import Spread
from simulator.generation.population import Customer, account_of
from simulator.generation.scene import Scene
from simulator.generation.span import seconds_of
from simulator.violations.casting import (
    cast,
    dear_merchant,
    merchant_where,
    some_account,
)
from simulator.violations.incident import Incident
from simulator.violations.kind import Kind
from simulator.violations.ranges import Range, chained
from simulator.wire import Counterparty, Payment

_RAILS: Final = ("bank_transfer", "cryptocurrency")
_RAIL_WEIGHTS: Final = (5, 1)
_CASH: Final = ("cash_equivalent", "cryptocurrency")
_CASH_WEIGHTS: Final = (3, 1)

_PAYERS: Final = Range(plain=(10, 16), hidden=(4, 7))
_PAYEES: Final = Range(plain=(10, 16), hidden=(4, 7))
_FANNED_DOLLARS: Final = Range(plain=(650, 2_500), hidden=(150, 700))

_MULES: Final = Range(plain=(9.5, 13), hidden=(3, 5))
_MULE_DOLLARS: Final = Range(plain=(800, 3_500), hidden=(200, 700))

_ROUND: Final = Range(plain=(3, 6), hidden=(2, 3))
_TRANCHES: Final = Range(plain=(1, 3), hidden=(1, 1))
_ROUND_DOLLARS: Final = Range(plain=(135_000, 380_000), hidden=(1_200, 6_000))

_PLACEMENTS: Final = Range(plain=(3.5, 5), hidden=(1, 1.5))
_PLACED_DOLLARS: Final = Range(plain=(1_800, 7_500), hidden=(120, 450))
_LAYERS: Final = Range(plain=(4, 7), hidden=(2, 3))

# What those who pass money on keep of it.
_FEE: Final = Range((0.005, 0.03))
_CUT: Final = Range((0.02, 0.08))


class _Transfer(NamedTuple):
    payer: Customer
    to: Counterparty
    dollars: float
    rail: str


def fan_in(scene: Scene, settings: Spread) -> Incident:
    """Many customers pay one account: that of a customer, or one known to nobody."""
    owner, *payers = scene.customers(_PAYERS.whole(scene) + 1)
    to = account_of(owner) if scene.random.random() < 0.5 else scene.new_account(owner.country)
    rail = _rail(scene)
    times = scene.times(len(payers), _within(settings))
    payments = (
        _pay(scene, instant, _Transfer(payer, to, _FANNED_DOLLARS.draw(scene), rail))
        for instant, payer in zip(times, payers, strict=True)
    )
    return Incident(tuple(payments), {"counterparty.id": str(to.id)})


def fan_out(scene: Scene, settings: Spread) -> Incident:
    """One customer pays many accounts, of other customers and of people unknown."""
    payer, *others = cast(scene, _PAYEES.whole(scene) + 1)
    rail = _rail(scene)
    accounts = [
        account_of(other) if scene.random.random() < 0.6 else scene.new_account(other.country)
        for other in others
    ]
    times = scene.times(len(accounts), _within(settings))
    payments = (
        _pay(scene, instant, _Transfer(payer, to, _FANNED_DOLLARS.draw(scene), rail))
        for instant, to in zip(times, accounts, strict=True)
    )
    return Incident(tuple(payments), {"customer.id": payer.id})


def cycle(scene: Scene, settings: Spread) -> Incident:
    """Money goes round through the accounts of several customers, each leg in a few transfers."""
    owners = cast(scene, _ROUND.whole(scene))
    dollars = _ROUND_DOLLARS.draw(scene)
    transfers = []
    for payer, payee in pairwise([*owners, owners[0]]):
        rail = _rail(scene)
        parts = _split(scene, dollars, _TRANCHES.whole(scene))
        transfers += [_Transfer(payer, account_of(payee), part, rail) for part in parts]
        dollars *= 1 - _FEE.draw(scene)
    subject = {"customer.id": owners[0].id, "counterparty.id": owners[0].account}
    return Incident(_one_after_another(scene, transfers, settings), subject)


def scatter_gather(scene: Scene, settings: Spread) -> Incident:
    """One customer's money reaches one account through many in between, who keep a cut."""
    source, *mules = cast(scene, _MULES.whole(scene) + 1)
    to = _account_of_nobody_in(scene, [source, *mules])
    transfers = list(_scattered(scene, source, mules, to))
    subject = {"customer.id": source.id, "counterparty.id": str(to.id)}
    return Incident(_one_after_another(scene, transfers, settings), subject)


def layering(scene: Scene, settings: Spread) -> Incident:
    """Cash is paid in, sent abroad and handed on through a chain of accounts."""
    first, *others = cast(scene, _LAYERS.whole(scene))
    # The first step crosses a border, if there is one: it is there that tracing gets hard.
    others.sort(key=lambda other: other.country is first.country)
    placed = [_PLACED_DOLLARS.draw(scene) for _ in range(_PLACEMENTS.whole(scene))]
    dollars = sum(placed)
    chain = [*(account_of(other) for other in others), some_account(scene)]
    transfers = []
    for number, (payer, to) in enumerate(zip([first, *others], chain, strict=True)):
        dollars *= 1 - _CUT.draw(scene)
        rail = _rail(scene) if number else "bank_transfer"
        transfers.append(_Transfer(payer, to, dollars, rail))
    times = chained(scene, len(placed) + len(transfers), _within(settings))
    payments = (
        *(_cash_in(scene, at, first, part) for at, part in zip(times, placed, strict=False)),
        *(
            _pay(scene, at, transfer)
            for at, transfer in zip(times[len(placed) :], transfers, strict=True)
        ),
    )
    return Incident(payments, {"customer.id": first.id, "counterparty.id": str(chain[-1].id)})


def _scattered(
    scene: Scene, source: Customer, mules: list[Customer], to: Counterparty
) -> Iterator[_Transfer]:
    """Yield transfers in an order in which each mule is paid before it pays, others in between."""
    rail = _rail(scene)
    waiting: list[tuple[Customer, float]] = []
    left = iter(mules)
    unpaid = len(mules)
    while unpaid or waiting:
        if unpaid and (not waiting or scene.random.random() < 0.6):
            unpaid -= 1
            mule, dollars = next(left), _MULE_DOLLARS.draw(scene)
            waiting.append((mule, dollars * (1 - _CUT.draw(scene))))
            yield _Transfer(source, account_of(mule), dollars, rail)
        else:
            mule, dollars = waiting.pop(scene.random.randrange(len(waiting)))
            yield _Transfer(mule, to, dollars, rail)


def _account_of_nobody_in(scene: Scene, people: list[Customer]) -> Counterparty:
    known = {each.account for each in people}
    found = some_account(scene)
    while found.id in known:
        found = some_account(scene)
    return found


def _one_after_another(
    scene: Scene, transfers: list[_Transfer], settings: Spread
) -> tuple[Payment, ...]:
    times = chained(scene, len(transfers), _within(settings))
    return tuple(
        _pay(scene, instant, transfer) for instant, transfer in zip(times, transfers, strict=True)
    )


def _pay(scene: Scene, instant: datetime, transfer: _Transfer) -> Payment:
    payer, to, dollars, rail = transfer
    return scene.compose(
        instant,
        customer=payer,
        merchant=merchant_where(scene, payer, methods=(rail,)),
        methods=(rail,),
        dollars=dollars,
        counterparty=to,
    )


def _cash_in(scene: Scene, instant: datetime, customer: Customer, dollars: float) -> Payment:
    method = scene.random.choices(_CASH, _CASH_WEIGHTS)[0]
    merchant = dear_merchant(scene, customer, methods=(method,))
    return scene.compose(
        instant, customer=customer, merchant=merchant, methods=(method,), dollars=dollars
    )


def _rail(scene: Scene) -> str:
    return scene.random.choices(_RAILS, _RAIL_WEIGHTS)[0]


def _split(scene: Scene, dollars: float, parts: int) -> list[float]:
    weights = [scene.between(0.6, 1.4) for _ in range(parts)]
    return [dollars * weight / sum(weights) for weight in weights]


def _within(settings: Spread) -> timedelta:
    return timedelta(seconds=seconds_of(settings.within))


KINDS: Final[tuple[Kind, ...]] = (
    Kind("fan_in", fan_in, _PAYERS.mean),
    Kind("fan_out", fan_out, _PAYEES.mean),
    Kind("cycle", cycle, lambda subtlety: _ROUND.mean(subtlety) * _TRANCHES.mean(subtlety)),
    Kind("scatter_gather", scatter_gather, lambda subtlety: 2 * _MULES.mean(subtlety)),
    Kind(
        "layering",
        layering,
        lambda subtlety: _PLACEMENTS.mean(subtlety) + _LAYERS.mean(subtlety),
    ),
)
