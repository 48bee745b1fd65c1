"""Replay: events are put into tiles and features read out of them, each alone or interleaved; one engine for all three.

The stream applies and reads, serving reads, training replays. All of it is one loop over steps (`loops/steps.py`).
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from shared_features.kernel.layout import Layout
from shared_features.kernel.loops.events import event_words
from shared_features.kernel.loops.lanes import LANES
from shared_features.kernel.loops.steps import STEPS, take_steps
from shared_features.kernel.loops.tile_update import APPLIED, DUPLICATE, PRUNED
from shared_features.kernel.step_order import (
    Reads,
    Steps,
    Updates,
    reads_in_order,
    settling,
    step_order,
    updates_in_order,
)
from shared_features.kernel.tile_state import TileState

__all__ = ["APPLIED", "DUPLICATE", "PRUNED", "ReadRoom", "apply", "read", "read_room", "replay", "settle"]


_READS_AT_ONCE = 32  # their windows lie in the processor's nearest cache until they are finished


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
    events = _updates(state.layout, slots, event_time_us, digest, values, valid)
    state.check_slots(events.slots)
    return _run(state, updates_in_order(events))[0]


def read(state: TileState, slots: ArrayLike, as_of_us: ArrayLike) -> NDArray[np.float64]:
    """The features of entities as of instants. Shape: float64 (n, features); NaN where there is no value.

    A window covers `floor(as_of - length, hop) <= event time < as_of`. Exact for `as_of >= newest - head`: from there
    on events are kept one by one. At older instants a tile that begins before `as_of` counts whole, and events that
    have been pruned are missing.
    """
    instants = _reads(slots, as_of_us)
    state.check_slots(instants.slots)
    return _run(state, reads_in_order(instants))[1]


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
    as_of_us: ArrayLike | None = None,
) -> NDArray[np.float64]:
    """The values of each read at t over the updates with an effect up to t. Shape: float64 (reads, features).

    as_of_us: the instant that each read is as of, where it is not t; effects and t then only say what a read sees.
    Updates and reads may come in any order. Afterwards the state has applied all of the updates. For a longer history
    than fits in memory call this on consecutive spans of time with the same state.
    """
    events = _updates(state.layout, update_slots, event_time_us, digest, values, valid)
    at = _reads(read_slots, read_at_us)
    instants = at if as_of_us is None else _reads(read_slots, as_of_us)
    effects = _array(effect_us, np.int64)
    if effects.shape != events.slots.shape:
        raise ValueError(f"effect_us has shape {effects.shape}; {events.slots.shape} is needed")
    for slots in (events.slots, at.slots):
        state.check_slots(slots)  # before they are counted
    return _run(state, step_order(events, effects, instants, at.as_of_us))[1]


def settle(state: TileState, slots: ArrayLike) -> None:
    """Put into tiles what fell behind the heads of entities: equal events are then held in equal ways.

    Applying leaves that for later, as many events at once cost less. No read as of an instant in the head can tell.
    """
    given = _array(slots, np.int64)
    state.check_slots(given)
    _run(state, settling(given))


class ReadRoom(NamedTuple):
    """What reads need beside the state: the merged tiles of one entity, and the windows that are not finished."""

    row: NDArray[np.int64]  # [words of a row]
    smallest: NDArray[np.uint64]  # [sets, largest k]; how many of them there are stands in `row`
    cells: NDArray[np.int64]  # [sets, a power of 2 of at least 2 k]: which of `smallest` is there, from 1 on; 0: none
    taken: NDArray[np.int64]  # [sets, largest k]: the cell of each of `smallest`
    totals: NDArray[np.int64]  # [words of a row or an event]: sums of a window's words
    highs: NDArray[np.int64]  # [words of a row or an event]: what these sums are beyond 64 bits
    rows: NDArray[np.int64]  # [reads x windows, words of a row]
    kept: NDArray[np.uint64]  # [reads x windows, sets, 2]: k, and the k-th smallest where there are k
    value_rows: NDArray[np.int64]  # [reads]: which row of the values each is
    as_of_us: NDArray[np.int64]  # [reads]
    order: NDArray[np.int64]  # [windows]: by their start, latest first
    starts: NDArray[np.int64]  # [windows]: where each begins


def _updates(
    layout: Layout,
    slots: ArrayLike = (),
    event_time_us: ArrayLike = (),
    digest: ArrayLike = (),
    values: ArrayLike = (),
    valid: ArrayLike = (),
) -> Updates:
    """Events as the loop takes them; `ValueError` when the shapes of their columns disagree."""
    given = _array(slots, np.int64)
    wide = (given.size, len(layout.columns))
    found = Updates(
        given,
        _array(event_time_us, np.int64),
        _array(digest, np.uint64),
        _array(values, np.int64) if given.size else np.empty(wide, np.int64),
        _array(valid, np.bool_) if given.size else np.empty(wide, np.bool_),
    )
    for name, column, shape in zip(Updates._fields, found, (*[(given.size,)] * 3, wide, wide), strict=True):
        if column.shape != shape:
            raise ValueError(f"column {name!r} of the events has shape {column.shape}; {shape} is needed")
    return found


def _reads(slots: ArrayLike = (), as_of_us: ArrayLike = ()) -> Reads:
    """Reads as the loop takes them; one instant may stand for all."""
    given, at = _array(slots, np.int64), np.asarray(as_of_us, np.int64)
    return Reads(given, _array(at, np.int64) if at.shape == given.shape else np.full(given.shape, at))


def _array(values: ArrayLike, kind: type) -> NDArray[Any]:
    """Contiguous and writable: numba compiles the whole loop again for arrays that are not, such as those of Arrow."""
    found: NDArray[Any] = np.ascontiguousarray(values, kind)
    return found if found.flags.writeable else found.copy()


def read_room(layout: Layout, reads: int = 1) -> ReadRoom:
    """Room for so many reads of this layout before they are finished, by one thread."""
    tables = layout.tables
    windows, sets = len(tables.window_lengths), len(tables.set_sizes)
    lanes = LANES + max(len(tables.empty_row), event_words(len(layout.columns)))
    kept = np.zeros((reads * windows, sets, 2), np.uint64)
    kept[:, :, 0] = tables.set_sizes
    largest = max([0, *tables.set_sizes[1:].tolist()])
    return ReadRoom(
        row=tables.empty_row.copy(),
        smallest=np.empty((sets, largest), np.uint64),
        cells=np.zeros((sets, 1 << (2 * largest - 1).bit_length()), np.int64),
        taken=np.empty((sets, largest), np.int64),
        totals=np.empty(lanes, np.int64),
        highs=np.empty(lanes, np.int64),
        rows=np.empty((reads * windows, len(tables.empty_row)), np.int64),
        kept=kept,
        value_rows=np.zeros(reads, np.int64),
        as_of_us=np.zeros(reads, np.int64),
        order=np.arange(windows),
        starts=np.empty(windows, np.int64),
    )


def _run(state: TileState, steps: Steps) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Take the steps. Returns the outcomes of the updates in that order, and the values of the reads in theirs."""
    outcome = np.empty(len(steps.events), np.uint8)
    values = np.empty((len(steps.as_of_us), len(state.layout.features)))
    room = read_room(state.layout, _READS_AT_ONCE)
    done = np.zeros(3, np.int64)
    take_steps(state.layout.tables, state.pools, steps, done, outcome, values, room)
    while done[STEPS] < len(steps.numbers):
        state.make_room()
        take_steps(state.layout.tables, state.pools, steps, done, outcome, values, room)
    return outcome, values
