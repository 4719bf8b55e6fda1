"""Commands about rules tell what is wrong with their arguments, and end in words."""

import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from payment_messages import NOW, WINDOW_START, messages, payment_event
from rules_shell import Shell
from store_fixtures import Store

from shared_code.engine.metric_engine import SHIPPED_RULES

SPAN = ("--from", "2026-01-01", "--to", "2026-01-02")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("history", "--limit", "0"), "expected a whole number from 1 to 1000000, found '0'"),
        (("history", "--limit", "9" * 30), "expected a whole number from 1"),
        (("shadow", "report", "--hours", "-5"), "expected a whole number from 1"),
        (("shadow", "report", "--hours", "1000001"), "expected a whole number from 1"),
        (("test", "rules.json", "--events", "e", "--examples", "-1"), "whole number from 0"),
        (("backtest", "rules.json", *SPAN, "--examples", "x"), "whole number from 0"),
        (("backtest", "rules.json", *SPAN[:3], "x"), "or a day; found 'x'"),
        (("backfill", "--from", "0001-01-01T00:00+14:00", *SPAN[2:]), "expected a time such as"),
        (
            ("suppress", "high", "--until", "+999999w", "--reason", "x"),
            "expected a time such as 2026-01-31T12:00Z, or +8h, +7d; found '+999999w'",
        ),
    ],
)
def test_a_wrong_argument_is_told_with_what_is_expected(
    shell: Shell, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    with pytest.raises(SystemExit) as ended:
        shell(*arguments)
    assert ended.value.code == 2
    assert told in capsys.readouterr().err


def test_a_backtest_takes_a_file_a_version_or_what_is_active(used: Store, shell: Shell) -> None:
    used.metrics.process_batch(messages(payment_event(amount="2000.00")), now=NOW)
    used.metrics.aggregate(NOW)
    span = ("--from", WINDOW_START.isoformat(), "--to", NOW.isoformat())
    for name in ("active", "1.0.0"):
        exit_code, said, _ = shell("backtest", name, *span)
        assert exit_code == 0
        assert said.startswith("version 1.0.0 over 1 payments in 1 windows")
        assert "\n0 of 1 rules differ\n" in said
    exit_code, _, complaint = shell("backtest", "no-such.json", *span)
    assert exit_code == 1
    assert complaint.startswith("error: cannot read no-such.json: No such file or directory")


@pytest.mark.parametrize("end", [NOW, NOW + timedelta(days=9999)])
def test_a_span_is_refused_at_once_however_long_it_is(
    used: Store, shell: Shell, end: datetime
) -> None:
    used.metrics.aggregate(NOW)
    began = time.monotonic()
    exit_code, _, complaint = shell("backfill", "--from", "0001-01-01", "--to", end.isoformat())
    assert exit_code == 1
    assert "are kept from" in complaint or "has not ended yet" in complaint
    assert time.monotonic() - began < 2


def test_a_reader_that_leaves_early_gets_no_traceback() -> None:
    command = [sys.executable, "-m", "shared_code", "rules", "validate", str(SHIPPED_RULES)]
    root = Path(__file__).parents[3]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=root
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_an_interrupted_command_says_so(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_path: str) -> bytes:
        raise KeyboardInterrupt

    monkeypatch.setattr("shared_code.cli.rules_documents.read_file", interrupt)
    assert shell("validate", "rules.json") == (130, "", "interrupted")
