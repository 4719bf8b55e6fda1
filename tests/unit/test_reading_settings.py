"""App settings of what only looks: a reader of its own, if one is named, and little patience."""

from datetime import timedelta

import pytest

from shared_code.settings import SettingsError, load_database_settings, load_reading_settings

OWN = "postgresql://app:secret@localhost/payments"
READER = "postgresql://reader:secret@localhost/payments"
ENTRA = {
    "DATABASE_HOST": "db.example.com",
    "DATABASE_USER": "app",
    "DATABASE_NAME": "payments",
    "DATABASE_CLIENT_ID": "00000000-0000-0000-0000-000000000001",
}


def test_without_a_reader_the_functions_login_looks() -> None:
    found = load_reading_settings({"DATABASE_URL": OWN})
    assert found.url == load_database_settings({"DATABASE_URL": OWN}).url


def test_a_reader_goes_before_the_functions_login() -> None:
    found = load_reading_settings({"DATABASE_URL": OWN, "READER_DATABASE_URL": READER})
    assert found.url.username == "reader"


def test_a_reader_with_a_password_needs_no_token() -> None:
    found = load_reading_settings({**ENTRA, "READER_DATABASE_URL": READER})
    assert (found.entra_authentication, found.entra_client_id) == (False, None)


def test_a_reader_may_be_another_identity() -> None:
    client_id = "00000000-0000-0000-0000-000000000002"
    reader = {"READER_DATABASE_USER": "reader", "READER_DATABASE_CLIENT_ID": client_id}
    found = load_reading_settings({**ENTRA, **reader})
    assert (found.url.username, found.entra_client_id) == ("reader", client_id)
    assert (found.url.host, found.url.query["sslmode"]) == ("db.example.com", "verify-full")


def test_a_reader_without_an_identity_of_its_own_has_that_of_the_functions() -> None:
    found = load_reading_settings({**ENTRA, "READER_DATABASE_USER": "reader"})
    assert (found.url.username, found.entra_client_id) == ("reader", ENTRA["DATABASE_CLIENT_ID"])


def test_who_looks_waits_for_seconds_whatever_the_functions_do() -> None:
    values = {"DATABASE_URL": OWN, "DATABASE_STATEMENT_TIMEOUT_SECONDS": "500"}
    found = load_reading_settings(values)
    assert found.statement_timeout == found.patience == timedelta(seconds=5)
    assert load_database_settings(values).patience is None


@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"READER_DATABASE_URL": READER}, "DATABASE_URL"),
        ({"DATABASE_URL": OWN, "READER_DATABASE_URL": "secret"}, "READER_DATABASE_URL"),
        (
            {"DATABASE_URL": OWN, "READER_DATABASE_URL": "postgresql://h/d?sslmode=require"},
            "DATABASE_URL",
        ),
        ({"DATABASE_URL": OWN, "READER_DATABASE_USER": "reader"}, "READER_DATABASE_USER"),
        (
            {**ENTRA, "READER_DATABASE_USER": "r", "READER_DATABASE_CLIENT_ID": "me"},
            "READER_DATABASE_CLIENT_ID",
        ),
    ],
)
def test_what_is_wrong_is_named_and_no_secret_shown(values: dict[str, str], name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load_reading_settings(values)
    assert caught.value.name == name
    assert "secret" not in str(caught.value)
