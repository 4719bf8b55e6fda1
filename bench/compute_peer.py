"""Normalising, judging and writing rows payment by payment, as peers of the product do it.

Shared by the plain loop and the Bytewax job, which differ in how they read JSON and in what drives
them. It needs Python 3.11 and nothing else: Bytewax has no wheel for the product's Python. What it
has to know of the contract (codes, rules, horizon, key) comes as data.

Peers are spared what their messages seldom need: the depth of metadata, halves of surrogate pairs,
card numbers in floating-point form, and the evidence that is kept of a refused event.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from operator import itemgetter
from typing import Any, NamedTuple

from bench.compute_peer_rules import AT, Row, Rule

_TIME, _EMAIL_HASH = AT["event_time"], AT["customer_email_hash"]
identity = itemgetter(AT["event_time"], AT["transaction_id"], AT["payment_status"])

MAX_METADATA_BYTES = 16 * 1024

_RFC_3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:[0-5]\d)", re.ASCII
)
_EMAIL = re.compile(r"[^@\s]+@([^@\s.]+(?:\.[^@\s.]+)+)")
# What stands within a longer run of hexadecimal digits is an id or a digest. Looking behind the
# first digit only once it is found takes half the time.
_DIGITS = r"[2-6](?<![0-9A-Fa-f].)(?:[ -]?[0-9]){12,18}(?![0-9A-Fa-f])"
_CARD_NUMBER = re.compile(_DIGITS)
_CARD_NUMBER_IN_BODY = re.compile(_DIGITS.encode())
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)
_IDS = frozenset({"transaction_id", "original_transaction_id", "id"})
_ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})
_NEEDS_ESCAPES = re.compile(r"[\\\t\n\r]")
_MAX_DIGITS = 15

Encode = Callable[[Row], bytes]


class Refused(Exception):
    """An event breaks the contract."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Event(NamedTuple):
    """An event whose fields have the right types and lengths; None and "" where there is none."""

    transaction_id: str
    event_time: str
    amount: Decimal
    currency: str
    payment_method: str
    payment_status: str
    channel: str | None
    device_type: str | None
    customer: tuple[str | None, str | None, str | None]
    merchant: tuple[str | None, str | None, str | None, str | None, str | None]
    card: tuple[str | None, str | None, str | None, str | None]
    counterparty: tuple[str | None, str | None]
    original_transaction_id: str | None


class Payment(NamedTuple):
    """A payment as it is judged and stored; ``row`` is in the order of ``COLUMNS``."""

    row: Row
    metadata: str | None
    content_hash: bytes


class Batch(NamedTuple):
    """What a batch comes to."""

    payments: list[Payment]
    rejected: list[str]
    payment_rows: str
    metric_rows: str


class Normaliser:
    """Turns events into payments.

    Args:
        contract: codes by name, the bits of flags, the horizon and the key, as JSON gives them.
        encode: writes a row as bytes, for its content hash.
    """

    def __init__(self, contract: dict[str, Any], encode: Encode) -> None:
        numbers = contract["numbers"]
        self._methods: dict[str, int] = numbers["payment_method"]
        self._statuses: dict[str, int] = numbers["payment_status"]
        self._channels: dict[str, int] = numbers["channel"]
        self._devices: dict[str, int] = numbers["device_type"]
        self._countries: dict[str, int] = numbers["customer_country"]
        self._flags: dict[str, int] = numbers["quality_flags"]
        self._card_methods = {self._methods[name] for name in contract["card_methods"]}
        self._currencies = {
            code: (number, decimals, Decimal(1).scaleb(-decimals))
            for code, (number, decimals) in contract["currencies"].items()
        }
        self._earliest, self._now, self._latest = map(datetime.fromisoformat, contract["horizon"])
        self._key = bytes.fromhex(contract["key"])
        self._encode = encode

    def tag(self, kind: str, text: str) -> bytes:
        """Return the keyed hash that stands for personal data."""
        return hmac.digest(self._key, f"{kind}\0{text}".encode(), "sha256")[:16]

    def payment(  # noqa: C901, PLR0912, PLR0915 - one function is what a peer would write
        self, event: Event, metadata: str | None, canonical: bytes, card_number: str | None
    ) -> Payment:
        """Return the payment that an event describes.

        Args:
            event: free of card numbers.
            metadata: JSON text.
            canonical: the same, whatever the order of its keys was.
            card_number: the first that was masked in the event.

        Raises:
            Refused: a required field is unknown, malformed or outside the horizon.
        """
        bits = self._flags
        currency = self._currencies.get(event.currency)
        if currency is None:
            raise Refused("unknown_currency")
        method = self._methods.get(event.payment_method)
        if method is None:
            raise Refused("unknown_payment_method")
        status = self._statuses.get(event.payment_status)
        if status is None:
            raise Refused("unknown_payment_status")
        number, decimals, step = currency
        amount = _exact(event.amount, decimals, step)
        event_time = self._time(event.event_time)
        customer_id, email, customer_country_code = event.customer
        merchant_id, merchant_name, category, mcc, merchant_country_code = event.merchant
        brand, card_bin, last4, fingerprint = event.card
        counterparty_id, counterparty_country_code = event.counterparty

        flags = 0 if amount else bits["zero_amount"]
        if event_time > self._now:
            flags |= bits["future_event_time"]
        if event.payment_status == "refunded" and not event.original_transaction_id:
            flags |= bits["original_transaction_missing"]
        channel = device_type = customer_country = merchant_country = counterparty_country = None
        if event.channel:
            channel = self._channels.get(event.channel)
            flags |= bits["channel_unknown"] if channel is None else 0
        if event.device_type:
            device_type = self._devices.get(event.device_type)
            flags |= bits["device_type_unknown"] if device_type is None else 0
        if not customer_country_code:
            flags |= bits["customer_country_missing"]
        else:
            customer_country = self._countries.get(customer_country_code)
            flags |= bits["customer_country_invalid"] if customer_country is None else 0
        if merchant_country_code:
            merchant_country = self._countries.get(merchant_country_code)
            flags |= bits["merchant_country_invalid"] if merchant_country is None else 0
        if counterparty_country_code:
            counterparty_country = self._countries.get(counterparty_country_code)
            flags |= bits["counterparty_country_invalid"] if counterparty_country is None else 0
        if customer_country and merchant_country and customer_country != merchant_country:
            flags |= bits["country_mismatch"]
        category_code = None
        if mcc:
            if _is_digits(mcc, 4, 4):
                category_code = int(mcc)
            else:
                flags |= bits["merchant_mcc_invalid"]
        if not customer_id:
            flags |= bits["customer_id_missing"]
        email_hash = domain = None
        if not email:
            flags |= bits["customer_email_missing"]
        elif address := _EMAIL.fullmatch(email):
            email_hash, domain = self.tag("email", email.strip().lower()), address[1].lower()
        else:
            flags |= bits["customer_email_invalid"]
        if card_number is not None:
            flags |= bits["card_number_present"]
            card_bin = card_bin or card_number[:6]
            last4 = last4 or card_number[-4:]
            fingerprint = fingerprint or self.tag("card", card_number).hex()
        if method in self._card_methods:
            if not (last4 or fingerprint):
                flags |= bits["card_data_missing"]
        elif card_bin or last4 or fingerprint:
            flags |= bits["card_data_forbidden"]
        if card_bin and not _is_digits(card_bin, 6, 8):
            flags |= bits["card_data_invalid"]
            card_bin = None
        if last4 and not _is_digits(last4, 4, 4):
            flags |= bits["card_data_invalid"]
            last4 = None

        row = (
            event.transaction_id,
            event_time,
            status,
            method,
            number,
            amount,
            channel,
            device_type,
            customer_id or None,
            customer_country,
            email_hash,
            domain,
            merchant_id or None,
            merchant_name or None,
            category or None,
            category_code,
            merchant_country,
            brand or None,
            card_bin or None,
            last4 or None,
            fingerprint or None,
            counterparty_id or None,
            counterparty_country,
            event.original_transaction_id or None,
            flags,
        )
        # Flags do not count: some depend on the clock.
        digest = hashlib.blake2b(self._encode(row[:-1]), digest_size=16)
        digest.update(canonical)
        return Payment(row, metadata, digest.digest())

    def masked(self, event: Any) -> tuple[Any, str | None]:
        """Return a parsed event without card numbers, and the first of them."""
        found: list[str] = []
        return self._masked(event, "", found), found[0] if found else None

    def _masked(self, value: Any, key: str, found: list[str]) -> Any:
        if isinstance(value, dict):
            return {
                name: item if name == "amount" else self._masked(item, name, found)
                for name, item in value.items()
            }
        if isinstance(value, list):
            return [self._masked(item, key, found) for item in value]
        if not isinstance(value, str):
            return value
        text = _CARD_NUMBER.sub(lambda match: _mask(match[0], found), value)
        if text != value and key in _IDS:
            return f"masked-{self.tag('identifier', value).hex()}"
        return text

    def _time(self, text: str) -> datetime:
        if _RFC_3339.fullmatch(text) is None:
            raise Refused("invalid_event_time")
        try:
            event_time = datetime.fromisoformat(text.upper()).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            raise Refused("invalid_event_time") from error
        if not self._earliest <= event_time <= self._latest:
            raise Refused("outside_horizon")
        return event_time


def may_hold_card_number(body: bytes) -> bool:
    """Tell whether a message may hold a full card number."""
    return _CARD_NUMBER_IN_BODY.search(body) is not None


def batch_of(
    payments: Iterable[Payment], rejected: list[str], rules: Sequence[Rule], rule_set: int
) -> Batch:
    """Judge the first payment of each identity, and write the rows of a batch for COPY."""
    first: dict[Row, Payment] = {}
    for payment in payments:
        first.setdefault(identity(payment.row), payment)
    distinct = list(first.values())
    payment_lines: list[str] = []
    metric_lines: list[str] = []
    for payment in distinct:
        payment_lines.append(payment_line(payment, rule_set))
        metric_lines += metric_lines_of(payment.row, rules, rule_set)
    return Batch(distinct, rejected, "".join(payment_lines), "".join(metric_lines))


def metric_lines_of(row: Row, rules: Sequence[Rule], rule_set: int) -> list[str]:
    """Judge a payment and return the rows of what rules say of it."""
    key = _key_text(row, rule_set)
    lines: list[str] = []
    for number, when, value_of, records in rules:
        verdict = when(row)
        if verdict:
            lines.append(f"{key}\t{number}\t1\t{value_of(row)}\t\n")
        elif verdict is None and records:
            lines.append(f"{key}\t{number}\t2\t\t\n")
    return lines


def _key_text(row: Row, rule_set: int) -> str:
    event_time, transaction_id, status = identity(row)
    return f"{event_time.isoformat()}\t{_escaped(transaction_id)}\t{status}\t{rule_set}"


def payment_line(payment: Payment, rule_set: int) -> str:
    """Return the row of a payment."""
    fields = ["" if value is None else value for value in payment.row]
    fields[_TIME] = fields[_TIME].isoformat()
    if fields[_EMAIL_HASH]:
        fields[_EMAIL_HASH] = f"\\\\x{fields[_EMAIL_HASH].hex()}"
    texts = [_escaped(field) if type(field) is str else str(field) for field in fields]
    texts[_EMAIL_HASH] = fields[_EMAIL_HASH]
    metadata = _escaped(payment.metadata or "")
    joined = "\t".join(texts)
    return f"{joined}\t\\\\x{payment.content_hash.hex()}\t{rule_set}\t\\N\t{metadata}\n"


def _escaped(text: str) -> str:
    return text.translate(_ESCAPES) if _NEEDS_ESCAPES.search(text) else text


def _exact(amount: Decimal, decimals: int, step: Decimal) -> Decimal:
    """Return an amount at its currency's scale.

    Raises:
        Refused: negative, too long, or finer than the minor unit.
    """
    if not amount.is_finite():
        raise Refused("invalid_amount")
    if amount < 0:
        raise Refused("negative_amount")
    try:
        exact = abs(amount).quantize(step)
    except InvalidOperation as error:
        raise Refused("too_many_digits") from error
    if exact != amount:
        raise Refused("too_many_decimals")
    if exact.adjusted() + 1 + decimals > _MAX_DIGITS:
        digits = amount.normalize()
        if digits.adjusted() + 1 - min(int(digits.as_tuple().exponent), 0) > _MAX_DIGITS:
            raise Refused("too_many_digits")
    return exact


def _is_digits(text: str, shortest: int, longest: int) -> bool:
    return shortest <= len(text) <= longest and text.isascii() and text.isdigit()


def _mask(text: str, found: list[str]) -> str:
    digits = text.replace(" ", "").replace("-", "")
    figures = [int(digit) for digit in digits]
    if (sum(figures[-1::-2]) + sum(_DOUBLED[figure] for figure in figures[-2::-2])) % 10:
        return text
    found.append(digits)
    return f"{digits[:6]}{'*' * (len(digits) - 10)}{digits[-4:]}"


def described(batches: Iterable[Batch]) -> dict[str, Any]:
    """Return what batches come to, in a form in which contestants are compared."""
    payments: list[str] = []
    matches: list[str] = []
    rejected: list[str] = []
    for batch in batches:
        rejected += batch.rejected
        payments += [payment_text(payment.row, payment.metadata) for payment in batch.payments]
        matches += batch.metric_rows.split("\n")[:-1]
    return description(payments, matches, rejected)


def payment_text(row: Row, metadata: str | None) -> str:
    """Return a payment as text, its metadata as the value that they are."""
    fields = [value.hex() if isinstance(value, bytes) else str(value) for value in row]
    return "|".join([*fields, json.dumps(json.loads(metadata or "null"), sort_keys=True)])


def match_line(row: Row, rule_set: int, rule: int, outcome: int, value: Decimal | None) -> str:
    """Return a match as the line that ``batch_of`` writes of it, without its end."""
    shown = "" if value is None else value
    return f"{_key_text(row, rule_set)}\t{rule}\t{outcome}\t{shown}\t"


def description(
    payments: Sequence[str], matches: Sequence[str], rejected: Sequence[str]
) -> dict[str, Any]:
    """Return counts, and one checksum over all of it in whatever order it came."""
    checksum = hashlib.sha256()
    for lines in (payments, matches, rejected):
        checksum.update("\n".join(sorted(lines)).encode())
    return {
        "payments": len(payments),
        "matches": len(matches),
        "rejected": len(rejected),
        "checksum": checksum.hexdigest(),
    }
