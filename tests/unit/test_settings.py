"""App settings: every missing or wrong one is named with an example, and secrets stay unseen."""

import json
import ssl
import traceback
from datetime import timedelta
from pathlib import Path
from typing import Any

import certifi
import pytest
from sqlalchemy.engine import URL

from shared_code.app_settings import DATABASE_STATEMENT_TIMEOUT_SECONDS
from shared_code.errors import PaymentsError
from shared_code.settings import SettingsError, load_database_settings, load_settings
from shared_code.store.database import _ANSWER_SECONDS, engine_for

ROOT = Path(__file__).parents[2]
KEY = "5a" * 32
LOCAL = "postgresql://user@localhost/payments"
REMOTE = "postgresql://user@db.example.com/payments"
SECRET = "hunter2"
ENTRA = {"DATABASE_HOST": "db.example.com", "DATABASE_USER": "app", "DATABASE_NAME": "payments"}


def settings(**values: str) -> Any:
    return load_settings({"DATABASE_URL": LOCAL, "PII_HASH_KEY": KEY} | values)


def refusal(values: dict[str, str]) -> SettingsError:
    with pytest.raises(SettingsError) as caught:
        load_settings(values)
    return caught.value


def test_two_settings_are_enough_and_the_others_have_defaults() -> None:
    loaded = settings()
    assert loaded.retention == timedelta(days=30)
    assert loaded.allowed_lateness == timedelta(minutes=15)
    assert loaded.fold_interval == timedelta(seconds=1)
    assert loaded.rules_container == "compliance-rules"
    assert loaded.pii_hash_key == bytes.fromhex(KEY)
    assert loaded.database.pool_size == 2
    assert loaded.database.statement_timeout == timedelta(seconds=60)
    assert loaded.database.entra_authentication is False
    assert loaded.database.entra_client_id is None


def test_every_setting_is_taken_from_its_value() -> None:
    loaded = settings(
        RETENTION_DAYS="7",
        ALLOWED_LATENESS_MINUTES="0",
        FOLD_INTERVAL_MILLISECONDS="250",
        RULES_CONTAINER="other-rules",
        DATABASE_POOL_SIZE="5",
        DATABASE_STATEMENT_TIMEOUT_SECONDS="10",
    )
    assert loaded.retention == timedelta(days=7)
    assert loaded.allowed_lateness == timedelta(0)
    assert loaded.fold_interval == timedelta(milliseconds=250)
    assert loaded.rules_container == "other-rules"
    assert loaded.database.pool_size == 5
    assert loaded.database.statement_timeout == timedelta(seconds=10)


def test_blank_settings_are_settings_that_are_not_there() -> None:
    names = ("RETENTION_DAYS", "RULES_CONTAINER", "DATABASE_POOL_SIZE", "DATABASE_CLIENT_ID")
    assert settings(**dict.fromkeys(names, "  ")) == settings()


def test_equal_settings_are_equal_so_that_engines_can_be_shared() -> None:
    assert settings() == settings()
    assert settings().database == settings().database
    assert hash(settings()) == hash(settings())


@pytest.mark.parametrize(
    ("values", "name", "example"),
    [
        ({"PII_HASH_KEY": KEY}, "DATABASE_URL", "postgresql://user:password@localhost"),
        ({"DATABASE_URL": LOCAL}, "PII_HASH_KEY", "openssl rand -hex 32"),
        ({"DATABASE_URL": LOCAL, "PII_HASH_KEY": ""}, "PII_HASH_KEY", "openssl rand -hex 32"),
        (ENTRA | {"DATABASE_USER": ""}, "DATABASE_USER", "id-payments-prod"),
        (ENTRA | {"DATABASE_NAME": " "}, "DATABASE_NAME", "payments"),
    ],
)
def test_a_missing_setting_is_named_with_an_example(
    values: dict[str, str], name: str, example: str
) -> None:
    found = refusal({"PII_HASH_KEY": KEY} | values if "DATABASE_HOST" in values else values)
    assert found.name == name
    assert str(found).startswith(f"app setting {name} is missing")
    assert f"; for example {name}=" in str(found)
    assert example in str(found)
    assert isinstance(found, PaymentsError)


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [
        ("RETENTION_DAYS", 1, 3650),
        ("ALLOWED_LATENESS_MINUTES", 0, 10_080),
        ("FOLD_INTERVAL_MILLISECONDS", 0, 300_000),
        ("DATABASE_POOL_SIZE", 1, 50),
        ("DATABASE_STATEMENT_TIMEOUT_SECONDS", 1, 540),
    ],
)
def test_whole_numbers_are_taken_within_their_bounds_and_refused_beyond(
    name: str, least: int, most: int
) -> None:
    settings(**{name: str(least)})
    settings(**{name: str(most)})
    settings(**{name: f"0{most}"})
    wrong = [str(least - 1), str(most + 1), "1.5", "1e3", "abc", "٣", "+1", "1_0", "9" * 5000]
    for text in [*wrong, "0000000001999999"]:
        found = refusal({"DATABASE_URL": LOCAL, "PII_HASH_KEY": KEY, name: text})
        assert found.name == name
        assert f"a whole number from {least} to {most}, found {text[:40]!r}" in str(found)
        assert f"; for example {name}=" in str(found)
        assert len(str(found)) < 250


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        (
            "RULES_CONTAINER",
            ["Rules", "ab", "a" * 64, "rules--x", "-rules", "rules-", "a/b", "a_b"],
        ),
        ("DATABASE_CLIENT_ID", ["id-payments", "0" * 36, "{00000000-0000-0000-0000-000000000000}"]),
    ],
)
def test_names_of_azure_are_held_to_their_form(name: str, wrong: list[str]) -> None:
    for text in wrong:
        found = refusal({"DATABASE_URL": LOCAL, "PII_HASH_KEY": KEY, name: text})
        assert found.name == name
        assert f"; for example {name}={found.example}" in str(found)
        settings(**{name: found.example})


@pytest.mark.parametrize(
    "host", ["db.example.com:5432", "postgresql://db.example.com", "a b", "host,other", "-a"]
)
def test_a_database_host_is_a_name_and_nothing_else(host: str) -> None:
    found = refusal(ENTRA | {"PII_HASH_KEY": KEY, "DATABASE_HOST": host})
    assert found.name == "DATABASE_HOST"
    assert "postgres.database.azure.com" in found.example


@pytest.mark.parametrize(
    ("key", "problem"),
    [("zz" * 32, "is not hexadecimal"), ("5a5", "is not hexadecimal"), ("5a" * 8, "has 8 bytes")],
)
def test_a_wrong_key_is_refused_without_being_shown(key: str, problem: str) -> None:
    found = refusal({"DATABASE_URL": LOCAL, "PII_HASH_KEY": key})
    assert str(found).startswith(f"app setting PII_HASH_KEY {problem}")
    assert key not in "".join(traceback.format_exception(found))


@pytest.mark.parametrize(
    "url",
    [
        f"not a url {SECRET}",
        f"postgresql:/user:{SECRET}@db.example.com",
        f"postgresql://user:{SECRET}@db.example.com:port/payments",
        f"postgresql://user:{SECRET}@db.example.com:70000/payments",
        f"postgresql://user:{SECRET}@db.example.com:0/payments",
        f"postgresql://user:{SECRET}@db.example.com",
        f"postgresql://user:{SECRET}@db.example.com/",
        f"mysql://user:{SECRET}@db.example.com/payments",
        f"sqlite:///{SECRET}",
        f"unknown://user:{SECRET}@db.example.com/payments",
        f"postgresql://user:p@{SECRET}/word@db.example.com/payments",
        f"postgresql://user:p@{SECRET}@db.example.com/payments",
        f"postgresql://user:{SECRET}@db.example.com/payments?sslmode=disable",
        f"postgresql://user:{SECRET}@db.example.com/payments?sslmode={SECRET}",
        f"postgresql://user@localhost/payments?sslpassword={SECRET}",
    ],
)
def test_a_wrong_database_url_is_named_and_no_part_of_it_is_shown(url: str) -> None:
    found = refusal({"DATABASE_URL": url, "PII_HASH_KEY": KEY})
    assert found.name == "DATABASE_URL"
    assert "; for example DATABASE_URL=postgresql://" in str(found)
    shown = "".join(traceback.format_exception(found))
    assert SECRET not in shown
    assert "db.example.com" not in str(found)


@pytest.mark.parametrize(
    "url",
    [
        f"postgresql://user:{SECRET}@db.example.com/payments",
        f"postgresql://db.example.com/payments?password={SECRET}",
        f"postgresql://user:other@localhost/payments?password=first&password={SECRET}",
    ],
)
def test_no_secret_is_in_the_text_of_settings_urls_and_engines(url: str) -> None:
    loaded = settings(DATABASE_URL=url)
    assert loaded.database.url.password == SECRET
    engine = engine_for(loaded.database)
    shown = (repr(loaded), str(loaded), repr(loaded.database), f"{loaded}", repr(engine))
    for text in (*shown, str(loaded.database.url), repr(loaded.database.url)):
        assert SECRET not in text
        assert KEY not in text
        assert repr(bytes.fromhex(KEY)) not in text


def test_a_password_with_escapes_reaches_the_driver_as_it_is_meant() -> None:
    url = settings(DATABASE_URL="postgresql://user:p%40s%2Fs@localhost/payments").database.url
    assert url.password == "p@s/s"
    assert url.drivername == "postgresql+psycopg2"


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
def test_any_scheme_of_postgresql_leads_to_the_one_driver(scheme: str) -> None:
    url = settings(DATABASE_URL=f"{scheme}://user@localhost/payments").database.url
    assert url.drivername == "postgresql+psycopg2"


@pytest.mark.parametrize(
    "url",
    [
        LOCAL,
        "postgresql://user@LOCALHOST/payments",
        "postgresql://user@127.0.0.1:5433/payments",
        "postgresql://user@[::1]/payments",
        "postgresql:///payments",
        "postgresql:///payments?host=/var/run/postgresql",
        "postgresql://user@/payments?host=localhost",
        "postgresql://user@localhost/payments?sslmode=disable",
    ],
)
def test_a_database_on_this_machine_needs_no_tls(url: str) -> None:
    asked = settings(DATABASE_URL=url).database.url.query.get("sslmode")
    assert asked == ("disable" if "disable" in url else None)


@pytest.mark.parametrize(
    "url",
    [
        REMOTE,
        "postgresql://user@10.0.0.4/payments",
        "postgresql://user@localhost.example.com/payments",
        "postgresql:///payments?host=db.example.com",
        "postgresql:///payments?hostaddr=10.0.0.4",
        "postgresql://user@localhost/payments?host=db.example.com",
        "postgresql://user@localhost/payments?hostaddr=10.0.0.4",
        "postgresql:///payments?host=localhost,db.example.com",
        "postgresql:///payments?host=localhost&host=db.example.com",
    ],
)
def test_tls_is_required_of_every_other_host_however_it_is_named(url: str) -> None:
    assert_verified(settings(DATABASE_URL=url).database.url)
    weak = ("disable", "allow", "prefer", "require", "verify-ca", "VERIFY-FULL")
    for mode in (*weak, "verify-full&sslmode=disable"):
        asked = f"{url}{'&' if '?' in url else '?'}sslmode={mode}"
        found = refusal({"DATABASE_URL": asked, "PII_HASH_KEY": KEY})
        assert "another server could pose as the database" in str(found)
        assert "sslmode=verify-full" in found.example
        settings(DATABASE_URL=found.example)


def assert_verified(url: URL, roots: str | None = None) -> None:
    assert url.query["sslmode"] == "verify-full"
    assert url.query["sslrootcert"] == (roots or certifi.where())


@pytest.mark.parametrize(
    ("name", "value"),
    [("PGHOST", "db.example.com"), ("PGHOSTADDR", "10.0.0.4"), ("PGSERVICE", "payments")],
)
def test_hosts_that_libpq_takes_from_its_environment_count(name: str, value: str) -> None:
    open_url = "postgresql:///payments"
    assert_verified(settings(DATABASE_URL=open_url, **{name: value}).database.url)
    assert "sslmode" not in settings(DATABASE_URL=open_url, PGHOST="/tmp").database.url.query
    named = settings(DATABASE_URL=LOCAL, PGHOST="db.example.com").database.url
    assert "sslmode" not in named.query, "the URL goes before"


def test_a_service_file_may_name_any_host() -> None:
    assert_verified(settings(DATABASE_URL="postgresql:///payments?service=it").database.url)


def test_an_empty_sslmode_asks_for_nothing() -> None:
    assert_verified(settings(DATABASE_URL=f"{REMOTE}?sslmode=").database.url)


@pytest.mark.parametrize("roots", ["/etc/ssl/private-ca.pem", "system"])
def test_authorities_that_are_named_stand(roots: str) -> None:
    url = f"{REMOTE}?sslmode=verify-full&sslrootcert={roots}"
    assert_verified(settings(DATABASE_URL=url).database.url, roots)


def test_authorities_of_azure_are_among_the_default_ones() -> None:
    context = ssl.create_default_context(cafile=certifi.where())
    names = {
        value
        for certificate in context.get_ca_certs()
        for part in certificate["subject"]
        for key, value in part
        if key == "commonName"
    }
    # https://learn.microsoft.com/azure/postgresql/security/security-tls
    assert {"DigiCert Global Root G2", "Microsoft RSA Root Certificate Authority 2017"} <= names


def test_host_user_and_name_mean_entra_authentication_over_tls() -> None:
    identity = "12345678-9abc-def0-1234-56789abcdef0"
    database = load_database_settings(ENTRA | {"DATABASE_CLIENT_ID": identity})
    assert database.entra_authentication is True
    assert database.entra_client_id == identity
    assert (database.url.host, database.url.username) == ("db.example.com", "app")
    assert (database.url.database, database.url.password) == ("payments", None)
    assert_verified(database.url)


def test_a_url_goes_before_host_user_and_name() -> None:
    database = load_database_settings(ENTRA | {"DATABASE_URL": LOCAL})
    assert (database.entra_authentication, database.url.host) == (False, "localhost")


def test_migrations_need_no_key_for_personal_data() -> None:
    assert load_database_settings({"DATABASE_URL": LOCAL}).url.database == "payments"


def test_no_statement_may_take_so_long_that_the_host_gives_its_batch_up() -> None:
    host = json.loads((ROOT / "host.json").read_bytes())
    hours, minutes, seconds = map(int, host["functionTimeout"].split(":"))
    given_up = timedelta(hours=hours, minutes=minutes, seconds=seconds)
    # An answer on its way, and a new connection before it.
    longest = timedelta(seconds=DATABASE_STATEMENT_TIMEOUT_SECONDS.most + _ANSWER_SECONDS + 10)
    assert longest < given_up
