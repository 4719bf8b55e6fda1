"""Files made in the layouts of well-known data sets, from their description to their events."""

import random
from pathlib import Path

from foreign_files import replayed

from simulator.replay.describing.describing import describe
from simulator.replay.mapping_reading import parse_mapping

PAYSIM = """\
step,type,amount,nameOrig,oldbalanceOrg,newbalanceOrig,nameDest,oldbalanceDest,newbalanceDest,isFraud,isFlaggedFraud
1,PAYMENT,9839.64,C1231006815,170136.0,160296.36,M1979787155,0.0,0.0,0,0
1,TRANSFER,181.0,C1305486145,181.0,0.0,C553264065,0.0,0.0,1,0
2,CASH_OUT,229133.94,C905080434,15325.0,0.0,C476402209,5083.0,51513.44,0,0
743,CASH_IN,143236.26,C1862994526,0.0,143236.26,C1688019098,608932.17,97263.78,0,0
743,DEBIT,5337.77,C712410124,41720.0,36382.23,C195600860,41898.0,40348.79,0,0
"""

PAYSIM_MAPPING = """
skip_when:
  - {column: type, equals: [CASH_IN]}
fields:
  transaction_id: {row_number: true, prefix: paysim-}
  event_time: {column: step, format: steps, step: 1h, origin: 2026-01-01T00:00:00Z}
  amount: {column: amount}
  currency: {constant: USD}
  payment_method:
    column: type
    translate:
      PAYMENT: digital_wallet
      TRANSFER: bank_transfer
      CASH_OUT: cash_equivalent
      DEBIT: debit_card
  payment_status: {constant: completed}
  customer: {id: {column: nameOrig}}
  counterparty: {id: {column: nameDest}}
  metadata: {is_fraud: {column: isFraud}}
"""

BANK_MAPPING = """
format: {type: csv, encoding: cp1252, delimiter: ";", decimal: ",", thousands: "."}
fields:
  transaction_id: {hash_of: [Buchungstag, Uhrzeit, Betrag, Empfänger], prefix: bank-}
  event_time:
    column: Buchungstag
    time_column: Uhrzeit
    format: "%d.%m.%Y %H:%M:%S"
    time_zone: Europe/Berlin
  amount: {column: Betrag, sign: refund_positive}
  currency: {column: Währung}
  payment_method:
    column: Art
    translate: {Überweisung: bank_transfer, Kartenzahlung: debit_card}
  payment_status: {constant: completed}
  customer: {id: {column: Konto}}
  merchant: {name: {column: Empfänger}}
"""

BANK = """\
Konto;Buchungstag;Uhrzeit;Art;Betrag;Währung;Empfänger
DE01;29.03.2026;01:59:59;Überweisung;-1.234,50;EUR;"Bäckerei; Söhne"
DE01;29.03.2026;02:30:00;Überweisung;-7,00;EUR;Café
DE02;25.10.2026;02:30:00;Kartenzahlung;12,99;EUR;Café
DE02;26.10.2026;09:00:00;Lastschrift;-1,00;EUR;Strom
"""


def written(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "data.csv"
    path.write_bytes(text.encode(encoding))
    return path


def test_paysim_is_replayed(tmp_path: Path) -> None:
    events, replay = replayed(written(tmp_path, PAYSIM), parse_mapping(PAYSIM_MAPPING))
    assert replay.summary.bad == {}
    assert replay.summary.skipped == 1
    assert events[1] == {
        "transaction_id": "paysim-2",
        "event_time": "2026-01-01T01:00:00Z",
        "amount": "181.00",
        "currency": "USD",
        "payment_method": "bank_transfer",
        "payment_status": "completed",
        "customer": {"id": "C1305486145"},
        "counterparty": {"id": "C553264065"},
        "metadata": {"is_fraud": "1"},
    }
    assert [event["event_time"] for event in events[2:]] == [
        "2026-01-01T02:00:00Z",
        "2026-01-31T23:00:00Z",
    ]


def test_paysim_is_described_so_that_every_row_is_an_event(tmp_path: Path) -> None:
    path = written(tmp_path, PAYSIM)
    events, replay = replayed(path, parse_mapping(describe(path)))
    assert replay.summary.bad == {}
    assert [event["payment_method"] for event in events] == [
        "digital_wallet",
        "bank_transfer",
        "cash_equivalent",
        "cash_equivalent",
        "debit_card",
    ]
    assert events[0]["customer"] == {"id": "C1231006815"}
    assert events[0]["counterparty"] == {"id": "M1979787155"}


def credit_card_fraud(rows: int) -> str:
    """Return rows of seconds since the first, 28 components, amount and class, all quoted alike."""
    rng = random.Random(3)
    header = ["Time", *(f"V{number}" for number in range(1, 29)), "Amount", "Class"]
    lines = [",".join(f'"{name}"' for name in header)]
    for number in range(rows):
        components = [repr(rng.gauss(0, 1)) for _ in range(28)]
        amount = f"{rng.randint(1, 99999) / 100:g}"
        lines.append(",".join([str(number * 7), *components, amount, f'"{int(number == 5)}"']))
    return "\n".join(lines) + "\n"


def test_credit_card_fraud_is_described_and_replayed(tmp_path: Path) -> None:
    path = written(tmp_path, credit_card_fraud(50))
    text = describe(path)
    mapped = parse_mapping(text + "  metadata: {class: {column: Class}}\n")
    events, replay = replayed(path, mapped)
    assert replay.summary.bad == {}
    assert [event["event_time"] for event in events[:2]] == [
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:07Z",
    ]
    assert {event["payment_method"] for event in events} == {"credit_card"}
    assert sum(event["metadata"]["class"] == "1" for event in events) == 1


def test_european_bank_export_is_replayed(tmp_path: Path) -> None:
    path = written(tmp_path, BANK, "cp1252")
    events, replay = replayed(path, parse_mapping(BANK_MAPPING))
    assert replay.summary.bad == {"invalid_event_time": 1, "untranslated": 1}
    assert [
        (event["event_time"], event["amount"], event["payment_status"], event["payment_method"])
        for event in events
    ] == [
        ("2026-03-29T00:59:59Z", "1234.50", "completed", "bank_transfer"),
        ("2026-10-25T00:30:00Z", "12.99", "refunded", "debit_card"),
    ]
    assert events[0]["merchant"] == {"name": "Bäckerei; Söhne"}


def test_european_bank_export_is_described(tmp_path: Path) -> None:
    path = written(tmp_path, BANK, "cp1252")
    mapped = parse_mapping(describe(path))
    assert mapped.fields is not None
    assert (mapped.format.encoding, mapped.format.delimiter) == ("cp1252", ";")
    assert (mapped.format.decimal, mapped.format.thousands) == (",", ".")
    assert mapped.fields.event_time.format == "%d.%m.%Y %H:%M:%S"
    assert mapped.fields.event_time.time_column == "Uhrzeit"
    assert mapped.fields.currency.column == "Währung"
