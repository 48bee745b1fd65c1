"""Traffic of any view: seeded events of all its sources by the types of their fields, some late, then their labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.definitions import EventSource, FeatureView, Field
from shared_features.kernel.event_time import DAY_US, HOUR_US, MINUTE_US, to_us
from tests.training.lake import EventRows, arrived, write_lake

START_US = 20_000 * DAY_US
"""2024-10-04, midnight UTC."""
DAYS = 12
_KEYS = 25


def any_traffic(view: FeatureView, count: int = 1_500, late: float = 0.05, seed: int = 3) -> dict[str, EventRows]:
    """Source name -> events. late: share of them that arrive one to three hours after they happened."""
    random = np.random.default_rng(seed)
    sources = [view.source, *(source for group in view.groups for source in group.sources)]
    labels = view.predicted
    found, columns = {}, dict[str, dict[str, NDArray[Any]]]()
    for source in dict.fromkeys([*sources, *([labels.source] if labels else [])]):
        at = np.sort(START_US + random.integers(0, DAYS * DAY_US, count))
        theirs = {field.name: _column(source, field, at, random) for field in source.fields}
        if labels and source == labels.source and source != view.source:
            spine = columns[view.source.name]
            at = spine[view.source.event_time] + to_us(labels.delay) + random.integers(1, MINUTE_US, count)
            same = {field.name: spine[field.name] for field in source.fields if view.source.has(field.name)}
            theirs |= same | {source.event_time: at}
        columns[source.name] = theirs
        delayed = np.where(random.random(count) < late, random.integers(HOUR_US, 3 * HOUR_US, count), 0)
        valid = {field.name: random.random(count) > 0.2 for field in source.fields if field.optional}
        found[source.name] = arrived(source, theirs, at + random.integers(0, MINUTE_US, count) + delayed, valid)
    return found


def write_traffic(lake: Path, view: FeatureView, **options: Any) -> dict[str, EventRows]:
    """A lake of it, complete beyond its last event and label."""
    streams = any_traffic(view, **options)
    write_lake(lake, view, streams, cut_us())
    return streams


def cut_us() -> int:
    return START_US + (DAYS + 10) * DAY_US


def _column(source: EventSource, field: Field, at: NDArray[np.int64], random: np.random.Generator) -> NDArray[Any]:
    count, kind = len(at), field.type
    if field.name == source.event_time:
        return at
    if field.name == source.event_id:
        names = [f"{source.name}{number}" for number in range(count)]
        return np.array(names, object) if field.is_text else np.arange(count)
    if field.is_text:
        return np.array([f"{field.name[:6]}{number}" for number in random.integers(0, _KEYS, count)], object)
    if kind.is_instant:
        return at
    if kind.storage == "boolean":
        return random.integers(0, 2, count)
    low = max(float(getattr(kind, "low", 0)), -100.0)
    high = min(float(getattr(kind, "high", 1)), low + 200.0)
    if field.scale == 1:
        return random.integers(int(low), min(int(high), int(low) + _KEYS) + 1, count)
    return np.rint(random.uniform(low, high, count) * field.scale).astype(np.int64)
