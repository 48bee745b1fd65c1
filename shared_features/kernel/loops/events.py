"""An event as the pool of heads holds it: a row of words."""

import numpy as np

from shared_features.kernel.loops.compiled import inlined
from shared_features.kernel.loops.machine_words import one_by_one

TIME, DIGEST, VALUES = 0, 1, 2
"""The words of an event: its time, its digest, the values of its columns, then 1 for each that is there, else 0."""


def event_words(columns: int) -> int:
    """How many words an event takes."""
    return VALUES + 2 * columns


@inlined
def lay_out(event, events, i):
    """Write event i of columns as the heads hold it."""
    event[TIME], event[DIGEST] = events.event_time_us[i], np.int64(events.digest[i])
    columns = events.values.shape[1]
    for column in range(columns):
        one_by_one()
        valid = events.valid[i, column]
        event[VALUES + column] = events.values[i, column] if valid else 0
        event[VALUES + columns + column] = valid


@inlined
def columns_of(event):
    """The values of an event of a head, and which of them are there."""
    columns = (event.size - VALUES) >> 1
    return event[VALUES : VALUES + columns], event[VALUES + columns :]


@inlined
def move_events(events, source, target, count):
    """Copy events of heads within a pool, either way, overlapping or not."""
    step = 1 if target < source else -1
    first = 0 if step == 1 else count - 1
    for i in range(count):
        at = first + i * step
        for word in range(events.shape[1]):
            one_by_one()
            events[target + at, word] = events[source + at, word]
