"""Segments: where in a pool one entity's elements lie, in order and side by side.

A segment is a row (start, length, base, capacity): elements at `start .. start + length` inside the room
`base .. base + capacity`. Elements leave at the front (expiry) and come at the back, as in a queue. A full segment
slides back to its base, grows at the pool's end, or moves there with half as much room again; what it leaves is
garbage until the pool is compacted.
"""

from shared_features.kernel.loops.compiled import inlined

START, LENGTH, BASE, CAPACITY = 0, 1, 2, 3
FIELDS = 4
TOP, GARBAGE, WANTED = 0, 1, 2
"""Per pool: the end of what was ever dealt out, how much of it nobody owns, and what the last one refused wanted."""

STAYS, MOVES, NO_ROOM = 0, 1, 2


@inlined
def has_room(segment, more):
    """Whether `more` elements fit at the back."""
    return segment[START] + segment[LENGTH] + more <= segment[BASE] + segment[CAPACITY]


@inlined
def plan_room(segment, usage, pool_size, more):
    """Make room for `more` elements at the back, as far as that takes no copying of elements.

    Returns STAYS where there is room now, MOVES where `more` fit once the elements were copied to the pool's place
    `segment[BASE]` (already entered; `segment[START]` still says where they are), and NO_ROOM, with nothing changed but
    `usage[WANTED]`, where the pool has to grow first.
    """
    length, base, capacity = segment[LENGTH], segment[BASE], segment[CAPACITY]
    if segment[START] + length + more <= base + capacity:
        return STAYS
    if length + more <= capacity - (capacity >> 2):
        return MOVES
    wanted = length + more + ((length + more) >> 1) + 2
    last = base + capacity == usage[TOP] and capacity > 0
    top = base if last else usage[TOP]
    if top + wanted > pool_size:
        usage[WANTED] = wanted
        return NO_ROOM
    if not last:
        usage[GARBAGE] += capacity
    segment[BASE], segment[CAPACITY] = top, wanted
    usage[TOP] = top + wanted
    return MOVES if segment[START] != top else STAYS
