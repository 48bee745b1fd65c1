"""Outcomes that a file sends as known before they can be: a feature of past outcomes would tell the future."""

from __future__ import annotations

from shared_features.definitions import Catalogue, EventSource
from shared_features.kernel.event_time import spelled_duration, to_us
from streaming.operations.produce.rows.row_encoder import Reading
from streaming.operations.produce.times.arrival_text import written_after


def early_outcomes(catalogue: Catalogue, source: EventSource, reading: Reading) -> str:
    """A warning where rows count as known at their event time, features count them, and a view says that its
    labels of this source are known later; else empty.
    """
    if reading.arrival is not None or reading.known_after_us:
        return ""
    readers = [group.label for group in catalogue.groups if source in group.sources]
    labels = [each for view in catalogue.views for each in view.label_sources if each.source == source]
    delays = [each.delay for each in labels if each.later is None]  # later events are facts, and known at once
    if not readers or not any(delays):
        return ""
    after = written_after(to_us(max(delays)))
    return (
        f"! {source.name}: its rows count as known at their event time. A view says that these outcomes are known "
        f"{spelled_duration(max(delays))} later (`delay`), so features of {', '.join(readers)} would count them too "
        f"early. Say when they are known: --arrival {source.name}=COLUMN, or {source.name}={after}"
    )
