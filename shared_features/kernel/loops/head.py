"""The head of an entity: its newest events, kept one by one in the order of (event time, digest).

In the head are the events `t >= newest - head_us`, the tiles hold the older ones. A tile holds no order inside, so it
can only be read whole; a read as of any instant in the head takes exactly what lies strictly before that instant.
What is in the head depends on nothing but the events, so the order in which they came cannot show.

In memory, what has fallen behind the head lies in front of it until there is no room at the back, or until the entity
is settled. Then all of that is put into tiles, in one go. A read as of an instant in the head cannot tell.
"""

import numpy as np

from shared_features.kernel.loops.compiled import inlined
from shared_features.kernel.loops.events import DIGEST, TIME, VALUES
from shared_features.kernel.loops.hashes import mix64
from shared_features.kernel.loops.registers import earlier
from shared_features.kernel.loops.segments import LENGTH, START
from shared_features.kernel.loops.sets import add_to_smallest


@inlined
def is_older(events, segment, at):
    """Whether the event at this place of the pool is older than all of a segment."""
    oldest = segment[START]
    return earlier(events[at, TIME], events[at, DIGEST], events[oldest, TIME], events[oldest, DIGEST])


@inlined
def insert_last(events, segment):
    """Bring the event that stands behind a segment to its place in it; False when it is there already."""
    last = segment[START] + segment[LENGTH]
    time_us, digest, at = events[last, TIME], events[last, DIGEST], last
    while at > segment[START] and earlier(time_us, digest, events[at - 1, TIME], events[at - 1, DIGEST]):
        at -= 1
    if at > segment[START] and events[at - 1, TIME] == time_us and events[at - 1, DIGEST] == digest:
        return False
    for word in range(events.shape[1] if at < last else 0):
        moved = events[last, word]
        for place in range(last, at, -1):
            events[place, word] = events[place - 1, word]
        events[at, word] = moved
    segment[LENGTH] += 1
    return True


@inlined
def merge_sets(tables, events, first, stop, scratch):
    """Merge events of a head, those at `first .. stop` of the pool, into the sets of a read."""
    row, columns = scratch.row, (events.shape[1] - VALUES) >> 1
    for index in range(1, tables.set_sizes.size):
        value = VALUES + tables.set_columns[index]
        for at in range(first, stop):
            if events[at, value + columns]:
                row[index] = add_to_smallest(
                    scratch.smallest[index],
                    scratch.cells[index],
                    scratch.taken[index],
                    row[index],
                    tables.set_sizes[index],
                    mix64(np.int64(events[at, value])),
                )
