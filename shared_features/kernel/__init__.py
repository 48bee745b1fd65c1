"""How a value is computed: time, tiles, windows, replay. Knows numbers and time, no domain."""

from shared_features.kernel.feature_spec import Column, FeatureSpec
from shared_features.kernel.layout import Layout
from shared_features.kernel.replay import APPLIED, DUPLICATE, PRUNED, apply, read, replay
from shared_features.kernel.tile_state import NEVER_US, TileState

__all__ = [
    "APPLIED",
    "DUPLICATE",
    "NEVER_US",
    "PRUNED",
    "Column",
    "FeatureSpec",
    "Layout",
    "TileState",
    "apply",
    "read",
    "replay",
]
