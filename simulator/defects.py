"""Events that break the contract: every way in which a producer can have one refused.

The names are those under which the pipeline files them (``RejectReason``).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from shared_code.domain.currencies import CURRENCIES
from shared_code.domain.payment_event import MAX_METADATA_BYTES
from shared_code.domain.vocabularies import RejectReason
from simulator.wire import Label, Payment, to_json

type Document = dict[str, Any]
type Spoil = Callable[[Document, timedelta], bytes]

FAR_AHEAD: Final = timedelta(days=7)
LONG_AGO: Final = timedelta(days=3653)

# Deeper than any JSON reader of this world follows.
_TOO_DEEP: Final = 30_000
_MARK: Final = "HALF-A-PAIR"


@dataclass(frozen=True, slots=True)
class Defect:
    """One way to spoil an event.

    Attributes:
        reason: under which the pipeline files it.
        spoil: turns a good JSON document into the bytes of the bad event; also takes the span of
            the simulation's event time.
        alone: it would take the other events of its message with it, so it is a message itself.
    """

    reason: RejectReason
    spoil: Spoil
    alone: bool = False


def spoil_payment(
    payment: Payment, transaction_id: str, turn: int, span: timedelta
) -> tuple[Defect, bytes]:
    """Return a defect, and a bad event modelled on a good one.

    Args:
        payment: the model.
        transaction_id: the bad event's own.
        turn: successive turns give every reason, then every variant of it.
        span: of the simulation's event time; far ahead is far ahead of all of it.
    """
    variant, kind = divmod(turn, len(_DEFECTS))
    variants = _DEFECTS[kind]
    defect = variants[variant % len(variants)]
    document = msgspec.json.decode(to_json(payment.event))
    document["transaction_id"] = transaction_id
    document["simulation"] = msgspec.to_builtins(Label(defect.reason.value))
    return defect, defect.spoil(document, span)


def _set(**fields: object) -> Spoil:
    return lambda document, _: to_json({**document, **fields})


def _without(field: str) -> Spoil:
    return lambda document, _: to_json({k: v for k, v in document.items() if k != field})


def _instead(body: bytes) -> Spoil:
    return lambda _document, _span: body


def _too_fine(document: Document, _: timedelta) -> bytes:
    """Write an amount with one decimal more than its currency has."""
    minor_unit = CURRENCIES[document["currency"]].minor_unit
    return to_json({**document, "amount": f"12.{'0' * minor_unit}5"})


def _long_ago(document: Document, _: timedelta) -> bytes:
    return _moved(document, -LONG_AGO)


def _far_ahead(document: Document, span: timedelta) -> bytes:
    return _moved(document, span + FAR_AHEAD)


def _moved(document: Document, offset: timedelta) -> bytes:
    event_time = datetime.fromisoformat(document["event_time"]) + offset
    return to_json({**document, "event_time": event_time.isoformat()})


def _half_a_pair(document: Document, _: timedelta) -> bytes:
    """Write half of a surrogate pair, which only an escape can express."""
    text = to_json({**document, "metadata": {"note": f"sent {_MARK} a telephone"}})
    return text.replace(_MARK.encode(), rb"\ud83d")


def _not_utf_8(document: Document, _: timedelta) -> bytes:
    text = to_json({**document, "metadata": {"note": _MARK}})
    return text.replace(_MARK.encode(), b"caf\xe9")


def _cut_off(document: Document, _: timedelta) -> bytes:
    text = to_json(document)
    return text[: len(text) // 2]


def _cut_off_array(document: Document, _: timedelta) -> bytes:
    text = to_json([document, document])
    return text[: len(text) * 3 // 4]


def _deep(document: Document, _: timedelta) -> bytes:
    text = to_json({**document, "metadata": {"note": _MARK}})
    return text.replace(f'"{_MARK}"'.encode(), b"[" * _TOO_DEEP + b"]" * _TOO_DEEP)


def _all(reason: RejectReason, *spoils: Spoil) -> Sequence[Defect]:
    return tuple(Defect(reason, spoil) for spoil in spoils)


_DEFECTS: Final[tuple[Sequence[Defect], ...]] = (
    (
        Defect(RejectReason.not_json, _cut_off, alone=True),
        Defect(RejectReason.not_json, _instead(b"payment of 12.50 by card"), alone=True),
        Defect(RejectReason.not_json, _cut_off_array, alone=True),
        Defect(RejectReason.not_json, _instead(b"\x1f\x8b\x08\x00\x00\x00\x00\x00"), alone=True),
    ),
    (
        Defect(RejectReason.not_an_object, _instead(b"null")),
        Defect(RejectReason.not_an_object, _instead(b'"ping"')),
        Defect(RejectReason.not_an_object, _instead(b"42")),
        Defect(RejectReason.not_an_object, _instead(b"[[]]"), alone=True),
    ),
    _all(
        RejectReason.wrong_type,
        _set(currency=978),
        _set(customer="customer_00001"),
        _set(metadata=["a", "list"]),
        _set(transaction_id=None),
        _set(payment_status=True),
    ),
    _all(
        RejectReason.missing_field,
        _without("amount"),
        _without("transaction_id"),
        _without("event_time"),
        _without("currency"),
        _without("payment_method"),
        _without("payment_status"),
    ),
    _all(
        RejectReason.invalid_length,
        _set(transaction_id=""),
        _set(transaction_id="p" * 65),
        _set(merchant={"id": "merchant_0001", "name": "M" * 257}),
    ),
    (
        Defect(RejectReason.invalid_text, _set(metadata={"note": "ends\0here"})),
        Defect(RejectReason.invalid_text, _half_a_pair),
        Defect(RejectReason.invalid_text, _not_utf_8, alone=True),
    ),
    _all(
        RejectReason.invalid_amount,
        _set(amount="NaN"),
        _set(amount="12,50"),
        _set(amount=None),
        _set(amount="Infinity"),
        _set(amount=""),
    ),
    _all(RejectReason.negative_amount, _set(amount="-12"), _set(amount=-1)),
    _all(
        RejectReason.too_many_digits,
        _set(amount="1234567890123456"),
        _set(amount=9_999_999_999_999_999),
    ),
    _all(RejectReason.too_many_decimals, _too_fine),
    _all(
        RejectReason.unknown_currency,
        _set(currency="EURO"),
        _set(currency="usd"),
        _set(currency="XXX"),
    ),
    _all(
        RejectReason.unknown_payment_method,
        _set(payment_method="cheque"),
        _set(payment_method="Credit_Card"),
    ),
    _all(
        RejectReason.unknown_payment_status,
        _set(payment_status="settled"),
        _set(payment_status=""),
    ),
    _all(
        RejectReason.invalid_event_time,
        _set(event_time="2026-02-30T10:00:00Z"),
        _set(event_time="2026-01-31T10:00:00"),
        _set(event_time="yesterday"),
        _set(event_time="2026-06-30T23:59:60Z"),
    ),
    _all(RejectReason.outside_horizon, _long_ago, _far_ahead),
    _all(
        RejectReason.metadata_too_large,
        _set(metadata={"log": "lorem ipsum " * (MAX_METADATA_BYTES // 12 + 1)}),
    ),
    (Defect(RejectReason.too_deep, _deep, alone=True),),
)
REASONS: Final = tuple(variants[0].reason for variants in _DEFECTS)
