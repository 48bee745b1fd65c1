"""The head of an entity: its newest events, kept one by one in the order of (event time, digest).

In the head are the events `t >= newest - head_us`, the tiles hold the older ones. A tile holds no order inside, so it
can only be read whole; a read as of any instant in the head takes exactly what lies strictly before that instant.
What is in the head depends on nothing but the events, so the order in which they came cannot show.
"""

import numpy as np

from shared_features.kernel.loops.compiled import inlined
from shared_features.kernel.loops.hashes import mix64
from shared_features.kernel.loops.pools import move_events
from shared_features.kernel.loops.registers import earlier
from shared_features.kernel.loops.rows import prepare_row
from shared_features.kernel.loops.segments import LENGTH, START
from shared_features.kernel.loops.sets import add_to_smallest

TIME, DIGEST, VALUES = 0, 1, 2
"""The words of an event: its time, its digest, the values of its columns, then 1 for each that is there, else 0."""


def event_words(columns: int) -> int:
    """How many words an event takes."""
    return VALUES + 2 * columns


@inlined
def lay_out(event, event_time_us, digest, values, valid):
    """Write an event as the heads hold it."""
    event[TIME], event[DIGEST] = event_time_us, np.int64(digest)
    for column in range(values.size):
        event[VALUES + column] = values[column]
        event[VALUES + values.size + column] = valid[column]


@inlined
def columns_of(event):
    """The values of an event of a head, and which of them are there."""
    columns = (event.size - VALUES) >> 1
    return event[VALUES : VALUES + columns], event[VALUES + columns :]


@inlined
def in_head(tables, newest_us, event_time_us):
    """Whether an event belongs into the head of an entity with this newest event time."""
    return event_time_us > newest_us or newest_us - event_time_us <= tables.head_us


@inlined
def insert(pools, slot, event):
    """Put an event in, where there is room; False when it is there already."""
    segment, events = pools.heads[slot], pools.events
    stop = segment[START] + segment[LENGTH]
    at = stop
    while at > segment[START] and earlier(event[TIME], event[DIGEST], events[at - 1, TIME], events[at - 1, DIGEST]):
        at -= 1
    if at > segment[START] and events[at - 1, TIME] == event[TIME] and events[at - 1, DIGEST] == event[DIGEST]:
        return False
    if at < stop:
        move_events(events, at, at + 1, stop - at)
    for word in range(event.size):
        events[at, word] = event[word]
    segment[LENGTH] += 1
    return True


@inlined
def leave(segment):
    """Drop the oldest event."""
    segment[START] += 1
    segment[LENGTH] -= 1


@inlined
def merge_event(tables, event, scratch):
    """Merge one event of a head into the registers and sets of a read."""
    row, (values, valid) = scratch.row, columns_of(event)
    prepare_row(tables, row, event[TIME], np.uint64(event[DIGEST]), values, valid)
    for index in range(1, tables.set_sizes.size):
        column = tables.set_columns[index]
        if valid[column]:
            row[index] = add_to_smallest(
                scratch.smallest[index], row[index], tables.set_sizes[index], mix64(values[column])
            )
