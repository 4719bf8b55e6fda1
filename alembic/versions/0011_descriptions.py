"""Comments that say what each table, view and column holds.

Revision ID: 0011
Revises: 0010
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# COMMENT takes a lock that stops neither readers nor writers.
_DESCRIPTIONS = Path(__file__).with_name("0011_descriptions.csv")


def upgrade() -> None:
    for described, text in _described():
        quoted = text.replace("'", "''")
        op.execute(f"COMMENT ON {described} IS '{quoted}'")


def downgrade() -> None:
    for described, _ in _described():
        op.execute(f"COMMENT ON {described} IS NULL")


def _described() -> Iterator[tuple[str, str]]:
    with _DESCRIPTIONS.open(encoding="utf-8", newline="") as file:
        for kind, name, text in csv.reader(file):
            yield f"{kind} {name}", text
