"""Business rules: statuses, refunds and currencies that contradict each other."""

from math import exp
from typing import Final

from simulator.configuration.population_settings import Country
from simulator.configuration.violation_settings import OrphanRefund, Violation
from simulator.generation.population import Customer, Merchant
from simulator.generation.scene import Scene
from simulator.violations.casting import (
    QUOTED,
    currency_among,
    customer_paying_in,
    dear_merchant,
    merchant_where,
)
from simulator.violations.incident import Incident
from simulator.violations.kind import Kind
from simulator.violations.ranges import Range, paced

# A refund below 100 euros is none of the shipped rules' business.
_REFUND_DOLLARS: Final = Range(plain=(151, 2_400), hidden=(20, 90))
_SECOND_THOUGHTS: Final = Range(plain=(2, 900), hidden=(900, 20_000))
# Exponents of e: to 20 times the minimum, hidden below it.
_ABOVE_MINIMUM: Final = Range(plain=(0.01, 2.99), hidden=(-2.3, -0.7))

# Countries whose own currency is beyond doubt; the euro area first.
_AT_HOME: Final = frozenset(
    "AT BE CY DE EE ES FI FR GR HR IE IT LT LU LV MT NL PT SI SK"  # noqa: SIM905 - or 36 lines
    " AE AU BR CA CH GB IN JP KR KW PL SE SG TN US".split()
)
_TRIES: Final = 20


def status_mismatch(scene: Scene, _settings: Violation) -> Incident:
    """A failed or cancelled payment that is completed or refunded even so."""
    follow, outcome = divmod(scene.turn, 2)
    customer = customer_paying_in(scene, QUOTED)
    first, second = paced(scene, 2, _SECOND_THOUGHTS)
    payment = scene.compose(
        first,
        customer=customer,
        merchant=dear_merchant(scene, customer),
        status=("failed", "cancelled")[outcome],
        dollars=_REFUND_DOLLARS.draw(scene),
        currency=currency_among(customer, QUOTED),
    )
    if follow % 2:
        return Incident((payment, scene.refund(payment, second)))
    return Incident((payment, scene.later(payment, second, "completed")))


def orphan_refund(scene: Scene, settings: OrphanRefund) -> Incident:
    """A refund of a payment that nobody made; a hidden one is smaller than the minimum."""
    customer = customer_paying_in(scene, QUOTED)
    invented = scene.compose(
        scene.at,
        customer=customer,
        merchant=dear_merchant(scene, customer),
        dollars=settings.minimum * exp(_ABOVE_MINIMUM.draw(scene)),
        currency=currency_among(customer, QUOTED),
    )
    nothing = scene.new_transaction_id()
    return Incident((scene.refund(invented, scene.at, original_transaction_id=nothing),))


def currency_mismatch(scene: Scene, _settings: Violation) -> Incident:
    """Customer and merchant of one country, and another country's currency."""
    customer, merchant = _at_home(scene)
    currency = scene.random.choice(_foreign_currencies(scene, customer.country))
    payment = scene.compose(scene.at, customer=customer, merchant=merchant, currency=currency)
    return Incident((payment,))


def _at_home(scene: Scene) -> tuple[Customer, Merchant]:
    """Return a customer and a merchant of one country; the last pair drawn if there are none."""
    codes = [
        code for country in scene.configuration.countries if (code := country.code) in _AT_HOME
    ]
    for _ in range(_TRIES):
        customer = scene.customer(countries=codes)
        merchant = merchant_where(scene, customer)
        if merchant.country.code == customer.country.code in _AT_HOME:
            break
    return customer, merchant


def _foreign_currencies(scene: Scene, home: Country) -> list[str]:
    known = {country.currency for country in scene.configuration.countries} - {home.currency}
    # A world of a single currency knows the dollar and the euro from hearsay.
    return sorted(known or {"EUR", "USD"} - {home.currency})


KINDS: Final[tuple[Kind, ...]] = (
    Kind("status_mismatch", status_mismatch, lambda _: 2.0),
    Kind("orphan_refund", orphan_refund),
    Kind("currency_mismatch", currency_mismatch),
)
