"""Retention as the archive's care of the lake does it: once a day, what the setting says and nothing needs."""

from __future__ import annotations

from shared_features.definitions import load_definitions
from streaming.log import get_log
from streaming.operations.retention.retain import before_of, delete_days, plan
from streaming.settings import StreamingSettings

_LOG = get_log("retention")


def retain_nightly(settings: StreamingSettings, keep_days: int) -> None:
    """Delete the days that are older and no longer needed; what holds others back is logged by name."""
    catalogue = load_definitions(settings.definitions)
    for source in catalogue.sources:
        found = plan(settings, catalogue, source, before_of(keep_days))
        before = min(found.before, found.allowed)
        if found.refused:
            first = found.refused[0]
            _LOG.warning("older days are still needed", source=source.name, by=first.what, kept_from=str(before))
        if any(day < before.isoformat() for day in found.rows):
            rows = delete_days(settings, source, before)
            _LOG.info("old days were deleted", source=source.name, before=str(before), rows=rows)
