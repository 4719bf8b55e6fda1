"""Every way to break the contract that has no kind of its own, in turn."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final, NamedTuple

from shared_code.domain.vocabularies import RejectReason
from simulator.configuration.violation_settings import Violation
from simulator.generation.scene import Scene
from simulator.generation.streams import letters
from simulator.violations.incident import Incident
from simulator.violations.spoiling import document_of, refused, with_fields, with_inner
from simulator.wire import Payment, to_json

type Spoil = Callable[[Scene, Payment], bytes]

# Deeper than any JSON reader of this world follows, and deeper than the contract lets metadata be.
_BOTTOMLESS: Final = 30_000
_DEEP: Final = (65, 200)
_MARK: Final = "SPOILT-HERE"


class _Variant(NamedTuple):
    """How to spoil a payment, and whether its own id can still be read afterwards."""

    spoil: Spoil
    has_id: bool = True


def contract_breach(scene: Scene, _settings: Violation) -> Incident:
    """Every other way to break the contract: each reason in turn, then each variant of it."""
    turn, place = divmod(scene.turn, len(_BREACHES))
    reason, variants = _BREACHES[place]
    variant = variants[turn % len(variants)]
    payment = scene.compose(scene.at)
    body = variant.spoil(scene, payment)
    return refused(scene, payment, reason, body, has_id=variant.has_id)


def _letters(scene: Scene, length: int) -> str:
    return letters(scene.random.randbytes(length))[:length]


# --- whole fields ------------------------------------------------------------------------------


def _set(**fields: object) -> _Variant:
    return _Variant(lambda _, payment: with_fields(payment, **fields))


def _without_id(**fields: object) -> _Variant:
    return _set(**fields)._replace(has_id=False)


def _dropped(field: str) -> _Variant:
    def spoil(_: Scene, payment: Payment) -> bytes:
        return to_json({k: v for k, v in document_of(payment).items() if k != field})

    return _Variant(spoil, has_id=field != "transaction_id")


def _long(field: str, length: int, *, part: str | None = None) -> _Variant:
    def spoil(scene: Scene, payment: Payment) -> bytes:
        text = {field: _letters(scene, length)}
        return with_inner(payment, part, **text) if part else with_fields(payment, **text)

    return _Variant(spoil, has_id=field != "transaction_id")


def _marked(payment: Payment) -> bytes:
    return with_fields(payment, metadata={"note": f"sent {_MARK} a telephone"})


def _replaced(new: bytes) -> _Variant:
    """Return a text that no producer gets out of a JSON library."""
    return _Variant(lambda _, payment: _marked(payment).replace(_MARK.encode(), new))


# --- no object ---------------------------------------------------------------------------------


def _encoded_twice(_scene: Scene, payment: Payment) -> bytes:
    return to_json(to_json(payment.event).decode())


def _heartbeat(scene: Scene, _payment: Payment) -> bytes:
    return to_json(f"ping {_letters(scene, 12)}")


def _bare_number(scene: Scene, _payment: Payment) -> bytes:
    return to_json(scene.random.randrange(10**11))


# --- times and amounts -------------------------------------------------------------------------


def _time(pattern: str) -> _Variant:
    """Return the payment's own time in another notation, as ``strftime`` writes it."""

    def spoil(_: Scene, payment: Payment) -> bytes:
        return with_fields(payment, event_time=payment.event_time.strftime(pattern))

    return _Variant(spoil)


def _seconds_since_1970(_scene: Scene, payment: Payment) -> bytes:
    return with_fields(payment, event_time=int(payment.event_time.timestamp()))


def _seconds_as_text(_scene: Scene, payment: Payment) -> bytes:
    return with_fields(payment, event_time=str(int(payment.event_time.timestamp())))


def _far_too_precise(_scene: Scene, payment: Payment) -> bytes:
    text = payment.event_time.strftime("%Y-%m-%dT%H:%M:%S.%f")
    return with_fields(payment, event_time=f"{text}{'0' * 60}Z")


def _before_midnight(_scene: Scene, payment: Payment) -> bytes:
    """Write midnight as the 24th hour of the day before, which RFC 3339 does not know."""
    day = payment.event_time - timedelta(days=1)
    return with_fields(payment, event_time=day.strftime("%Y-%m-%dT24:00:01Z"))


def _amount(pattern: str) -> _Variant:
    """Return the payment's own amount with something around it."""
    return _Variant(lambda _, payment: with_fields(payment, amount=pattern.format(payment.amount)))


def _with_decimal_comma(_scene: Scene, payment: Payment) -> bytes:
    return with_fields(payment, amount=f"{payment.amount:.2f}".replace(".", ","))


def _digits(scene: Scene) -> int:
    """Return a whole number of 16 to 18 digits."""
    length = scene.random.randint(16, 18)
    return scene.random.randrange(10 ** (length - 1), 10**length)


def _too_much(scene: Scene, payment: Payment) -> bytes:
    return with_fields(payment, amount=str(_digits(scene)))


def _too_much_in_figures(scene: Scene, payment: Payment) -> bytes:
    return with_fields(payment, amount=_digits(scene))


# --- depth -------------------------------------------------------------------------------------


def _nested(payment: Payment, levels: int) -> bytes:
    text = with_fields(payment, metadata={"tree": _MARK})
    return text.replace(f'"{_MARK}"'.encode(), b"[" * levels + b"]" * levels)


def _bottomless(_scene: Scene, payment: Payment) -> bytes:
    return _nested(payment, _BOTTOMLESS)


def _too_deep(scene: Scene, payment: Payment) -> bytes:
    return _nested(payment, scene.random.randint(*_DEEP))


def _deep_and_unknown(_scene: Scene, payment: Payment) -> bytes:
    text = with_fields(payment, extension=_MARK)
    opened, closed = b'{"next":' * _BOTTOMLESS, b"}" * _BOTTOMLESS
    return text.replace(f'"{_MARK}"'.encode(), opened + b"null" + closed)


# --- all of them -------------------------------------------------------------------------------

_BREACHES: Final[Sequence[tuple[RejectReason, Sequence[_Variant]]]] = (
    (
        RejectReason.not_an_object,
        (
            _Variant(_encoded_twice, has_id=False),
            _Variant(_heartbeat, has_id=False),
            _Variant(_bare_number, has_id=False),
        ),
    ),
    (
        RejectReason.wrong_type,
        (
            _set(currency=978),
            _set(customer="customer"),
            _set(metadata=["a", "list"]),
            _without_id(transaction_id=None),
            _set(payment_status=True),
            _Variant(_seconds_since_1970),
            _set(merchant=[]),
            _set(card="visa"),
            _set(metadata="order"),
            _without_id(transaction_id={"id": "unknown"}),
            _set(payment_method=None),
        ),
    ),
    (
        RejectReason.missing_field,
        (
            _dropped("amount"),
            _dropped("transaction_id"),
            _dropped("event_time"),
            _dropped("currency"),
            _dropped("payment_method"),
            _dropped("payment_status"),
        ),
    ),
    (
        RejectReason.invalid_length,
        (
            _without_id(transaction_id=""),
            _long("transaction_id", 65),
            _long("name", 257, part="merchant"),
            _Variant(_far_too_precise),
            _long("channel", 300),
            _long("id", 65, part="counterparty"),
            _long("category", 80, part="merchant"),
            _long("currency", 33),
        ),
    ),
    (
        RejectReason.invalid_text,
        (
            _set(metadata={"note": "ends\0here"}),
            _replaced(rb"\ud83d"),
            _replaced(b"caf\xe9"),
            _Variant(lambda _, payment: with_inner(payment, "merchant", name="Corner\0Shop")),
        ),
    ),
    (
        RejectReason.invalid_amount,
        (
            _set(amount="NaN"),
            _Variant(_with_decimal_comma),
            _set(amount=None),
            _set(amount="Infinity"),
            _set(amount=""),
            _amount("${}"),
            _amount("{} USD"),
            _amount(" {}"),
            _set(amount=True),
            _set(amount="1,234.50"),
            _set(amount={"value": 1050, "scale": 2}),
        ),
    ),
    (
        RejectReason.too_many_digits,
        (_Variant(_too_much), _Variant(_too_much_in_figures)),
    ),
    (
        RejectReason.unknown_payment_method,
        (
            _set(payment_method="cheque"),
            _set(payment_method="Credit_Card"),
            _set(payment_method=""),
            _set(payment_method="credit card"),
            _set(payment_method="wire"),
        ),
    ),
    (
        RejectReason.invalid_event_time,
        (
            _time("%Y-02-30T%H:%M:%SZ"),
            _time("%Y-%m-%dT%H:%M:%S"),
            _set(event_time="yesterday"),
            _time("%Y-06-30T23:59:60Z"),
            _time("%Y-%m-%d %H:%M:%S"),
            _time("%d.%m.%Y %H:%M"),
            _time("%Y-%m-%d"),
            _Variant(_seconds_as_text),
            _Variant(_before_midnight),
            _set(event_time=""),
        ),
    ),
    (
        RejectReason.too_deep,
        (_Variant(_bottomless), _Variant(_too_deep), _Variant(_deep_and_unknown)),
    ),
)

REASONS: Final = tuple(reason for reason, _ in _BREACHES)
"""Why these are refused, in the order in which they come."""
MOST_VARIANTS: Final = max(len(variants) for _, variants in _BREACHES)
"""After so many rounds through all reasons every variant has come."""
