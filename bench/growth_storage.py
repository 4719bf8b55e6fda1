"""What storage settings of the days of payments cost and save, each choice against the others.

Two tables. The first: bytes of log per payment, vacuuming included, as checkpoints and vacuums come
along in a day that has payments already. Both are asked for at the counts of payments at which a
server under a steady load would come to them, five naps of autovacuum to a checkpoint, so that no
run has to last for hours. The second: server CPU per payment of COPY of ready rows into the day's
tables in other shapes; the server process tells its own time (``/proc/PID/schedstat``, Linux).
"""

import argparse
import io
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import psycopg2
from rich.console import Console

from bench import workload
from bench.growth_fill import fill
from bench.report import Result, add_arguments, conclude, machine
from bench.throwaway import engine_on
from local_azure.services.postgresql import PostgreSQL

BATCH: Final = 1_000
NAP: Final = 5_000
CHECKPOINT: Final = 5 * NAP
_SETTINGS: Final = {"autovacuum": "off", "max_wal_size": "16GB", "checkpoint_timeout": "1d"}
_PARENTS: Final = ("normalized_transactions", "dynamic_metrics")
_KEY: Final = "event_time, transaction_id, payment_status"
_CHECKS: Final = """
    DO $$
    DECLARE
        name text;
    BEGIN
        FOR name IN
            SELECT conname FROM pg_constraint
            WHERE conrelid = 'normalized_transactions'::regclass AND contype = 'c'
        LOOP
            EXECUTE format('ALTER TABLE normalized_transactions DROP CONSTRAINT %I', name);
        END LOOP;
    END
    $$
"""
_NO_KEY: Final = "ALTER TABLE normalized_transactions DROP CONSTRAINT pk_normalized_transactions"
SHAPES: Final = {
    "as it is": "SELECT",
    "without checks": _CHECKS,
    "without the primary key": _NO_KEY,
    "key's fillfactor 70": f"{_NO_KEY}; CREATE UNIQUE INDEX ON normalized_transactions ({_KEY})"
    " WITH (fillfactor = 70)",
    "key's deduplicate_items off": f"{_NO_KEY}; CREATE UNIQUE INDEX ON normalized_transactions"
    f" ({_KEY}) WITH (deduplicate_items = off)",
    "metrics with a primary key": (
        f"ALTER TABLE dynamic_metrics ADD PRIMARY KEY ({_KEY}, rule_set, rule)"
    ),
    "without BRIN": "DROP INDEX ix_dynamic_metrics_event_time",
    "stored_at without default": (
        "ALTER TABLE normalized_transactions ALTER stored_at DROP DEFAULT,"
        " ALTER stored_at DROP NOT NULL"
    ),
}


class Vacuuming(NamedTuple):
    """When a day is vacuumed: at this share of its rows more, and how old rows are frozen."""

    share: float
    freeze_min_age: int

    def due(self, stored: int, since: int) -> bool:
        """Tell whether so many payments since the last vacuum are enough, at the next nap."""
        return since >= max(NAP, self.share * stored)


VACUUMING: Final = {
    "default": Vacuuming(0.2, 50_000_000),
    "at every nap": Vacuuming(0, 50_000_000),
    "at every nap, frozen": Vacuuming(0, 0),
}


def _log_result(
    server: PostgreSQL, options: argparse.Namespace, progress: Callable[[str], None]
) -> Result:
    began = time.perf_counter()
    rows = []
    for number, (name, vacuuming) in enumerate(VACUUMING.items()):
        url = server.ensure_database(f"log_{number}")
        rows.append((name, *_log_of(url, vacuuming, options, progress)))
    return Result(
        benchmark="growth_storage",
        title=f"Log of a day of {options.stored:,} payments and {options.more:,} more",
        columns=(
            "vacuum of inserts",
            "log, B/payment",
            "of it vacuum",
            "vacuums",
            "freezing the day later, B/payment",
        ),
        rows=rows,
        ratios=(),
        seconds=time.perf_counter() - began,
        machine=machine(_version(server)),
    )


def _log_of(
    url: str, vacuuming: Vacuuming, options: argparse.Namespace, progress: Callable[[str], None]
) -> tuple[int, int, int, int]:
    engine = engine_on(url)
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    fill(engine, url, options.stored, noon, progress, days=0.4)
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute(f"SET vacuum_freeze_min_age = {vacuuming.freeze_min_age}")
        # What is stored already was vacuumed in the same way.
        _vacuum(cursor, noon, "" if vacuuming.freeze_min_age else "FREEZE")
        cursor.execute("CHECKPOINT")
        start = _position(cursor)
        of_vacuum = since = vacuums = 0
        for at in range(BATCH, options.more + 1, BATCH):
            progress(f"{at:,} of {options.more:,} payments, vacuum share {vacuuming.share}")
            messages = workload.messages(BATCH, at, noon)
            engine.process_batch(messages, workload.rules_document(), noon)
            since += BATCH
            if at % NAP == 0 and vacuuming.due(options.stored + at, since):
                before = _position(cursor)
                _vacuum(cursor, noon, "")
                of_vacuum += _position(cursor) - before
                vacuums += 1
                since = 0
            if at % CHECKPOINT == 0:
                cursor.execute("CHECKPOINT")
        # What has not been vacuumed yet will be, under either choice.
        before = _position(cursor)
        _vacuum(cursor, noon, "")
        end = _position(cursor)
        of_vacuum += end - before
        cursor.execute("CHECKPOINT")
        before = _position(cursor)
        _vacuum(cursor, noon, "FREEZE")
        later = _position(cursor) - before
    connection.close()
    engine.database.engine.dispose()
    per_payment = [(end - start) / options.more, of_vacuum / options.more]
    return (*map(round, per_payment), vacuums, round(later / (options.stored + options.more)))


def _vacuum(cursor: Any, noon: datetime, how: str) -> None:
    for parent in _PARENTS:
        cursor.execute(f"VACUUM {f'({how})' if how else ''} {parent}_p{noon:%Y%m%d}")


def _position(cursor: Any) -> int:
    cursor.execute("SELECT pg_current_wal_insert_lsn() - '0/0'")
    ((position,),) = cursor.fetchall()
    return int(position)


class Shape(NamedTuple):
    """A database whose tables have a shape, and microseconds and bytes of log of each batch."""

    connection: Any
    cpu: list[float]
    log: list[float]


def _shapes_result(
    server: PostgreSQL, options: argparse.Namespace, progress: Callable[[str], None]
) -> Result:
    began = time.perf_counter()
    end = workload.recent()
    source_url = server.ensure_database("source")
    engine = engine_on(source_url)
    shapes = {}
    for number, (name, statement) in enumerate(SHAPES.items()):
        url = server.ensure_database(f"shape_{number}")
        engine_on(url).database.engine.dispose()
        shapes[name] = Shape(psycopg2.connect(url), [], [])
        with shapes[name].connection as connection, connection.cursor() as cursor:
            cursor.execute(statement)
    source = psycopg2.connect(source_url)
    for number in range(options.batches + 2):
        progress(f"batch {number + 1} of {options.batches + 2}")
        engine.process_batch(workload.messages(BATCH, number, end), workload.rules_document())
        with source, source.cursor() as cursor:
            ready = {parent: _rows_of(cursor, parent) for parent in _PARENTS}
            cursor.execute(f"TRUNCATE {', '.join(_PARENTS)}")
        for shape in shapes.values():
            _copy(shape, ready)
    source.close()
    engine.database.engine.dispose()
    for shape in shapes.values():
        shape.connection.close()
    return Result(
        benchmark="growth_storage",
        title=f"COPY of ready rows, payments and metrics, batches of {BATCH:,}",
        columns=("shape", "CPU, us/payment", "lowest", "log, B/payment"),
        rows=[
            (name, median(shape.cpu[2:]), min(shape.cpu[2:]), round(median(shape.log[2:])))
            for name, shape in shapes.items()
        ],
        ratios=(),
        seconds=time.perf_counter() - began,
        machine=machine(_version(server)),
    )


def _rows_of(cursor: Any, parent: str) -> tuple[str, bytes]:
    """Return the columns of a table, and its rows as COPY takes them."""
    cursor.execute(f"SELECT * FROM {parent} LIMIT 0")
    names = ", ".join(column.name for column in cursor.description if column.name != "stored_at")
    rows = io.BytesIO()
    cursor.copy_expert(f"COPY (SELECT {names} FROM {parent}) TO STDOUT (FORMAT binary)", rows)
    return names, rows.getvalue()


def _copy(shape: Shape, ready: dict[str, tuple[str, bytes]]) -> None:
    status = Path(f"/proc/{shape.connection.info.backend_pid}/schedstat")
    with shape.connection as connection, connection.cursor() as cursor:
        before = _position(cursor)
        began = int(status.read_text("ascii").split()[0])
        for parent, (names, rows) in ready.items():
            statement = f"COPY {parent} ({names}) FROM STDIN (FORMAT binary)"
            cursor.copy_expert(statement, io.BytesIO(rows))
        connection.commit()
        shape.cpu.append((int(status.read_text("ascii").split()[0]) - began) / 1_000 / BATCH)
        shape.log.append((_position(cursor) - before) / BATCH)


def _version(server: PostgreSQL) -> str:
    connection = psycopg2.connect(server.url())
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        ((version,),) = cursor.fetchall()
    connection.close()
    return str(version)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its tables."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth_storage", description=__doc__)
    parser.add_argument("--stored", type=int, default=300_000, help="in the day already (300000)")
    parser.add_argument("--more", type=int, default=200_000, help="payments measured (200000)")
    parser.add_argument("--batches", type=int, default=20, help="of each shape (20)")
    parser.add_argument("--pg-bin", type=Path, help="bin folder of another PostgreSQL")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    with (
        PostgreSQL(bin_folder=options.pg_bin, settings=_SETTINGS) as server,
        Console(stderr=True).status("starting") as status,
    ):
        results = [
            measure(server, options, status.update) for measure in (_log_result, _shapes_result)
        ]
    return conclude(results, options.json)


if __name__ == "__main__":
    sys.exit(main())
