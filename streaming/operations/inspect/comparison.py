"""One entity in one group: what Redis and the lake say, feature by feature, and why they may differ."""

from __future__ import annotations

import math
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.counted import counted
from shared_features.definitions import FeatureGroup
from shared_features.entity_contents import window_contents
from shared_features.formats.absent_entity import absent_from_us
from shared_features.kernel.event_time import floor_to, to_text
from shared_features.kernel.replay import read
from streaming.operations.inspect.lake_entity import LakeEntity
from streaming.operations.inspect.redis_entity import RedisEntity

Told = dict[str, Any]
"""What is told, as plain data."""


def first_edge_us(group: FeatureGroup, as_of_us: int) -> int:
    """Where the longest window begins."""
    return min(floor_to(as_of_us - each.length_us, each.hop_us) for each in group.layout.features)


def compared(
    group: FeatureGroup, redis: RedisEntity | None, lake: LakeEntity | None, as_of_us: int, lag_us: int
) -> tuple[list[Told], list[str], list[str]]:
    """Each feature as told; why values may differ; what else is worth knowing. None: that store is unavailable."""
    reasons, notes = ([], []) if redis is None or lake is None else _between(group, redis, lake, as_of_us)
    ours = _redis_values(group, redis, as_of_us)
    if redis is not None and not redis.problem and ours is None:
        notes.append("Redis cannot answer exactly as of so early an instant; the lake can")
    theirs = served = None
    if lake is not None:
        live = redis is not None and redis.meta is not None and not redis.problem
        everything = [np.ones(len(of), np.bool_) for of in lake.sources]
        masks = lake.applied(redis.meta.vector) if live and ours is not None and redis and redis.meta else everything
        theirs = lake.values(masks, as_of_us)
        served = lake.values(lake.served(as_of_us, lag_us), as_of_us)
    windows = None if ours is None or redis is None else window_contents(redis.state, 0, as_of_us)
    told = []
    for index, feature in enumerate(group.features):
        spec = group.layout.features[index]
        pair = [None if values is None else float(values[index]) for values in (ours, theirs, served)]
        told.append(
            {
                "feature": feature.full_name,
                "redis": _plain(pair[0]),
                "lake": _plain(pair[1]),
                "as_served": _plain(pair[2]),
                "verdict": _verdict(pair[0], pair[1]),
                "window_from_us": floor_to(as_of_us - spec.length_us, spec.hop_us),
                "events": None if windows is None else windows[index].events,
            }
        )
    return told, reasons, notes


def _redis_values(group: FeatureGroup, redis: RedisEntity | None, as_of_us: int) -> NDArray[np.float64] | None:
    if redis is None or redis.problem or not redis.is_exact(as_of_us):
        return None
    if not redis.found and redis.meta is not None:  # there may have been a key, which has expired
        meta = redis.meta
        if as_of_us < absent_from_us(group, meta.consumed_until_us, meta.built_at_us, time.time_ns() // 1000):
            return None
    found: NDArray[np.float64] = read(redis.state, [0], as_of_us)[0]
    return found


def _between(group: FeatureGroup, redis: RedisEntity, lake: LakeEntity, as_of_us: int) -> tuple[list[str], list[str]]:
    reasons: list[str] = []
    notes: list[str] = []
    vector = {} if redis.meta is None else redis.meta.vector
    for partition, entry in sorted(vector.items()):
        if (stored := lake.offsets.get(partition, -1)) < entry.offset:
            reasons.append(
                f"the lake holds {partition[0]}:{partition[2]} up to offset {stored}, Redis has applied it up to "
                f"{entry.offset}: the archive has not stored the rest yet"
            )
    if lake.kept_from_us > first_edge_us(group, as_of_us):
        reasons.append(
            f"events that arrived before {to_text(lake.kept_from_us)} were deleted from the lake by `retain`"
        )
    if redis.meta is not None and not redis.problem and redis.meta.erasures != lake.erasures:
        reasons.append("entities were erased from one of the two; bootstrap rebuilds the shard")
    if redis.meta is not None and not redis.problem:
        later = sum(int((~mask).sum()) for mask in lake.applied(vector))
        if later:
            notes.append(f"{counted(later, 'event')} of this entity in the lake: not applied to Redis yet")
    return reasons, notes


def _verdict(ours: float | None, theirs: float | None) -> str:
    if ours is None or theirs is None:
        return "not compared"
    return "equal" if ours == theirs or (math.isnan(ours) and math.isnan(theirs)) else "differs"


def _plain(value: float | None) -> float | None:
    return None if value is None or math.isnan(value) else value
