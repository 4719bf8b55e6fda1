"""Timer trigger: closes the windows that have ended. See ``shared_code.engine.aggregation``."""

import logging

import azure.functions as func

from shared_code.engine.metric_engine import engine_of_process

_log = logging.getLogger(__name__)
_engine = engine_of_process()


def main(timer: func.TimerRequest) -> None:
    """Close every marked window that has ended; what fails is caught up by the next tick."""
    if timer.past_due:
        _log.warning("the timer is past due; windows that ended meanwhile are closed now")
    tick = _engine.aggregate()
    if tick.held_elsewhere:
        _log.info("another instance is closing windows")
        return
    _log.info(
        "%d windows closed, %d deltas folded, %d alerts", len(tick.closed), tick.folded, tick.alerts
    )
