"""The cascade: how coarse the tile of an event is, given its entity's newest event.

With hops h0 | h1 | ... and keep_i, how long something may be read at hop h_i or finer, an event of time t is

    in an h_i tile      of the smallest i with  t >= floor(newest - keep_i, h_{i+1})
    pruned              when there is none (the last bound is floored to the last hop)

Bounds are multiples of the coarser hop and fall with i, so tiles nest and never overlap. Which tile an event is in
depends on nothing but its own time and the entity's newest: the layout is a normal form of the set of events.
"""

from shared_features.kernel.loops.compiled import compiled, inlined
from shared_features.kernel.loops.machine_words import one_by_one, word_at
from shared_features.kernel.loops.pools import move_tiles, move_words
from shared_features.kernel.loops.register_bytes import GREATEST
from shared_features.kernel.loops.rows import merge_rows
from shared_features.kernel.loops.segments import LENGTH, START
from shared_features.kernel.loops.sets import sort_distinct

PRUNED_LEVEL = -1


@inlined
def floor_us(time_us, hop_us):
    """The greatest multiple of the hop that is not after the instant."""
    return time_us - time_us % hop_us


@inlined
def bound_us(tables, newest_us, level):
    """What is older than this is in a coarser tile than those of `level`, or pruned."""
    coarser = min(level + 1, tables.hops.size - 1)
    return floor_us(newest_us - tables.keeps[level], tables.hops[coarser])


@inlined
def level_of(tables, event_time_us, newest_us):
    """The level of an event not newer than `newest_us`, or PRUNED_LEVEL."""
    # The bound is not later than this: most events need no division.
    if event_time_us >= newest_us - tables.keeps[0]:
        return 0
    for level in range(tables.hops.size):
        if event_time_us >= bound_us(tables, newest_us, level):
            return level
    return PRUNED_LEVEL


@inlined
def first_tile(starts, segment, time_us):
    """Index in the segment of its first tile that starts at or after the time."""
    low, high = 0, segment[LENGTH]
    while low < high:
        middle = (low + high) >> 1
        if starts[segment[START] + middle] < time_us:
            low = middle + 1
        else:
            high = middle
    return low


@inlined
def set_offset(rows, segment, tile, index, length):
    """Where the set of one tile begins in the entity's segment of that set, which has `length` words."""
    start, after = segment[START], length
    for i in range(segment[LENGTH] - 1, tile - 1, -1):
        one_by_one()
        after -= word_at(rows, start + i, index)
    return after


@inlined
def advance(tables, pools, slot, newest_us):
    """Set an entity's newest event time, later than before: prune and coarsen what fell behind the bounds."""
    if newest_us >= pools.due_us[slot]:
        _fall_behind(tables, pools, slot, newest_us)
    pools.newest_us[slot] = newest_us


@compiled
def _fall_behind(tables, pools, slot, newest_us):
    before_us, levels = pools.newest_us[slot], tables.hops.size
    _prune(pools, slot, bound_us(tables, newest_us, levels - 1))
    due_us = GREATEST
    for level in range(levels):
        bound = bound_us(tables, newest_us, level)
        coarser = tables.hops[min(level + 1, levels - 1)]
        due_us = min(due_us, bound + coarser + tables.keeps[level])
        if level < levels - 1 and pools.tiles[slot, LENGTH]:
            _coarsen(tables, pools, slot, bound_us(tables, before_us, level), bound, coarser)
    pools.due_us[slot] = due_us


@inlined
def _prune(pools, slot, bound):
    segment, starts, rows = pools.tiles[slot], pools.starts, pools.rows
    while segment[LENGTH] and starts[segment[START]] < bound:
        for index in range(pools.sets.shape[1]):
            words = rows[segment[START], index]
            pools.sets[slot, index, START] += words
            pools.sets[slot, index, LENGTH] -= words
        segment[START] += 1
        segment[LENGTH] -= 1


@inlined
def _coarsen(tables, pools, slot, since_us, until_us, hop_us):
    """Bring the tiles that start in [since, until) to the hop."""
    segment, starts, rows = pools.tiles[slot], pools.starts, pools.rows
    stop = first_tile(starts, segment, until_us)
    tile = first_tile(starts, segment, since_us)
    kept = tile
    while tile < stop:
        at, start = segment[START] + tile, floor_us(starts[segment[START] + tile], hop_us)
        same = 1
        while tile + same < stop and starts[at + same] < start + hop_us:
            same += 1
        if same > 1:
            merge_rows(tables.word_bounds, rows[at], rows, at + 1, at + same)
            _merge_sets(tables, pools, slot, tile, same)
        starts[at] = start
        if kept < tile:
            move_tiles(starts, rows, at, segment[START] + kept, 1)
        tile, kept = tile + same, kept + 1
    if kept < tile:
        move_tiles(starts, rows, segment[START] + tile, segment[START] + kept, segment[LENGTH] - tile)
        segment[LENGTH] -= tile - kept


@compiled
def _merge_sets(tables, pools, slot, tile, same):
    """Merge the sets of `same` tiles, which lie side by side, into those of the first."""
    rows, at = pools.rows, pools.tiles[slot, START] + tile
    for index in range(pools.sets.shape[1]):
        segment = pools.sets[slot, index]
        # Tiles after these still have their own lengths; the moved ones before them do not count from the back.
        start = segment[START] + set_offset(rows, pools.tiles[slot], tile, index, segment[LENGTH])
        stop = start
        for i in range(same):
            one_by_one()
            stop += rows[at + i, index]
        words = sort_distinct(pools.words, start, stop, tables.set_sizes[index])
        rows[at, index] = words
        if start + words < stop:
            move_words(pools.words, stop, start + words, segment[START] + segment[LENGTH] - stop)
            segment[LENGTH] -= stop - start - words
