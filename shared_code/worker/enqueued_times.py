"""Reads the enqueued times of Event Hubs messages as the worker's converter does, but quickly.

The converter of ``azure-functions`` tries a dozen ``strptime`` formats for each message, which
costs more than all that is done with a payment. See docs/adr/0015-worker-converter.md.
"""

import inspect
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from azure.functions.eventhub import EventHubTriggerConverter

type Parser = Callable[[str | None], datetime | None]

_PRIVATE_NAME: Final = "_parse_datetime"
# What the host sends, with or without the Z: Event Hubs counts milliseconds, and the host leaves
# out zeros at the end. Whatever else there is, the converter reads itself.
_USUAL: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d)(\.\d{1,6})?(?(2)\d*)(Z|[+-]00:00)?",
    re.ASCII,
)
# Read both ways before the quick way is taken.
_SAMPLES: Final = (
    None,
    "",
    "2026-01-31T23:59:59",
    "2026-01-31T23:59:59Z",
    "2026-01-31T23:59:59.5",
    "2026-01-31T23:59:59.123456Z",
    "2026-01-31T23:59:59.1234567",
    "2026-01-31T23:59:59.1234567Z",
    "2026-01-31T23:59:59.123456+00:00",
    "01/31/2026 23:59:59Z",
)

_log: Final = logging.getLogger(__name__)


def quick_parser(original: Parser) -> Parser:
    """Return a parser that gives what ``original`` gives, errors included.

    Args:
        original: reads whatever is not written as the host writes times.
    """

    def parse(text: str | None) -> datetime | None:
        usual = _USUAL.fullmatch(text) if text else None
        if usual is None:
            return original(text)
        try:
            time = datetime.fromisoformat(usual[1] + (usual[2] or ""))
        except ValueError:
            return original(text)
        # The host writes UTC without an offset, which the converter leaves naive.
        return time if usual[3] is None else time.replace(tzinfo=UTC)

    return parse


def quicken_enqueued_times(converter: Any = EventHubTriggerConverter) -> bool:
    """Give the converter the quick parser, if it still is as it is known; tell whether it was.

    Args:
        converter: of Event Hubs triggers.
    """
    original = getattr(converter, _PRIVATE_NAME, None)
    if not inspect.ismethod(original) or not _reads_samples_alike(original):
        _log.warning("azure-functions has changed: enqueued times are read the slow way")
        return False
    quick = quick_parser(original)
    setattr(converter, _PRIVATE_NAME, staticmethod(quick))
    return True


def _reads_samples_alike(original: Any) -> bool:
    quick = quick_parser(original)
    try:
        return all(_same(original(sample), quick(sample)) for sample in _SAMPLES)
    except (TypeError, ValueError):
        return False


def _same(first: datetime | None, second: datetime | None) -> bool:
    return repr(first) == repr(second)
