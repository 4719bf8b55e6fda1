"""Fraud, and an outage that looks like an attack: cards, accounts and merchants."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from simulator.configuration.population_settings import Country
from simulator.configuration.violation_settings import Violation
from simulator.generation.population import Customer
from simulator.generation.scene import Scene
from simulator.generation.wording import CARD_METHODS, DEVICES
from simulator.violations.casting import (
    QUOTED,
    REMOTE_CHANNELS,
    channel_at,
    customer_paying_in,
    dear_merchant,
    merchant_where,
    method_at,
)
from simulator.violations.incident import Incident
from simulator.violations.kind import Kind
from simulator.violations.ranges import Range, paced
from simulator.wire import Payment

_PROBES: Final = Range(plain=(4, 9), hidden=(1, 2))
_PROBE_DOLLARS: Final = Range(plain=(0.5, 4.5), hidden=(2, 9))
_PROBE_SECONDS: Final = Range(plain=(4, 45), hidden=(60, 600))
_PROBED_DOLLARS: Final = Range(plain=(80, 900), hidden=(20, 90))

_STOLEN_CARDS: Final = Range(plain=(4.5, 6), hidden=(1, 2))
_STOLEN_DOLLARS: Final = Range(plain=(350, 1_900), hidden=(30, 160))
_DRAINS: Final = Range(plain=(1, 3), hidden=(0, 1))
_DRAIN_DOLLARS: Final = Range(plain=(3_500, 8_800), hidden=(100, 500))
# After midnight by the owner's clock, in hours; all is over some minutes later.
_NIGHT: Final = Range((0.2, 2.5))
_NIGHT_MINUTES: Final = Range(plain=(10, 90), hidden=(60, 120))
_LAST_HOUR_OF_NIGHT: Final = 4

_JOURNEY: Final = Range(plain=(2, 4), hidden=(2, 2.4))
_JOURNEY_SECONDS: Final = Range(plain=(130, 700), hidden=(840, 4_200))
_JOURNEY_DOLLARS: Final = Range(plain=(390, 1_650), hidden=(60, 500))

_FAILURES: Final = Range(plain=(30, 40), hidden=(9, 15))
_FAILURE_SECONDS: Final = Range(plain=(0.5, 13), hidden=(15, 60))


def card_testing(scene: Scene, _settings: Violation) -> Incident:
    """Small failures with one stolen card until it works, at one merchant."""
    customer = customer_paying_in(scene, QUOTED)
    card = scene.new_card() if scene.random.random() < 0.5 else scene.customer().card
    merchant = merchant_where(scene, customer, methods=CARD_METHODS, channels=REMOTE_CHANNELS)
    method = method_at(scene, merchant.category, CARD_METHODS)
    channel = channel_at(scene, merchant.category, REMOTE_CHANNELS)
    times = paced(scene, _PROBES.whole(scene) + 1, _PROBE_SECONDS)
    payments = tuple(
        scene.compose(
            instant,
            customer=customer,
            merchant=merchant,
            status="failed" if instant is not times[-1] else "completed",
            methods=(method,),
            channel=channel,
            dollars=(_PROBE_DOLLARS if instant is not times[-1] else _PROBED_DOLLARS).draw(scene),
            card=card,
        )
        for instant in times
    )
    subject = {"card.fingerprint": str(card.fingerprint), "merchant.id": merchant.id}
    return Incident(payments, subject)


def account_takeover(scene: Scene, _settings: Violation) -> Incident:
    """Somebody else has a customer's account: a new address, new places, new cards, large sums.

    Tried out at once and emptied at night, if there is one before the end of the simulation.
    """
    owner = customer_paying_in(scene, QUOTED)
    elsewhere = _another_country(scene, owner.country)
    thief = owner
    if scene.random.random() >= scene.subtlety:
        thief = replace(owner, email=_new_address(scene, owner))
    cards, drains = _STOLEN_CARDS.whole(scene), _DRAINS.whole(scene)
    by_card = [True] * cards + [False] * drains
    # The first is a card: it is tried out what the account lets pass.
    rest = by_card[1:]
    scene.random.shuffle(rest)
    channel = scene.random.choice(REMOTE_CHANNELS)
    times = _times_at_night(scene, owner, cards + drains)
    payments = [
        _with_new_card(scene, instant, thief, elsewhere, channel)
        if with_card
        else _to_new_account(scene, instant, thief, elsewhere, channel)
        for instant, with_card in zip(times, [by_card[0], *rest], strict=True)
    ]
    device = scene.random.choice(DEVICES[channel])
    return Incident(tuple(_from_device(payments, device)), {"customer.id": owner.id})


def _another_country(scene: Scene, than: Country) -> Country:
    others = [country for country in scene.population.countries if country is not than]
    weights = [country.weight for country in others]
    return scene.random.choices(others, weights)[0] if any(weights) else than


def _new_address(scene: Scene, owner: Customer) -> str:
    name = scene.customer().email.partition("@")[0].rstrip("0123456789")
    return f"{name}{scene.random.randrange(10_000)}@{owner.email.partition('@')[2]}"


def _times_at_night(scene: Scene, owner: Customer, number: int) -> list[datetime]:
    length = timedelta(minutes=_NIGHT_MINUTES.draw(scene))
    local = scene.at.astimezone(ZoneInfo(owner.country.time_zone))
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    begin = midnight.astimezone(scene.at.tzinfo) + timedelta(hours=_NIGHT.draw(scene))
    if local.hour < _LAST_HOUR_OF_NIGHT or begin + length >= scene.end:
        return scene.times(number, length)
    draws = sorted(scene.random.random() for _ in range(number - 1))
    return [scene.at, *(begin + length * draw for draw in draws)]


def _with_new_card(
    scene: Scene, instant: datetime, thief: Customer, country: Country, channel: str
) -> Payment:
    merchant = merchant_where(
        scene, thief, methods=CARD_METHODS, channels=(channel,), country=country
    )
    return scene.compose(
        instant,
        customer=thief,
        merchant=merchant,
        methods=(method_at(scene, merchant.category, CARD_METHODS),),
        channel=channel,
        dollars=_STOLEN_DOLLARS.draw(scene),
        card=scene.new_card(),
    )


def _to_new_account(
    scene: Scene, instant: datetime, thief: Customer, country: Country, channel: str
) -> Payment:
    methods = ("bank_transfer",)
    return scene.compose(
        instant,
        customer=thief,
        merchant=merchant_where(scene, thief, methods=methods, channels=(channel,)),
        methods=methods,
        channel=channel,
        dollars=_DRAIN_DOLLARS.draw(scene),
        counterparty=scene.new_account(country),
    )


def _from_device(payments: list[Payment], device: str) -> Iterator[Payment]:
    for payment in payments:
        event = msgspec.structs.replace(payment.event, device_type=device)
        yield payment._replace(event=event)


def impossible_travel(scene: Scene, _settings: Violation) -> Incident:
    """One card at points of sale of two countries within minutes."""
    customer = customer_paying_in(scene, QUOTED)
    merchant = dear_merchant(scene, customer, methods=CARD_METHODS, channels=("point_of_sale",))
    payments = []
    for instant in paced(scene, _JOURNEY.whole(scene), _JOURNEY_SECONDS):
        payments.append(
            scene.compose(
                instant,
                customer=customer,
                merchant=merchant,
                methods=(method_at(scene, merchant.category, CARD_METHODS),),
                channel="point_of_sale",
                dollars=_JOURNEY_DOLLARS.draw(scene),
            )
        )
        merchant = dear_merchant(
            scene,
            customer,
            methods=CARD_METHODS,
            channels=("point_of_sale",),
            than=merchant.country,
        )
    subject = {"card.fingerprint": str(customer.card.fingerprint), "customer.id": customer.id}
    return Incident(tuple(payments), subject)


def failure_burst(scene: Scene, _settings: Violation) -> Incident:
    """One merchant cannot get its cards through for some minutes, whoever pays."""
    merchant = merchant_where(scene, scene.customer(), methods=CARD_METHODS)
    payments = tuple(
        scene.compose(
            instant,
            merchant=merchant,
            status="failed",
            methods=(method_at(scene, merchant.category, CARD_METHODS),),
        )
        for instant in paced(scene, _FAILURES.whole(scene), _FAILURE_SECONDS)
    )
    return Incident(payments, {"merchant.id": merchant.id})


KINDS: Final[tuple[Kind, ...]] = (
    Kind("card_testing", card_testing, lambda subtlety: _PROBES.mean(subtlety) + 1),
    Kind(
        "account_takeover",
        account_takeover,
        lambda subtlety: _STOLEN_CARDS.mean(subtlety) + _DRAINS.mean(subtlety),
    ),
    Kind("impossible_travel", impossible_travel, _JOURNEY.mean),
    Kind("failure_burst", failure_burst, _FAILURES.mean),
)
