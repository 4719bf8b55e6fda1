"""Writes columns of payment events as JSON text, byte by byte as ``wire.Event`` is encoded.

A test decodes what is written here and encodes it again by ``wire``.
"""

from typing import Final, NamedTuple

import numpy as np

from shared_code.domain.currencies import CURRENCIES
from simulator.configuration.population_settings import Channels
from simulator.generation.ordinary import (
    IS_CARD,
    METHODS,
    STATUSES,
    PaymentEvents,
    Payments,
    draw_channels,
)
from simulator.generation.population import Integers, Population
from simulator.generation.span import MICROSECONDS
from simulator.generation.streams import letters
from simulator.generation.wording import (
    CHANNEL_ABSENT,
    DEVICE_ABSENT,
    DEVICES,
    METADATA_ABSENT,
    OFFSETS_MINUTES,
    TRANSFERS,
)
from simulator.generation.world import World

_CHANNELS: Final = Channels.__struct_fields__
_TILL: Final = _CHANNELS.index("point_of_sale")
_CASH: Final = METHODS.index("cash_equivalent")
_IS_TRANSFER: Final = np.array([method in TRANSFERS for method in METHODS])
_DEVICE_TABLE: Final = tuple(DEVICES[channel] for channel in _CHANNELS)
_MILLISECOND: Final = 1000
# How a time may end: UTC, UTC spelt out, an offset, digits behind the microsecond.
_ENDINGS: Final = (
    "Z",
    *(f"{m // abs(m) * (abs(m) // 60):+03d}:{abs(m) % 60:02d}" for m in OFFSETS_MINUTES),
    *("001Z", "500Z", "999Z"),
)
_OFFSETS: Final = np.array([0, *OFFSETS_MINUTES, 0, 0, 0]) * 60 * MICROSECONDS
_FIRST_NANOSECOND: Final = 1 + len(OFFSETS_MINUTES)


class Written(NamedTuple):
    """JSON texts, and the times that they name, in microseconds since 1970."""

    bodies: list[bytes]
    times: Integers
    ids: list[str]


def write_events(
    world: World, payments: Payments, events: PaymentEvents, columns: np.random.Generator
) -> Written:
    """Return the JSON text of each event."""
    size = len(events.time)
    times, texts = _time_texts(world, events.time, columns)
    ids = _ids(world.run_key, len(payments.time), columns)
    refund_ids = iter(_ids(world.run_key, int(events.original.sum()), columns))
    of_payment = events.payment.tolist()
    middles, metadata = _middles(world, payments, columns)
    heads = _heads(world.population, payments, events)
    amounts = _amount_texts(world, payments, events, columns)
    event_ids = [
        next(refund_ids) if refund else ids[payment]
        for payment, refund in zip(of_payment, events.original.tolist(), strict=True)
    ]
    originals = [""] * size
    for at in np.flatnonzero(events.original).tolist():
        originals[at] = f',"original_transaction_id":"{ids[of_payment[at]]}"'
    bodies = [
        (
            f'{{"transaction_id":"{own_id}","event_time":"{time}","amount":{amount}{head}'
            f"{middles[payment]}{original}{metadata[payment]}}}"
        ).encode()
        for own_id, time, amount, head, payment, original in zip(
            event_ids, texts, amounts, heads, of_payment, originals, strict=True
        )
    ]
    return Written(bodies, times, event_ids)


def _ids(run_key: int, size: int, columns: np.random.Generator) -> list[str]:
    numbers = columns.integers(2**64, size=size, dtype=np.uint64) ^ np.uint64(run_key)
    text = letters(numbers.astype(">u8").tobytes())
    return [f"pay_{text[at : at + 16]}" for at in range(0, 16 * size, 16)]


def _time_texts(
    world: World, time: Integers, columns: np.random.Generator
) -> tuple[Integers, list[str]]:
    """Return the times as they are written, cut to the millisecond where Z is, and their texts."""
    writing = world.configuration.writing
    draw = columns.random(len(time))
    offset = columns.integers(1, _FIRST_NANOSECOND, size=len(time))
    digits = columns.integers(_FIRST_NANOSECOND, len(_ENDINGS), size=len(time))
    ending = np.where(draw < writing.nanosecond_share + writing.offset_share, offset, 0)
    ending = np.where(draw < writing.nanosecond_share, digits, ending)
    named = np.where(ending == 0, time // _MILLISECOND * _MILLISECOND, time)
    local = np.datetime_as_string((named + _OFFSETS[ending]).astype("M8[us]"), unit="us")
    texts = [
        f"{text}{_ENDINGS[end]}" if end else f"{text[:23]}Z"
        for text, end in zip(local.tolist(), ending.tolist(), strict=True)
    ]
    return named, texts


def _heads(population: Population, payments: Payments, events: PaymentEvents) -> list[str]:
    """Return currency, method and status of each event, written once for each combination."""
    statuses, methods = len(STATUSES), len(METHODS)
    table = [
        f',"currency":"{country.currency}","payment_method":"{method}","payment_status":"{status}"'
        for country in population.countries
        for method in METHODS
        for status in STATUSES
    ]
    country, method = payments.country[events.payment], payments.method[events.payment]
    codes = (country * methods + method) * statuses + events.status
    return [table[code] for code in codes.tolist()]


def _amount_texts(
    world: World, payments: Payments, events: PaymentEvents, columns: np.random.Generator
) -> list[str]:
    units = np.array([CURRENCIES[each.currency].minor_unit for each in world.population.countries])
    unit = units[payments.country[events.payment]]
    whole, part = np.divmod(events.minor, 10**unit)
    texts = [f'"{a}.{b:02d}"' for a, b in zip(whole.tolist(), part.tolist(), strict=True)]
    for at in np.flatnonzero(unit != 2).tolist():
        decimals = int(unit[at])
        fraction = f".{part[at]:0{decimals}d}" if decimals else ""
        texts[at] = f'"{whole[at]}{fraction}"'
    numbers = columns.random(len(texts)) < world.configuration.writing.number_share
    for at in np.flatnonzero(numbers).tolist():
        texts[at] = texts[at].strip('"')
    return texts


def _middles(
    world: World, payments: Payments, columns: np.random.Generator
) -> tuple[list[str], list[str]]:
    """Return what all events of a payment have in common, before and after a refund's original."""
    population, size = world.population, len(payments.time)
    customers = population.customer_texts(payments.customer.tolist())
    merchants = population.merchant_texts(payments.merchant.tolist())
    middles = [
        f'{met},"customer":{customer},"merchant":{merchant}'
        for met, customer, merchant in zip(
            _meetings(world, payments, columns), customers, merchants, strict=True
        )
    ]
    for at in np.flatnonzero(IS_CARD[payments.method]).tolist():
        middles[at] += f',"card":{population.card_text(int(payments.customer[at]))}'
    transfers = np.flatnonzero(_IS_TRANSFER[payments.method])
    others = _other_customers(world, payments.customer[transfers], columns)
    for at, other in zip(transfers.tolist(), others.tolist(), strict=True):
        middles[at] += f',"counterparty":{population.account_text(other)}'
    return middles, _metadata(size, columns)


def _meetings(world: World, payments: Payments, columns: np.random.Generator) -> list[str]:
    """Return channel and device of each payment, either of which may be left out."""
    size = len(payments.time)
    channel = np.where(payments.method == _CASH, _TILL, draw_channels(world, payments, columns))
    no_channel = columns.random(size) < CHANNEL_ABSENT
    no_device = columns.random(size) < DEVICE_ABSENT
    devices = np.array([len(each) for each in _DEVICE_TABLE])[channel]
    device = (columns.random(size) * devices).astype(np.int64)
    texts = []
    for met, one, without_channel, without_device in zip(
        channel.tolist(), device.tolist(), no_channel.tolist(), no_device.tolist(), strict=True
    ):
        if without_channel:
            texts.append("")
        elif without_device:
            texts.append(f',"channel":"{_CHANNELS[met]}"')
        else:
            texts.append(f',"channel":"{_CHANNELS[met]}","device_type":"{_DEVICE_TABLE[met][one]}"')
    return texts


def _other_customers(world: World, customers: Integers, columns: np.random.Generator) -> Integers:
    """Return for each customer another one, by activity."""
    population = world.population
    share = np.cumsum(population.group_share)
    groups = np.minimum(
        np.searchsorted(share, columns.random(len(customers)) * share[-1], side="right"),
        len(share) - 1,
    )
    found = population.customer_ranges.draw(groups, columns.random(len(customers)))
    neighbour = (found + 1) % len(population.group_of_customer)
    return np.where(found == customers, neighbour, found)


def _metadata(size: int, columns: np.random.Generator) -> list[str]:
    texts = [""] * size
    present = np.flatnonzero(columns.random(size) >= METADATA_ABSENT)
    orders = letters(columns.bytes(4 * present.size))
    items = columns.integers(1, 12, size=present.size).tolist()
    # TEST-NET-3 (RFC 5737): nobody's address.
    hosts = columns.integers(256, size=present.size).tolist()
    for number, (at, count, host) in enumerate(zip(present.tolist(), items, hosts, strict=True)):
        order = orders[8 * number : 8 * number + 8]
        texts[at] = (
            f',"metadata":{{"order":"order_{order}","items":{count},"ip":"203.0.113.{host}"}}'
        )
    return texts
