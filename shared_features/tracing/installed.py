"""Whether OpenTelemetry is installed. It is not imported to find out."""

from __future__ import annotations

import importlib.util

NOT_INSTALLED = (
    "Setting traces (MILLRACE_TRACES) is true, and OpenTelemetry is not installed. Install the extra "
    "`millrace[otel]`, or set it to false."
)
_WANTED = ("opentelemetry", "opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.exporter.otlp.proto.http")


def is_installed() -> bool:
    """Whether spans can be made, and be sent by OTLP over HTTP."""
    try:
        return all(map(importlib.util.find_spec, _WANTED))
    except ModuleNotFoundError:
        return False
