"""How far back events are read that can still be in a state, or be read from one."""

from __future__ import annotations

from shared_features.definitions import FeatureGroup


def built_from_us(group: FeatureGroup) -> int:
    """Of entities that are not forgotten, no event that arrived longer before the watermark can be in a tile."""
    hop_us = max(spec.hop_us for spec in group.layout.features)
    return 3 * group.readable_us + hop_us + group.layout.tolerated_future_us
