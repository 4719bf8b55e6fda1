import io
import logging
from pathlib import Path

import pytest

from local_azure.functions.console import ConsoleHandler
from local_azure.functions.host_json import EventHubsOptions, HostOptions, LogLevel


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def options(**levels: LogLevel) -> HostOptions:
    named = {name.replace("_", "."): level for name, level in levels.items()}
    return HostOptions(EventHubsOptions(), "api", None, named, None)


def printed(
    host: HostOptions,
    record: tuple[str, int, str],
    running: str | None = None,
    stream: io.StringIO | None = None,
    *,
    verbose: bool = False,
) -> str:
    out = stream or io.StringIO()
    handler = ConsoleHandler(out, host, lambda: running, verbose=verbose)
    name, level, message = record
    handler.emit(logging.LogRecord(name, level, __file__, 1, message, (), None))
    return out.getvalue()


@pytest.mark.parametrize(
    ("logger", "level", "running", "shown"),
    [
        ("my.module", logging.INFO, "A", False),
        ("my.module", logging.WARNING, "A", True),
        ("my.module", logging.INFO, "B", True),
        ("my.module", logging.INFO, None, True),
        ("Function.A", logging.INFO, None, True),
        ("Host.Triggers.Blobs", logging.WARNING, None, False),
        ("Host.Triggers.Blobs", logging.ERROR, None, True),
        ("azure.core", logging.INFO, "B", False),
        ("azure.core", logging.WARNING, "B", True),
    ],
)
def test_the_category_of_a_record_decides_whether_it_is_printed(
    logger: str,
    level: int,
    running: str | None,
    shown: bool,  # noqa: FBT001 -- a column of the table
) -> None:
    host = options(Function_A_User=LogLevel.WARNING, Host=LogLevel.ERROR)
    assert bool(printed(host, (logger, level, "text"), running)) is shown


def test_verbose_prints_everything_the_libraries_too() -> None:
    record = ("azure.core", logging.DEBUG, "text")
    assert printed(options(Host=LogLevel.NONE), record, verbose=True)


def test_a_level_is_named_in_a_file_and_coloured_on_a_terminal() -> None:
    record = ("Host", logging.WARNING, "careful")
    assert printed(options(), record).endswith("Z] WARNING: careful\n")
    assert "\x1b[33mcareful\x1b[0m" in printed(options(), record, None, Terminal())
    done = ("Function.A", logging.INFO, "Executed 'Functions.A'")
    assert "\x1b[32mExecuted" in printed(options(), done, None, Terminal())


def test_an_exception_is_printed_with_its_trace() -> None:
    out = io.StringIO()
    handler = ConsoleHandler(out, options(), lambda: None, verbose=False)
    logger = logging.getLogger("test.console")
    logger.addHandler(handler)
    try:
        Path("no/such/file").read_text()
    except OSError:
        logger.exception("it failed")
    finally:
        logger.removeHandler(handler)
    assert "ERROR: it failed\nTraceback" in out.getvalue()
    assert "FileNotFoundError" in out.getvalue()
