"""Steps: updates and reads of many entities in one order. Applying, reading and replaying are all this loop."""

from shared_features.kernel.loops.compiled import compiled, inlined
from shared_features.kernel.loops.machine_words import prefetch
from shared_features.kernel.loops.tile_update import NO_ROOM, apply_event, settle
from shared_features.kernel.loops.window_values import read_entity

_AHEAD = 8  # so many steps before its turn, what a step takes is fetched from memory


@compiled
def take_steps(tables, pools, steps, done, events, outcome, instants, values, settled, room):
    """Take steps from `done` on; returns how many are done, fewer than all when a pool has to grow.

    Step i >= 0 applies event i, or settles an entity where there are no more events; step -1 - i makes read i.
    """
    for at in range(done, steps.size):
        i = steps[at]
        _fetch(steps[min(at + _AHEAD, steps.size - 1)], events, instants, values)
        if i >= outcome.size:
            if not settle(tables, pools, settled[i - outcome.size]):
                return at
        elif i >= 0:
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


@inlined
def _fetch(i, events, instants, values):
    """Fetch what a step takes. Steps that go entity by entity jump through the columns: half of their time was waiting
    for memory.
    """
    if i < 0:
        prefetch(instants.slots, -1 - i)
        prefetch(instants.as_of_us, -1 - i)
        prefetch(values, -1 - i)
    elif i < events.slots.size:
        prefetch(events.slots, i)
        prefetch(events.event_time_us, i)
        prefetch(events.digest, i)
        prefetch(events.values, i)
        prefetch(events.valid, i)


@compiled
def order_by_entity(updates, update_slots, effect_us, reads, read_slots, read_at_us, places, steps):
    """Write the steps of a replay, slot by slot, each slot's by time; an update at t comes before a read at t.

    updates, reads: their indices by `effect_us` and by `read_at_us`; none where these are in order. places: by slot,
    where in `steps` its own begin; afterwards, where they end.
    """
    update, read = 0, 0
    for _ in range(steps.size):
        update_at = updates[update] if updates.size and update < updates.size else update
        read_at = reads[read] if reads.size and read < reads.size else read
        updating = read == read_slots.size
        if not updating and update < update_slots.size:
            updating = effect_us[update_at] <= read_at_us[read_at]
        if updating:
            step, slot = update_at, update_slots[update_at]
            update += 1
        else:
            step, slot = -1 - read_at, read_slots[read_at]
            read += 1
        steps[places[slot]] = step
        places[slot] += 1
