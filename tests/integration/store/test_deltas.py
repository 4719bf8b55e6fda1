"""What a batch adds to each window and group, exactly."""

from collections import defaultdict
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from payment_messages import NOW
from store_fixtures import Store

from shared_code.domain.currencies import CURRENCIES
from shared_code.domain.windows import window_start
from shared_code.rules.columns import Columns
from shared_code.store.deltas import append_deltas

type Payment = tuple[datetime, int, int, int, Decimal]


@st.composite
def payments(draw: st.DrawFn) -> Payment:
    """Give a payment of few groups, its amount anything that a currency allows."""
    currency = CURRENCIES[draw(st.sampled_from(["USD", "JPY", "BHD", "CLF"]))]
    minor_units = draw(st.integers(0, min(10 ** (15 + currency.minor_unit), 2**63) - 1))
    time = NOW - timedelta(microseconds=draw(st.integers(0, 900_000_000)))
    amount = Decimal(minor_units).scaleb(-currency.minor_unit)
    return time, draw(st.integers(1, 3)), currency.number, draw(st.integers(1, 2)), amount


@given(st.lists(payments(), min_size=1, max_size=60))
@settings(
    max_examples=40,
    phases=(Phase.explicit, Phase.generate),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_deltas_are_the_sums_of_each_group(shared_store: Store, batch: list[Payment]) -> None:
    shared_store.empty()
    names = ("event_time", "payment_method", "currency", "payment_status", "amount")
    columns: dict[str, Any] = dict(zip(names, zip(*batch, strict=True), strict=True))
    with shared_store.connection() as connection:
        append_deltas(connection.connection.cursor(), Columns(len(batch), columns.__getitem__))
    groups: dict[tuple[Any, ...], list[Decimal]] = defaultdict(list)
    for time, *group, amount in batch:
        groups[window_start(time), *group].append(amount)
    assert shared_store.rows(
        "SELECT window_start, payment_method, currency, payment_status,"
        " payment_count, amount_sum::text, amount_min::text, amount_max::text"
        " FROM window_deltas ORDER BY 1, 2, 3, 4"
    ) == [
        (*group, len(amounts), f"{sum(amounts):f}", f"{min(amounts):f}", f"{max(amounts):f}")
        for group, amounts in sorted(groups.items())
    ]
    assert shared_store.rows("SELECT window_start FROM window_marks ORDER BY 1") == [
        (start,) for start in sorted({group[0] for group in groups})
    ]
