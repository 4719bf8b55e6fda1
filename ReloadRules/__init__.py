"""Blob trigger: activates uploaded rules. See ``shared_code.engine.rule_reload``."""

import azure.functions as func

from shared_code.engine.metric_engine import engine_of_process
from shared_code.settings import load_settings
from shared_code.store.rule_archive import BlobRuleArchive, blob_service
from shared_code.telemetry.measurements import OUTCOME, RULE_SET_VERSION
from shared_code.telemetry.spans import function_span

_engine = engine_of_process()
_archive = BlobRuleArchive(blob_service(), load_settings().rules_container)


def main(
    upload: func.InputStream,
    active: func.Out[bytes],
    rejected: func.Out[bytes],
    context: func.Context,
) -> None:
    """Activate an uploaded document, or write down why it was refused.

    Args:
        upload: the rule document as it was uploaded to ``incoming/``.
        active: set only if the document is the active one now.
        rejected: set only if it was refused, to a report with every error.
        context: of the invocation.
    """
    with function_span("ReloadRules", context.trace_context) as span:
        outcome = _engine.reload_rules(upload.read(), str(upload.name), _archive)
        span.set_attribute(OUTCOME, "refused" if outcome.version is None else "active")
        span.set_attribute(RULE_SET_VERSION, outcome.version or "")
    if outcome.active_document is not None:
        active.set(outcome.active_document)
    if outcome.report is not None:
        rejected.set(outcome.report)
