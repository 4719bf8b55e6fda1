"""A foreign file, replayed through the pipeline's engine, adds up to what plain Python makes of it.

The judge reads the CSV by itself, with the standard library alone.
"""

import csv
import random
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest
from payment_messages import NOW
from store_fixtures import NewStore, Store

from shared_code.domain.decoding import Message, Origin
from simulator.replay.mapping_reading import parse_mapping
from simulator.replay.replaying import Replay, ReplayOptions, ShiftTo

BERLIN = ZoneInfo("Europe/Berlin")
WINDOW = timedelta(minutes=5)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ART = {"Karte": "credit_card", "Lastschrift": "bank_transfer", "Bar": "cash_equivalent"}
STAND = {"gebucht": "completed", "offen": "pending", "abgelehnt": "failed"}
DECIMALS = {"EUR": 2, "JPY": 0, "KWD": 3}
MAPPING = """
format: {type: csv, delimiter: ";", encoding: cp1252, decimal: ",", thousands: "."}
skip_when: [{column: Art, equals: [Gebühr]}]
fields:
  transaction_id: {column: Nr}
  event_time: {column: Tag, time_column: Zeit, format: "%d.%m.%Y %H:%M:%S,%f",
               time_zone: Europe/Berlin}
  amount: {column: Betrag, sign: refund}
  currency: {column: Währung}
  payment_method: {column: Art, translate: {Karte: credit_card, Lastschrift: bank_transfer,
                   Bar: cash_equivalent}}
  payment_status: {column: Stand, translate: {gebucht: completed, offen: pending,
                   abgelehnt: failed}}
  customer: {id: {column: Kunde}}
"""


class Group(NamedTuple):
    """What the pipeline sums up by."""

    window_start: datetime
    method: str
    currency: str
    status: str


def written(folder: Path) -> Path:
    """Write a bank's export with repeated, bad and irrelevant rows; local times before NOW."""
    rng = random.Random(8)
    path = folder / "export.csv"
    with path.open("w", encoding="cp1252", newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(["Nr", "Tag", "Zeit", "Art", "Stand", "Betrag", "Währung", "Kunde"])
        for number in range(1500):
            moment = NOW - timedelta(microseconds=rng.randrange(3_600_000_000))
            local = moment.astimezone(BERLIN)
            code = rng.choice(list(DECIMALS))
            minor = rng.choice([-1, 1, 1, 1]) * rng.randrange(1, 10_000_000)
            amount = f"{Decimal(minor).scaleb(-DECIMALS[code]):,f}"
            row = [
                f"nr-{number}",
                f"{local:%d.%m.%Y}",
                f"{local:%H:%M:%S,%f}",
                rng.choice([*ART, "Gebühr", "Tausch"]),
                rng.choice(list(STAND)),
                amount.translate(str.maketrans(",.", ".,")),
                rng.choice([code] * 9 + ["XXX"]),
                f"k-{rng.randrange(40)}",
            ]
            writer.writerows([row] * rng.choice([1, 1, 1, 2]))
            if number % 50 == 0:
                writer.writerow(row[:4])
    return path


def judged(path: Path, shift: timedelta) -> dict[Group, tuple[int, Decimal]]:
    """Return count and sum of each group, straight from the file."""
    seen = set()
    counts: Counter[Group] = Counter()
    sums: dict[Group, Decimal] = {}
    with path.open(encoding="cp1252", newline="") as file:
        for row in csv.DictReader(file, delimiter=";"):
            code = row["Währung"]
            if row["Betrag"] is None or row["Art"] not in ART or code not in DECIMALS:
                continue
            amount = Decimal(row["Betrag"].replace(".", "").replace(",", "."))
            exact = Decimal(1).scaleb(-DECIMALS[code])
            if amount != amount.quantize(exact, ROUND_HALF_EVEN) or row["Nr"] in seen:
                continue
            seen.add(row["Nr"])
            text = f"{row['Tag']} {row['Zeit']}"
            local = datetime.strptime(text, "%d.%m.%Y %H:%M:%S,%f").replace(tzinfo=BERLIN)
            moment = local.astimezone(UTC) + shift
            status = "refunded" if amount < 0 else STAND[row["Stand"]]
            start = moment - (moment - EPOCH) % WINDOW
            group = Group(start, ART[row["Art"]], code, status)
            counts[group] += 1
            sums[group] = sums.get(group, Decimal(0)) + abs(amount)
    return {group: (counts[group], sums[group]) for group in counts}


def stored(store: Store) -> dict[Group, tuple[int, Decimal]]:
    rows = store.rows("""
        SELECT window_start, payment_method, currency, payment_status, payment_count, amount_sum
        FROM payment_windows
    """)
    return {Group(*row[:4]): (row[4], row[5]) for row in rows}


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("export"))


@pytest.fixture
def store(new_store: NewStore) -> Iterator[Store]:
    with new_store() as made:
        yield made


@pytest.mark.parametrize("shift_to", [None, ShiftTo(NOW + timedelta(hours=7, seconds=1))])
def test_database_holds_what_plain_python_makes_of_the_file(
    store: Store, export: Path, shift_to: ShiftTo | None
) -> None:
    replay = Replay([export], parse_mapping(MAPPING), ReplayOptions(pack=40, shift_to=shift_to))
    messages = [
        Message(Origin("local", "payments", message.partition_key, number), message.body)
        for number, message in enumerate(replay.messages())
    ]
    for first in range(0, len(messages), 20):
        store.metrics.process_batch(messages[first : first + 20])
    store.metrics.aggregate()
    expected = judged(export, replay.summary.shift)
    assert len(expected) > 100
    assert stored(store) == expected
    assert store.value("SELECT count(*) FROM rejected_events") == 0
    assert set(replay.summary.bad) == {
        "ragged",
        "untranslated",
        "unknown_currency",
    }
