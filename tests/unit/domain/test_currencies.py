import iso4217
import pytest

from shared_code.domain.currencies import CURRENCIES, CURRENCY_BY_NUMBER

# Active codes that are no money a payment is made in.
NO_PAYMENT_CURRENCIES = {
    "XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR", "XPD", "XPT", "XSU", "XTS", "XUA", "XXX",
}  # fmt: skip


def test_currencies_are_those_of_iso_4217_with_their_numbers_and_decimals() -> None:
    published = {
        currency.code: (currency.number, currency.exponent)
        for currency in iso4217.Currency
        if currency.code not in NO_PAYMENT_CURRENCIES
    }
    ours = {code: (currency.number, currency.minor_unit) for code, currency in CURRENCIES.items()}
    assert ours == published


@pytest.mark.parametrize(
    ("code", "number", "minor_unit"),
    [("EUR", 978, 2), ("JPY", 392, 0), ("KWD", 414, 3), ("CLF", 990, 4), ("USD", 840, 2)],
)
def test_well_known_currency_is_as_published(code: str, number: int, minor_unit: int) -> None:
    assert CURRENCIES[code] == (code, number, minor_unit)


def test_every_number_leads_back_to_its_currency() -> None:
    assert len(CURRENCY_BY_NUMBER) == len(CURRENCIES)
    assert all(CURRENCY_BY_NUMBER[currency.number] is currency for currency in CURRENCIES.values())


@pytest.mark.parametrize("code", [*sorted(NO_PAYMENT_CURRENCIES), "DEM", "BGN", "eur", ""])
def test_what_is_no_payment_currency_is_unknown(code: str) -> None:
    assert code not in CURRENCIES
