"""Who pays and who is paid."""

from collections import Counter

import msgspec
import numpy as np
import pytest
from unit.simulator.generation.simulation_samples import LEVEL, chi_square, configuration

from simulator.configuration.amount_settings import Uniform
from simulator.configuration.population_settings import Category, Country, Population, Segment
from simulator.generation.partition_keys import BUCKETS, key_bucket, partition_key
from simulator.generation.population import Population as People
from simulator.generation.population import account_of, as_wire, merchant_as_wire
from simulator.wire import to_json

SEGMENTS = (
    Segment(name="many", weight=8),
    Segment(name="busy", weight=2, activity=3),
    Segment(name="nobody", weight=0),
)
COUNTRIES = (
    Country(code="DE", currency="EUR", per_dollar=0.9, weight=6),
    Country(code="JP", currency="JPY", per_dollar=150, weight=3),
    Country(code="KW", currency="KWD", per_dollar=0.31, weight=1),
)
CATEGORIES = tuple(
    Category(name=name, mcc=mcc, weight=weight, amounts=Uniform(minimum=1, maximum=2))
    for name, mcc, weight in (("grocery", "5411", 7), ("fuel", "5541", 2), ("hotel", "7011", 1))
)
CONFIGURATION = configuration(
    population=Population(customers=5_000, merchants=600, customer_exponent=1.0),
    segments=SEGMENTS,
    countries=COUNTRIES,
    categories=CATEGORIES,
)
DRAWS = 20_000


@pytest.fixture(scope="module")
def people() -> People:
    return People(CONFIGURATION)


@pytest.fixture(scope="module")
def everybody(people: People) -> list[tuple[str, str]]:
    """Segment and country of each customer, by position."""
    customers = map(people.customer, range(5_000))
    return [(customer.segment.name, customer.country.code) for customer in customers]


def test_segments_and_countries_have_their_shares_of_customers(
    everybody: list[tuple[str, str]],
) -> None:
    assert Counter(segment for segment, _ in everybody) == {"many": 4_000, "busy": 1_000}
    assert Counter(country for _, country in everybody) == {"DE": 3_000, "JP": 1_500, "KW": 500}


def test_categories_and_countries_have_their_shares_of_merchants(people: People) -> None:
    merchants = [people.merchant(position) for position in range(600)]
    assert Counter(merchant.category.name for merchant in merchants) == {
        "grocery": 420,
        "fuel": 120,
        "hotel": 60,
    }
    assert Counter(merchant.country.code for merchant in merchants) == {
        "DE": 360,
        "JP": 180,
        "KW": 60,
    }


def test_groups_pay_by_their_number_and_their_activity(people: People) -> None:
    shares = people.group_share.reshape(3, 3)
    assert shares.sum(axis=1) == pytest.approx([8 / 14, 6 / 14, 0])
    assert shares.sum(axis=0) == pytest.approx([0.6, 0.3, 0.1])


def test_activity_within_a_group_falls_with_rank_as_in_zipfs_law(people: People) -> None:
    ranges, columns = people.customer_ranges, np.random.default_rng(1)
    size = int(ranges.sizes[0])
    drawn = ranges.draw(np.zeros(DRAWS, dtype=np.int64), columns.random(DRAWS))
    # Without a shift of ten ranks, the first would outweigh all others.
    expected = 1 / (np.arange(size) + 10)
    found = np.bincount(drawn, minlength=size)
    hundreds = np.arange(0, size, 100)
    assert chi_square(np.add.reduceat(found, hundreds), np.add.reduceat(expected, hundreds)) > LEVEL
    assert found[:10].sum() > 10 * found[-100:].sum() / 10


def test_every_group_and_cell_is_drawn_from_within_its_own_stretch(people: People) -> None:
    for ranges in (people.customer_ranges, people.merchant_ranges, people.category_ranges):
        groups = np.repeat(np.flatnonzero(ranges.sizes), 2)
        # The ends of what a generator may give.
        edges = np.tile([0.0, np.nextafter(1.0, 0.0)], len(groups) // 2)
        drawn = ranges.draw(groups, edges)
        assert (drawn >= ranges.first[groups]).all()
        assert (drawn < ranges.first[groups] + ranges.sizes[groups]).all()
        assert (drawn[0::2] == ranges.first[groups[0::2]]).all()


def test_a_country_of_merchants_weighs_the_same_however_many_of_them_there_are(
    people: People,
) -> None:
    columns = np.random.default_rng(2)
    for category in range(3):
        merchants = people.category_ranges.draw(np.full(DRAWS, category), columns.random(DRAWS))
        cells = people.cell_of_merchant[merchants]
        assert set(cells // 3) == {category}
        assert chi_square(np.bincount(cells % 3), [6, 3, 1]) > LEVEL


def test_ids_are_unique_and_their_order_tells_nothing_of_the_position(people: People) -> None:
    customers = [people.customer(position) for position in range(5_000)]
    merchants = [people.merchant(position) for position in range(600)]
    for ids in (
        [customer.id for customer in customers],
        [merchant.id for merchant in merchants],
        [customer.email for customer in customers],
        [customer.account for customer in customers],
        [customer.card.fingerprint for customer in customers],
    ):
        assert len(set(ids)) == len(ids)
        by_id = np.argsort(np.array(ids))
        correlation = np.corrcoef(by_id, np.arange(len(ids)))[0, 1]
        assert abs(correlation) < 4 / np.sqrt(len(ids))


def test_the_same_seed_gives_the_same_people_and_another_one_others() -> None:
    other = msgspec.structs.replace(CONFIGURATION, seed=8)
    first, again, others = (
        [people.customer(position) for position in range(50)]
        for people in (People(CONFIGURATION), People(CONFIGURATION), People(other))
    )
    assert first == again
    assert [customer.id for customer in first] != [customer.id for customer in others]


def member(name: str, value: object) -> str:
    return f',"{name}":{to_json(value).decode()}'


def test_texts_are_members_of_the_published_shape(people: People) -> None:
    positions = np.array([3, 4_999, 3, 0])
    customers = [people.customer(position) for position in positions.tolist()]
    assert people.customer_texts(positions).tolist() == [
        member("customer", as_wire(customer)) for customer in customers
    ]
    assert people.card_texts(positions).tolist() == [
        member("card", customer.card) for customer in customers
    ]
    assert people.account_texts(positions).tolist() == [
        member("counterparty", account_of(customer)) for customer in customers
    ]
    shops = np.array([599, 0, 599])
    assert people.merchant_texts(shops).tolist() == [
        member("merchant", merchant_as_wire(people.merchant(position)))
        for position in shops.tolist()
    ]


def test_each_customer_has_the_key_bucket_of_its_id_and_buckets_fill_evenly(
    people: People,
) -> None:
    keys = people.keys_of(np.arange(5_000))
    assert keys.tolist() == [key_bucket(people.customer(at).id) for at in range(5_000)]
    assert chi_square(np.bincount(keys, minlength=BUCKETS), np.ones(BUCKETS)) > LEVEL
    assert partition_key(people.customer(7).id) == str(keys[7])
