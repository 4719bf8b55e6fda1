"""What the pipeline tells of itself, by the OpenTelemetry API. See ``docs/telemetry.md``."""
