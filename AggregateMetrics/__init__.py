"""Timer trigger: closes the windows that have ended. See ``shared_code.engine.aggregation``."""

import logging

import azure.functions as func
from opentelemetry.trace import Span

from shared_code.engine.metric_engine import engine_of_process
from shared_code.telemetry.spans import function_span

_log = logging.getLogger(__name__)
_engine = engine_of_process()


def main(
    timer: func.TimerRequest,
    rules: func.InputStream,
    active: func.Out[bytes],
    context: func.Context,
) -> None:
    """Close every marked window that has ended; what fails is caught up by the next tick.

    Args:
        timer: every five minutes.
        rules: the rule document in blob storage; None before the first one was written.
        active: set to the document that is active in the database, if that is another one: of two
            uploads at once the later one may have been overwritten in blob storage.
        context: of the invocation.
    """
    with function_span("AggregateMetrics", context.trace_context) as span:
        _close_windows(timer, rules, active, span)


def _close_windows(
    timer: func.TimerRequest, rules: func.InputStream, active: func.Out[bytes], span: Span
) -> None:
    if timer.past_due:
        _log.warning("the timer is past due; windows that ended meanwhile are closed now")
    tick = _engine.aggregate()
    span.set_attributes(
        {
            "payments.windows_closed": len(tick.closed),
            "payments.deltas_folded": tick.folded,
            "payments.alerts": tick.alerts,
            "payments.held_elsewhere": tick.held_elsewhere,
        }
    )
    if tick.held_elsewhere:
        _log.info("another instance is closing windows")
        return
    _log.info(
        "%d windows closed, %d deltas folded, %d alerts", len(tick.closed), tick.folded, tick.alerts
    )
    document = _engine.active_document()
    if rules is None or rules.read() != document:
        _log.warning("blob storage holds another rule document than the active one; it is replaced")
        active.set(document)
