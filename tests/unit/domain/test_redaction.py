import json
import time
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from unit.domain.payment_samples import CARD_NUMBERS, PSEUDONYMISER

from shared_code.domain.card_numbers import find_card_numbers
from shared_code.domain.redaction import (
    MAX_BODY_CHARACTERS,
    CardNumberFilter,
    redact,
    redact_body,
)
from shared_code.domain.refusal import EventRefused
from shared_code.domain.vocabularies import RejectReason

VISA = CARD_NUMBERS["visa"]
MASKED = "411111******1111"


def escaped(text: str) -> str:
    """Return JSON escapes of every character."""
    return "".join(f"\\u{ord(character):04x}" for character in text)


@pytest.mark.parametrize("number", CARD_NUMBERS.values(), ids=CARD_NUMBERS)
@pytest.mark.parametrize(
    "body",
    [
        '{{"card":"{0}"}}',
        '{{"{0}":1}}',
        '{{"card":{0}}}',
        '{{"a":{{"b":[{{"c":"paid with {0}."}}]}}}}',
        '{{"card":"{0}',
        "{0}",
        "not JSON: {0} {0}",
    ],
)
def test_card_number_is_masked_wherever_it_stands(number: str, body: str) -> None:
    evidence = redact_body(body.format(number).encode())
    assert number not in evidence
    masked = f"{number[:6]}{'*' * (len(number) - 10)}{number[-4:]}"
    assert evidence == body.format(masked)


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.com",
        "ada.lovelace+tag@mail.example.co.uk",
        "conan.o'brien@example.com",
        "maximilian.müller@example.de",
        "ada@localhost",
        "ada@xn--bcher-kva.example",
    ],
)
@pytest.mark.parametrize(
    "body", ['{{"email":"{0}"}}', '{{"{0}":1}}', "write to <{0}> soon", '{{"note":"to {0}', "{0}"]
)
def test_mail_address_is_taken_out_wherever_it_stands(address: str, body: str) -> None:
    assert redact_body(body.format(address).encode()) == body.format("<e-mail>")


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"email": "maximilian.müller@example.de"}),
        json.dumps({"email": "quoted@example.de"}).replace("quoted", escaped("quoted")),
        json.dumps({"email": "ada@example.de"}).replace("@", "\\u0040"),
        json.dumps({"body": json.dumps({"email": "maximilian.müller@example.de"})}),
        json.dumps({"email": '"max müller"@example.de'}, ensure_ascii=False),
        "max@maximilian@example.de",
    ],
)
def test_no_part_of_a_written_differently_address_is_left(text: str) -> None:
    evidence = redact(text)
    assert "<e-mail>" in evidence
    for part in ("max", "ller", "quoted", "ada", "example"):
        assert part not in evidence


@pytest.mark.parametrize(
    "text",
    [
        escaped(VISA),
        "\\u0034" + VISA[1:],
        "4\\u0031" + VISA[2:],
        "\\u0034" + VISA[1:-1] + "\\u0031",
        escaped(VISA).replace("\\", "\\\\"),
        escaped("4111 1111 1111 1111"),
        "4.111111111111111E15",
        "4.111111111111111e+15",
        "41111111.11111111e8",
        "4111111111111111.0",
        "41111111111111110e-1",
    ],
)
def test_escapes_and_exponents_hide_no_card_number(text: str) -> None:
    evidence = redact(f'{{"card":"{text}"}}')
    assert "411111******1111" in evidence or "411111*******1110" in evidence
    assert not find_card_numbers(evidence)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_body_in_another_encoding_is_redacted_too(encoding: str) -> None:
    body = json.dumps({"card": VISA, "email": "ada@example.com"}).encode(encoding)
    evidence = redact_body(body)
    assert MASKED in evidence
    assert "<e-mail>" in evidence
    assert "ada" not in evidence


def test_evidence_is_fit_for_a_text_column() -> None:
    evidence = redact("nul \0, half \ud83d, pair \\ud83d\\ude00, lone \\ud83d, tab \\u0009")
    assert evidence == "nul , half \ufffd, pair 😀, lone \ufffd, tab \\u0009"


def test_bytes_that_are_no_text_are_shown_as_numbers() -> None:
    assert redact_body(b'{"a":"\xff\xfe"}') == '{"a":"\\xff\\xfe"}'


def test_long_body_is_cut_after_it_was_redacted() -> None:
    filler = "x" * (MAX_BODY_CHARACTERS - 8)
    evidence = redact_body(f"{filler}{VISA} and more".encode())
    assert evidence == f"{filler}411111**... ({MAX_BODY_CHARACTERS + 17} characters)"


@given(text=st.text())
def test_any_text_becomes_evidence_that_can_be_stored(text: str) -> None:
    evidence = redact(text)
    assert "\0" not in evidence
    evidence.encode()
    assert not find_card_numbers(evidence)


@given(body=st.binary())
def test_any_bytes_become_evidence_that_can_be_stored(body: bytes) -> None:
    assert "\0" not in redact_body(body)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 500_000,
        "[" * 500_000,
        "a@" * 200_000,
        "@" * 500_000,
        '"' * 500_000,
        '"a' * 200_000,
        "\\" * 500_000,
        "\\u0034" * 100_000,
        "4e" * 200_000,
        "4" * 500_000,
        "4." * 200_000,
    ],
    ids=lambda text: text[:6],
)
def test_hostile_text_takes_linear_time(text: str) -> None:
    started = time.perf_counter()
    redact(text)
    assert time.perf_counter() - started < 3


def clean(event: dict) -> tuple[dict, str | None]:
    card_filter = CardNumberFilter(PSEUDONYMISER)
    cleaned = card_filter.clean(event)
    return cleaned, card_filter.first_found


def test_card_numbers_of_an_event_are_masked_in_values_keys_and_depths() -> None:
    event = {
        "card": {"bin": VISA},
        VISA: "key",
        "metadata": {"a": [{"b": f"paid with {VISA}"}], "n": int(VISA)},
    }
    assert clean(event) == (
        {
            "card": {"bin": MASKED},
            MASKED: "key",
            "metadata": {"a": [{"b": f"paid with {MASKED}"}], "n": MASKED},
        },
        VISA,
    )


@pytest.mark.parametrize("key", ["transaction_id", "original_transaction_id", "id"])
def test_identifier_that_holds_a_card_number_becomes_a_pseudonym(key: str) -> None:
    first, _ = clean({key: VISA})
    again, _ = clean({key: VISA})
    other, _ = clean({key: CARD_NUMBERS["visa"][:6] + "0000001111"[:10]})
    assert first == again == {key: f"masked-{PSEUDONYMISER.identifier(VISA).hex()}"}
    assert first != other


def test_amount_is_left_alone_even_if_it_looks_like_a_card() -> None:
    assert clean({"amount": "378282246310005"}) == ({"amount": "378282246310005"}, None)
    assert clean({"amount": 378282246310005}) == ({"amount": 378282246310005}, None)


def test_amount_further_down_is_no_amount() -> None:
    cleaned, found = clean({"amount": {"amount": VISA}, "metadata": {"amount": VISA}})
    assert cleaned == {"amount": {"amount": MASKED}, "metadata": {"amount": MASKED}}
    assert found == VISA


@pytest.mark.parametrize(
    "number",
    [
        b"4.111111111111111E15",
        b"4111111111111111.0",
        b"-4.111111111111111e+15",
        b"4111111111111111e-5",
    ],
)
def test_number_that_holds_a_card_number_is_masked(number: bytes) -> None:
    cleaned, found = clean({"metadata": {"n": msgspec.Raw(number)}})
    assert MASKED in cleaned["metadata"]["n"]
    assert found == VISA


@pytest.mark.parametrize(
    "number",
    [
        b"1.50",
        b"1e99999999999999999999",
        b"4.1e15",
        b"-0.0",
        b"0.4111111111111111",
        b"1.4111111111111111e-10",
    ],
)
def test_other_number_keeps_its_text(number: bytes) -> None:
    cleaned, found = clean({"metadata": {"n": msgspec.Raw(number)}})
    assert bytes(cleaned["metadata"]["n"]) == number
    assert found is None


def test_first_of_several_card_numbers_is_remembered() -> None:
    assert clean({"a": "378282246310005", "b": VISA})[1] == "378282246310005"


@pytest.mark.parametrize("text", ["nul \0", "first half \ud83d", "second half \ude00"])
@pytest.mark.parametrize(
    "event",
    [
        lambda text: {"transaction_id": text},
        lambda text: {"amount": text},
        lambda text: {text: 1},
        lambda text: {"metadata": {"a": [{"b": text}]}},
        lambda text: {"metadata": {"a": {text: 1}}},
    ],
)
def test_text_that_no_database_stores_is_refused(
    event: Callable[[str], dict[str, Any]], text: str
) -> None:
    with pytest.raises(EventRefused) as caught:
        clean(event(text))
    assert caught.value.reason is RejectReason.invalid_text
    assert "NUL or half of a surrogate pair" in caught.value.detail


def test_long_keys_above_many_values_take_linear_time() -> None:
    event = {"k" * 200_000: {f"a{at}": {"b": 1} for at in range(20_000)}}
    started = time.perf_counter()
    clean(event)
    assert time.perf_counter() - started < 3
