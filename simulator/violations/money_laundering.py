"""Money laundering by single customers: structuring, large sums, scripts, countries to avoid."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from math import floor
from typing import Final

import msgspec

from shared_code.domain.currencies import CURRENCIES
from simulator.configuration.population_settings import Country
from simulator.configuration.violation_settings import LargeAmount, Structuring, Violation
from simulator.generation.population import Merchant
from simulator.generation.scene import Scene
from simulator.generation.span import seconds_of
from simulator.violations.casting import (
    QUOTED,
    REMOTE_CHANNELS,
    REPORTED,
    channel_at,
    currency_among,
    customer_paying_in,
    dear_merchant,
    merchant_where,
    method_at,
)
from simulator.violations.incident import Incident
from simulator.violations.kind import Kind
from simulator.violations.ranges import Range, paced

_STRUCTURED: Final = Range(plain=(4, 6), hidden=(2, 2.4))
_OF_THE_THRESHOLD: Final = Range(plain=(0.91, 0.995), hidden=(0.8, 0.95))
# People ask for round sums as often as not: parts of the threshold, 0 for to the cent.
_ROUNDING: Final = (0.0, 0.0, 0.001, 0.005)
_STRUCTURED_BY: Final = ("bank_transfer", "cash_equivalent", "debit_card", "cryptocurrency")

# How far above the threshold, as a factor on what a log-normal distribution gives.
_ABOVE: Final = Range(plain=(0.6, 1.4), hidden=(0.02, 0.06))

_SHOTS: Final = Range(plain=(22, 32), hidden=(8, 13))
_SHOT_SECONDS: Final = Range(plain=(0.5, 2.2), hidden=(2, 6))
_FAILED_SHOTS: Final = 0.12

HIGH_RISK_COUNTRIES: Final = ("IR", "KP", "MM")
"""On the Financial Action Task Force's list of jurisdictions that call for action."""
_HIGH_RISK_DOLLARS: Final = Range(plain=(250, 4_800), hidden=(20, 180))


def structuring(scene: Scene, settings: Structuring) -> Incident:
    """A customer stays just below the reporting threshold, again and again."""
    customer = customer_paying_in(scene, REPORTED)
    currency = currency_among(customer, REPORTED)
    within = timedelta(seconds=seconds_of(settings.within))
    payments = []
    for instant in scene.times(_STRUCTURED.whole(scene), within):
        merchant = dear_merchant(scene, customer, methods=_STRUCTURED_BY)
        method = method_at(scene, merchant.category, _STRUCTURED_BY)
        payments.append(
            scene.compose(
                instant,
                customer=customer,
                merchant=merchant,
                methods=(method,),
                currency=currency,
                amount=_below(scene, settings.threshold, currency),
            )
        )
    return Incident(tuple(payments), {"customer.id": customer.id})


def _below(scene: Scene, threshold: float, currency: str) -> Decimal:
    drawn = threshold * _OF_THE_THRESHOLD.draw(scene)
    rounding = threshold * scene.random.choice(_ROUNDING)
    minor_unit = CURRENCIES[currency].minor_unit
    if rounding:
        drawn = floor(drawn / rounding) * rounding
    return Decimal(max(1, round(drawn * 10**minor_unit))).scaleb(-minor_unit)


def large_amount(scene: Scene, settings: LargeAmount) -> Incident:
    """One payment far above what is ordinary; a hidden one is hardly above the threshold."""
    customer = customer_paying_in(scene, QUOTED)
    beyond = _ABOVE.draw(scene) * scene.random.lognormvariate(0, 0.7)
    payment = scene.compose(
        scene.at,
        customer=customer,
        merchant=dear_merchant(scene, customer),
        dollars=settings.threshold * (1 + beyond),
        currency=currency_among(customer, QUOTED),
    )
    return Incident((payment,), {"customer.id": customer.id})


def rapid_fire(scene: Scene, _settings: Violation) -> Incident:
    """One customer pays over and over within a minute, at a few merchants, as a script does."""
    customer = scene.customer()
    merchants = [
        merchant_where(scene, customer, channels=REMOTE_CHANNELS)
        for _ in range(scene.random.randint(1, 3))
    ]
    payments = []
    for instant in paced(scene, _SHOTS.whole(scene), _SHOT_SECONDS):
        merchant = scene.random.choice(merchants)
        failed = scene.random.random() < _FAILED_SHOTS
        payments.append(
            scene.compose(
                instant,
                customer=customer,
                merchant=merchant,
                channel=channel_at(scene, merchant.category, REMOTE_CHANNELS),
                status="failed" if failed else "completed",
            )
        )
    return Incident(tuple(payments), {"customer.id": customer.id})


def high_risk_country(scene: Scene, _settings: Violation) -> Incident:
    """A party in a country for which the FATF calls for action: most often the other account."""
    customer = scene.customer()
    dollars = _HIGH_RISK_DOLLARS.draw(scene)
    code = scene.random.choice(HIGH_RISK_COUNTRIES)
    party = scene.random.choices(("counterparty", "merchant", "customer"), (6, 3, 1))[0]
    if party == "counterparty":
        method = scene.random.choices(("bank_transfer", "cryptocurrency"), (3, 1))[0]
        payment = scene.compose(
            scene.at,
            customer=customer,
            merchant=merchant_where(scene, customer, methods=(method,)),
            methods=(method,),
            dollars=dollars,
            counterparty=scene.new_account(_moved(customer.country, code)),
        )
        return Incident((payment,), {"customer.id": customer.id})
    merchant = merchant_where(scene, customer, channels=REMOTE_CHANNELS)
    channel = channel_at(scene, merchant.category, REMOTE_CHANNELS)
    if party == "merchant":
        merchant = _new_merchant(scene, merchant, code)
    else:
        customer = replace(customer, country=_moved(customer.country, code))
    payment = scene.compose(
        scene.at, customer=customer, merchant=merchant, channel=channel, dollars=dollars
    )
    return Incident((payment,), {"customer.id": customer.id})


def _moved(country: Country, code: str) -> Country:
    """Return a country of another code, whose payments keep the currency they would have had."""
    return msgspec.structs.replace(country, code=code)


def _new_merchant(scene: Scene, like: Merchant, code: str) -> Merchant:
    """Return a merchant that nobody has paid before, since no known one is in such a country."""
    known = len(scene.population.cell_of_merchant)
    number = scene.random.randrange(known, 2 * known)
    name = f"{like.name.rpartition(' ')[0]} {number}"
    return replace(like, id=f"merchant_{number:04d}", name=name, country=_moved(like.country, code))


KINDS: Final[tuple[Kind, ...]] = (
    Kind("structuring", structuring, _STRUCTURED.mean),
    Kind("large_amount", large_amount),
    Kind("rapid_fire", rapid_fire, _SHOTS.mean),
    Kind("high_risk_country", high_risk_country),
)
