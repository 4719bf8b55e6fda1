"""Sends telemetry where the environment says, if nobody else does.

In Azure the worker does it (docs/telemetry.md). Elsewhere OpenTelemetry's own variables are
followed, with the libraries of requirements-telemetry.txt.
"""

import logging
from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.trace import ProxyTracerProvider, get_tracer_provider

_EXPORTERS: Final = {
    "trace_exporter_names": "OTEL_TRACES_EXPORTER",
    "metric_exporter_names": "OTEL_METRICS_EXPORTER",
    "log_exporter_names": "OTEL_LOGS_EXPORTER",
}
_ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"

_log: Final = logging.getLogger(__name__)


def export_telemetry(environment: Mapping[str, str]) -> bool:
    """Send telemetry to the console or by OTLP if variables say so; return whether it is sent.

    Does nothing where a provider is set already: two of them would send everything twice.

    Args:
        environment: with ``OTEL_EXPORTER_OTLP_ENDPOINT``, or ``OTEL_TRACES_EXPORTER``,
            ``OTEL_METRICS_EXPORTER`` and ``OTEL_LOGS_EXPORTER`` (``console``, ``otlp``, ``none``).
    """
    # Every call of a service of Azure logs its headers otherwise.
    logging.getLogger("azure").setLevel(logging.WARNING)
    wanted = {name for name in (_ENDPOINT, *_EXPORTERS.values()) if environment.get(name)}
    if not wanted or environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if not isinstance(get_tracer_provider(), ProxyTracerProvider):
        return False
    try:
        from opentelemetry.distro import OpenTelemetryConfigurator  # noqa: PLC0415
    except ImportError:
        _log.warning(
            "%s is set, but no telemetry is sent: install requirements-telemetry.txt",
            ", ".join(sorted(wanted)),
        )
        return False
    configurator_class: Any = OpenTelemetryConfigurator  # whose constructor has no annotations
    configurator_class().configure(
        setup_logging_handler=True,
        resource_attributes={"service.name": environment.get("OTEL_SERVICE_NAME", "payments")},
        # The protocol that every collector takes, and whose exporter brings no gRPC.
        **{
            argument: ["otlp_proto_http"]
            for argument, variable in _EXPORTERS.items()
            if _ENDPOINT in wanted and variable not in wanted
        },
    )
    return True
