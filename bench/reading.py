"""Whether the dashboard's requests answer within a second with millions of payments stored.

A month of payments, and all that came of them, lies in a throwaway database; the JSON API is asked
for whatever the page asks, in this process and as the function does: every list with the page's own
spans and as many rows and pages as the page reads at most, and with filters that fit nothing, so
that all of a span is looked through. Rounds go through all requests, so that whatever else the
machine does falls on all of them; the first round finds caches as filling left them, and counts.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
from rich.console import Console
from sqlalchemy import text

from bench.growth_fill import DAYS, require_space
from bench.reading_fill import Filled, fill_all
from bench.reading_requests import SPANS, Asked, of_no_span, of_span
from bench.report import Cell, Ratio, Result, add_arguments, conclude, machine, spread
from bench.throwaway import engine_on
from bench.workload import recent
from local_azure.services.postgresql import PostgreSQL
from shared_code.settings import load_reading_settings
from shared_code.store.database import Database
from shared_code.web.api.serving import JsonApi
from shared_code.web.exchange import Request

GOAL_SECONDS: Final = 1.0
MOST_OF_GOAL: Final = 1.0
NO_SPAN: Final = "no span"
# Only reading is measured: what is filled in need not outlive a crash. All of it is vacuumed at the
# end, which would wait for autovacuum's workers at one table after the other.
_FILLING: Final = {
    "autovacuum": "off",
    "fsync": "off",
    "full_page_writes": "off",
    "max_wal_size": "8GB",
}
_VERSIONS: Final = text("""
    SELECT version FROM rule_sets WHERE verdict = 'accepted' ORDER BY rule_set
""")
_SERVER: Final = text("SHOW server_version")


class Timed(NamedTuple):
    """One request that was answered.

    Attributes:
        span: a name of ``SPANS``, or ``NO_SPAN``.
        name: of what was asked for.
        round: number of the round.
        seconds: until the answer was there, of one page.
    """

    span: str
    name: str
    round: int
    seconds: float


def answers(api: JsonApi, asked: Asked, now: datetime) -> Iterator[float]:
    """Ask for page behind page and yield the seconds of each.

    Args:
        api: on a filled database.
        asked: what is wanted.
        now: that the API is asked at, aware UTC.

    Raises:
        RuntimeError: it was refused; or a list is empty, or is not, where it should be.
    """
    query = asked.query
    for page in range(asked.pages):
        request = Request("GET", asked.path, query)
        began = time.perf_counter()
        answer = api.answer(request, now)
        yield time.perf_counter() - began
        content: dict[str, Any] = msgspec.json.decode(answer.body)
        if answer.status != 200:
            msg = f"{asked.name} was answered with {answer.status}: {content}"
            raise RuntimeError(msg)
        if page == 0 and bool(content.get("items", True)) is not asked.found:
            msg = f"{asked.name} found {len(content['items'])} rows, which measures nothing"
            raise RuntimeError(msg)
        cursor = content.get("next_cursor")
        if cursor is None:
            return
        query = (*asked.query, ("cursor", cursor))


def ratios(timed: Sequence[Timed]) -> list[Ratio]:
    """Return how the slowest request of each span compares with a second, over the rounds."""
    found = []
    for name in dict.fromkeys(each.span for each in timed):
        of_name = [each for each in timed if each.span == name]
        slowest = [
            max((each for each in of_name if each.round == number), key=lambda each: each.seconds)
            for number in dict.fromkeys(each.round for each in of_name)
        ]
        worst = max(slowest, key=lambda each: each.seconds)
        found.append(
            Ratio(
                f"slowest request to 1 s, {name}",
                *spread([each.seconds / GOAL_SECONDS for each in slowest]),
                goal=MOST_OF_GOAL,
                bound="at most",
                remark=f"slowest: {worst.name}",
            )
        )
    return found


def rows(timed: Sequence[Timed], spans: Sequence[str]) -> list[list[Cell]]:
    """Return the median and highest milliseconds of each request, a pair for each span."""
    cells: dict[str, list[Cell]] = {}
    for name in dict.fromkeys(each.name for each in timed if each.span in spans):
        cells[name] = [name]
        for span in spans:
            seconds = [each.seconds for each in timed if (each.span, each.name) == (span, name)]
            found = spread(seconds)
            cells[name] += [round(found.median * 1000, 1), round(found.high * 1000, 1)]
    return list(cells.values())


def _requests(filled: Filled, versions: Sequence[str], now: datetime) -> Mapping[str, list[Asked]]:
    return {
        **{name: of_span(length, now) for name, length in SPANS.items()},
        NO_SPAN: of_no_span(filled.window, filled.alert, versions),
    }


def _measure(
    url: str, options: argparse.Namespace, progress: Callable[[str], None]
) -> list[Result]:
    engine = engine_on(url)
    filled = fill_all(engine, url, options.payments, recent, progress, days=options.days)
    began = time.perf_counter()
    with engine.database.transaction() as connection:
        versions = list(connection.execute(_VERSIONS).scalars())
        version = str(connection.execute(_SERVER).scalar_one())
    api = JsonApi(Database(load_reading_settings({**os.environ, "DATABASE_URL": url})))
    now = recent()
    requests = _requests(filled, versions, now)
    timed = []
    for number in range(options.rounds):
        progress(f"round {number + 1} of {options.rounds}")
        for span, of_name in requests.items():
            for asked in of_name:
                took = answers(api, asked, now)
                timed += [Timed(span, asked.name, number, seconds) for seconds in took]
    engine.database.engine.dispose()
    return _results(timed, filled, version, time.perf_counter() - began, options.rounds)


def _results(
    timed: Sequence[Timed], filled: Filled, version: str, seconds: float, rounds: int
) -> list[Result]:
    found = ratios(timed)
    held = ", ".join(f"{count:,} in {table}" for table, count in filled.rows.items())
    payments = filled.rows["normalized_transactions"]
    headings = [f"{name}, {what}" for name in SPANS for what in ("ms", "highest")]
    return [
        Result(
            benchmark="reading",
            title=f"Requests of the dashboard by span, {payments:,} payments, {rounds} rounds",
            columns=("", *headings),
            rows=rows(timed, list(SPANS)),
            ratios=found[:-1],
            seconds=seconds,
            machine=machine(version),
            remarks=(f"Rows: {held}. Each page of a list is a request of its own.",),
        ),
        Result(
            benchmark="reading",
            title=f"Requests of the dashboard without a span, {payments:,} payments",
            columns=("", "ms", "highest"),
            rows=rows(timed, [NO_SPAN]),
            ratios=found[-1:],
            seconds=seconds,
            machine=machine(version),
        ),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark and print its tables; exit code 1 if a goal was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench.reading", description=__doc__)
    parser.add_argument("--payments", type=int, default=500_000, help="of the past (500000)")
    parser.add_argument("--days", type=float, default=DAYS, help=f"that they are of ({DAYS})")
    parser.add_argument("--rounds", type=int, default=3, help="through all requests (3)")
    parser.add_argument("--pg-bin", type=Path, help="bin folder of another PostgreSQL")
    add_arguments(parser)
    options = parser.parse_args(arguments)
    if options.payments < 1 or options.rounds < 1:
        parser.error("--payments and --rounds are at least 1")
    if not 0 < options.days <= DAYS:
        parser.error(f"--days is more than 0, at most {DAYS}")
    require_space(options.payments)
    with (
        PostgreSQL(bin_folder=options.pg_bin, settings=_FILLING) as server,
        Console(stderr=True).status("starting") as status,
    ):
        results = _measure(server.ensure_database("reading"), options, status.update)
    return conclude(results, options.json)


if __name__ == "__main__":
    sys.exit(main())
