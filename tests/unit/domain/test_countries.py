import pycountry
import pytest

from shared_code.domain.countries import COUNTRIES, COUNTRY_BY_NUMBER


def test_countries_are_those_of_iso_3166_with_their_numbers() -> None:
    assert {country.alpha_2: int(country.numeric) for country in pycountry.countries} == COUNTRIES


@pytest.mark.parametrize(("code", "number"), [("DE", 276), ("US", 840), ("JP", 392), ("AF", 4)])
def test_well_known_country_is_as_published(code: str, number: int) -> None:
    assert COUNTRIES[code] == number
    assert COUNTRY_BY_NUMBER[number] == code


def test_every_number_leads_back_to_its_country() -> None:
    assert len(COUNTRY_BY_NUMBER) == len(COUNTRIES)


@pytest.mark.parametrize("code", ["UK", "EU", "XK", "AN", "SU", "de", "DEU", ""])
def test_what_is_no_country_is_unknown(code: str) -> None:
    assert code not in COUNTRIES
