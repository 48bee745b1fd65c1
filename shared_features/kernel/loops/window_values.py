"""One entity's head and tiles to its feature values as of an instant.

A read leaves the registers of each window in the room; reads are finished many at once, feature by feature. Calls of
finalizers between the windows of a read took as long as half of the read: they cannot overlap there, and everything
that the loop holds is saved for them.
"""

from shared_features.kernel.loops.cascade import floor_us
from shared_features.kernel.loops.compiled import called, inlined
from shared_features.kernel.loops.events import TIME
from shared_features.kernel.loops.head import merge_sets
from shared_features.kernel.loops.machine_words import call_finalizer, one_by_one, word_at
from shared_features.kernel.loops.passes import pass_events, pass_tiles
from shared_features.kernel.loops.segments import LENGTH, START
from shared_features.kernel.loops.sets import begin_smallest, merge_into_smallest


@inlined
def read_entity(tables, pools, slot, as_of_us, scratch, at):
    """Merge one entity's windows into place `at` of the room: one pass from its newest event backwards."""
    _order_windows(tables, as_of_us, scratch)
    row = scratch.row
    for index in range(1, tables.set_sizes.size):
        begin_smallest(scratch.cells[index], scratch.taken[index], row[index])
    for word in range(row.size):
        one_by_one()
        row[word] = tables.empty_row[word]
    starts, events = pools.starts, pools.events
    # Held here: the compiler reads them again after each value that is written.
    first_tile, first_event = pools.tiles[slot, START], pools.heads[slot, START]
    tile = first_tile + pools.tiles[slot, LENGTH] - 1
    while tile >= first_tile and word_at(starts, tile) >= as_of_us:
        tile -= 1
    newest = tile
    stop = first_event + pools.heads[slot, LENGTH]
    while stop > first_event and word_at(events, stop - 1, TIME) >= as_of_us:
        stop -= 1
    for window in scratch.order:
        start_us = scratch.starts[window]
        event = pass_events(tables, events, first_event, stop, start_us, scratch)
        merge_sets(tables, events, event, stop, scratch)
        stop = event
        tile = pass_tiles(tables, starts, pools.rows, first_tile, newest, start_us, scratch)
        _merge_sets(tables, pools, slot, tile + 1, newest, scratch)
        newest = tile
        _keep(tables, row, scratch, at * scratch.order.size + window)


@inlined
def _keep(tables, row, scratch, place):
    """Copy the registers of a window to where they wait until they are finished."""
    for word in range(row.size):
        one_by_one()
        scratch.rows[place, word] = row[word]
    for index in range(1, tables.set_sizes.size):
        if row[index] == tables.set_sizes[index]:
            scratch.kept[place, index, 1] = scratch.smallest[index, tables.set_sizes[index] - 1]


@called
def finish_reads(tables, scratch, reads, values):
    """Write the values of the reads at the first places of the room, each into its row of `values`."""
    windows = scratch.order.size
    for window in range(windows):
        for feature in range(tables.window_bounds[window], tables.window_bounds[window + 1]):
            for at in range(reads):
                values[scratch.value_rows[at], tables.feature_outputs[feature]] = call_finalizer(
                    tables.finalizers[feature],
                    scratch.rows[at * windows + window],
                    tables.feature_places[feature],
                    scratch.kept[at * windows + window],
                    tables.feature_scales[feature],
                    scratch.as_of_us[at],
                )


@inlined
def _order_windows(tables, as_of_us, scratch):
    """Sort the windows by where they begin, latest first: nearly the order of their lengths, but hops differ."""
    order, starts = scratch.order, scratch.starts
    for window in range(starts.size):
        starts[window] = floor_us(as_of_us - tables.window_lengths[window], tables.window_hops[window])
        at = window
        while at and starts[order[at - 1]] < starts[window]:
            order[at] = order[at - 1]
            at -= 1
        order[at] = window


@inlined
def _merge_sets(tables, pools, slot, first, last, scratch):
    """Merge the sets (not that of ids) of the tiles at `first .. last` of the pool into the scratch."""
    segment = pools.tiles[slot]
    for index in range(1, tables.set_sizes.size):
        words = pools.sets[slot, index]
        stop = words[START] + words[LENGTH]
        for tile in range(segment[START] + segment[LENGTH] - 1, first - 1, -1):
            one_by_one()
            start = stop - pools.rows[tile, index]
            if tile <= last:
                scratch.row[index] = merge_into_smallest(
                    scratch.smallest[index],
                    scratch.cells[index],
                    scratch.taken[index],
                    scratch.row[index],
                    tables.set_sizes[index],
                    pools.words,
                    start,
                    stop,
                )
            stop = start
