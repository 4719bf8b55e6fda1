"""``python -m shared_code maintenance``, against a real database."""

from datetime import UTC, date, datetime, timedelta

import pytest
from store_fixtures import Store

from shared_code.__main__ import main
from shared_code.store.partitions import attached_days

TODAY = datetime.now(UTC).date()


@pytest.fixture
def environment(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what reaches the database: an operator needs no key to the personal data."""
    monkeypatch.setenv("DATABASE_URL", store.owner_url)
    monkeypatch.delenv("PII_HASH_KEY", raising=False)


def first_and_last(store: Store) -> tuple[date, date]:
    with store.connection() as connection:
        days = attached_days(connection)
    assert days is not None
    return days.first, days.last


@pytest.mark.usefixtures("environment")
def test_attached_days_reach_back_as_far_as_asked(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    first, last = first_and_last(store)
    earlier = first - timedelta(days=3)
    command = ["maintenance", "attach-days", str(earlier), str(first - timedelta(days=1))]
    assert main(command) == 0
    assert first_and_last(store) == (earlier, last)
    said = f"6 partitions attached; payments of {earlier} to {last} can be stored"
    assert capsys.readouterr().out.strip() == said


@pytest.mark.usefixtures("environment")
def test_days_behind_the_retention_are_dropped(
    store: Store, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RETENTION_DAYS", "5")
    assert main(["maintenance", "drop-days"]) == 0
    assert first_and_last(store)[0] == TODAY - timedelta(days=5)
    kept = f"days from {TODAY - timedelta(days=5)} on are kept"
    assert capsys.readouterr().out.strip().endswith(kept)


def test_missing_database_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.delenv("DATABASE_HOST", raising=False)
    assert main(["maintenance", "drop-days"]) == 1
    assert capsys.readouterr().err.startswith("error: app setting DATABASE_URL is missing")


@pytest.mark.parametrize("arguments", [[], ["maintenance"], ["maintenance", "attach-days", "May"]])
def test_wrong_usage_ends_with_two(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage:" in capsys.readouterr().err
