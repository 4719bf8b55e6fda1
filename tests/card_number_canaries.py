"""Card numbers of every brand, each written in its own way at its own place, and how to find them.

No two are equal, so that one that turns up tells where it came from.
"""

import base64
import json
import random
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

from payment_messages import payment_event

# First digits and length: ISO/IEC 7812 and the schemes' own ranges.
_BRANDS: Final = (
    ("4", 16),  # Visa
    ("4", 13),
    ("4", 19),
    ("51", 16),  # Mastercard
    ("2221", 16),
    ("37", 15),  # American Express
    ("6011", 16),  # Discover
    ("3528", 16),  # JCB
    ("62", 16),  # UnionPay
    ("62", 19),
    ("36", 14),  # Diners Club
    ("6759", 16),  # Maestro
)
_WRITINGS: Final = ("plain", "spaces", "hyphens")
_ESCAPE: Final = re.compile(rb"\\+u00([0-7][0-9a-fA-F])")
_SEPARATORS: Final = b" -.,\0"


class Canary(NamedTuple):
    """One card number and the place into which it was put."""

    digits: str
    place: str


class Delivered(NamedTuple):
    """One message for the hub: its body, and what goes beside it."""

    body: bytes
    properties: Mapping[str, str] = {}
    partition_key: str | None = None


class Cage:
    """Makes card numbers, and finds those that got out."""

    def __init__(self, seed: int = 0) -> None:
        self._draw = random.Random(seed)
        self.canaries: list[Canary] = []

    def number(self, place: str, writing: str | None = None, length: int | None = None) -> str:
        """Return a new card number for a place, written in one of the ways."""
        turn = len(self.canaries)
        brands = [brand for brand in _BRANDS if length in {None, brand[1]}]
        prefix, size = brands[turn % len(brands)]
        digits = self._digits(prefix, size)
        self.canaries.append(Canary(digits, place))
        return _written(digits, writing or _WRITINGS[turn // len(_BRANDS) % len(_WRITINGS)])

    def found_in(self, evidence: bytes) -> list[Canary]:
        """Return the card numbers that stand in some bytes in whatever writing."""
        unescaped = _ESCAPE.sub(lambda escape: bytes.fromhex(escape[1].decode()), evidence)
        texts = [evidence, unescaped]
        bare = [text.translate(None, _SEPARATORS) for text in texts]
        return [
            canary
            for canary in self.canaries
            if any(form in text for text in bare for form in _forms(canary.digits))
        ]

    def _digits(self, prefix: str, size: int) -> str:
        # Never a digit that a float would round, and no zeros that an exponent would hide.
        body = prefix + "".join(self._draw.choices("123456789", k=size - len(prefix) - 1))
        doubled = [
            int(digit) if at % 2 else sum(divmod(2 * int(digit), 10))
            for at, digit in enumerate(reversed(body))
        ]
        return f"{body}{-sum(doubled) % 10}"


def _written(digits: str, writing: str) -> str:
    if writing == "plain":
        return digits
    separator = {"spaces": " ", "hyphens": "-"}[writing]
    cuts = (0, 4, 10, 15) if len(digits) == 15 else range(0, len(digits) + 4, 4)
    return separator.join(
        piece for start, end in zip(cuts, [*cuts][1:], strict=False) if (piece := digits[start:end])
    )


def _forms(digits: str) -> Iterator[bytes]:
    """Yield what a number may look like: as it is, as hexadecimal, and within base64."""
    plain = digits.encode()
    yield plain
    yield plain.hex().encode()
    for shift in range(3):
        # What depends on neighbouring bytes is cut off at both ends.
        yield base64.b64encode(b"\0" * shift + plain)[4:16]


_TEXT_FIELDS: Final = (
    *("transaction_id", "event_time", "currency", "payment_method", "payment_status", "channel"),
    *("device_type", "original_transaction_id", "unknown_field", "simulation"),
    *("customer.id", "customer.email", "customer.country", "customer.unknown"),
    *("merchant.id", "merchant.name", "merchant.category", "merchant.mcc", "merchant.country"),
    *("card.brand", "card.bin", "card.last4", "card.fingerprint"),
    *("counterparty.id", "counterparty.country", "metadata"),
)


def _event(number: int, **fields: Any) -> dict[str, Any]:
    ended = datetime.now(UTC) - timedelta(minutes=10)
    return payment_event(
        f"txn-canary-{number}",
        event_time=ended,
        payment_method="credit_card",
        card={"brand": "visa", "bin": "411111", "last4": "1111"},
        **fields,
    )


def events(cage: Cage) -> Iterator[dict[str, Any]]:
    """Yield events with a card number in each field, as text, as number, and within other text."""
    number = 0
    for field in _TEXT_FIELDS:
        for kind in ("text", "number", "within"):
            writing = "plain" if kind == "number" else None
            value: Any = cage.number(f"{field} as {kind}", writing)
            if kind == "number":
                value = int(value)
            elif kind == "within":
                value = f"order 17, card {value}; ada+{value}@example.com"
            event = _event(number)
            group, _, name = field.rpartition(".")
            (event.setdefault(group, {}) if group else event)[name] = value
            number += 1
            yield event
    # Fifteen digits of money are money, whatever they look like.
    yield _event(number, amount=cage.number("amount", "plain", length=16))
    for nested in (
        {"note": cage.number("metadata value")},
        {cage.number("metadata key"): "x"},
        {"deep": [{"list": [[cage.number("metadata list")]]}]},
        {"number": int(cage.number("metadata number", "plain"))},
        {"json": json.dumps({"card": cage.number("JSON in metadata")})},
        {"two": f"{cage.number('first of two')} {cage.number('second of two')}"},
        {"track": f"%B{cage.number('track 1', 'plain')}^LOVELACE/ADA^29121010000000?"},
    ):
        number += 1
        yield _event(number, metadata=nested)


def _with_text(text: str) -> str:
    return json.dumps(_event(9000)).replace("ada@example.com", text)


def _escaped(text: str) -> str:
    return "".join(f"\\u{ord(character):04x}" for character in text)


def bodies(cage: Cage) -> Iterator[bytes]:
    """Yield bodies that are no good JSON, or write it in a way of their own."""
    yield f"no JSON at all, card {cage.number('plain text')}".encode()
    whole = json.dumps(_event(9001, metadata={"note": cage.number("truncated JSON")}))
    yield whole[: whole.index('"note"') + 40].encode()
    yield whole[:-1].encode()
    yield f"[{whole}, {{'single quotes': {cage.number('broken item')}}}]".encode()
    yield json.dumps([cage.number("array of text")]).encode()
    yield json.dumps(cage.number("lone text")).encode()
    yield cage.number("lone number", "plain").encode()
    yield f"{whole}{cage.number('text behind JSON')}".encode()
    yield _with_text(_escaped(cage.number("escaped digits"))).encode()
    yield _with_text(_escaped(cage.number("escaped digits, broken")))[:-3].encode()
    yield _with_text(cage.number("UTF-16")).encode("utf-16")
    yield _with_text(cage.number("invalid UTF-8")).encode() + b"\xff\xfe"
    yield b"\x00" + cage.number("behind NUL").encode() + b"\x00"
    yield f"amount={cage.number('form')}&pan={cage.number('form, second')}".encode()
    yield f"<pan>{cage.number('XML')}</pan>".encode()
    yield b"\x1f\x8b" + cage.number("binary").encode()
    digits = cage.number("exponent", "plain", length=16)
    written = f"{digits[0]}.{digits[1:]}E15"
    yield json.dumps(_event(9002)).replace('"EUR"', f'"EUR", "x": {written}').encode()
    yield f"{{{written}".encode()
    deep = cage.number("nested too deeply")
    yield ("[" * 3000 + json.dumps(deep)).encode()
    yield b" " * 20_000 + cage.number("behind the cut of bodies").encode()
    head = b"x" * (16 * 1024 - 8)
    yield head + b" " + cage.number("across the cut of bodies", "plain").encode()


def messages(cage: Cage) -> Iterator[Delivered]:
    """Yield every message, packed and alone, some with a card number beside the body."""
    made = list(events(cage))
    yield from (Delivered(json.dumps(event).encode()) for event in made[::2])
    yield Delivered(json.dumps(made[1::2]).encode())
    yield from map(Delivered, bodies(cage))
    good = json.dumps(_event(9003)).encode()
    yield Delivered(good, {"card": cage.number("property value")})
    yield Delivered(good, {cage.number("property name"): "x"})
    yield Delivered(b"no JSON", {"card": cage.number("property of a refused event")})
    yield Delivered(good, partition_key=cage.number("partition key"))
    yield Delivered(b"no JSON", partition_key=cage.number("partition key of a refused event"))
