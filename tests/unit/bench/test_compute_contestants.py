"""What ``bench.compute`` compares is one job: whoever does it finds the same."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from bench import compute, workload
from bench.compute_odd import odd_bodies
from bench.compute_peer import described
from bench.compute_plain import PlainLoop
from bench.compute_rules import thirty_rules
from shared_code.domain.horizon import horizon_at

END = datetime(2026, 3, 2, 18, 0, tzinfo=UTC)
HORIZON = horizon_at(END, timedelta(days=30))


@pytest.fixture(scope="module")
def plain() -> PlainLoop:
    return PlainLoop(compute._contract(HORIZON), json.loads(thirty_rules()), compute.RULE_SET)


@pytest.mark.parametrize("bodies", [odd_bodies(END), workload.bodies(500, 1, END)])
def test_the_plain_loop_finds_what_the_product_finds(plain: PlainLoop, bodies: list[bytes]) -> None:
    found = compute.Ours(HORIZON).described([bodies])
    assert found == described([plain.batch(bodies)])
    assert found["payments"] > 0
    assert found["matches"] > found["payments"]


def test_every_odd_event_ends_as_a_payment_or_a_refusal_and_redelivery_adds_none() -> None:
    together, *apart = odd_bodies(END)
    ours = compute.Ours(HORIZON).judged
    first, again = ours([together]), ours([together, *apart])
    assert len(json.loads(together)) == len(first.payments) + len(first.rejected)
    assert first.payments == again.payments
    assert len({event.reason for event in first.rejected}) >= 10


def test_contestants_that_find_different_things_are_not_compared() -> None:
    with pytest.raises(RuntimeError, match=f"{compute._BYTEWAX} found"):
        compute._require_alike({compute._OURS: {"payments": 1}, compute._BYTEWAX: {"payments": 2}})
