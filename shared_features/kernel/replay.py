"""Replay: updates and reads interleaved in the order of their effect, so that a read sees what it could have seen."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shared_features.kernel.steps import reads, run, updates
from shared_features.kernel.tile_state import TileState


def replay(
    state: TileState,
    update_slots: ArrayLike,
    effect_us: ArrayLike,
    event_time_us: ArrayLike,
    digest: ArrayLike,
    values: ArrayLike,
    valid: ArrayLike,
    read_slots: ArrayLike,
    read_at_us: ArrayLike,
) -> NDArray[np.float64]:
    """The values of each read at t over the updates with an effect up to t. Shape: float64 (reads, features).

    Updates and reads may come in any order. Afterwards the state has applied all of the updates. For a longer history
    than fits in memory call this on consecutive spans of time with the same state.
    """
    events = updates(state.layout, update_slots, event_time_us, digest, values, valid)
    instants = reads(read_slots, read_at_us)
    effects = np.asarray(effect_us, np.int64)
    if effects.shape != events.slots.shape:
        raise ValueError(f"effect_us has shape {effects.shape}; {events.slots.shape} is needed")
    return run(state, _entity_by_entity(events.slots, effects, *instants), events, instants)[1]


def _entity_by_entity(
    update_slots: NDArray[np.int64],
    effect_us: NDArray[np.int64],
    read_slots: NDArray[np.int64],
    read_at_us: NDArray[np.int64],
) -> NDArray[np.int64]:
    """Steps by time for each entity on its own, one entity after another: its tiles stay in the processor's cache."""
    steps = np.concatenate([np.arange(len(update_slots)), -1 - np.arange(len(read_slots))])
    # Updates stand first and the sort is stable: an effect at t is seen by a read at t.
    order = np.argsort(np.concatenate([effect_us, read_at_us]), kind="stable")
    slots = np.concatenate([update_slots, read_slots])[order]
    by_entity: NDArray[np.int64] = steps[order[np.argsort(slots, kind="stable")]]
    return by_entity
