"""Windows: from the tiles of entities to their feature values as of an instant."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shared_features.kernel.steps import reads, run, updates
from shared_features.kernel.tile_state import TileState


def read(state: TileState, slots: ArrayLike, as_of_us: ArrayLike) -> NDArray[np.float64]:
    """The features of entities as of instants. Shape: float64 (n, features); NaN where there is no value.

    A window covers `floor(as_of - length, hop) <= event time < as_of`. A tile holds no order inside: what was
    applied from `as_of` on in a tile that begins before it counts too, so apply only what `as_of` may see (`replay`
    does). Exact for `as_of >= newest - tolerated_future`; older instants lack what has been pruned.
    """
    instants = reads(slots, as_of_us)
    return run(state, -1 - np.arange(len(instants.slots)), updates(state.layout), instants)[1]
