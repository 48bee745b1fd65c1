"""Steps: updates and reads of many entities in one order. Applying, reading and replaying are all this loop."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shared_features.kernel.compiled import compiled
from shared_features.kernel.layout import Layout
from shared_features.kernel.tile_state import TileState
from shared_features.kernel.tile_update import NO_ROOM, apply_event
from shared_features.kernel.window_values import read_entity, scratch


class Updates(NamedTuple):
    """Columns of n events; `values` are fixed point, `digest` names an event by its content."""

    slots: NDArray[np.int64]  # [n]
    event_time_us: NDArray[np.int64]  # [n]
    digest: NDArray[np.uint64]  # [n]
    values: NDArray[np.int64]  # [n, columns]
    valid: NDArray[np.bool_]  # [n, columns]


class Reads(NamedTuple):
    """Columns of n reads."""

    slots: NDArray[np.int64]  # [n]
    as_of_us: NDArray[np.int64]  # [n]


def updates(
    layout: Layout,
    slots: ArrayLike = (),
    event_time_us: ArrayLike = (),
    digest: ArrayLike = (),
    values: ArrayLike = (),
    valid: ArrayLike = (),
) -> Updates:
    """Events as the loop takes them; `ValueError` when the shapes of their columns disagree."""
    slots = np.ascontiguousarray(slots, np.int64)
    wide = (slots.size, len(layout.columns))
    found = Updates(
        slots,
        np.ascontiguousarray(event_time_us, np.int64),
        np.ascontiguousarray(digest, np.uint64),
        np.ascontiguousarray(values, np.int64) if slots.size else np.empty(wide, np.int64),
        np.ascontiguousarray(valid, np.bool_) if slots.size else np.empty(wide, np.bool_),
    )
    for name, column, shape in zip(Updates._fields, found, (*[(slots.size,)] * 3, wide, wide), strict=True):
        if column.shape != shape:
            raise ValueError(f"column {name!r} of the events has shape {column.shape}; {shape} is needed")
    return found


def reads(slots: ArrayLike = (), as_of_us: ArrayLike = ()) -> Reads:
    """Reads as the loop takes them; one instant may stand for all."""
    slots = np.ascontiguousarray(slots, np.int64)
    return Reads(slots, np.array(np.broadcast_to(np.asarray(as_of_us, np.int64), slots.shape)))


def run(
    state: TileState, steps: NDArray[np.int64], events: Updates, instants: Reads
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Take the steps in order: i >= 0 applies event i, -1 - i makes read i. Returns outcomes and values."""
    state.check_slots(events.slots)
    state.check_slots(instants.slots)
    outcome = np.empty(len(events.slots), np.uint8)
    values = np.empty((len(instants.slots), len(state.layout.features)))
    room = scratch(state.layout)
    done = 0
    while done < len(steps):
        done = _run(state.layout.tables, state.pools, steps, done, events, outcome, instants, values, room)
        if done < len(steps):
            state.make_room()
    return outcome, values


@compiled
def _run(tables, pools, steps, done, events, outcome, instants, values, room):  # type: ignore[no-untyped-def]  # compiled
    """Take steps from `done` on; returns how many are done, fewer than all when a pool has to grow."""
    for at in range(done, steps.size):
        i = steps[at]
        if i >= 0:
            result = apply_event(
                tables,
                pools,
                events.slots[i],
                events.event_time_us[i],
                events.digest[i],
                events.values[i],
                events.valid[i],
            )
            if result == NO_ROOM:
                return at
            outcome[i] = result
        else:
            i = -1 - i
            read_entity(tables, pools, instants.slots[i], instants.as_of_us[i], values[i], room)
    return steps.size
