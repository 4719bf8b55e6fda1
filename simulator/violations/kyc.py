"""Know your customer: ids, e-mail addresses and countries that are missing or cannot be right."""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import asdict, replace

from shared_code.domain.vocabularies import RejectReason
from simulator.configuration.violation_settings import Violation
from simulator.generation.scene import Scene
from simulator.generation.streams import letters
from simulator.violations.incident import Incident
from simulator.violations.kind import Kind
from simulator.violations.spoiling import in_turn, odd, refused, with_inner
from simulator.wire import Customer, Payment

_LONGEST_ID: Final = 64

_PLACEHOLDERS: Final = (
    *("unknown", "n/a", "test", "0", "-", "anonymous", "null", "undefined", "guest", "none"),
)
# None of them is an id of the population, whose ids end with digits.
_PLACEHOLDERS_LIKE_IDS: Final = (
    *("customer_test", "customer_XXXXX", "customer_null", "customer_", "customer_NaN"),
)
_NO_ADDRESSES: Final = (
    *("not given", "none", "n/a", "@example.com", "ada.brown@", "ada.brown at example.com"),
    *("ada.brown@localhost", "example.com", "ada brown@example.com", "ada@brown@example.com"),
)
_NO_COUNTRIES: Final = ("UK", "XX", "EUR", "DEU", "Germany", "EU", "276", "??")
# Longer than any code; as ISO 3166 and its forerunners write them.
_LONG_COUNTRIES: Final = (
    "United Kingdom of Great Britain and Northern Ireland",
    "Venezuela (Bolivarian Republic of)",
    "The former Yugoslav Republic of Macedonia",
)


class _WithNulls(Customer, frozen=True, omit_defaults=False):
    """A customer whose missing fields are written as null."""


def _missing(scene: Scene, field: str) -> Incident:
    """Return a payment whose customer lacks a field: absent, null or empty."""
    payment = scene.compose(scene.at)
    customer = payment.event.customer or Customer()
    without = replace(customer, **{field: None})
    variants = (without, _WithNulls(**asdict(without)), replace(customer, **{field: ""}))
    return odd(payment, customer=in_turn(scene, variants))


def missing_customer_id(scene: Scene, _settings: Violation) -> Incident:
    """No customer id."""
    return _missing(scene, "id")


def missing_email(scene: Scene, _settings: Violation) -> Incident:
    """No e-mail address."""
    return _missing(scene, "email")


def missing_country(scene: Scene, _settings: Violation) -> Incident:
    """No country of the customer."""
    return _missing(scene, "country")


def invalid_customer_id(scene: Scene, _settings: Violation) -> Incident:
    """A customer id that identifies nobody: a placeholder; every other time one to be refused."""
    payment = scene.compose(scene.at)
    turn, is_refused = divmod(scene.turn, 2)
    if not is_refused:
        name = in_turn(scene, _PLACEHOLDERS, _PLACEHOLDERS_LIKE_IDS, turn)
        return odd(payment, customer=_changed(payment, id=name))
    reason, make = _REFUSED_IDS[turn % len(_REFUSED_IDS)]
    return refused(scene, payment, reason, with_inner(payment, "customer", id=make(scene, payment)))


def _changed(payment: Payment, **fields: str) -> Customer:
    return replace(payment.event.customer or Customer(), **fields)


def _as_number(scene: Scene, _payment: Payment) -> object:
    return scene.random.randrange(1, 100_000)


def _as_object(_scene: Scene, payment: Payment) -> object:
    return {"value": payment.customer_id}


def _too_long(scene: Scene, _payment: Payment) -> object:
    length = _LONGEST_ID + 1 + round(scene.eased(scene.between(0, 120), 0))
    return letters(scene.random.randbytes(length))[:length]


def _zero_terminated(_scene: Scene, payment: Payment) -> object:
    return f"{payment.customer_id}\0"


type _Make = Callable[[Scene, Payment], object]

_REFUSED_IDS: Final[Sequence[tuple[RejectReason, _Make]]] = (
    (RejectReason.wrong_type, _as_number),
    (RejectReason.invalid_length, _too_long),
    (RejectReason.wrong_type, _as_object),
    (RejectReason.invalid_text, _zero_terminated),
)


def invalid_email(scene: Scene, _settings: Violation) -> Incident:
    """An e-mail address that is none; a hidden one is wrong by one character."""
    payment = scene.compose(scene.at)
    customer = payment.event.customer or Customer()
    hidden = _mistyped(customer.email or "")
    return odd(payment, customer=_changed(payment, email=in_turn(scene, _NO_ADDRESSES, hidden)))


def _mistyped(address: str) -> Sequence[str]:
    name, _, domain = address.partition("@")
    return (
        f"{name}{domain}",
        f"{name}@@{domain}",
        f"{name}@{domain.replace('.', '..', 1)}",
        f"{name}@{domain.replace('.', ',')}",
        f"{name}@{domain}.",
        f"{name}@{domain} ",
        f"{name.replace('.', ' ', 1)} @{domain}",
        f"{name}#{domain}",
    )


def invalid_country(scene: Scene, _settings: Violation) -> Incident:
    """A country that does not exist; every fourth time one that no field of text can hold."""
    payment = scene.compose(scene.at)
    turn, place = divmod(scene.turn, 4)
    if place < 3:
        code = str((payment.event.customer or Customer()).country)
        plain = (*_NO_COUNTRIES, code.lower())
        # Codes that ISO 3166 reserves or leaves to their users, and such as look right.
        hidden = (code.lower(), f"{code} ", f" {code}", "UK", "EL", "XK", "QZ", code.title())
        name = in_turn(scene, plain, hidden, 3 * turn + place)
        return odd(payment, customer=_changed(payment, country=name))
    if turn % 2:
        reason, country = RejectReason.invalid_length, in_turn(scene, _LONG_COUNTRIES, (), turn)
        body = with_inner(payment, "customer", country=country)
    else:
        reason, number = RejectReason.wrong_type, scene.random.randrange(1, 1000)
        body = with_inner(payment, "customer", country=number)
    return refused(scene, payment, reason, body)


KINDS: Final[tuple[Kind, ...]] = (
    Kind("missing_customer_id", missing_customer_id),
    Kind("invalid_customer_id", invalid_customer_id),
    Kind("missing_email", missing_email),
    Kind("invalid_email", invalid_email),
    Kind("missing_country", missing_country),
    Kind("invalid_country", invalid_country),
)
