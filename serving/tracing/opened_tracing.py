"""Tracing as the settings say: none by default, and then OpenTelemetry is not even imported."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING

from serving.errors import WrongSettingError
from serving.settings import ServingSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.tracing.tracing import Tracing


def check_tracing(settings: ServingSettings) -> None:
    """Raises WrongSettingError where traces are asked for, and cannot be."""
    wanted = ("opentelemetry", "opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.exporter.otlp.proto.http")
    try:
        lacks = settings.traces and not all(map(importlib.util.find_spec, wanted))
    except ModuleNotFoundError:
        lacks = True
    if lacks:
        raise WrongSettingError(
            "Setting traces (MILLRACE_TRACES) is true, and OpenTelemetry is not installed. Install the extra "
            "`millrace[otel]`, or set it to false."
        )


def open_tracing(settings: ServingSettings, dropped: Callable[[int], None]) -> Tracing | None:
    """None unless the settings ask for it. dropped: gets the number of spans that nobody will see."""
    if not settings.traces:
        return None
    check_tracing(settings)
    from serving.tracing.tracing import Tracing

    return Tracing(dropped)
