"""Payment events written in a foreign layout and read back through its mapping stay equal."""

import csv
import io
import json
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from foreign_files import replayed
from hypothesis import given, settings
from hypothesis import strategies as st

from shared_code.domain.currencies import CURRENCIES
from shared_code.domain.vocabularies import PaymentMethod, PaymentStatus
from simulator.replay.mapping_reading import parse_mapping

METHODS = list(PaymentMethod.__members__)
STATUSES = list(PaymentStatus.__members__)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ORIGIN = datetime(2025, 6, 1, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
# Letters that CSV has to quote, and some that take several bytes; no blanks around a text.
WORDS = st.text(
    st.sampled_from("abcXYZ019 ,;\"'\n|äß€漢\N{GRINNING FACE}{}#:-_"), min_size=1, max_size=12
).map(lambda text: f"x{text}x")


@dataclass(frozen=True)
class Layout:
    """How a foreign file writes what an event says."""

    delimiter: str
    encoding: str
    decimal: str
    thousands: str | None
    unit: str
    time_format: str
    negative_refunds: bool
    translated: bool


LAYOUTS = st.builds(
    Layout,
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    decimal=st.sampled_from([".", ","]),
    thousands=st.sampled_from([None, " ", "'"]),
    unit=st.sampled_from(["major", "minor"]),
    time_format=st.sampled_from(
        ["rfc3339", "unix_seconds", "unix_milliseconds", "unix_microseconds", "steps", "local"]
    ),
    negative_refunds=st.booleans(),
    translated=st.booleans(),
)


@st.composite
def payments(draw: st.DrawFn) -> dict[str, Any]:
    code = draw(st.sampled_from(["EUR", "USD", "JPY", "KWD", "CLF"]))
    minor = draw(st.integers(1, 10**11))
    micros = draw(st.integers(0, 3 * 10**13))
    event: dict[str, Any] = {
        "transaction_id": draw(WORDS),
        "event_time": ORIGIN + timedelta(microseconds=micros),
        "amount": Decimal(minor).scaleb(-CURRENCIES[code].minor_unit),
        "currency": code,
        "payment_method": draw(st.sampled_from(METHODS)),
        "payment_status": draw(st.sampled_from(STATUSES)),
    }
    for name in ("customer", "merchant"):
        if draw(st.booleans()):
            event[name] = {"id": draw(WORDS)}
    return event


def time_text(moment: datetime, time_format: str) -> str:
    micros = (moment - EPOCH) // timedelta(microseconds=1)
    match time_format:
        case "rfc3339":
            return moment.astimezone(BERLIN).isoformat()
        case "unix_seconds":
            return str(Decimal(micros).scaleb(-6))
        case "unix_milliseconds":
            return str(Decimal(micros).scaleb(-3))
        case "unix_microseconds":
            return str(micros)
        case "steps":
            return str(Decimal((moment - ORIGIN) // timedelta(microseconds=1)).scaleb(-6))
        case _:
            return f"{moment:%d.%m.%Y %H-%M-%S.%f}"


TIMES = {
    "steps": {"format": "steps", "origin": ORIGIN.isoformat(), "step": "1s"},
    "local": {"format": "%d.%m.%Y %H-%M-%S.%f", "time_zone": "UTC"},
}


def amount_text(event: dict[str, Any], layout: Layout) -> str:
    amount: Decimal = event["amount"]
    if layout.unit == "minor":
        amount = amount.scaleb(CURRENCIES[event["currency"]].minor_unit)
    if layout.negative_refunds and event["payment_status"] == "refunded":
        amount = -amount
    mark = layout.thousands or ""
    text = f"{amount:,f}" if mark else f"{amount:f}"
    return text.replace(",", "T").replace(".", layout.decimal).replace("T", mark)


def foreign_word(word: str, layout: Layout) -> str:
    return f"{word.upper()}!" if layout.translated else word.upper()


def foreign_csv(events: list[dict[str, Any]], layout: Layout) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=layout.delimiter)
    writer.writerow(["Nr", "Wann", "Wie viel", "Währung", "Art", "Stand", "Wer", "Wo"])
    for event in events:
        writer.writerow(
            [
                event["transaction_id"],
                time_text(event["event_time"], layout.time_format),
                amount_text(event, layout),
                event["currency"].lower(),
                foreign_word(event["payment_method"], layout),
                foreign_word(event["payment_status"], layout),
                event.get("customer", {}).get("id", ""),
                event.get("merchant", {}).get("id", "NULL"),
            ]
        )
    return text.getvalue().encode(layout.encoding)


def mapping_of(layout: Layout) -> dict[str, Any]:
    def words(column: str, known: list[str]) -> dict[str, Any]:
        if not layout.translated:
            return {"column": column}
        return {"column": column, "translate": {foreign_word(w, layout): w for w in known}}

    amount: dict[str, Any] = {
        "column": "Wie viel",
        "unit": layout.unit,
        "decimal": layout.decimal,
        "sign": "refund" if layout.negative_refunds else "reject",
    }
    if layout.thousands:
        amount["thousands"] = layout.thousands
    return {
        "format": {"encoding": layout.encoding, "quote": '"'},
        "fields": {
            "transaction_id": {"column": "Nr"},
            "event_time": {
                "column": "Wann",
                **TIMES.get(layout.time_format, {"format": layout.time_format}),
            },
            "amount": amount,
            "currency": {"column": "Währung"},
            "payment_method": words("Art", METHODS),
            "payment_status": words("Stand", STATUSES),
            "customer": {"id": {"column": "Wer"}},
            "merchant": {"id": {"column": "Wo", "null_values": ["NULL"]}},
        },
    }


@settings(max_examples=60, deadline=None)
@given(events=st.lists(payments(), min_size=1, max_size=5), layout=LAYOUTS)
def test_events_come_back_from_any_layout(events: list[dict[str, Any]], layout: Layout) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "foreign.csv"
        path.write_bytes(foreign_csv(events, layout))
        found, replay = replayed(path, parse_mapping(json.dumps(mapping_of(layout))))
    assert replay.summary.bad == {}
    for event in found:
        event["event_time"] = datetime.fromisoformat(event["event_time"])
        event["amount"] = Decimal(event["amount"])
    assert found == events
