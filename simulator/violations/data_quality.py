"""Data quality: amounts, codes, times and messages that are odd or have to be refused."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Final

import msgspec

from shared_code.domain.currencies import CURRENCIES
from shared_code.domain.vocabularies import RejectReason
from simulator.configuration.violation_settings import FutureTime, Violation
from simulator.generation.scene import Scene
from simulator.generation.span import seconds_of
from simulator.generation.streams import letters
from simulator.violations.contract_breach import contract_breach
from simulator.violations.incident import Incident
from simulator.violations.kind import Kind
from simulator.violations.ranges import Range
from simulator.violations.spoiling import in_turn, odd, refused, with_fields
from simulator.wire import Payment, to_json

# --- amounts -----------------------------------------------------------------------------------


def negative_amount(scene: Scene, _settings: Violation) -> Incident:
    """An amount below zero; a hidden one by the smallest unit."""
    payment = scene.compose(scene.at)
    least = Decimal(1).scaleb(-_minor_unit(payment))
    amount = in_turn(scene, (payment.amount,), (least,))
    body = with_fields(payment, amount=scene.amount_text(-amount))
    return refused(scene, payment, RejectReason.negative_amount, body)


def zero_amount(scene: Scene, _settings: Violation) -> Incident:
    """An amount of zero, in one of the ways to write it."""
    payment = scene.compose(scene.at)
    zero = Decimal(0).scaleb(-_minor_unit(payment))
    text = in_turn(scene, (f"{zero:f}", "0", msgspec.Raw(f"{zero:f}".encode()), f"-{zero:f}"))
    return odd(payment._replace(amount=zero), amount=text)


def wrong_scale(scene: Scene, _settings: Violation) -> Incident:
    """More decimals than the currency has; hidden: what sums of binary fractions look like."""
    payment = scene.compose(scene.at)
    whole = int(payment.amount)
    decimals = scene.random.randint(1, 4) + _minor_unit(payment)
    fraction = f"{scene.random.randrange(10 ** (decimals - 1)):0{decimals - 1}d}5"
    exact = f"{whole}.{fraction}"
    zeros = "0" * max(1, 14 - len(str(whole)) - _minor_unit(payment))
    point = "" if _minor_unit(payment) else "."
    text = in_turn(scene, (exact,), (f"{payment.amount:f}{point}{zeros}4",))
    as_number = scene.random.random() < 0.5
    body = with_fields(payment, amount=msgspec.Raw(text.encode()) if as_number else text)
    return refused(scene, payment, RejectReason.too_many_decimals, body)


def _minor_unit(payment: Payment) -> int:
    return CURRENCIES[payment.event.currency].minor_unit


# --- codes -------------------------------------------------------------------------------------

_NO_CURRENCIES: Final = ("EURO", "XXX", "BTC", "US$", "", "978", "dollar")
# Withdrawn, never official, of metals, or for tests; what people mean by them is clear.
_LIKE_CURRENCIES: Final = ("RMB", "CNH", "DEM", "XBT", "XAU", "STG", "FRF", "XTS")
_NO_STATUSES: Final = ("settled", "", "OK", "success", "declined", "chargeback", "200")
_LIKE_STATUSES: Final = ("canceled", "complete", "Completed", "refund", "failure", "pending ")


def unknown_currency(scene: Scene, _settings: Violation) -> Incident:
    """A currency that is none."""
    payment = scene.compose(scene.at)
    own = payment.event.currency
    plain, hidden = (*_NO_CURRENCIES, own.lower()), (*_LIKE_CURRENCIES, own.lower(), f"{own} ")
    body = with_fields(payment, currency=in_turn(scene, plain, hidden))
    return refused(scene, payment, RejectReason.unknown_currency, body)


def unknown_status(scene: Scene, _settings: Violation) -> Incident:
    """A status that is none; a hidden one is mistyped."""
    payment = scene.compose(scene.at)
    body = with_fields(payment, payment_status=in_turn(scene, _NO_STATUSES, _LIKE_STATUSES))
    return refused(scene, payment, RejectReason.unknown_payment_status, body)


# --- times -------------------------------------------------------------------------------------

_STORED_AHEAD: Final = timedelta(days=1)
"""So far ahead of the clock an event is stored and flagged, by the contract."""
_CLOCK_MARGIN: Final = timedelta(hours=1)
"""So long after the simulation's end its events may be processed, and the ledger holds."""
_DAYS_AGO: Final = Range(plain=(3 * 366, 12 * 365), hidden=(3 * 366, 3.3 * 366))


def future_time(scene: Scene, settings: FutureTime) -> Incident:
    """An event time that has not come yet: stored within a day, else refused.

    What would be the one or the other, as the clock has it, is moved to where it is refused.
    """
    least, most = map(seconds_of, settings.ahead)
    ahead = timedelta(seconds=scene.between(least, most))
    payment = scene.compose(scene.at)
    # A simulation that keeps pace with the clock is far from its end when it sends this.
    keeps_pace = scene.configuration.time.speed_up is not None
    sent = scene.at if keeps_pace else scene.end
    if scene.end + ahead < sent + _STORED_AHEAD:
        text, event_time = scene.written(scene.end + ahead)
        return odd(payment._replace(event_time=event_time), event_time=text)
    # A time may be cut to the millisecond when it is written.
    ahead = max(ahead, _STORED_AHEAD + _CLOCK_MARGIN + timedelta(seconds=1))
    text, _ = scene.written(scene.end + ahead)
    body = with_fields(payment, event_time=text)
    return refused(scene, payment, RejectReason.outside_horizon, body)


def ancient_time(scene: Scene, _settings: Violation) -> Incident:
    """An event time of years ago."""
    payment = scene.compose(scene.at)
    text, _ = scene.written(scene.at - timedelta(days=_DAYS_AGO.draw(scene)))
    body = with_fields(payment, event_time=text)
    return refused(scene, payment, RejectReason.outside_horizon, body)


# --- messages ----------------------------------------------------------------------------------

_PACKED: Final = (2, 6)
_OF_THE_TEXT: Final = (0.05, 0.95)


def truncated_message(scene: Scene, _settings: Violation) -> Incident:
    """A message that ends in the middle: of one payment, or of an array of them, in turn."""
    customer = scene.customer()
    number = scene.random.randint(*_PACKED) if scene.turn % 2 else 1
    payments = [scene.compose(scene.at, customer=customer) for _ in range(number)]
    events = [payment.event for payment in payments]
    text = to_json(events if number > 1 else events[0])
    body = text[: round(len(text) * scene.between(*_OF_THE_TEXT))]
    return refused(scene, payments[0], RejectReason.not_json, body, has_id=False, alone=True)


def malformed_json(scene: Scene, _settings: Violation) -> Incident:
    """What is no JSON; what has commas or quotation marks astray would spoil its whole message."""
    payment = scene.compose(scene.at)
    spoil, alone = in_turn(scene, _MALFORMED)
    body = spoil(payment)
    return refused(scene, payment, RejectReason.not_json, body, has_id=False, alone=alone)


def _text(payment: Payment) -> str:
    return to_json(payment.event).decode()


def _in_words(payment: Payment) -> bytes:
    event = payment.event
    words = f"payment of {payment.amount} {event.currency}, {event.transaction_id}"
    return words.encode()


def _as_csv(payment: Payment) -> bytes:
    event = payment.event
    row = (event.transaction_id, event.event_time, f"{payment.amount}", event.currency)
    return ",".join(row).encode()


def _as_xml(payment: Payment) -> bytes:
    event = payment.event
    inner = f"<id>{event.transaction_id}</id><amount>{payment.amount}</amount>"
    return f'<?xml version="1.0"?><payment>{inner}</payment>'.encode()


def _in_single_quotes(payment: Payment) -> bytes:
    return _text(payment).replace('"', "'").encode()


def _in_utf_16(payment: Payment) -> bytes:
    return b"\xff\xfe" + _text(payment).encode("utf-16-le")


def _with_byte_order_mark(payment: Payment) -> bytes:
    return _text(payment).encode("utf-8-sig")


def _with_trailing_comma(payment: Payment) -> bytes:
    return f"{_text(payment)[:-1]},}}".encode()


def _without_a_comma(payment: Payment) -> bytes:
    return _text(payment).replace(',"currency"', ' "currency"').encode()


def _with_bare_key(payment: Payment) -> bytes:
    return _text(payment).replace('"amount":', "amount:").encode()


def _with_nan(payment: Payment) -> bytes:
    return f'{_text(payment)[:-1]},"risk":NaN}}'.encode()


def _with_open_quote(payment: Payment) -> bytes:
    return _text(payment).replace('"currency":', '"currency:').encode()


def _with_spare_brace(payment: Payment) -> bytes:
    return f"{_text(payment)}}}".encode()


_MALFORMED: Final[Sequence[tuple[Callable[[Payment], bytes], bool]]] = (
    (_in_words, True),
    (_with_trailing_comma, False),
    (_as_csv, True),
    (_in_single_quotes, False),
    (_with_open_quote, True),
    (_as_xml, False),
    (_in_utf_16, False),
    (_with_spare_brace, True),
    (_with_byte_order_mark, False),
    (_without_a_comma, False),
    (_with_bare_key, False),
    (_with_nan, False),
)
"""How to spoil the text, and whether other events of the message would suffer."""

_MOST_BYTES: Final = 16 * 1024
_SIZES: Final = Range(
    plain=(1.05 * _MOST_BYTES, 4 * _MOST_BYTES), hidden=(_MOST_BYTES + 1, 1.02 * _MOST_BYTES)
)


def oversized_metadata(scene: Scene, _settings: Violation) -> Incident:
    """Metadata of more than 16 KiB; hidden: hardly more."""
    payment = scene.compose(scene.at)
    size = round(_SIZES.draw(scene))
    make = in_turn(scene, (_one_long_text, _many_fields, _many_lines))
    body = with_fields(payment, metadata=make(scene, size))
    return refused(scene, payment, RejectReason.metadata_too_large, body)


def _words(scene: Scene, size: int) -> str:
    """Return so many characters of words made of letters."""
    drawn = letters(scene.random.randbytes(size // 2 + 1))
    return " ".join(drawn[at : at + 7] for at in range(0, size, 8)).ljust(size, "a")[:size]


def _one_long_text(scene: Scene, size: int) -> object:
    return {"log": _words(scene, size - len('{"log":""}'))}


def _many_fields(scene: Scene, size: int) -> object:
    length = len('"field_0000":"",') + 24
    return {f"field_{at:04d}": _words(scene, 24) for at in range(size // length + 1)}


def _many_lines(scene: Scene, size: int) -> object:
    return {"trace": [_words(scene, 60) for _ in range(size // 63 + 1)]}


KINDS: Final[tuple[Kind, ...]] = (
    Kind("negative_amount", negative_amount),
    Kind("zero_amount", zero_amount),
    Kind("wrong_scale", wrong_scale),
    Kind("unknown_currency", unknown_currency),
    Kind("unknown_status", unknown_status),
    Kind("future_time", future_time),
    Kind("ancient_time", ancient_time),
    Kind("malformed_json", malformed_json),
    Kind("truncated_message", truncated_message),
    Kind("oversized_metadata", oversized_metadata),
    Kind("contract_breach", contract_breach),
)
