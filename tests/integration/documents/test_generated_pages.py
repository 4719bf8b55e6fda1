"""Pages that are made from code say what the code, and the database, say now."""

from pathlib import Path

import pytest
from store_fixtures import ROOT, Store

from documents import __main__ as documents
from documents.configuration import configuration
from documents.data_dictionary import _columns_of_view, data_dictionary
from shared_code.app_settings import APP_SETTINGS
from shared_code.store.schema import VIEWS

VIEW_COLUMNS = """
    SELECT string_agg('`' || column_name || '`', ', ' ORDER BY ordinal_position)
    FROM information_schema.columns WHERE table_name = '{view}'
"""


def test_the_pages_in_the_repository_are_those_that_would_be_written() -> None:
    assert documents.main(["check"]) == 0


def test_a_stale_page_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "docs").mkdir()
    monkeypatch.setattr(documents, "ROOT", tmp_path)
    monkeypatch.setattr(documents, "PAGES", {"docs/page.md": lambda: "new"})
    (tmp_path / "docs" / "page.md").write_text("old", "utf-8")
    assert documents.main(["check"]) == 1
    assert "docs/page.md is stale" in capsys.readouterr().err
    assert documents.main(["write"]) == 0
    assert documents.main(["check"]) == 0


@pytest.mark.parametrize("view", VIEWS)
def test_columns_of_a_view_are_those_of_the_database(shared_store: Store, view: str) -> None:
    assert _columns_of_view(view) == shared_store.value(VIEW_COLUMNS.format(view=view))


def test_the_dictionary_tells_types_nulls_keys_and_partitions() -> None:
    page = data_dictionary()
    assert "| `amount` | numeric |  | Exact amount at its currency's scale; zero or more. |" in page
    assert "| `customer_id` | text | yes |" in page
    assert "Primary key: `event_time`, `transaction_id`, `payment_status`." in page
    assert "Partitioned by `RANGE (event_time)`" in page
    assert "`conflicting_duplicate`" in page


def test_configuration_holds_every_setting_that_code_or_bindings_read() -> None:
    page = configuration(ROOT)
    names = [setting.name for setting in APP_SETTINGS]
    for name in [*names, "EVENT_HUB_NAME", "EVENT_HUB_CONSUMER_GROUP"]:
        assert f"`{name}`" in page
    assert "maxRetryCount `-1`" in page
    assert "| `functionTimeout` | `00:10:00` |" in page


def test_no_example_of_a_secret_is_shown_as_its_value() -> None:
    page = configuration(ROOT)
    for setting in APP_SETTINGS:
        if setting.secret:
            assert setting.example not in page
