"""One entity's head and tiles to its feature values as of an instant."""

from shared_features.kernel.loops.cascade import floor_us
from shared_features.kernel.loops.compiled import inlined
from shared_features.kernel.loops.events import TIME
from shared_features.kernel.loops.head import merge_events
from shared_features.kernel.loops.machine_words import call_finalizer, one_by_one, word_at
from shared_features.kernel.loops.rows import merge_rows
from shared_features.kernel.loops.segments import LENGTH, START
from shared_features.kernel.loops.sets import begin_smallest, merge_into_smallest


@inlined
def read_entity(tables, pools, slot, as_of_us, values, scratch):
    """One entity's features: one pass from its newest event backwards, each window finished as it is passed."""
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
        start_us, event = scratch.starts[window], stop
        while event > first_event and word_at(events, event - 1, TIME) >= start_us:
            event -= 1
        if event < stop:
            merge_events(tables, events, event, stop, scratch)
            stop = event
        while tile >= first_tile and word_at(starts, tile) >= start_us:
            tile -= 1
        if tile < newest:
            merge_rows(tables.word_bounds, row, pools.rows, tile + 1, newest + 1)
        _merge_sets(tables, pools, slot, tile + 1, newest, scratch)
        newest = tile
        for feature in range(tables.window_bounds[window], tables.window_bounds[window + 1]):
            values[tables.feature_outputs[feature]] = call_finalizer(
                tables.finalizers[feature],
                row,
                tables.feature_places[feature],
                scratch.kept,
                tables.feature_scales[feature],
                as_of_us,
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
        if scratch.row[index] == tables.set_sizes[index]:
            scratch.kept[index, 1] = scratch.smallest[index, tables.set_sizes[index] - 1]
