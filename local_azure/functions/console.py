"""What the host prints: the list of functions, and log lines in the style of ``func start``."""

import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TextIO

from local_azure.functions.bindings import HttpTrigger
from local_azure.functions.host_json import HostOptions, LogLevel
from local_azure.functions.project import Project, route_text

_LEVELS = {
    LogLevel.TRACE: 5,
    LogLevel.DEBUG: logging.DEBUG,
    LogLevel.INFORMATION: logging.INFO,
    LogLevel.WARNING: logging.WARNING,
    LogLevel.ERROR: logging.ERROR,
    LogLevel.CRITICAL: logging.CRITICAL,
    LogLevel.NONE: logging.CRITICAL + 1,
}
_COLOURS = {logging.WARNING: "\x1b[33m", logging.ERROR: "\x1b[31m", logging.CRITICAL: "\x1b[31;1m"}
_DIM = "\x1b[90m"
_GREEN = "\x1b[32m"
_RESET = "\x1b[0m"

# Libraries that tell every request: worth reading only when something is wrong with them.
_CHATTY = ("azure", "aiohttp", "asyncio", "urllib3", "msal")
_OURS = ("Host", "Function")


class ConsoleHandler(logging.Handler):
    """Prints records that the levels of host.json let through.

    A record of the host has its own category; one of a function's code, whatever its logger, has
    the category ``Function.NAME.User``, as in Azure.
    """

    def __init__(
        self,
        stream: TextIO,
        options: HostOptions,
        running_function: Callable[[], str | None],
        *,
        verbose: bool,
    ) -> None:
        super().__init__()
        self._stream = stream
        self._options = options
        self._running_function = running_function
        self._verbose = verbose
        self._coloured = stream.isatty()

    def emit(self, record: logging.LogRecord) -> None:
        """Print one record."""
        if not self._lets_through(record):
            return
        moment = datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3]
        text = record.getMessage()
        if record.exc_info:
            text += "\n" + (self.formatter or logging.Formatter()).formatException(record.exc_info)
        if self._coloured:
            colour = _COLOURS.get(record.levelno) or (_GREEN if _is_result(text) else "")
            line = f"{_DIM}[{moment}Z]{_RESET} {colour}{text}{_RESET}\n"
        else:
            mark = "" if record.levelno <= logging.INFO else f"{record.levelname}: "
            line = f"[{moment}Z] {mark}{text}\n"
        self._stream.write(line)
        self._stream.flush()

    def _lets_through(self, record: logging.LogRecord) -> bool:
        family = record.name.partition(".")[0]
        if family in _OURS:
            category = record.name
        elif family in _CHATTY and record.levelno < logging.WARNING and not self._verbose:
            return False
        else:
            function = self._running_function()
            category = f"Function.{function}.User" if function else "Worker"
        level = logging.DEBUG if self._verbose else _LEVELS[self._options.log_level(category)]
        return record.levelno >= level


def _is_result(text: str) -> bool:
    return text.startswith(("Executing ", "Executed "))


def set_up_logging(
    options: HostOptions, running_function: Callable[[], str | None], *, verbose: bool
) -> None:
    """Send every record of this process to standard output, through the levels of host.json."""
    handler = ConsoleHandler(sys.stdout, options, running_function, verbose=verbose)
    root = logging.getLogger()
    root.addHandler(handler)
    lowest = min([logging.INFO, *(_LEVELS[level] for level in options.log_levels.values())])
    root.setLevel(logging.DEBUG if verbose else lowest)
    if not verbose:
        for family in _CHATTY:
            logging.getLogger(family).setLevel(logging.WARNING)
        # What the consumer client warns of also reaches the trigger, which logs it once.
        logging.getLogger("azure.eventhub").setLevel(logging.ERROR)


def say(text: str) -> None:
    """Print one line for people and for the process that started the host."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def function_list(project: Project, base_url: str) -> str:
    """List the functions as ``func start`` does."""
    prefix = project.options.route_prefix
    lines = ["", "Functions:", ""]
    for spec in project.functions:
        trigger = spec.trigger
        if spec.disabled:
            shown = f"{trigger.kind} (disabled)"
        elif isinstance(trigger, HttpTrigger):
            methods = f"[{','.join(method.upper() for method in trigger.methods)}] "
            path = "/".join(filter(None, (prefix, route_text(spec, trigger))))
            shown = f"{methods if trigger.methods else ''}{base_url}/{path}"
        else:
            shown = trigger.kind
        lines += [f"\t{spec.name}: {shown}", ""]
    return "\n".join(lines)
