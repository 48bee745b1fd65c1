"""One entity's tiles to its feature values as of an instant."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared_features.kernel.cascade import floor_us
from shared_features.kernel.compiled import inlined
from shared_features.kernel.finalize import finalize
from shared_features.kernel.layout import Layout
from shared_features.kernel.registers import merge_rows
from shared_features.kernel.segments import LENGTH, START
from shared_features.kernel.sets import merge_into_smallest


class Scratch(NamedTuple):
    """What one read needs beside the state: room for the merged tiles of one entity."""

    row: NDArray[np.int64]  # [words of a row]
    smallest: NDArray[np.uint64]  # [sets, largest k]
    counts: NDArray[np.int64]  # [sets]
    order: NDArray[np.int64]  # [windows]: by their start, latest first
    starts: NDArray[np.int64]  # [windows]: where each begins


def scratch(layout: Layout) -> Scratch:
    """Room for reads of this layout, by one thread."""
    tables = layout.tables
    windows, sets = len(tables.window_lengths), len(tables.set_sizes)
    return Scratch(
        row=tables.empty_row.copy(),
        smallest=np.empty((sets, max([0, *tables.set_sizes[1:].tolist()])), np.uint64),
        counts=np.zeros(sets, np.int64),
        order=np.arange(windows),
        starts=np.empty(windows, np.int64),
    )


@inlined
def read_entity(tables, pools, slot, as_of_us, values, scratch):  # type: ignore[no-untyped-def]  # compiled
    """One entity's features: one pass from its newest tile backwards, each window finished as it is passed."""
    _order_windows(tables, as_of_us, scratch)
    row, counts = scratch.row, scratch.counts
    for word in range(row.size):
        row[word] = tables.empty_row[word]
    counts[:] = 0
    segment, starts = pools.tiles[slot], pools.starts
    tile = segment[START] + segment[LENGTH] - 1
    while tile >= segment[START] and starts[tile] >= as_of_us:
        tile -= 1
    newest = tile
    for window in scratch.order:
        while tile >= segment[START] and starts[tile] >= scratch.starts[window]:
            merge_rows(tables.word_bounds, row, pools.rows[tile])
            tile -= 1
        _merge_sets(tables, pools, slot, tile + 1, newest, scratch)
        newest = tile
        for feature in range(tables.window_bounds[window], tables.window_bounds[window + 1]):
            plan = tables.feature_plan[feature]
            values[plan[0]] = finalize(
                row, counts, scratch.smallest, tables.set_sizes, plan, tables.feature_scales[feature], as_of_us
            )


@inlined
def _order_windows(tables, as_of_us, scratch):  # type: ignore[no-untyped-def]  # compiled: numba infers the types
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
def _merge_sets(tables, pools, slot, first, last, scratch):  # type: ignore[no-untyped-def]  # compiled
    """Merge the sets (not that of ids) of the tiles at `first .. last` of the pool into the scratch."""
    segment = pools.tiles[slot]
    for index in range(1, tables.set_sizes.size):
        words = pools.sets[slot, index]
        stop = words[START] + words[LENGTH]
        for tile in range(segment[START] + segment[LENGTH] - 1, first - 1, -1):
            start = stop - pools.rows[tile, index]
            if tile <= last:
                scratch.counts[index] = merge_into_smallest(
                    scratch.smallest[index],
                    scratch.counts[index],
                    tables.set_sizes[index],
                    pools.words,
                    start,
                    stop,
                )
            stop = start
