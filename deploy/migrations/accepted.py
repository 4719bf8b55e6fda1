"""The one place where findings of the migration lint are argued away.

A finding that is no longer there has to go from here, too: ``check-migrations`` says so.
"""

from collections.abc import Mapping
from typing import Final

EVERYWHERE: Final[Mapping[str, str]] = {
    "prefer-bigint-over-int": "numbers of rule sets and flags are owned by the code and never near"
    " the limit; rows are narrower (docs/performance.md)",
    "prefer-bigint-over-smallint": "vocabularies are closed lists with numbers that the code owns;"
    " a row has a dozen of them, and narrow rows are the speed of the write path",
}

_EMPTIED: Final = "every row of the table was deleted by the statement before"
_FEW_ROWS: Final = (
    "the table holds a row for each alert, activation or day and rule, not for each payment: it is"
    " scanned within the lock time-out"
)

ACCEPTED: Final[Mapping[tuple[str, str], str]] = {
    ("0001", "prefer-text-field"): "Alembic's own table of versions",
    ("0005", "ban-drop-view"): "made again in the same transaction, with columns added at its end",
    ("0005", "ban-drop-constraint"): "made again, wider, in the same transaction",
    ("0005", "constraint-missing-not-valid"): _FEW_ROWS,
    ("0005", "adding-foreign-key-constraint"): "the column is new, so that every row holds NULL",
    ("0005", "require-concurrent-index-creation"): _FEW_ROWS,
    ("0007", "adding-not-nullable-field"): _EMPTIED,
    ("0007", "adding-required-field"): _EMPTIED,
    ("0007", "constraint-missing-not-valid"): _EMPTIED,
}
