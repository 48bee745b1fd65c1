"""Steps: updates and reads of many entities in one order. Applying, reading and replaying are all this loop."""

from shared_features.kernel.loops.compiled import compiled
from shared_features.kernel.loops.events import lay_out
from shared_features.kernel.loops.machine_words import prefetch
from shared_features.kernel.loops.tile_update import NO_ROOM, apply_event, settle
from shared_features.kernel.loops.window_values import finish_reads, read_entity

STEPS, UPDATES, READS = 0, 1, 2
"""What `done` counts."""


@compiled
def take_steps(tables, pools, steps, done, outcome, values, room):
    """Take the steps that are not done yet; fewer than all when a pool has to grow.

    Step i >= 0 applies the next event, or settles an entity where there are no more; step -1 - i makes the next read,
    whose values are row i. What steps take lies in their own order: columns in another would be waited for.
    """
    reads = 0
    for at in range(done[STEPS], steps.numbers.size):
        i, slot = steps.numbers[at], steps.slots[at]
        if i < 0:
            i = -1 - i
            prefetch(values, i)
            as_of_us = steps.as_of_us[done[READS]]
            read_entity(tables, pools, slot, as_of_us, room, reads)
            room.value_rows[reads], room.as_of_us[reads] = i, as_of_us
            done[READS] += 1
            reads += 1
            if reads == room.as_of_us.size:
                finish_reads(tables, room, reads, values)
                reads = 0
        elif done[UPDATES] < outcome.size:
            result = apply_event(tables, pools, slot, steps.events[done[UPDATES]])
            if result == NO_ROOM:
                break
            outcome[done[UPDATES]] = result
            done[UPDATES] += 1
        elif not settle(tables, pools, slot):
            break
        done[STEPS] = at + 1
    finish_reads(tables, room, reads, values)


@compiled
def order_by_entity(updates, update_slots, effect_us, events, reads, read_slots, read_at_us, as_of_us, places, steps):
    """Write the steps of a replay, slot by slot, each slot's by time; an update at t comes before a read at t.

    updates, reads: their indices by `effect_us` and by `read_at_us`; none where these are in order. places: by slot,
    where its own updates and reads begin; afterwards, where they end.
    """
    update, read = 0, 0
    for _ in range(steps.numbers.size):
        update_at = updates[update] if updates.size and update < updates.size else update
        read_at = reads[read] if reads.size and read < reads.size else read
        updating = read == read_slots.size
        if not updating and update < update_slots.size:
            updating = effect_us[update_at] <= read_at_us[read_at]
        if updating:
            place = places[update_slots[update_at]]
            steps.numbers[place[0] + place[1]] = update_at
            lay_out(steps.events[place[0]], events, update_at)
            place[0] += 1
            update += 1
        else:
            place = places[read_slots[read_at]]
            steps.numbers[place[0] + place[1]] = -1 - read_at
            steps.as_of_us[place[1]] = as_of_us[read_at]
            place[1] += 1
            read += 1


@compiled
def lay_out_all(events, rows):
    """Write events as the heads hold them, in their order."""
    for i in range(rows.shape[0]):
        lay_out(rows[i], events, i)
