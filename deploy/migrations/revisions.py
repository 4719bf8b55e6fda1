"""The revisions of the checkout, and their SQL without a database."""

import io
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection

from alembic import command
from deploy.errors import DeployError

ROOT: Final = Path(__file__).parents[2]
_BASE: Final = "base"
# A comment, a quoted name or text, a dollar-quoted body, or the end of a statement.
_TOKEN: Final = re.compile(
    r"--[^\n]*|'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|(\$[a-z_]*\$).*?\1|;", re.DOTALL
)
_LEADING_COMMENTS: Final = re.compile(r"^(\s*--[^\n]*\n)+")
_BOOKKEEPING: Final = re.compile(
    r"BEGIN|COMMIT|SET (LOCAL )?(lock|statement)_timeout .*"
    r"|(CREATE TABLE|INSERT INTO|UPDATE|DELETE FROM|DROP TABLE) alembic_version\b.*",
    re.DOTALL,
)


class Revision(NamedTuple):
    """One revision of the schema.

    Attributes:
        number: its id.
        before: id of the revision that it follows; ``base`` for the first.
        title: first line of its docstring.
        has_downgrade: whether it says how to take it back.
        online: whether it runs outside a transaction, and can go on from wherever it was left.
    """

    number: str
    before: str
    title: str
    has_downgrade: bool
    online: bool


class UnknownRevision(DeployError):
    """A database is at a revision that this checkout does not have: that of a newer release."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"the database is at revision {revision}, which this release does not know; a newer one"
            " made it. The code of one release before runs on it"
        )
        self.revision = revision


class Revisions:
    """The revisions of a checkout, oldest first."""

    def __init__(self, root: Path = ROOT) -> None:
        self._root = root
        self._scripts = ScriptDirectory.from_config(self.config())
        self.all: Sequence[Revision] = [
            Revision(
                script.revision,
                str(script.down_revision or _BASE),
                script.doc,
                callable(getattr(script.module, "downgrade", None)),
                getattr(script.module, "online", False),
            )
            for script in self._scripts.walk_revisions()
        ][::-1]

    def config(self, **attributes: Any) -> Config:
        """Return Alembic's configuration; the attributes reach ``alembic/env.py``."""
        config = Config(str(self._root / "alembic.ini"), output_buffer=io.StringIO())
        config.attributes |= {"quiet": True, **attributes}
        return config

    def after(self, number: str | None) -> Sequence[Revision]:
        """Return the revisions that follow one, oldest first; all of them for None.

        Raises:
            UnknownRevision: it is not in this checkout.
        """
        if number in {None, _BASE}:
            return self.all
        numbers = [revision.number for revision in self.all]
        if number not in numbers:
            raise UnknownRevision(str(number))
        return self.all[numbers.index(str(number)) + 1 :]

    def upgrade_sql(self, revision: Revision) -> str:
        """Return the SQL that brings a database to a revision from the one before."""
        return self._offline(command.upgrade, revision, revision.before, revision.number)

    def downgrade_sql(self, revision: Revision) -> str:
        """Return the SQL that takes a revision back."""
        return self._offline(command.downgrade, revision, revision.number, revision.before)

    def _offline(self, run: Any, revision: Revision, start: str, end: str) -> str:
        config = self.config(online=revision.online)
        try:
            run(config, f"{start}:{end}", sql=True)
        except CommandError as error:
            message = f"revision {revision.number} has no SQL: {error}"
            raise DeployError(message) from error
        output = config.output_buffer
        return output.getvalue() if isinstance(output, io.StringIO) else ""


def current_revision(connection: Connection) -> str | None:
    """Return the revision that a database is at; None if it was never migrated."""
    return MigrationContext.configure(connection).get_current_revision()


def statements(sql: str) -> Iterator[str]:
    """Yield the statements of a script but for those that keep Alembic's own books."""
    start = 0
    for token in _TOKEN.finditer(f"{sql}\n;"):
        if token[0] != ";":
            continue
        statement = _LEADING_COMMENTS.sub("", sql[start : token.start()]).strip()
        start = token.end()
        if statement and not _BOOKKEEPING.fullmatch(statement):
            yield statement
