"""Tracing as the settings say: none by default, and then OpenTelemetry is not even imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from serving.errors import WrongSettingError
from serving.settings import ServingSettings
from shared_features.tracing.installed import NOT_INSTALLED, is_installed

if TYPE_CHECKING:
    from collections.abc import Callable

    from serving.tracing.tracing import Tracing


def check_tracing(settings: ServingSettings) -> None:
    """Raises WrongSettingError where traces are asked for, and cannot be."""
    if settings.traces and not is_installed():
        raise WrongSettingError(NOT_INSTALLED)


def open_tracing(settings: ServingSettings, dropped: Callable[[int], None]) -> Tracing | None:
    """None unless the settings ask for it. dropped: gets the number of spans that nobody will see."""
    if not settings.traces:
        return None
    check_tracing(settings)
    from serving.tracing.tracing import Tracing

    return Tracing(dropped)
