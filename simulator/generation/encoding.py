"""Writes columns of payment events as JSON text, byte by byte as ``wire.Event`` is encoded.

Each part of an event is a column of texts, taken from small tables wherever that is possible; all
columns are laid out row by row and joined at once, which costs a tenth of a string per event.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

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
from simulator.generation.population import Integers, Objects, Population
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
_MILLISECOND: Final = 1000
_ID_LENGTH: Final = 16
_DAY: Final = 86_400 * MICROSECONDS
_ZERO: Final = np.uint8(ord("0"))
_TO_THE_MILLISECOND: Final = len("2026-01-31T12:05:00.000")
_TO_THE_MICROSECOND: Final = _TO_THE_MILLISECOND + 3
# How a time may end: UTC, an offset, digits behind the microsecond.
_ENDINGS: Final = (
    "Z",
    *(f"{m // abs(m) * (abs(m) // 60):+03d}:{abs(m) % 60:02d}" for m in OFFSETS_MINUTES),
    *("001Z", "500Z", "999Z"),
)
_OFFSETS: Final = np.array([0, *OFFSETS_MINUTES, 0, 0, 0]) * 60 * MICROSECONDS
_FIRST_NANOSECOND: Final = 1 + len(OFFSETS_MINUTES)


type _Part = str | Objects | list[str]


class Written(NamedTuple):
    """JSON texts, and the times that they name, in microseconds since 1970."""

    bodies: list[bytes]
    times: Integers


def _table(texts: Sequence[str]) -> Objects:
    table: Objects = np.array(texts, dtype=object)
    return table


# What may follow the whole part of an amount: by number of decimals, then by their value; the
# second half of the table is for amounts that are JSON numbers, without a quotation mark.
_FIRST_FRACTION: Final = np.array([0, 1, 11, 111, 1111])
_FRACTIONS: Final = [""] + [
    f".{value:0{decimals}d}" for decimals in (1, 2, 3, 4) for value in range(10**decimals)
]
_AFTER_WHOLE: Final = _table([f'{text}"' for text in _FRACTIONS] + _FRACTIONS)
# By ending of the time, then by whether the amount is a JSON number.
_TO_THE_AMOUNT: Final = _table(
    [f'{ending}","amount":{quote}' for ending in _ENDINGS for quote in ('"', "")]
)
_DEVICE_TABLE: Final = tuple(DEVICES[channel] for channel in _CHANNELS)
_MOST_DEVICES: Final = max(len(devices) for devices in _DEVICE_TABLE)
# By channel and device; the last device of each row is none, the last row no channel at all.
_MEETINGS: Final = _table(
    [
        f',"channel":"{channel}"' + (f',"device_type":"{devices[at]}"' if at < len(devices) else "")
        for channel, devices in zip(_CHANNELS, _DEVICE_TABLE, strict=True)
        for at in range(_MOST_DEVICES + 1)
    ]
    + [""]
)
_MOST_ITEMS: Final = 11
# TEST-NET-3 (RFC 5737): nobody's address.
_ITEMS_AND_HOSTS: Final = _table(
    [
        f'","items":{items + 1},"ip":"203.0.113.{host}"}}'
        for items in range(_MOST_ITEMS)
        for host in range(256)
    ]
)


def write_events(
    world: World, payments: Payments, events: PaymentEvents, columns: np.random.Generator
) -> Written:
    """Return the JSON text of each event."""
    population, of_payment = world.population, events.payment
    ids = _ids(world.run_key, len(payments.time), columns)
    event_ids = ids[of_payment]
    event_ids[events.original] = _ids(world.run_key, int(events.original.sum()), columns)
    instruments = _instruments(world, payments, columns)[of_payment]
    instruments[events.original] += (
        ',"original_transaction_id":"pay_' + ids[of_payment[events.original]] + '"'
    )
    times, time_texts, endings = _time_texts(world, events.time, columns)
    numbers = columns.random(len(of_payment)) < world.configuration.writing.number_share
    whole, fractions = _amount_texts(population, payments, events, numbers)
    orders, items_and_hosts = _metadata(len(payments.time), columns)
    parts: tuple[_Part, ...] = (
        '}\n{"transaction_id":"pay_',
        event_ids,
        '","event_time":"',
        time_texts,
        _TO_THE_AMOUNT[endings * 2 + numbers],
        whole,
        fractions,
        _heads(population, payments, events),
        _meetings(world, payments, columns)[of_payment],
        population.customer_texts(payments.customer)[of_payment],
        population.merchant_texts(payments.merchant)[of_payment],
        instruments,
        orders[of_payment],
        items_and_hosts[of_payment],
    )
    return Written(_joined(len(of_payment), parts), times)


def _joined(rows: int, parts: tuple[_Part, ...]) -> list[bytes]:
    """Return the rows of columns of texts, each row joined; a text is a column of itself.

    Each row ends, and the one before it is parted from it, by what the next one begins with.
    """
    if not rows:
        return []
    width = len(parts)
    table: list[str] = [""] * (rows * width)
    for at, part in enumerate(parts):
        if isinstance(part, str):
            table[at::width] = [part] * rows
        else:
            table[at::width] = part if isinstance(part, list) else part.tolist()
    table[0] = table[0].removeprefix("}\n")
    table.append("}")
    # JSON has no line breaks of its own, so that all rows are joined and encoded at once. Joining
    # texts and encoding them is faster than joining bytes.
    return "".join(table).encode().split(b"\n")


def _ids(run_key: int, size: int, columns: np.random.Generator) -> Objects:
    numbers = columns.integers(2**64, size=size, dtype=np.uint64) ^ np.uint64(run_key)
    text = letters(numbers.astype(">u8").tobytes())
    return _table([text[at : at + _ID_LENGTH] for at in range(0, _ID_LENGTH * size, _ID_LENGTH)])


def _time_texts(
    world: World, time: Integers, columns: np.random.Generator
) -> tuple[Integers, list[str], Integers]:
    """Return the times as they are written, their texts, and the numbers of their endings.

    A time is cut to the millisecond where it simply ends with Z.
    """
    writing = world.configuration.writing
    draw = columns.random(len(time))
    offset = columns.integers(1, _FIRST_NANOSECOND, size=len(time))
    digits = columns.integers(_FIRST_NANOSECOND, len(_ENDINGS), size=len(time))
    ending = np.where(draw < writing.nanosecond_share + writing.offset_share, offset, 0)
    ending = np.where(draw < writing.nanosecond_share, digits, ending)
    plain = ending == 0
    named = np.where(plain, time // _MILLISECOND * _MILLISECOND, time)
    lengths = np.where(plain, _TO_THE_MILLISECOND, _TO_THE_MICROSECOND)
    return named, _clock_texts(named + _OFFSETS[ending], lengths), ending


def _clock_texts(times: Integers, lengths: Integers) -> list[str]:
    """Return each time in ISO 8601 without an offset, cut to its length.

    Digit by digit: numpy's own formatting takes twice as long.
    """
    days, in_day = np.divmod(times, _DAY)
    dates, date_of = np.unique(days, return_inverse=True)
    width = _TO_THE_MICROSECOND
    digits = np.empty((len(times), width), dtype=np.uint8)
    iso_dates = np.datetime_as_string(dates.astype("M8[D]")).astype("S10")
    digits[:, :10] = iso_dates.view(np.uint8).reshape(-1, 10)[date_of]
    digits[:, [10, 13, 16, 19]] = np.frombuffer(b"T::.", dtype=np.uint8)
    seconds, fraction = np.divmod(in_day, MICROSECONDS)
    for column, part in ((11, seconds // 3600), (14, seconds // 60 % 60), (17, seconds % 60)):
        tens, ones = np.divmod(part.astype(np.uint8), 10)
        digits[:, column] = tens + _ZERO
        digits[:, column + 1] = ones + _ZERO
    fraction = fraction.astype(np.uint32)
    for column in range(width - 1, 19, -1):
        fraction, digit = np.divmod(fraction, 10)
        digits[:, column] = digit + _ZERO
    text = digits.tobytes().decode()
    begins = range(0, width * len(times), width)
    return [text[at : at + size] for at, size in zip(begins, lengths.tolist(), strict=True)]


def _heads(population: Population, payments: Payments, events: PaymentEvents) -> Objects:
    """Return currency, method and status of each event, written once for each combination."""
    statuses, methods = len(STATUSES), len(METHODS)
    table = _table(
        [
            f',"currency":"{country.currency}","payment_method":"{method}"'
            f',"payment_status":"{status}"'
            for country in population.countries
            for method in METHODS
            for status in STATUSES
        ]
    )
    country, method = payments.country[events.payment], payments.method[events.payment]
    heads: Objects = table[(country * methods + method) * statuses + events.status]
    return heads


def _amount_texts(
    population: Population, payments: Payments, events: PaymentEvents, numbers: NDArray[np.bool]
) -> tuple[list[str], Objects]:
    """Return the whole part of each amount, and what stands behind it; some are JSON numbers."""
    units = np.array([CURRENCIES[each.currency].minor_unit for each in population.countries])
    unit = units[payments.country[events.payment]]
    whole, part = np.divmod(events.minor, 10**unit)
    after = _FIRST_FRACTION[unit] + part + numbers * len(_FRACTIONS)
    return list(map(str, whole.tolist())), _AFTER_WHOLE[after]


def _instruments(world: World, payments: Payments, columns: np.random.Generator) -> Objects:
    """Return the card of payments by card, the counterparty of transfers."""
    population = world.population
    texts = np.full(len(payments.time), "", dtype=object)
    cards = np.flatnonzero(IS_CARD[payments.method])
    texts[cards] = population.card_texts(payments.customer[cards])
    transfers = np.flatnonzero(_IS_TRANSFER[payments.method])
    others = _other_customers(world, payments.customer[transfers], columns)
    texts[transfers] = population.account_texts(others)
    return texts


def _meetings(world: World, payments: Payments, columns: np.random.Generator) -> Objects:
    """Return channel and device of each payment, either of which may be left out."""
    size = len(payments.time)
    channel = np.where(payments.method == _CASH, _TILL, draw_channels(world, payments, columns))
    devices = np.array([len(each) for each in _DEVICE_TABLE])[channel]
    device = (columns.random(size) * devices).astype(np.int64)
    device[columns.random(size) < DEVICE_ABSENT] = _MOST_DEVICES
    code = channel * (_MOST_DEVICES + 1) + device
    code[columns.random(size) < CHANNEL_ABSENT] = len(_MEETINGS) - 1
    meetings: Objects = _MEETINGS[code]
    return meetings


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


def _metadata(size: int, columns: np.random.Generator) -> tuple[Objects, Objects]:
    """Return the two halves of each payment's metadata, both empty where there is none."""
    orders = np.full(size, "", dtype=object)
    rest = np.full(size, "", dtype=object)
    present = np.flatnonzero(columns.random(size) >= METADATA_ABSENT)
    text = letters(columns.bytes(4 * present.size))
    orders[present] = [
        ',"metadata":{"order":"order_' + text[at : at + 8] for at in range(0, len(text), 8)
    ]
    rest[present] = _ITEMS_AND_HOSTS[columns.integers(len(_ITEMS_AND_HOSTS), size=present.size)]
    return orders, rest
