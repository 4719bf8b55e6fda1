"""Every command that the pages show does what it says: each one is run, in the order of its page.

Only with ``DOCS=full`` (``tox run -e docs``); what cannot be run has its reason below.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
from delivery_report import Counted
from rich.console import Console
from sqlalchemy import create_engine, text

from demo.local_pipeline import LocalPipeline, fresh_pipeline
from documents.command_blocks import DocumentedCommand, documented_commands
from simulator.configuration.shipped_profiles import load_profile
from simulator.simulation import simulate

ROOT = Path(__file__).parents[2]
COMMANDS = list(documented_commands(ROOT))

NOT_RUN = {
    r"^tox run|^pip install tox": "runs all of this, or is run by a job of its own",
    r"^python -m venv": "makes the environment that this runs in",
    r"^python -m local_azure (start|install|settings|reset)": "runs until Ctrl-C; here already",
    r"^docker ": "needs a Docker engine",
    r"^(az|openssl) ": "needs an Azure subscription or GitHub",
    r"^terraform ": "needs the provider from a registry; python -m deploy check-terraform reads it",
    r"--live|--speed-up": "goes on for as long as it is let, or for hours",
    r"--kafka|--bootstrap": "needs a Kafka endpoint",
    r"^python -m deploy ": "run by the rehearsals of tests/delivery",
    r"^DATABASE_URL=\.\.\. alembic": "the fixture has done so",
    r"^python -m shared_code roles login .*--password-stdin": "asks for a secret in a file",
}
# What pages write for something of the reader's own.
STANDS_FOR = {
    r"\bFILE\b": "mine.yaml",
    r"\bTRANSACTION\b.*": "{transaction}",
    r"\b(txn-4711|pay_[a-z]{16})\b": "{transaction}",
    r"--from \S+ --to \S+": "--from {start} --to {end}",
    r"(rollback) \d+\.\d+\.\d+": r"\1 {first_version}",
    r'"\$DATABASE_URL"': "{database_url}",
}
# A bank's export, as who replays one has it.
BANK = """\
booking_date,iban,amount,currency,merchant,status
2026-01-30T10:15:00Z,DE02120300000000202051,12.50,EUR,Bakery,booked
2026-01-30T10:16:00Z,DE02500105170137075030,1250.00,EUR,Car rental,booked
"""


NAMES = """
    SELECT (SELECT transaction_id FROM rule_matches LIMIT 1) AS transaction,
           to_char(min(window_start), 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS start,
           to_char(max(window_start) + interval '5 minutes', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') AS end,
           (SELECT version FROM rule_sets ORDER BY rule_set LIMIT 1) AS first_version
    FROM window_revisions
"""


class Shell(NamedTuple):
    """A folder that looks like the repository, the environment of what runs, and its names."""

    folder: Path
    environment: dict[str, str]
    names: dict[str, str]
    versions: Iterator[int]

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command as people type it."""
        return subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )


@pytest.fixture(scope="session")
def pipeline() -> Iterator[LocalPipeline]:
    """A pipeline that has processed a few thousand payments."""
    with fresh_pipeline(Console(quiet=True), "documented") as running:
        messages = list(simulate(load_profile("mixed", ("volume.payments=3000",), environment={})))
        running.send(messages, sum(message.events for message in messages))
        running.close_windows()
        yield running


@pytest.fixture(scope="session")
def shell(pipeline: LocalPipeline, tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A shell beside the pipeline, with the files that pages take for granted."""
    folder = tmp_path_factory.mktemp("reader")
    for file in ROOT.iterdir():
        if file.name not in {".git", ".local", ".tox"}:
            (folder / file.name).symlink_to(file)
    settings = pipeline.local.settings
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = os.environ | settings | {"PATH": path, "COLUMNS": "120"}
    engine = create_engine(settings["DATABASE_URL"].replace(":", "+psycopg2:", 1))
    with closing(engine.connect()) as connection:
        names = connection.execute(text(NAMES)).mappings().one()
    engine.dispose()
    (folder / "bank.csv").write_text(BANK, "utf-8")
    made = Shell(
        folder, environment, dict(names) | {"database_url": settings["DATABASE_URL"]}, count(100)
    )
    for name in ("payments.jsonl", "events.jsonl"):
        assert not made.run(f"python -m simulator run --payments 500 --events {name}").returncode
    return made


def change_active_rules(shell: Shell, name: str) -> None:
    """Leave the active rule document with a higher version, as who changes a rule does."""
    exported = shell.run(f"python -m shared_code rules export -o {name}")
    assert exported.returncode == 0, exported.stderr
    file = shell.folder / name
    document = file.read_text("utf-8")
    number = re.search(r"^version: ['\"]?(\d+)\.(\d+)\.(\d+)", document, re.MULTILINE)
    assert number
    # Above whatever was active before: after a rollback that is more than the active one's next.
    raised = f"{number[0].removesuffix(number[3])}{next(shell.versions)}"
    file.write_text(document.replace(number[0], raised, 1), "utf-8")


def reason_not_to_run(command: str) -> str | None:
    return next((why for pattern, why in NOT_RUN.items() if re.search(pattern, command)), None)


def test_commands_are_found_in_the_readme_and_in_pages() -> None:
    assert len(COMMANDS) > 50
    assert COMMANDS[0].text.endswith("tox run -e demo")


def test_no_reason_stands_for_a_command_that_is_gone() -> None:
    for pattern in NOT_RUN:
        assert any(re.search(pattern, each.text) for each in COMMANDS), pattern


@pytest.mark.skipif(os.environ.get("DOCS") != "full", reason="only in tox run -e docs")
@pytest.mark.parametrize(
    "command",
    [each for each in COMMANDS if reason_not_to_run(each.text) is None],
    ids=lambda each: f"{each.page}:{each.line}",
)
def test_the_command_runs(shell: Shell, command: DocumentedCommand, counted: Counted) -> None:
    typed = command.text
    for written, meant in STANDS_FOR.items():
        typed = re.sub(written, meant, typed)
    if (file := re.search(r"rules .*\b(mine|rules)\.yaml", typed)) and " export " not in typed:
        change_active_rules(shell, f"{file[1]}.yaml")
    done = shell.run(typed.format_map(shell.names))
    assert done.returncode == 0, f"{typed}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    counted("doc commands", 1)
