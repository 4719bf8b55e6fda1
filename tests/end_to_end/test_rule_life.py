"""An analyst takes a change of rules through its whole life, by the command line, on real parts."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pipeline_probe import await_processed, query, send, traffic

from local_azure.environment import LocalAzure
from local_azure.host_client import run_function
from shared_code.__main__ import main

MATCHED = """
    SELECT rule_set_version, count(*) FROM rule_matches
    WHERE rule_id = 'every_small_payment' GROUP BY 1 ORDER BY 1
"""
NEW_RULE = """
- id: every_small_payment
  scope: transaction
  description: "Judgement: any amount that is paid at once, for the test."
  category: operations
  severity: info
  metric: {name: small_payments, type: count}
  when: {field: amount, operator: lt, value: 100000000000000}
  owner: payments-team
"""

type Commands = Callable[..., str]


@pytest.fixture
def rules(
    local_azure: LocalAzure,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> Commands:
    """Run a command about rules as in a shell whose environment has the app settings."""
    for name, value in local_azure.settings.items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str, exit_code: int = 0) -> str:
        capsys.readouterr()
        assert main(["rules", *arguments]) == exit_code, capsys.readouterr().err
        return capsys.readouterr().out

    return run


def test_edit_upload_reload_effect_and_rollback(
    local_azure: LocalAzure,
    rules: Commands,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    host = local_azure.start_host()
    send(local_azure, traffic(payments=200, seed=31))
    await_processed(local_azure)
    run_function(host, "AggregateMetrics")

    file = tmp_path / "rules.yaml"
    rules("export", "--format", "yaml", "-o", str(file))
    edited = file.read_text("utf-8").rstrip("\n") + NEW_RULE
    file.write_text(edited.replace("version: 2.1.0", "version: 2.2.0"), "utf-8")
    assert "2.2.0" in rules("validate", str(file))
    assert "every_small_payment" in rules("diff", "active", str(file), exit_code=1)

    began = time.monotonic()
    assert "active" in rules("upload", str(file), "--wait", "60")
    send(local_azure, traffic(payments=200, seed=32))
    await_processed(local_azure)
    effect = time.monotonic() - began
    assert query(local_azure, MATCHED) == [("2.2.0", 200)]

    began = time.monotonic()
    rules("rollback", "2.1.0", "--reason", "the rule says nothing new")
    rolled_back = time.monotonic() - began
    send(local_azure, traffic(payments=200, seed=33))
    await_processed(local_azure)
    assert query(local_azure, MATCHED) == [("2.2.0", 200)]
    judged = query(
        local_azure,
        "SELECT version, count(*) FROM payments JOIN rule_sets USING (rule_set)"
        " GROUP BY 1 ORDER BY 1",
    )
    assert [version for version, _ in judged] == ["2.1.0", "2.2.0"]
    history = rules("history")
    assert "the rule says nothing new" in history
    assert history.index("2.1.0") < history.index("2.2.0"), "the newest comes first"
    with capsys.disabled():
        told = f"{effect:.1f} s from the upload to its effect on 200 payments sent after it"
        print(f"\n{told}, {rolled_back:.1f} s for the rollback")  # noqa: T201 - people look at it
