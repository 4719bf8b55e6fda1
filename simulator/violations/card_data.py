"""Card data: full numbers in clear, and data that is missing, wrong or out of place."""

from collections.abc import Callable, Sequence
from typing import Final

from msgspec.structs import replace

from simulator.configuration.violation_settings import Violation
from simulator.generation.population import Customer
from simulator.generation.scene import Scene
from simulator.generation.wording import CARD_METHODS
from simulator.violations.casting import merchant_where, method_at
from simulator.violations.incident import Incident
from simulator.violations.kind import Kind
from simulator.violations.spoiling import in_turn, odd
from simulator.wire import Card, Merchant, Payment

# What the card schemes and their processors publish for tests: no number is anybody's.
_PUBLISHED: Final = (
    *("4111111111111111", "4012888888881881", "5555555555554444", "5105105105105100"),
    *("2223003122003222", "378282246310005", "371449635398431", "6011111111111117"),
    *("3530111333300000", "30569309025904"),
)
# Issuer numbers of those, and how many digits a number of theirs has.
_TEST_RANGES: Final = (
    *(("411111", 16), ("401288", 16), ("555555", 16), ("510510", 16), ("222300", 16)),
    *(("378282", 15), ("371449", 15), ("601111", 16), ("353011", 16), ("305693", 14)),
)
_PUBLISHED_SHARE: Final = 0.3
_WITHOUT_CARD: Final = ("bank_transfer", "cash_equivalent", "digital_wallet", "cryptocurrency")


def _by_card(scene: Scene, customer: Customer | None = None) -> Payment:
    customer = customer or scene.customer()
    merchant = merchant_where(scene, customer, methods=CARD_METHODS)
    methods = (method_at(scene, merchant.category, CARD_METHODS),)
    return scene.compose(scene.at, customer=customer, merchant=merchant, methods=methods)


# --- full numbers ------------------------------------------------------------------------------


def card_number_in_clear(scene: Scene, _settings: Violation) -> Incident:
    """A full card number, in a field where it has no business."""
    place = in_turn(scene, _PLACES, _HIDDEN_PLACES)
    return place(scene, _by_card(scene), card_number(scene))


def card_number(scene: Scene) -> str:
    """Return a card number of a range for tests, its check digit right (ISO/IEC 7812-1)."""
    if scene.random.random() < _PUBLISHED_SHARE:
        return scene.random.choice(_PUBLISHED)
    issuer, length = scene.random.choice(_TEST_RANGES)
    body = f"{issuer}{scene.random.randrange(10 ** (length - 7)):0{length - 7}d}"
    return f"{body}{_check_digit(body)}"


def _check_digit(body: str) -> int:
    """Return what makes the sum of all digits a multiple of ten, every other one doubled."""
    figures = [int(figure) for figure in reversed(body)]
    doubled = sum(sum(divmod(2 * figure, 10)) for figure in figures[::2])
    return -(doubled + sum(figures[1::2])) % 10


def _grouped(number: str, separator: str) -> str:
    """Return a number as it stands on its card."""
    sizes = (4, 4, 4, 4) if len(number) == 16 else (4, 6, len(number) - 10)
    ends = [sum(sizes[: at + 1]) for at in range(len(sizes))]
    parts = [number[end - size : end] for size, end in zip(sizes, ends, strict=True)]
    return separator.join(parts)


def _noted(payment: Payment, **fields: str | int) -> Incident:
    return odd(payment, metadata={**(payment.event.metadata or {}), **fields})


def _in_a_note(_scene: Scene, payment: Payment, number: str) -> Incident:
    return _noted(payment, note=f"customer read out {number} on the phone")


def _in_the_name(_scene: Scene, payment: Payment, number: str) -> Incident:
    merchant = payment.event.merchant or Merchant()
    return odd(payment, merchant=replace(merchant, name=f"Top-up {number}"))


def _as_last_digits(_scene: Scene, payment: Payment, number: str) -> Incident:
    return odd(payment, card=replace(payment.event.card or Card(), last4=number))


def _with_separators(scene: Scene, payment: Payment, number: str) -> Incident:
    return _noted(payment, note=f"card {_grouped(number, scene.random.choice(' -'))}")


def _as_a_token(_scene: Scene, payment: Payment, number: str) -> Incident:
    return odd(payment, card=replace(payment.event.card or Card(), fingerprint=number))


def _as_a_number(_scene: Scene, payment: Payment, number: str) -> Incident:
    return _noted(payment, reference=int(number))


def _in_an_address(scene: Scene, payment: Payment, number: str) -> Incident:
    page = f"https://shop.example/pay?order={scene.random.randrange(1000)}&pan={number}&step=2"
    return _noted(payment, referrer=page)


def _among_other_digits(scene: Scene, payment: Payment, number: str) -> Incident:
    till = scene.random.randrange(10, 100)
    return _noted(payment, slip=f"till {till} {_grouped(number, ' ')} exp 12/29")


type _Place = Callable[[Scene, Payment, str], Incident]

_PLACES: Final[Sequence[_Place]] = (_in_a_note, _in_the_name, _as_last_digits, _with_separators)
_HIDDEN_PLACES: Final[Sequence[_Place]] = (
    _as_a_token,
    _as_a_number,
    _in_an_address,
    _among_other_digits,
)


# --- what is kept of a card --------------------------------------------------------------------


def missing_card_data(scene: Scene, _settings: Violation) -> Incident:
    """A card payment without card data, or with nothing but what many cards share."""
    payment = _by_card(scene)
    card = payment.event.card or Card()
    plain = (None, Card(brand=card.brand), Card())
    hidden = (
        Card(brand=card.brand, bin=card.bin),
        Card(brand=card.brand, bin=card.bin, last4="", fingerprint=""),
    )
    return odd(payment, card=in_turn(scene, plain, hidden))


def invalid_card_data(scene: Scene, _settings: Violation) -> Incident:
    """Card data that cannot be right; hidden by a letter that looks like a digit, or a blank."""
    payment = _by_card(scene)
    card = payment.event.card or Card()
    issuer, last = str(card.bin), str(card.last4)
    plain = (
        {"bin": f"{issuer[:3]}ABC"},
        {"last4": last[:3]},
        {"bin": issuer[:5]},
        {"last4": "XXXX"},
        {"bin": f"{issuer}000"},
        {"last4": f"{last}0"},
        {"bin": f"{issuer[:4]}**", "last4": "****"},
    )
    hidden = (
        {"last4": f"{last[:3]}O"},
        {"bin": f"{issuer} "},
        {"bin": f"{issuer[:5]}l"},
        {"last4": f"{last[:3]} "},
        # Digits, but not those of ASCII: the full-width forms of Unicode.
        {"last4": last.translate(_FULL_WIDTH)},
    )
    return odd(payment, card=replace(card, **in_turn(scene, plain, hidden)))


_FULL_WIDTH: Final = {ord("0") + digit: 0xFF10 + digit for digit in range(10)}


def forbidden_card_data(scene: Scene, _settings: Violation) -> Incident:
    """Card data with a payment that was not made by card; hidden: hardly any of it."""
    customer = scene.customer()
    method = in_turn(scene, _WITHOUT_CARD)
    merchant = merchant_where(scene, customer, methods=(method,))
    payment = scene.compose(scene.at, customer=customer, merchant=merchant, methods=(method,))
    card = customer.card
    plain = (card, Card(brand=card.brand, last4=card.last4))
    hidden = (Card(last4=card.last4), Card(bin=card.bin), Card(fingerprint=card.fingerprint))
    turn = scene.turn // len(_WITHOUT_CARD)
    return odd(payment, card=in_turn(scene, plain, hidden, turn))


KINDS: Final[tuple[Kind, ...]] = (
    Kind("card_number_in_clear", card_number_in_clear),
    Kind("missing_card_data", missing_card_data),
    Kind("invalid_card_data", invalid_card_data),
    Kind("forbidden_card_data", forbidden_card_data),
)
