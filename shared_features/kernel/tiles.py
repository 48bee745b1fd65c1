"""Tiles: partial aggregates of many entities over hops, in columns; `apply` puts events into them."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shared_features.kernel.layout import Column, FeatureSpec, Layout
from shared_features.kernel.pools import NEVER_US
from shared_features.kernel.steps import reads, run, updates
from shared_features.kernel.tile_state import TileState
from shared_features.kernel.tile_update import APPLIED, DUPLICATE, PRUNED

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
]


def apply(
    state: TileState,
    slots: ArrayLike,
    event_time_us: ArrayLike,
    digest: ArrayLike,
    values: ArrayLike,
    valid: ArrayLike,
) -> NDArray[np.uint8]:
    """Put events into the tiles of their entities; the order makes no difference to what the tiles then hold.

    Shape: n events; values int64 (n, columns) fixed point, valid bool (n, columns), digest uint64 naming an event
    by its content. Returns per event APPLIED, DUPLICATE (this digest is in its tile) or PRUNED (older than
    anything that can still be read).
    """
    events = updates(state.layout, slots, event_time_us, digest, values, valid)
    return run(state, np.arange(len(events.slots)), events, reads())[0]
