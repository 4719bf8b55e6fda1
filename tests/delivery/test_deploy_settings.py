"""Which database a step works on, as whom, and how long it waits for it."""

from deploy.settings import database

VALUES = {
    "DATABASE_URL": "postgresql://me:secret@localhost/payments",
    "OWNER_DATABASE_URL": "postgresql://owner@localhost/payments",
    "SMOKE_DATABASE_NAME": "payments_smoke",
    "DATABASE_STATEMENT_TIMEOUT_SECONDS": "60",
}


def test_the_smoke_database_lies_on_the_same_server_with_the_same_login() -> None:
    url = database(VALUES, smoke=True).engine.url
    assert (url.database, url.username, url.password) == ("payments_smoke", "me", "secret")


def test_roles_are_made_by_the_owner() -> None:
    url = database(VALUES, owner=True, smoke=True).engine.url
    assert (url.database, url.username) == ("payments_smoke", "owner")


def test_a_revision_may_take_as_long_as_its_statements_may_run() -> None:
    assert database(VALUES)._statement_timeout == 60_000
    assert database(VALUES, patient=True)._statement_timeout == 1_800_000
