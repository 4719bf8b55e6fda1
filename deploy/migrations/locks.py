"""What a revision locks and for how long, reckoned from its SQL and the sizes of tables."""

import re
from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from typing import Final, NamedTuple

from sqlalchemy import Connection, text

from deploy.migrations.revisions import statements

_NAME: Final = r"(?:IF (?:NOT )?EXISTS\s+|ONLY\s+)*(?:public\.)?(?P<table>\w+)"
_CREATED: Final = re.compile(rf"CREATE TABLE\s+{_NAME}", re.IGNORECASE)
# Partitions count with their parent: whoever changes the parent changes them.
_SIZES: Final = text("""
    SELECT parent.relname, sum(pg_total_relation_size(part.relid))::bigint
    FROM pg_class AS parent
    CROSS JOIN LATERAL pg_partition_tree(parent.oid) AS part
    WHERE parent.relnamespace = to_regnamespace('public') AND parent.relkind IN ('r', 'p')
      AND NOT parent.relispartition
    GROUP BY parent.relname
    UNION ALL
    SELECT relname, pg_total_relation_size(oid)
    FROM pg_class
    WHERE relnamespace = to_regnamespace('public') AND relkind = 'r' AND NOT relispartition
      AND NOT EXISTS (SELECT FROM pg_partition_tree(pg_class.oid))
""")


class Work(Enum):
    """How much of a table a statement touches, with the bytes a second that it gets through.

    The rates are cautious ones for a cloud's disk; the estimate is for deciding whether to wait for
    a quiet hour, not for the clock.
    """

    CATALOGUE = None
    SCAN = 100_000_000
    INDEX = 25_000_000
    ROWS = 10_000_000
    REWRITE = 20_000_000


class Lock(NamedTuple):
    """A table that a statement locks.

    Attributes:
        mode: PostgreSQL's name of the strongest lock.
        blocks: who waits meanwhile: ``nobody``, ``writers`` or ``everybody``.
        size: of the table, in bytes.
    """

    table: str
    mode: str
    blocks: str
    work: Work
    size: int

    @property
    def seconds(self) -> float:
        """How long the lock is held by this statement, about."""
        return 0.01 if self.work.value is None else 0.01 + self.size / self.work.value


class _Kind(NamedTuple):
    pattern: re.Pattern[str]
    mode: str
    blocks: str
    work: Work


def _kind(pattern: str, mode: str, blocks: str, work: Work) -> _Kind:
    return _Kind(re.compile(pattern, re.IGNORECASE | re.DOTALL), mode, blocks, work)


_EXCLUSIVE: Final = "ACCESS EXCLUSIVE"
_ALTER: Final = rf"ALTER TABLE\s+{_NAME}\b"
# The first that fits counts: from the dearest form of a statement to the cheapest.
_KINDS: Final[Sequence[_Kind]] = (
    _kind(
        rf"CREATE (UNIQUE )?INDEX\s+CONCURRENTLY.*?\bON\s+{_NAME}",
        "SHARE UPDATE EXCLUSIVE",
        "nobody",
        Work.INDEX,
    ),
    _kind(rf"CREATE (UNIQUE )?INDEX.*?\bON\s+ONLY\s+{_NAME}", "SHARE", "writers", Work.CATALOGUE),
    _kind(rf"CREATE (UNIQUE )?INDEX.*?\bON\s+{_NAME}", "SHARE", "writers", Work.INDEX),
    _kind(
        rf"{_ALTER}.*\bALTER COLUMN \w+ (SET DATA )?TYPE\b", _EXCLUSIVE, "everybody", Work.REWRITE
    ),
    _kind(rf"{_ALTER}.*\bVALIDATE CONSTRAINT\b", "SHARE UPDATE EXCLUSIVE", "nobody", Work.SCAN),
    _kind(rf"{_ALTER}.*\bSET NOT NULL\b", _EXCLUSIVE, "everybody", Work.SCAN),
    _kind(rf"{_ALTER}(?!.*\bNOT VALID\b).*\bADD CONSTRAINT\b", _EXCLUSIVE, "everybody", Work.SCAN),
    _kind(rf"{_ALTER}\s+(RE)?SET \(", "SHARE UPDATE EXCLUSIVE", "nobody", Work.CATALOGUE),
    _kind(rf"{_ALTER}", _EXCLUSIVE, "everybody", Work.CATALOGUE),
    _kind(rf"DROP TABLE\s+{_NAME}", _EXCLUSIVE, "everybody", Work.CATALOGUE),
    _kind(rf"(UPDATE|DELETE FROM)\s+{_NAME}", "ROW EXCLUSIVE", "nobody", Work.ROWS),
)


def locks_of(sql: str, sizes: Mapping[str, int]) -> Sequence[Lock]:
    """Return what a script locks of tables that are there already: the worst lock of each.

    Args:
        sql: the script of a revision.
        sizes: bytes of each table of the database.
    """
    worst: dict[str, Lock] = {}
    for lock in _all_locks(sql, sizes):
        known = worst.get(lock.table)
        if known is None or lock.seconds >= known.seconds:
            worst[lock.table] = lock
    return [worst[table] for table in sorted(worst)]


def _all_locks(sql: str, sizes: Mapping[str, int]) -> Iterator[Lock]:
    new: set[str] = set()
    for statement in statements(sql):
        if created := _CREATED.match(statement):
            new.add(created["table"])
            continue
        for kind in _KINDS:
            if found := kind.pattern.match(statement):
                if found["table"] not in new:
                    size = sizes.get(found["table"], 0)
                    yield Lock(found["table"], kind.mode, kind.blocks, kind.work, size)
                break


def table_sizes(connection: Connection) -> Mapping[str, int]:
    """Return the bytes of each table with its indexes and partitions."""
    return {name: int(size or 0) for name, size in connection.execute(_SIZES)}
