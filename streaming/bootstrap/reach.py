"""How far back events are read that can still be in a state, or be read from one."""

from __future__ import annotations

from shared_features.definitions import FeatureGroup


def readable_us(group: FeatureGroup) -> int:
    """An entity without events for twice as long is forgotten: whatever comes later would prune all that it had."""
    return group.longest_us + group.layout.tolerated_future_us


def built_from_us(group: FeatureGroup) -> int:
    """Of the others, no event that arrived longer before the watermark than this can be in a tile."""
    hop_us = max(spec.hop_us for spec in group.layout.features)
    return 3 * readable_us(group) + hop_us + group.layout.tolerated_future_us
