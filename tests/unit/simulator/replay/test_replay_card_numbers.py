import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from foreign_files import (
    CARD_NUMBER,
    KEY,
    ROW,
    csv_file,
    json_file,
    mapping,
    refusal,
    replayed,
    replayed_row,
)
from payment_messages import NOW, message, payment_event

from shared_code.domain.decoding import decode_batch
from shared_code.domain.horizon import horizon_at
from shared_code.domain.pseudonyms import Pseudonymiser
from simulator.errors import InvalidConfiguration
from simulator.replay.card_masking import CardMasking, pii_hash_key
from simulator.replay.rows import RowRefused

NUMBER = {"card": {"number": {"column": "pan"}}}
FINGERPRINT = Pseudonymiser(KEY).card_number(CARD_NUMBER).hex()


def test_only_bin_and_last4_leave_without_a_key(tmp_path: Path) -> None:
    event = replayed_row(tmp_path, {"pan": "4111 1111-1111 1111"}, NUMBER)
    assert event["card"] == {"bin": "411111", "last4": "1111"}


def test_fingerprint_under_the_key_is_that_of_the_pipeline(tmp_path: Path) -> None:
    row = {"pan": CARD_NUMBER}
    event = replayed_row(tmp_path, row, NUMBER, options={"pii_hash_key": KEY})
    assert event["card"] == {"bin": "411111", "last4": "1111", "fingerprint": FINGERPRINT}


def test_number_with_a_wrong_check_digit_is_masked_all_the_same(tmp_path: Path) -> None:
    event = replayed_row(tmp_path, {"pan": "4111111111111112"}, NUMBER)
    assert event["card"] == {"bin": "411111", "last4": "1112"}


@pytest.mark.parametrize(
    ("text", "card"),
    [
        ("411111******1111", {"bin": "411111", "last4": "1111"}),
        ("XXXX-XXXX-XXXX-1111", {"last4": "1111"}),
    ],
)
def test_masked_number_keeps_what_it_shows(tmp_path: Path, text: str, card: dict[str, str]) -> None:
    assert replayed_row(tmp_path, {"pan": text}, NUMBER)["card"] == card


def test_mapped_parts_of_the_card_go_before_those_of_the_number(tmp_path: Path) -> None:
    fields = {"card": {**NUMBER["card"], "bin": {"constant": "41111122"}}}
    event = replayed_row(tmp_path, {"pan": CARD_NUMBER}, fields)
    assert event["card"] == {"bin": "41111122", "last4": "1111"}


@pytest.mark.parametrize("text", ["none", "4.11E+15", "41111"])
def test_what_is_no_card_number_is_a_bad_row(tmp_path: Path, text: str) -> None:
    assert refusal(tmp_path, {"pan": text}, NUMBER)[0] == "invalid_card_number"


def test_kept_number_reaches_the_pipeline_which_masks_it(tmp_path: Path) -> None:
    event = replayed_row(tmp_path, {"pan": CARD_NUMBER}, NUMBER, card_numbers="keep")
    assert event["card"] == {"number": CARD_NUMBER}
    sent = payment_event(card=event["card"])
    at = horizon_at(NOW, timedelta(days=9))
    (placed,) = decode_batch([message(sent)], Pseudonymiser(KEY), at).payments
    assert placed.accepted.payment.card_fingerprint == FINGERPRINT


ELSEWHERE: dict[str, Any] = {
    "merchant": {"name": {"template": "Shop {pan}"}},
    "customer": {"id": {"column": "pan"}},
    "metadata": {"note": {"column": "pan"}},
}


def test_number_anywhere_else_is_masked(tmp_path: Path) -> None:
    event = replayed_row(tmp_path, {"pan": CARD_NUMBER}, ELSEWHERE)
    assert event["merchant"] == {"name": "Shop 411111******1111"}
    assert event["customer"] == {"id": "411111******1111"}
    assert event["metadata"] == {"note": "411111******1111"}
    assert event["card"] == {"bin": "411111", "last4": "1111"}


def test_number_as_identifier_becomes_the_hash_that_the_pipeline_makes(tmp_path: Path) -> None:
    options = {"pii_hash_key": KEY}
    event = replayed_row(tmp_path, {"pan": CARD_NUMBER}, ELSEWHERE, options=options)
    hashed = Pseudonymiser(KEY).identifier(CARD_NUMBER).hex()
    assert event["customer"] == {"id": f"masked-{hashed}"}
    assert event["card"]["fingerprint"] == FINGERPRINT


def test_number_as_transaction_id_needs_a_key(tmp_path: Path) -> None:
    fields = {"transaction_id": {"column": "pan"}}
    reason, detail = refusal(tmp_path, {"pan": CARD_NUMBER}, fields)
    assert (reason, CARD_NUMBER in detail) == ("card_number_as_identifier", False)
    event = replayed_row(tmp_path, {"pan": CARD_NUMBER}, fields, options={"pii_hash_key": KEY})
    assert event["transaction_id"].startswith("masked-")


def test_amount_of_many_digits_is_no_card_number(tmp_path: Path) -> None:
    fields = {"currency": {"constant": "JPY"}}
    assert replayed_row(tmp_path, {"amount": "411111111111116"}, fields)["amount"] == (
        "411111111111116"
    )


@pytest.mark.parametrize("key", [None, KEY])
def test_numbers_of_json_are_masked_wherever_they_stand(key: bytes | None) -> None:
    event = {
        "transaction_id": "a",
        CARD_NUMBER: 1,
        "metadata": {"n": 4111111111111111, "list": [CARD_NUMBER, None, True], "ok": 1.5},
        "card": "none",
    }
    cleaned = CardMasking(key).cleaned(json.dumps(event).encode())
    assert CARD_NUMBER.encode() not in cleaned
    assert json.loads(cleaned)["metadata"] == {
        "n": "411111******1111",
        "list": ["411111******1111", None, True],
        "ok": 1.5,
    }


@pytest.mark.parametrize(
    "text", [CARD_NUMBER, f'{{"a": "{CARD_NUMBER}', f'["{CARD_NUMBER}"]', f'"\\ud800{CARD_NUMBER}"']
)
@pytest.mark.parametrize("key", [None, KEY])
def test_numbers_in_what_is_no_event_are_masked(text: str, key: bytes | None) -> None:
    assert CARD_NUMBER.encode() not in CardMasking(key).cleaned(text.encode())


def test_event_that_no_database_stores_is_refused_under_a_key() -> None:
    with pytest.raises(RowRefused, match="NUL"):
        CardMasking(KEY).cleaned(b'{"note": "\\u0000"}')


def test_kept_number_that_is_no_number_at_all_is_a_bad_row(tmp_path: Path) -> None:
    path = json_file(tmp_path, [{**ROW, "pan": "1" * 1_000_000}])
    _, replay = replayed(path, mapping(NUMBER, card_numbers="keep"))
    assert replay.summary.bad == {"too_large": 1}


def test_event_without_card_number_stays_as_it_is() -> None:
    event = b'{ "a" : "\\u00e9", "n": 1.50 }'
    assert CardMasking(None).cleaned(event) == event
    assert CardMasking(KEY).cleaned(event) == event


def test_rejects_hold_neither_card_numbers_nor_addresses(tmp_path: Path) -> None:
    wrong = "4111111111111112"
    row = {**ROW, "amount": "bad", "pan": wrong, "note": f"ada@example.com pays {CARD_NUMBER}"}
    path = csv_file(tmp_path, [row])
    with path.open("a") as file:
        file.write(f"ragged,{wrong}\n")
        file.write(f'"broken"{wrong},ada@example.com\n')
    rejects = tmp_path / "rejects.jsonl"
    replayed(path, mapping(NUMBER), rejects=rejects)
    text = rejects.read_text()
    assert [json.loads(line)["reason"] for line in text.splitlines()] == [
        "invalid_amount",
        "ragged",
        "unreadable",
    ]
    for secret in (wrong, CARD_NUMBER, "ada@example.com"):
        assert secret not in text
    assert "411111******1112" in text


@pytest.mark.parametrize("text", [None, ""])
def test_no_key_is_set(text: str | None) -> None:
    assert pii_hash_key(text) is None


def test_key_is_hexadecimal_and_long_enough() -> None:
    assert pii_hash_key(KEY.hex()) == KEY
    for text in ("secret", "00ff"):
        with pytest.raises(InvalidConfiguration, match="openssl"):
            pii_hash_key(text)
