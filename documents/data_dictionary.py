"""The data dictionary: every table, view and column, from the models."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from sqlalchemy import CheckConstraint, Column, Identity, Table, create_engine

from documents.markdown import table
from shared_code.domain.vocabularies import RejectReason
from shared_code.store.descriptions import VIEWS
from shared_code.store.schema import VIEWS as DEFINITIONS
from shared_code.store.tables import metadata
from shared_code.store.vocabulary_rows import vocabulary_rows

_HEAD: Final = """\
# Data dictionary

Made from the models by `python -m documents write`; the same sentences are comments in the
database (`\\d+ alerts` in psql). Times are `timestamptz`, hashes `bytea`, money is `numeric` at its
currency's scale; windows are half-open, `[start, start + 5 minutes)`. Vocabularies, currencies and
countries are stored as numbers that never change: the views and the table `vocabularies` have their
names.
"""
# Read by people as codes of ISO 4217 and ISO 3166-1, of which there are many.
_DIALECT: Final = create_engine("postgresql+psycopg2://").dialect
_LONG: Final = frozenset({"currency", "country"})


def data_dictionary() -> str:
    """Return the page as Markdown."""
    return "\n".join(_lines())


def _lines() -> Iterator[str]:
    yield _HEAD
    yield "## Views"
    yield ""
    yield "What people and dashboards read."
    yield ""
    yield from table(
        ["view", "holds", "columns"],
        ([f"`{name}`", VIEWS[name], _columns_of_view(name)] for name in sorted(DEFINITIONS)),
    )
    yield ""
    yield "## Tables"
    yield ""
    for each in sorted(metadata.tables.values(), key=lambda table: table.name):
        yield from _table(each)
    yield from _vocabularies()


def _table(described: Table) -> Iterator[str]:
    yield f"### `{described.name}`"
    yield ""
    yield str(described.comment)
    yield ""
    keys = [column.name for column in described.primary_key.columns]
    partitioned = described.dialect_options["postgresql"]["partition_by"]
    facts = []
    if keys:
        facts.append(f"Primary key: {', '.join(f'`{key}`' for key in keys)}.")
    if partitioned:
        facts.append(f"Partitioned by `{partitioned}`, a day each.")
    if facts:
        yield " ".join(facts)
        yield ""
    yield from table(["column", "type", "null", "holds"], map(_column, described.columns))
    yield ""
    checks = sorted(
        f"`{constraint.sqltext}`"
        for constraint in described.constraints
        if isinstance(constraint, CheckConstraint)
    )
    if checks:
        yield f"Checked: {'; '.join(checks)}."
        yield ""


def _column(column: Column[Any]) -> list[str]:
    kind = column.type.compile(dialect=_DIALECT).partition(" COLLATE")[0].lower()
    if isinstance(column.identity, Identity):
        kind = f"{kind}, counted up"
    return [f"`{column.name}`", kind, "yes" if column.nullable else "", str(column.comment)]


def _columns_of_view(name: str) -> str:
    """Return the names of a view's columns: what its outermost SELECT lists."""
    selected = DEFINITIONS[name].rsplit("\nSELECT ", 1)[-1] if "WITH" in DEFINITIONS[name] else ""
    body = selected or DEFINITIONS[name].split("SELECT ", 1)[1]
    return ", ".join(f"`{column}`" for column in _names(_items(body)))


def _items(body: str) -> Iterator[str]:
    """Yield what a SELECT lists, up to its own FROM."""
    depth = 0
    item = ""
    for word in body.replace("(", " ( ").replace(")", " ) ").replace(",", " , ").split():
        if not depth and word == "FROM":
            break
        depth += (word == "(") - (word == ")")
        if not depth and word == ",":
            yield item
            item = ""
        else:
            item = f"{item} {word}"
    yield item


def _names(items: Iterable[str]) -> Iterator[str]:
    for item in items:
        yield item.split()[-1].rpartition(".")[2]


def _vocabularies() -> Iterator[str]:
    yield "## Vocabularies"
    yield ""
    yield "Currencies are ISO 4217 and countries ISO 3166-1, under their numeric codes."
    yield ""
    names: dict[str, list[str]] = {}
    for row in vocabulary_rows():
        names.setdefault(row.vocabulary, []).append(f"{row.number} `{row.name}`")
    yield from table(
        ["vocabulary", "numbers and names"],
        ([f"`{name}`", ", ".join(of)] for name, of in names.items() if name not in _LONG),
    )
    yield ""
    yield "Reason codes of `rejected_events`:"
    yield ""
    yield ", ".join(f"`{reason}`" for reason in RejectReason) + "."
    yield ""
