"""Payment events as JSON text, written in columns, byte by byte as one by one."""

from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.simulator.generation.simulation_samples import (
    LEVEL,
    UNUSUAL_COUNTRIES,
    chi_square,
    configuration,
    likely,
    moment_of,
    world,
)

from shared_code.domain.currencies import CURRENCIES
from simulator.configuration.amount_settings import Pareto, Uniform
from simulator.configuration.population_settings import (
    DEFAULT_CATEGORIES,
    DEFAULT_COUNTRIES,
    Category,
    Country,
    Population,
)
from simulator.configuration.structure import Configuration
from simulator.configuration.traffic_settings import LifeCycle, TimeSpan, Writing
from simulator.generation.encoding import write_events
from simulator.generation.ordinary import (
    METHODS,
    STATUSES,
    PaymentEvents,
    Payments,
    draw_payments,
    live,
)
from simulator.generation.population import Integers, account_of, as_wire, merchant_as_wire
from simulator.generation.span import microseconds
from simulator.generation.wording import DEVICES
from simulator.generation.world import World
from simulator.wire import Event, to_json

_EVENT = msgspec.json.Decoder(Event)


class _Amount(msgspec.Struct):
    amount: msgspec.Raw


class _Written(NamedTuple):
    world: World
    payments: Payments
    events: PaymentEvents
    bodies: list[bytes]
    times: Integers


def _write(asked: Configuration, size: int, seed: int = 1) -> _Written:
    built = world.__wrapped__(asked)  # too many worlds to be kept
    columns = np.random.default_rng(seed)
    payments = draw_payments(built, built.timeline.block(0), size, columns)
    events = live(built, payments, size, columns)
    bodies, times = write_events(built, payments, events, columns)
    return _Written(built, payments, events, bodies, times)


def _event(body: bytes) -> Event:
    """Return an event as the simulator would make it one by one."""
    amount = msgspec.json.decode(body, type=_Amount).amount
    text = bytes(amount)
    if text.startswith(b'"'):
        return _EVENT.decode(body)
    # A union with raw JSON cannot be decoded.
    event = _EVENT.decode(body.replace(b'"amount":' + text, b'"amount":"' + text + b'"'))
    return msgspec.structs.replace(event, amount=msgspec.Raw(text))


def _decimals(event: Event) -> int:
    """Return how many decimals the seconds of an event's time have."""
    return len(event.event_time[20:]) - len(event.event_time[20:].lstrip("0123456789"))


def _time(event: Event) -> datetime:
    return moment_of({"event_time": event.event_time})


def _number(event: Event) -> str:
    amount = event.amount
    return amount if isinstance(amount, str) else bytes(amount).decode()


COUNTRIES = st.lists(
    st.sampled_from((*UNUSUAL_COUNTRIES, *DEFAULT_COUNTRIES)),
    min_size=1,
    max_size=5,
    unique_by=lambda country: country.code,
)
SHARES = st.sampled_from((0.0, 0.3, 1.0))
CONFIGURATIONS = st.builds(
    Configuration,
    seed=st.integers(0, 2**53),
    time=st.builds(
        TimeSpan,
        start=st.datetimes(datetime(1970, 1, 2), datetime(2199, 12, 1), timezones=st.just(UTC)),  # noqa: DTZ001
        duration=st.sampled_from(("3s", "30m", "40d")),
    ),
    countries=COUNTRIES.map(tuple),
    population=st.builds(
        Population, customers=st.sampled_from((10, 300)), merchants=st.sampled_from((10, 60))
    ),
    life_cycle=st.builds(
        LifeCycle, pending_share=SHARES, slow_pending_share=SHARES, refund_share=SHARES
    ),
    writing=st.builds(
        Writing,
        offset_share=SHARES,
        nanosecond_share=SHARES,
        number_share=SHARES,
        edge_share=SHARES,
    ),
)


@settings(deadline=None, max_examples=60)
@given(CONFIGURATIONS, st.sampled_from((0, 1, 60)))
def test_every_text_is_that_of_the_event_it_holds_and_names_its_time_and_amount(
    asked: Configuration, size: int
) -> None:
    written = _write(asked, size)
    events = [_event(body) for body in written.bodies]
    assert [to_json(event) for event in events] == written.bodies
    assert len(events) == len(written.times) == size
    for at, event in enumerate(events):
        assert microseconds(_time(event)) == written.times[at]
        drawn = int(written.events.time[at])
        simple = _decimals(event) == 3
        assert written.times[at] == (drawn // 1000 * 1000 if simple else drawn)
        assert written.world.span.start <= written.times[at] < written.world.span.end
        scale = CURRENCIES[event.currency].minor_unit
        text = _number(event)
        assert Decimal(text).scaleb(scale) == int(written.events.minor[at])
        assert len(text.partition(".")[2]) == scale
        payment = int(written.events.payment[at])
        people, country = written.world.population, int(written.payments.country[payment])
        assert event.currency == people.countries[country].currency
        assert event.payment_method == METHODS[written.payments.method[payment]]
        assert event.payment_status == STATUSES[written.events.status[at]]


@pytest.fixture(scope="module")
def many() -> _Written:
    return _write(configuration(population=Population(customers=30)), 20_000)


@pytest.fixture(scope="module")
def events(many: _Written) -> list[Event]:
    return [_event(body) for body in many.bodies]


def test_events_name_their_payer_and_payee_and_what_was_paid_with(
    many: _Written, events: list[Event]
) -> None:
    people = many.world.population
    customers = {people.customer(at).id: people.customer(at) for at in range(30)}
    accounts = {account_of(customer): customer.id for customer in customers.values()}
    for event, payment in zip(events, many.events.payment.tolist(), strict=True):
        customer = people.customer(int(many.payments.customer[payment]))
        assert event.customer == as_wire(customer)
        assert event.merchant == merchant_as_wire(
            people.merchant(int(many.payments.merchant[payment]))
        )
        by_card = event.payment_method in ("credit_card", "debit_card")
        assert event.card == (customer.card if by_card else None)
        if event.payment_method in ("bank_transfer", "cryptocurrency"):
            assert event.counterparty is not None
            assert accounts[event.counterparty] != customer.id
        else:
            assert event.counterparty is None


def test_events_of_one_payment_differ_by_status_time_and_amount_alone(
    many: _Written, events: list[Event]
) -> None:
    by_payment = defaultdict(list)
    for event, payment in zip(events, many.events.payment.tolist(), strict=True):
        by_payment[payment].append(event)
    several = [each for each in by_payment.values() if len(each) > 1]
    assert len(several) > 1_000
    for first, *others in several:
        for other in others:
            same = msgspec.structs.replace(
                first,
                event_time=other.event_time,
                payment_status=other.payment_status,
                amount=other.amount,
            )
            if other.payment_status == "refunded":
                assert other.original_transaction_id == first.transaction_id
                assert other.transaction_id != first.transaction_id
                same = msgspec.structs.replace(
                    same,
                    transaction_id=other.transaction_id,
                    original_transaction_id=first.transaction_id,
                )
            assert other == same


def test_every_payment_has_an_id_of_its_own(many: _Written, events: list[Event]) -> None:
    identities = {(event.transaction_id, event.payment_status) for event in events}
    assert len(identities) == len(events)
    payments = len(np.unique(many.events.payment)) + int(many.events.original.sum())
    assert len({event.transaction_id for event in events}) == payments
    # Letters only: a row of digits could pass for a card number.
    assert all(event.transaction_id[4:].isalpha() for event in events)


def test_a_refund_names_a_payment_that_was_completed_before(events: list[Event]) -> None:
    completed = {
        event.transaction_id: _time(event)
        for event in events
        if event.payment_status == "completed"
    }
    refunds = [event for event in events if event.payment_status == "refunded"]
    assert len(refunds) > 200
    for refund in refunds:
        assert refund.original_transaction_id is not None
        waited = _time(refund) - completed[refund.original_transaction_id]
        # Times are cut to the millisecond where they end with a simple Z.
        assert timedelta(seconds=59.999) <= waited <= timedelta(minutes=20, milliseconds=1)


def test_times_and_amounts_are_written_in_all_ways_as_often_as_asked_for(
    events: list[Event],
) -> None:
    ways = Counter(
        (_decimals(event), event.event_time[19:].lstrip(".0123456789")) for event in events
    )
    offsets = ["-08:00", "-05:00", "+01:00", "+02:00", "+05:30", "+09:00"]
    found = [ways.pop((9, "Z")), ways.pop((3, "Z")), *(ways.pop((6, each)) for each in offsets)]
    assert not ways
    assert chi_square(found, [0.05, 0.7, *[0.25 / 6] * 6]) > LEVEL
    digits = Counter(event.event_time[-4:-1] for event in events if _decimals(event) == 9)
    assert chi_square([digits[each] for each in ("001", "500", "999")], [1, 1, 1]) > LEVEL
    numbers = sum(not isinstance(event.amount, str) for event in events)
    assert likely(numbers, len(events), 0.03)


def test_what_nobody_has_to_give_is_left_out_at_times(many: _Written, events: list[Event]) -> None:
    # Events of one payment are no independent draws.
    of_payments = {
        payment: event for event, payment in zip(events, many.events.payment.tolist(), strict=True)
    }
    payments = list(of_payments.values())
    without_channel = [event for event in payments if event.channel is None]
    assert likely(len(without_channel), len(payments), 0.05)
    assert all(event.device_type is None for event in without_channel)
    met = [event for event in payments if event.channel is not None]
    assert likely(sum(event.device_type is None for event in met), len(met), 0.1)
    for event in met:
        assert event.device_type is None or event.device_type in DEVICES[event.channel or ""]
    paid = [event for event in payments if event.metadata is not None]
    assert likely(len(paid), len(payments), 0.4)
    items = Counter(event.metadata["items"] for event in paid if event.metadata)
    assert chi_square([items[number] for number in range(1, 12)], [1] * 11) > LEVEL
    hosts = {str(event.metadata["ip"]) for event in paid if event.metadata}
    assert hosts == {f"203.0.113.{host}" for host in range(256)}
    orders = {str(event.metadata["order"]) for event in paid if event.metadata}
    assert len(orders) == len(paid)


def test_cash_is_paid_at_a_till_and_devices_are_as_frequent_as_their_channel_has_them(
    events: list[Event],
) -> None:
    cash = {event.channel for event in events if event.payment_method == "cash_equivalent"}
    assert cash == {"point_of_sale", None}
    web = Counter(event.device_type for event in events if event.channel == "web")
    assert chi_square([web[each] for each in ("desktop", "mobile", "tablet")], [2, 1, 1]) > LEVEL


def test_other_accounts_are_as_active_as_their_customers() -> None:
    countries = tuple(
        Country(code=code, currency="EUR", per_dollar=1, weight=weight)
        for code, weight in (("DE", 5), ("FR", 3), ("ES", 2))
    )
    transfers = tuple(each for each in DEFAULT_CATEGORIES if each.name == "money_transfer")
    written = _write(configuration(countries=countries, categories=transfers), 8_000)
    payees = {
        payment: _event(body).counterparty
        for body, payment in zip(written.bodies, written.events.payment.tolist(), strict=True)
    }
    found = Counter(payee.country for payee in payees.values() if payee)
    assert chi_square([found[each.code] for each in countries], [5, 3, 2]) > LEVEL


def test_amounts_of_up_to_fifteen_digits_are_written_in_full() -> None:
    for amounts in (
        Uniform(minimum=9.99e10, maximum=1e11),
        Pareto(minimum=0.01, alpha=0.2, maximum=1e11),
    ):
        category = Category(name="all", mcc="5411", amounts=amounts)
        written = _write(
            configuration(categories=(category,), countries=(UNUSUAL_COUNTRIES[0],)), 500
        )
        texts = [_number(_event(body)) for body in written.bodies]
        found = [Decimal(text).scaleb(4) for text in texts]
        assert found == written.events.minor.tolist()
