"""Which database a step works on, from the environment.

``DATABASE_URL`` or ``DATABASE_HOST``, ``DATABASE_NAME`` and ``DATABASE_USER`` are those of the
functions. ``SMOKE_DATABASE_NAME`` names the database of the smoke test on the same server;
``OWNER_DATABASE_URL`` or ``OWNER_DATABASE_USER`` is who may create roles, if that is another login.
"""

import os
from collections.abc import Mapping
from typing import Final

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from shared_code.settings import SettingsError, load_database_settings
from shared_code.store.database import Database

_SMOKE: Final = "SMOKE_DATABASE_NAME"


def database(
    values: Mapping[str, str] = os.environ,
    *,
    smoke: bool = False,
    owner: bool = False,
    name: str | None = None,
    patient: bool = False,
) -> Database:
    """Return the database that the environment names.

    Args:
        values: the environment.
        smoke: that of the smoke test instead.
        owner: as the owner of the database.
        name: another database of the same server instead.
        patient: wait for a statement as long as one of a revision may take, and not only as long
            as the functions would.

    Raises:
        SettingsError: a setting is missing or wrong.
    """
    if smoke:
        name = required(values, _SMOKE, "payments_smoke")
    settings = load_database_settings(_database_values(values, owner=owner, name=name))
    return Database(settings.for_revisions() if patient else settings)


def _database_values(
    values: Mapping[str, str], *, owner: bool, name: str | None
) -> Mapping[str, str]:
    """Return ``values`` with the database's app settings as the caller wants them."""
    chosen = dict(values)
    if owner:
        for setting in ("DATABASE_URL", "DATABASE_USER"):
            if given := values.get(f"OWNER_{setting}"):
                chosen[setting] = given
    if name is not None:
        chosen["DATABASE_NAME"] = name
        if url := chosen.get("DATABASE_URL"):
            try:
                other = make_url(url).set(database=name)
            except ArgumentError:
                return chosen  # whoever reads the URL says what is wrong with it
            chosen["DATABASE_URL"] = other.render_as_string(hide_password=False)
    return chosen


def required(values: Mapping[str, str], name: str, example: str) -> str:
    """Return a setting that a step cannot do without.

    Raises:
        SettingsError: it is missing or empty.
    """
    value = values.get(name, "").strip()
    if not value:
        raise SettingsError(name, "is missing", example)
    return value
