"""Every table, view and column is described, and nothing that is not there."""

import pytest
from sqlalchemy import Column, Integer, MetaData, Table

from shared_code.store import descriptions
from shared_code.store.descriptions import TABLES, VIEWS, describe
from shared_code.store.schema import VIEWS as VIEWS_OF_SCHEMA
from shared_code.store.tables import metadata


def test_every_table_and_view_is_described_and_no_other() -> None:
    assert TABLES.keys() == metadata.tables.keys()
    assert VIEWS.keys() == VIEWS_OF_SCHEMA.keys()


def test_every_column_is_described_by_a_sentence() -> None:
    texts = [column.comment for table in metadata.sorted_tables for column in table.columns]
    assert all(text and text.endswith(".") for text in texts)


def test_no_column_is_described_that_no_table_has() -> None:
    of_tables = {
        table.name: {column.name for column in table.columns} for table in metadata.sorted_tables
    }
    for table, described in descriptions._COLUMNS.items():
        assert described.keys() <= of_tables[table], table
    assert descriptions._EVERYWHERE.keys() <= set().union(*of_tables.values())


def test_a_column_without_a_description_is_refused() -> None:
    other = MetaData()
    Table("leases", other, Column("colour", Integer))
    with pytest.raises(KeyError, match="colour"):
        describe(other)
