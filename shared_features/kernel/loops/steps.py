"""Steps: updates and reads of many entities in one order. Applying, reading and replaying are all this loop."""

from shared_features.kernel.loops.compiled import compiled
from shared_features.kernel.loops.tile_update import NO_ROOM, apply_event, settle
from shared_features.kernel.loops.window_values import read_entity


@compiled
def take_steps(tables, pools, steps, done, events, outcome, instants, values, settled, room):
    """Take steps from `done` on; returns how many are done, fewer than all when a pool has to grow.

    Step i >= 0 applies event i, or settles an entity where there are no more events; step -1 - i makes read i.
    """
    for at in range(done, steps.size):
        i = steps[at]
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
