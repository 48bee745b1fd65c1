"""How a value is computed: time, tiles, windows, replay. Knows numbers and time, no domain."""

from shared_features.kernel.layout import Column, FeatureSpec, Layout
from shared_features.kernel.replay import replay
from shared_features.kernel.tiles import APPLIED, DUPLICATE, NEVER_US, PRUNED, TileState, apply
from shared_features.kernel.windows import read

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
