"""What to try on a demo that keeps running."""

import os
import shlex
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, text

_SETTINGS: Final = ("DATABASE_URL", "RulesStorage", "RULES_CONTAINER")
# The last payment that is listed is the one at which the value was reached.
_EXAMPLE: Final = text("""
    SELECT rule_id, evidence -> 'payments' -> -1 ->> 'transaction_id'
    FROM open_alerts
    WHERE rule_id IS NOT NULL AND jsonb_array_length(evidence -> 'payments') > 0
    ORDER BY kind = 'velocity' DESC, jsonb_array_length(evidence -> 'payments') DESC, alert_id
    LIMIT 1
""")


def dashboard_address(host_url: str) -> str:
    """Return where the functions that run here show what they counted."""
    return f"{host_url}/api/dashboard"


def next_steps(settings: Mapping[str, str], connection: Connection) -> Iterator[str]:
    """Yield the lines of a shell that look at what the demo has left.

    Args:
        settings: app settings of what runs.
        connection: to its database.
    """
    for name in _SETTINGS:
        yield f"export {name}={shlex.quote(settings[name])}"
    rules = f"{_python()} -m shared_code rules"
    yield f"{rules} history"
    if (example := connection.execute(_EXAMPLE).one_or_none()) is not None:
        rule_id, transaction_id = example
        yield f"{rules} explain {shlex.quote(transaction_id)} --rule {rule_id}"
    yield f"{rules} export -o mine.yaml"
    yield 'psql "$DATABASE_URL" -c "TABLE open_alerts"'


def _python() -> str:
    """Return the interpreter as it is typed here: tox has one of its own."""
    interpreter, here = Path(sys.executable), Path.cwd()
    if interpreter.is_relative_to(here):
        interpreter = interpreter.relative_to(here)
    return shlex.quote(os.fspath(interpreter))
