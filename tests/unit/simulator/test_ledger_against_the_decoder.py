"""The product's own decoder as second opinion on the simulator's ledger."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from shared_code.domain.currencies import CURRENCY_BY_NUMBER
from shared_code.domain.decoding import Message, Origin, decode_batch
from shared_code.domain.horizon import horizon_at
from shared_code.domain.pseudonyms import Pseudonymiser
from shared_code.domain.vocabularies import PaymentMethod, PaymentStatus, QualityFlag
from shared_code.domain.windows import window_start
from simulator.ledger import Ledger
from simulator.parameters import Parameters
from simulator.simulation import simulate

END = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
RETENTION = timedelta(days=30)


@dataclass
class Recount:
    payments: int = 0
    duplicates: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    qualities: Counter[str] = field(default_factory=Counter)
    sums: dict[tuple[datetime, str, str, str], tuple[int, Decimal]] = field(default_factory=dict)


def _recount(parameters: Parameters, now: datetime) -> tuple[Recount, Ledger, int]:
    """Decode all messages in order, the first of an identity standing, and add up."""
    simulation = simulate(parameters)
    messages = [
        Message(Origin("namespace", "payments", key, number), body)
        for number, (key, body, _) in enumerate(simulation)
    ]
    decoded = decode_batch(messages, Pseudonymiser(b"k" * 32), horizon_at(now, RETENTION))
    recount = Recount(rejected=Counter(event.reason.value for event in decoded.rejected))
    hashes: dict[object, bytes] = {}
    sums: defaultdict[tuple[datetime, str, str, str], list[Decimal]] = defaultdict(list)
    for placed in decoded.payments:
        payment = placed.accepted.payment
        first = hashes.setdefault(payment.identity, placed.accepted.content_hash)
        if first != placed.accepted.content_hash:
            recount.rejected["conflicting_duplicate"] += 1
        elif recount.payments == len(hashes):
            recount.duplicates += 1
        else:
            recount.payments += 1
            flags = QualityFlag(placed.accepted.quality_flags)
            recount.qualities.update(flag.name for flag in flags if flag.name)
            key = (
                window_start(payment.event_time),
                PaymentMethod(payment.payment_method).name,
                CURRENCY_BY_NUMBER[payment.currency].code,
                PaymentStatus(payment.payment_status).name,
            )
            sums[key].append(payment.amount)
    recount.sums = {key: (len(amounts), sum(amounts, Decimal(0))) for key, amounts in sums.items()}
    return recount, simulation.ledger, len(messages)


@pytest.fixture(scope="module", params=[(7, 50), (11, 1), (23, 400)], ids=lambda p: f"seed-{p[0]}")
def counted(request: pytest.FixtureRequest) -> tuple[Recount, Ledger, int]:
    seed, pack = request.param
    parameters = Parameters(
        end=END,
        payments=4_000,
        seed=seed,
        pack=pack,
        bad_share=0.03,
        duplicate_share=0.05,
        conflict_share=0.01,
    )
    return _recount(parameters, END)


def test_the_decoder_accepts_exactly_the_payments_of_the_ledger(
    counted: tuple[Recount, Ledger, int],
) -> None:
    recount, ledger, messages = counted
    assert recount.payments == ledger.payments == ledger.parameters.payments
    assert recount.duplicates == ledger.duplicates > 0
    assert messages == ledger.messages


def test_the_decoder_refuses_exactly_what_the_ledger_expects(
    counted: tuple[Recount, Ledger, int],
) -> None:
    recount, ledger, _ = counted
    assert recount.rejected == ledger.rejected
    assert ledger.events == ledger.payments + ledger.duplicates + sum(ledger.rejected.values())


def test_sums_of_every_window_method_currency_and_status_are_equal(
    counted: tuple[Recount, Ledger, int],
) -> None:
    recount, ledger, _ = counted
    assert recount.sums == {
        (each.window_start, each.payment_method, each.currency, each.payment_status): (
            each.count,
            each.amount,
        )
        for each in ledger.sums
    }


def test_totals_are_the_sums_by_currency(counted: tuple[Recount, Ledger, int]) -> None:
    _, ledger, _ = counted
    for total in ledger.totals:
        own = [each for each in ledger.sums if each.currency == total.currency]
        assert total.count == sum(each.count for each in own)
        assert total.amount == sum(each.amount for each in own)
    assert sum(total.count for total in ledger.totals) == ledger.payments
    currencies = {total.currency for total in ledger.totals}
    assert {"JPY", "KWD", "USD"} <= currencies


def test_quality_flags_are_as_expected(counted: tuple[Recount, Ledger, int]) -> None:
    recount, ledger, _ = counted
    assert {name: recount.qualities[name] for name in ledger.qualities} == ledger.qualities
    assert ledger.qualities["card_number_present"] >= 2
    # Flags of which the ledger keeps no account come from the blemishes alone.
    assert set(recount.qualities) - set(ledger.qualities) <= {
        "card_data_forbidden",
        "card_data_invalid",
    }


def test_the_ledger_holds_as_long_as_it_says() -> None:
    parameters = Parameters(end=END, payments=400, bad_share=0.2)
    on_time, ledger, _ = _recount(parameters, END)
    late, _, _ = _recount(parameters, ledger.holds_until - timedelta(microseconds=1))
    assert on_time.rejected == late.rejected == ledger.rejected
    assert on_time.sums == late.sums


@pytest.mark.parametrize(
    "parameters",
    [
        Parameters(end=END, payments=1),
        Parameters(end=END, payments=300, windows=3_000, late_share=0.5),
        Parameters(
            end=END,
            payments=700,
            windows=1,
            pack=3,
            bad_share=0.5,
            duplicate_share=0.5,
            late_share=0.5,
            conflict_share=0.5,
        ),
    ],
    ids=["one payment", "ten days", "as bad as it gets"],
)
def test_the_ledger_is_right_at_the_edges_of_the_parameters(parameters: Parameters) -> None:
    recount, ledger, _ = _recount(parameters, END)
    assert (recount.payments, recount.duplicates) == (ledger.payments, ledger.duplicates)
    assert recount.rejected == ledger.rejected
    assert sum(count for count, _ in recount.sums.values()) == parameters.payments
    assert {key: amount for key, (_, amount) in recount.sums.items()} == {
        (each.window_start, each.payment_method, each.currency, each.payment_status): each.amount
        for each in ledger.sums
    }
