"""Step order: the updates and reads of a replay entity by entity, so that its tiles stay in the processor's cache.

What the steps take is put into the same order. Columns that were left in theirs were read at random, and waiting for
them was a quarter of a replay of millions of rows.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared_features.kernel.loops.events import VALUES, event_words
from shared_features.kernel.loops.steps import lay_out_all, order_by_entity

Int64 = NDArray[np.int64]
MOST_STEPS = (1 << 31) - 1
_NONE = np.empty(0, np.int64)
_NO_EVENTS = np.empty((0, VALUES), np.int64)
_SPARSE = 8  # slots per step from which on counting all slots costs more than numbering those that there are


class Updates(NamedTuple):
    """Columns of n events; `values` are fixed point, `digest` names an event by its content."""

    slots: Int64  # [n]
    event_time_us: Int64  # [n]
    digest: NDArray[np.uint64]  # [n]
    values: Int64  # [n, columns]
    valid: NDArray[np.bool_]  # [n, columns]


class Reads(NamedTuple):
    """Columns of n reads."""

    slots: Int64  # [n]
    as_of_us: Int64  # [n]


class Steps(NamedTuple):
    """Steps as `take_steps` takes them, and what they need in their own order."""

    numbers: NDArray[np.int32]  # [steps]
    slots: NDArray[np.int32]  # [steps]
    events: Int64  # [updates, words of an event]
    as_of_us: Int64  # [reads]


def step_order(events: Updates, effect_us: Int64, reads: Reads, read_at_us: Int64) -> Steps:
    """The steps of a replay: slot by slot, each slot's by time, an effect at t before a read at t.

    Shape: all contiguous and writable, slots not negative. Steps are placed by counting, in a quarter of the time of a
    sort. Only times that do not lie in order yet are sorted.
    """
    numbers = _room(len(events.slots) + len(reads.slots))
    update_slots, read_slots, assigned = _close_together(events.slots, reads.slots)
    counts = np.zeros((1 + len(assigned), 2), np.int64)
    counts[1:, 0] = np.bincount(update_slots, minlength=len(assigned))
    counts[1:, 1] = np.bincount(read_slots, minlength=len(assigned))
    slots = np.repeat(assigned, counts[1:, 0] + counts[1:, 1])  # ten times as fast as a sum along the second axis
    np.cumsum(counts, axis=0, out=counts)
    steps = Steps(numbers, slots, _rows(events), np.empty(len(reads.slots), np.int64))
    order_by_entity(
        *(_sorted(effect_us), update_slots, effect_us, events),
        *(_sorted(read_at_us), read_slots, read_at_us, reads.as_of_us, counts, steps),
    )
    return steps


def updates_in_order(events: Updates) -> Steps:
    """Steps that apply events in the order in which they are given."""
    steps = _in_order(events.slots, _rows(events), _NONE)
    lay_out_all(events, steps.events)
    return steps


def reads_in_order(reads: Reads) -> Steps:
    """Steps that make reads in the order in which they are given."""
    return _in_order(reads.slots, _NO_EVENTS, reads.as_of_us, reading=True)


def settling(slots: Int64) -> Steps:
    """Steps that settle entities."""
    return _in_order(slots, _NO_EVENTS, _NONE)


def _in_order(slots: Int64, events: Int64, as_of_us: Int64, reading: bool = False) -> Steps:
    numbers = _room(len(slots))
    numbers[:] = np.arange(len(slots))
    return Steps(-1 - numbers if reading else numbers, slots.astype(np.int32), events, as_of_us)


def _room(count: int) -> NDArray[np.int32]:
    """Room for so many numbers. `ValueError` for more than an int32 counts: half the room is half the memory."""
    if count > MOST_STEPS:
        raise ValueError(f"{count:,} steps are too many. At most {MOST_STEPS:,} are taken in one call. Split the rows.")
    return np.empty(count, np.int32)


def _rows(events: Updates) -> Int64:
    return np.empty((len(events.slots), event_words(events.values.shape[1])), np.int64)


def _sorted(times_us: Int64) -> Int64:
    """The indices by time; none where they are in order: what is never made is never filled."""
    return _NONE if (times_us[1:] >= times_us[:-1]).all() else np.argsort(times_us, kind="stable")


def _close_together(update_slots: Int64, read_slots: Int64) -> tuple[Int64, Int64, NDArray[np.int32]]:
    """Numbers in the order of the slots, of few enough that all of them can be counted, and the slot of each number."""
    greatest = max(update_slots.max(initial=-1), read_slots.max(initial=-1))
    if greatest < _SPARSE * (len(update_slots) + len(read_slots)):
        return update_slots, read_slots, np.arange(1 + greatest, dtype=np.int32)
    slots, numbers = np.unique(np.concatenate([update_slots, read_slots]), return_inverse=True)
    return numbers[: len(update_slots)], numbers[len(update_slots) :], slots.astype(np.int32)
