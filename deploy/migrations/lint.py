"""Lints the SQL of revisions: by squawk, and for what it cannot know of this schema."""

import re
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from deploy.errors import ToolFailed
from deploy.migrations.accepted import ACCEPTED, EVERYWHERE
from deploy.migrations.revisions import Revision, Revisions, statements
from shared_code.store.partitions import PARENTS

_POSTGRESQL: Final = "16"
_CONCURRENTLY_ON_PARENT: Final = re.compile(
    rf"CREATE\s+(UNIQUE\s+)?INDEX\s+CONCURRENTLY\b.*?\bON\s+({'|'.join(PARENTS)})\b",
    re.IGNORECASE | re.DOTALL,
)
# The index of a partitioned table: invalid until each part's, built concurrently, is attached.
_ON_ONLY: Final = re.compile(
    r"CREATE\s+(UNIQUE\s+)?INDEX\b.*?\bON\s+ONLY\b", re.IGNORECASE | re.DOTALL
)
_PART_BY_PART: Final = "require-concurrent-index-creation"


class Finding(NamedTuple):
    """Something in a revision that could hurt a database in use."""

    revision: str
    rule: str
    statement: str
    message: str

    def __str__(self) -> str:
        """Return the finding as a line."""
        shown = " ".join(self.statement.split())[:90]
        return f"{self.revision}: {self.rule}: {self.message} [{shown}]"


class LintReport(NamedTuple):
    """What linting found.

    Attributes:
        findings: neither mended nor argued.
        argued: how many findings ``accepted`` argues away.
    """

    findings: Sequence[Finding]
    argued: int


class _Warning(msgspec.Struct):
    file: str
    line: int
    rule_name: str
    message: str
    help: str | None = None


def lint(
    revisions: Revisions,
    chosen: Sequence[Revision],
    accepted: Mapping[tuple[str, str], str] = ACCEPTED,
) -> LintReport:
    """Lint the chosen revisions.

    Raises:
        ToolFailed: squawk is missing or broke.
    """
    scripts = {revision.number: revisions.upgrade_sql(revision) for revision in chosen}
    found = [*_squawk(scripts), *_own_findings(revisions, chosen, scripts)]
    open_ones = [each for each in found if (each.revision, each.rule) not in accepted]
    used = {(each.revision, each.rule) for each in found}
    idle = [key for key in accepted if key[0] in scripts and key not in used]
    stale = [
        Finding(revision, rule, "", "is argued in deploy/migrations/accepted.py, but not found")
        for revision, rule in idle
    ]
    return LintReport([*open_ones, *stale], len(found) - len(open_ones))


def _squawk(scripts: Mapping[str, str]) -> Iterator[Finding]:
    with tempfile.TemporaryDirectory() as folder:
        for revision, script in scripts.items():
            (Path(folder) / f"{revision}.sql").write_text(script, encoding="utf-8")
        for warning in _warnings(Path(folder)):
            revision = Path(warning.file).stem
            statement = _statement_at(scripts[revision], warning.line)
            if warning.rule_name == _PART_BY_PART and _ON_ONLY.match(statement):
                continue
            message = " ".join(filter(None, (warning.message, warning.help)))
            yield Finding(revision, warning.rule_name, statement, message)


def _warnings(folder: Path) -> Sequence[_Warning]:
    command = ["squawk", "--reporter", "json", "--pg-version", _POSTGRESQL]
    command += [f"--exclude={','.join(EVERYWHERE)}", *map(str, sorted(folder.iterdir()))]
    try:
        done = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - own arguments
        return msgspec.json.decode(done.stdout, type=list[_Warning])
    except FileNotFoundError:
        advice = "pip install -r requirements-deploy.txt"
        raise ToolFailed(command, "it is not installed", advice) from None
    except msgspec.DecodeError:
        raise ToolFailed(command, done.stderr.decode(errors="replace")) from None


def _statement_at(script: str, line: int) -> str:
    """Return the statement that holds a line, counted from 0; lines of comments belong to none."""
    start = 0
    for statement in statements(script):
        position = script.index(statement, start)
        start = position + len(statement)
        if script.count("\n", 0, start) >= line:
            return statement
    return ""


def _own_findings(
    revisions: Revisions, chosen: Sequence[Revision], scripts: Mapping[str, str]
) -> Iterator[Finding]:
    for revision in chosen:
        if not revision.has_downgrade or not list(statements(revisions.downgrade_sql(revision))):
            message = "says not how to take it back; write downgrade()"
            yield Finding(revision.number, "downgrade-missing", "", message)
        for statement in statements(scripts[revision.number]):
            if _CONCURRENTLY_ON_PARENT.match(statement):
                message = (
                    "PostgreSQL refuses this on a partitioned table: create the index ON ONLY the"
                    " parent, CONCURRENTLY on each day, and attach each"
                )
                yield Finding(revision.number, "index-of-parts", statement, message)
