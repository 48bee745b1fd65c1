"""Step order: the updates and reads of a replay entity by entity, so that its tiles stay in the processor's cache."""

import numpy as np
from numpy.typing import NDArray

from shared_features.kernel.loops.steps import order_by_entity

Int64 = NDArray[np.int64]
Steps = NDArray[np.int32]
MOST_STEPS = (1 << 31) - 1
_IN_ORDER = np.empty(0, np.int64)
_SPARSE = 16  # slots per step from which on counting all slots costs more than numbering those that there are


def step_order(update_slots: Int64, effect_us: Int64, read_slots: Int64, read_at_us: Int64) -> Steps:
    """Steps as `take_steps` numbers them: slot by slot, each slot's by time, an effect at t before a read at t.

    Shape: all int64, contiguous and writable, slots not negative. Steps are placed by counting, in a quarter of the
    time of a sort. Only times that do not lie in order yet are sorted.
    """
    steps = numbered(len(update_slots) + len(read_slots))
    if not len(steps):
        return steps
    updates, reads = _sorted(effect_us), _sorted(read_at_us)
    update_slots, read_slots = _close_together(update_slots, read_slots)
    count = 1 + _greatest(update_slots, read_slots)
    places = np.zeros(count + 1, np.int64)
    places[1:] = np.bincount(update_slots, minlength=count) + np.bincount(read_slots, minlength=count)
    np.cumsum(places, out=places)
    order_by_entity(updates, update_slots, effect_us, reads, read_slots, read_at_us, places, steps)
    return steps


def numbered(count: int) -> Steps:
    """0, 1, 2, ...: so many steps. `ValueError` for more than an int32 counts: half the room is half the memory."""
    if count > MOST_STEPS:
        raise ValueError(f"{count:,} steps are too many. At most {MOST_STEPS:,} are taken in one call. Split the rows.")
    return np.arange(count, dtype=np.int32)


def _sorted(times_us: Int64) -> Int64:
    """The indices by time; none where they are in order: what is never made is never filled."""
    return _IN_ORDER if (times_us[1:] >= times_us[:-1]).all() else np.argsort(times_us, kind="stable")


def _close_together(update_slots: Int64, read_slots: Int64) -> tuple[Int64, Int64]:
    """Slots in the same order, numbered so that all of them can be counted in little more room than they take."""
    if _greatest(update_slots, read_slots) < _SPARSE * (len(update_slots) + len(read_slots)):
        return update_slots, read_slots
    _, numbers = np.unique(np.concatenate([update_slots, read_slots]), return_inverse=True)
    return numbers[: len(update_slots)], numbers[len(update_slots) :]


def _greatest(update_slots: Int64, read_slots: Int64) -> int:
    return int(max(update_slots.max(initial=0), read_slots.max(initial=0)))
