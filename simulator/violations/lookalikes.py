"""Honest payments that come near what rules look for, and have no label.

However hidden the violations are, these are as they are: what they have in common with violations
is up to the thresholds of rules, below which they stay.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from simulator.generation.population import Customer, account_of
from simulator.generation.scene import Scene
from simulator.generation.wording import CARD_METHODS
from simulator.violations.casting import (
    QUOTED,
    REMOTE_CHANNELS,
    channel_at,
    customer_paying_in,
    dear_merchant,
    merchant_elsewhere,
    merchant_where,
    method_at,
)
from simulator.violations.incident import Incident
from simulator.violations.kind import Kind
from simulator.violations.ranges import Range, chained, paced
from simulator.wire import Payment

_TRIES: Final = 200
_TRANSFER: Final = ("bank_transfer",)
_TILL: Final = ("point_of_sale",)

_INVOICE_DOLLARS: Final = Range((6_000, 8_800))
# What is a little below a threshold of ten thousand, in any currency, looks like structuring.
_SUSPICIOUS: Final = (8_950, 10_050)

_STAFF: Final = Range((3, 6))
_SALARY_DOLLARS: Final = Range((900, 4_200))
_SALARY_SECONDS: Final = Range((2, 90))

_FRIENDS: Final = Range((3, 6))
_FRIEND_DOLLARS: Final = Range((500, 2_200))
_MEMBERS: Final = Range((8, 14))
_FEE_DOLLARS: Final = Range((20, 390))
_COLLECTED_WITHIN: Final = timedelta(hours=20)

_PURCHASES: Final = Range((6, 12))
_PURCHASE_SECONDS: Final = Range((5, 18))

_MISTAKES: Final = Range((1, 2))
_MISTYPED_DOLLARS: Final = Range((1, 4.9))
_MISTYPED_SECONDS: Final = Range((12, 80))

_STOPS: Final = Range((2, 3))
_STOP_DOLLARS: Final = Range((200, 1_300))
_STOP_SECONDS: Final = Range((3_600, 10_800))
_ORDER_SECONDS: Final = Range((90, 600))
# Two tills of two countries closer in time than this are no journey.
_SHORTEST_JOURNEY: Final = timedelta(minutes=40)

_OUTAGE: Final = Range((8, 15))
_OUTAGE_SECONDS: Final = Range((4, 40))

_RETURNS: Final = Range((1, 2))
_RETURNED_DOLLARS: Final = Range((150, 900))
_RETURNED_WITHIN: Final = timedelta(hours=8)

_FAMILY_PURCHASES: Final = Range((3, 6))
_FAMILY_WITHIN: Final = timedelta(hours=10)


def large_invoice(scene: Scene, _settings: object) -> Incident:
    """A customer pays an invoice of some thousands, not just below a threshold."""
    customer = customer_paying_in(scene, QUOTED)
    merchant = dear_merchant(scene, customer)
    low, high = _SUSPICIOUS
    for _ in range(_TRIES):
        amount = scene.money(_INVOICE_DOLLARS.draw(scene), customer.country)
        if not low <= amount <= high:
            break
    payment = scene.compose(scene.at, customer=customer, merchant=merchant, amount=amount)
    return Incident((payment,))


def pay_run(scene: Scene, _settings: object) -> Incident:
    """A business pays its few people, one after the other."""
    employer = _spending_much(scene)
    number = _STAFF.whole(scene)
    others = [each for each in scene.customers(number + 1) if each is not employer]
    staff = others[:number]
    times = paced(scene, len(staff), _SALARY_SECONDS)
    payments = tuple(
        _transfer(scene, instant, employer, each, _SALARY_DOLLARS.draw(scene))
        for instant, each in zip(times, staff, strict=True)
    )
    return Incident(payments)


def collector(scene: Scene, _settings: object) -> Incident:
    """Somebody collects for a journey of a few, or the fees of a club of many."""
    many = scene.random.random() < 0.5
    number, dollars = (_MEMBERS, _FEE_DOLLARS) if many else (_FRIENDS, _FRIEND_DOLLARS)
    treasurer, *payers = scene.customers(number.whole(scene) + 1)
    times = scene.times(len(payers), _COLLECTED_WITHIN)
    payments = tuple(
        _transfer(scene, instant, payer, treasurer, dollars.draw(scene))
        for instant, payer in zip(times, payers, strict=True)
    )
    return Incident(payments)


def shopping_spree(scene: Scene, _settings: object) -> Incident:
    """A customer buys this and that within two minutes: a sale has begun."""
    customer = scene.customer()
    merchant = merchant_where(scene, customer, channels=REMOTE_CHANNELS)
    channel = channel_at(scene, merchant.category, REMOTE_CHANNELS)
    payments = tuple(
        scene.compose(instant, customer=customer, merchant=merchant, channel=channel)
        for instant in paced(scene, _PURCHASES.whole(scene), _PURCHASE_SECONDS)
    )
    return Incident(payments)


def mistyped_card(scene: Scene, _settings: object) -> Incident:
    """A customer mistypes a date or a code once or twice, and pays the same small sum then."""
    customer = scene.customer()
    merchant = merchant_where(scene, customer, methods=CARD_METHODS, channels=REMOTE_CHANNELS)
    method = method_at(scene, merchant.category, CARD_METHODS)
    channel = channel_at(scene, merchant.category, REMOTE_CHANNELS)
    amount = scene.money(_MISTYPED_DOLLARS.draw(scene), customer.country)
    times = paced(scene, _MISTAKES.whole(scene) + 1, _MISTYPED_SECONDS)
    payments = tuple(
        scene.compose(
            instant,
            customer=customer,
            merchant=merchant,
            status="completed" if instant is times[-1] else "failed",
            methods=(method,),
            channel=channel,
            amount=amount,
        )
        for instant in times
    )
    return Incident(payments)


def traveller(scene: Scene, _settings: object) -> Incident:
    """A customer pays at tills of two countries hours apart, or orders from two within minutes."""
    customer = customer_paying_in(scene, QUOTED)
    number = _STOPS.whole(scene)
    times = paced(scene, number, _STOP_SECONDS)
    channels: Sequence[str] = _TILL
    too_fast = any(later - earlier < _SHORTEST_JOURNEY for earlier, later in pairwise(times))
    if too_fast or scene.random.random() < 0.5:
        times, channels = paced(scene, number, _ORDER_SECONDS), REMOTE_CHANNELS
    merchant = dear_merchant(scene, customer, methods=CARD_METHODS, channels=channels)
    payments = []
    for instant in times:
        payments.append(
            scene.compose(
                instant,
                customer=customer,
                merchant=merchant,
                methods=(method_at(scene, merchant.category, CARD_METHODS),),
                channel=channel_at(scene, merchant.category, channels),
                dollars=_STOP_DOLLARS.draw(scene),
            )
        )
        merchant = merchant_elsewhere(
            scene, customer, merchant.country, methods=CARD_METHODS, channels=channels
        )
    return Incident(tuple(payments))


def busy_merchant_outage(scene: Scene, _settings: object) -> Incident:
    """A merchant's terminal fails for some minutes, and that is all."""
    merchant = merchant_where(scene, scene.customer(), methods=CARD_METHODS)
    payments = tuple(
        scene.compose(
            instant,
            merchant=merchant,
            status="failed",
            methods=(method_at(scene, merchant.category, CARD_METHODS),),
        )
        for instant in paced(scene, _OUTAGE.whole(scene), _OUTAGE_SECONDS)
    )
    return Incident(payments)


def repeat_refund(scene: Scene, _settings: object) -> Incident:
    """A customer sends back one or two purchases; each refund names its original."""
    customer = customer_paying_in(scene, QUOTED)
    payments: list[Payment] = []
    number = _RETURNS.whole(scene)
    times = chained(scene, 2 * number, _RETURNED_WITHIN)
    for bought, returned in zip(times[:number], times[number:], strict=True):
        merchant = dear_merchant(scene, customer, methods=CARD_METHODS)
        purchase = scene.compose(
            bought,
            customer=customer,
            merchant=merchant,
            methods=(method_at(scene, merchant.category, CARD_METHODS),),
            dollars=_RETURNED_DOLLARS.draw(scene),
        )
        payments += (purchase, scene.refund(purchase, returned))
    return Incident(tuple(payments))


def family_card(scene: Scene, _settings: object) -> Incident:
    """Two people of one household pay as one customer, each with a card."""
    customer = scene.customer()
    cards = [customer.card, scene.new_card()]
    scene.random.shuffle(cards)
    payments = []
    for number, instant in enumerate(scene.times(_FAMILY_PURCHASES.whole(scene), _FAMILY_WITHIN)):
        merchant = merchant_where(scene, customer, methods=CARD_METHODS)
        payments.append(
            scene.compose(
                instant,
                customer=customer,
                merchant=merchant,
                methods=(method_at(scene, merchant.category, CARD_METHODS),),
                card=cards[number] if number < len(cards) else scene.random.choice(cards),
            )
        )
    return Incident(tuple(payments))


def _spending_much(scene: Scene) -> Customer:
    """Draw a customer of the segment that spends most, if one is met: mostly a business."""
    most = max(segment.spending for segment in scene.configuration.segments)
    for _ in range(_TRIES):
        found = customer_paying_in(scene, QUOTED)
        if found.segment.spending == most:
            break
    return found


def _transfer(
    scene: Scene, instant: datetime, payer: Customer, payee: Customer, dollars: float
) -> Payment:
    return scene.compose(
        instant,
        customer=payer,
        merchant=merchant_where(scene, payer, methods=_TRANSFER),
        methods=_TRANSFER,
        dollars=dollars,
        counterparty=account_of(payee),
    )


KINDS: Final[tuple[Kind, ...]] = (
    Kind("large_invoice", large_invoice),
    Kind("pay_run", pay_run, _STAFF.mean),
    Kind("collector", collector, lambda _: (_MEMBERS.mean(0) + _FRIENDS.mean(0)) / 2),
    Kind("shopping_spree", shopping_spree, _PURCHASES.mean),
    Kind("mistyped_card", mistyped_card, lambda _: _MISTAKES.mean(0) + 1),
    Kind("traveller", traveller, _STOPS.mean),
    Kind("busy_merchant_outage", busy_merchant_outage, _OUTAGE.mean),
    Kind("repeat_refund", repeat_refund, lambda _: 2 * _RETURNS.mean(0)),
    Kind("family_card", family_card, _FAMILY_PURCHASES.mean),
)
