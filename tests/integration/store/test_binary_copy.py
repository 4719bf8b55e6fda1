"""Binary rows mean what they were made from, as PostgreSQL reads them."""

import io
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from store_fixtures import Store
from unit.domain.payment_strategies import texts

from shared_code.domain.currencies import CURRENCIES
from shared_code.domain.money import MAX_MINOR_UNITS
from shared_code.rules.columns import Columns
from shared_code.store import copy_fields as fields
from shared_code.store.array_text import array_text, quoted_array_text

AS_EVER = settings(
    max_examples=30,
    phases=(Phase.explicit, Phase.generate),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def read_back(store: Store, kind: str, copied: Iterable[bytes]) -> list[Any]:
    """Return values as the server understood the fields of one column of a type."""
    rows = [(1).to_bytes(2) + field for field in copied]
    with store.connection() as connection:
        connection.exec_driver_sql(
            f"CREATE TEMPORARY TABLE copied (place serial, value {kind}) ON COMMIT DROP"
        )
        cursor: Any = connection.connection.cursor()
        cursor.copy_expert(
            "COPY copied (value) FROM STDIN (FORMAT binary)",
            io.BytesIO(b"".join([fields.HEADER, *rows, fields.TRAILER])),
        )
        found = connection.exec_driver_sql("SELECT value::text FROM copied ORDER BY place")
        return [row[0] for row in found]


@given(
    st.lists(
        st.none()
        | st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**40), places=9)
        | st.decimals(allow_nan=False, allow_infinity=False, min_value=-(10**20), max_value=10**20),
        min_size=1,
    )
)
@AS_EVER
def test_a_number_arrives_with_its_digits_and_its_scale(
    shared_store: Store, numbers: list[Decimal | None]
) -> None:
    found = read_back(shared_store, "numeric", map(fields.numeric, numbers))
    with shared_store.connection() as connection:
        expected = connection.execute(
            text("SELECT n::numeric::text FROM unnest(CAST(:numbers AS text[])) AS n"),
            {"numbers": [None if number is None else str(number) for number in numbers]},
        )
        assert found == [row[0] for row in expected]


@pytest.mark.parametrize(
    "number", ["0", "-0", "1E+3", "-1E-12", "9999", "10000", "0.0001", "0.00009", "123456789.10"]
)
def test_numbers_at_the_edges_of_their_groups_arrive(shared_store: Store, number: str) -> None:
    with shared_store.connection() as connection:
        expected = connection.execute(text(f"SELECT (numeric '{number}')::text")).scalar_one()
    assert read_back(shared_store, "numeric", [fields.numeric(Decimal(number))]) == [expected]


EDGES = (
    *("0", "-0.00", "1", "-1.5", "0.015", "0.00000001", "-9999.99990000", "10000.00010000"),
    *("9999999999999999", "-999999999999999", "1E+3", "1E-8", "12345678.1000000"),
)
TOO_LONG = ("99999999999999999", "0.000000001", "1E+20", "-1234567890123456.5")


@pytest.mark.parametrize("last", [*EDGES, *TOO_LONG])
def test_many_numbers_arrive_like_one(shared_store: Store, last: str) -> None:
    numbers = [Decimal(number) for number in (*EDGES * 3, last)]
    one_by_one = read_back(shared_store, "numeric", map(fields.numeric, numbers))
    assert read_back(shared_store, "numeric", fields.numerics(numbers)) == one_by_one


CURRENCIES_BY_DECIMALS = ("JPY", "EUR", "KWD", "CLF")


@given(
    st.lists(
        st.tuples(st.sampled_from(CURRENCIES_BY_DECIMALS), st.integers(0, MAX_MINOR_UNITS)).filter(
            lambda amount: amount[1] // 10 ** CURRENCIES[amount[0]].minor_unit < 10**15
        ),
        min_size=1,
    )
)
@AS_EVER
def test_an_amount_arrives_at_the_scale_of_its_currency(
    shared_store: Store, amounts: list[tuple[str, int]]
) -> None:
    currencies = [CURRENCIES[code] for code, _ in amounts]
    stored: dict[str, list[Any]] = {
        "currency": [currency.number for currency in currencies],
        "amount": [
            Decimal(minor_units).scaleb(-currency.minor_unit)
            for currency, (_, minor_units) in zip(currencies, amounts, strict=True)
        ],
    }
    columns = Columns(len(amounts), stored.__getitem__)
    found = read_back(shared_store, "numeric", fields.amounts(columns))
    assert found == [f"{amount:f}" for amount in stored["amount"]]


@given(st.lists(st.none() | texts(64), min_size=1))
@AS_EVER
def test_a_text_arrives_as_it_is(shared_store: Store, values: list[str | None]) -> None:
    assert read_back(shared_store, "text", fields.texts(values)) == values


def test_the_longest_text_of_the_contract_arrives(shared_store: Store) -> None:
    longest = "\N{MUSICAL SYMBOL G CLEF}" * 320
    assert read_back(shared_store, "text", fields.texts([longest])) == [longest]


def test_metadata_and_hashes_arrive(shared_store: Store) -> None:
    found = read_back(shared_store, "jsonb", fields.json_texts(['{"a": "ü"}', None]))
    assert found == ['{"a": "ü"}', None]
    found = read_back(shared_store, "bytea", fields.hashes([bytes(range(16)), None]))
    assert found == [rf"\x{bytes(range(16)).hex()}", None]


@pytest.mark.parametrize(
    ("kind", "field", "expected"),
    [
        ("integer", fields.integer(2**31 - 1), "2147483647"),
        ("smallint", fields.small_integer(-1), "-1"),
        ("boolean", fields.TRUE, "true"),
        ("timestamptz", fields.time(1), "1970-01-01 00:00:00.000001+00"),
        ("timestamptz", fields.time(fields.POSTGRESQL_EPOCH), "2000-01-01 00:00:00+00"),
    ],
)
def test_fixed_fields_arrive(shared_store: Store, kind: str, field: bytes, expected: str) -> None:
    assert read_back(shared_store, kind, [field]) == [expected]


@given(st.lists(texts(20) | st.sampled_from(['"', "\\", "NULL", "", " ", ",", "{}", '\\"'])))
@AS_EVER
def test_any_texts_are_read_from_an_array(shared_store: Store, values: list[str]) -> None:
    assert read_array(shared_store, "text[]", quoted_array_text(values)) == values


def test_numbers_are_read_from_an_array(shared_store: Store) -> None:
    assert read_array(shared_store, "smallint[]", array_text([3, 1])) == [3, 1]
    assert read_array(shared_store, "smallint[]", array_text([])) == []


def read_array(store: Store, kind: str, array: str) -> Sequence[Any]:
    with store.connection() as connection:
        statement = text(f"SELECT CAST(:array AS {kind})")
        found: Sequence[Any] = connection.execute(statement, {"array": array}).scalar_one()
        return found
