"""One event into its tile."""

from shared_features.kernel.loops.cascade import PRUNED_LEVEL, advance, floor_us, level_of, set_offset
from shared_features.kernel.loops.compiled import inlined
from shared_features.kernel.loops.hashes import mix64
from shared_features.kernel.loops.pools import make_room, move_tiles, move_words
from shared_features.kernel.loops.rows import prepare_row
from shared_features.kernel.loops.segments import LENGTH, START, has_room
from shared_features.kernel.loops.sets import find

PRUNED, APPLIED, DUPLICATE = 0, 1, 2
NO_ROOM = 3


@inlined
def apply_event(tables, pools, slot, event_time_us, digest, values, valid):
    """Put one event into its tile; NO_ROOM, and nothing changed, when a pool has to grow first.

    A layout's only set of the events themselves is that of digests, so a duplicate shows before anything changed.
    """
    level = 0
    if event_time_us <= pools.newest_us[slot]:
        level = level_of(tables, event_time_us, pools.newest_us[slot])
        if level == PRUNED_LEVEL:
            return PRUNED
    if not _has_room(pools, slot) and not make_room(pools, slot):
        return NO_ROOM
    if event_time_us > pools.newest_us[slot]:
        advance(tables, pools, slot, event_time_us)
    tile = _tile_of(tables, pools, slot, floor_us(event_time_us, tables.hops[level]))
    for index in range(tables.set_columns.size):
        column = tables.set_columns[index]
        if column < 0 or valid[column]:
            word = digest if column < 0 else mix64(values[column])
            if not _add_word(pools, slot, tile, index, tables.set_sizes[index], word) and index == 0:
                return DUPLICATE
    prepare_row(tables, pools.rows[pools.tiles[slot, START] + tile], event_time_us, digest, values, valid)
    return APPLIED


@inlined
def _has_room(pools, slot):
    """Whether there is room for one event more: a tile, and a word in each set."""
    room = has_room(pools.tiles[slot])
    for index in range(pools.sets.shape[1]):
        room = room and has_room(pools.sets[slot, index])
    return room


@inlined
def _tile_of(tables, pools, slot, start_us):
    """Index of the entity's tile that starts there; an empty one is put in where there is none."""
    segment, starts, rows = pools.tiles[slot], pools.starts, pools.rows
    tile = segment[LENGTH]
    while tile and starts[segment[START] + tile - 1] >= start_us:
        tile -= 1
    at = segment[START] + tile
    if tile < segment[LENGTH] and starts[at] == start_us:
        return tile
    move_tiles(starts, rows, at, at + 1, segment[LENGTH] - tile)
    segment[LENGTH] += 1
    starts[at] = start_us
    for word in range(rows.shape[1]):
        rows[at, word] = tables.empty_row[word]
    return tile


@inlined
def _add_word(pools, slot, tile, index, size, word):
    """Add a word to a set of a tile that keeps the `size` smallest; False when it is there already."""
    segment, words, rows = pools.sets[slot, index], pools.words, pools.rows
    row = pools.tiles[slot, START] + tile
    start = segment[START] + set_offset(rows, pools.tiles[slot], tile, index, segment[LENGTH])
    stop = start + rows[row, index]
    at = find(words, start, stop, word)
    if at < stop and words[at] == word:
        return False
    if stop - start == size:
        if at < stop:
            move_words(words, at, at + 1, stop - at - 1)
            words[at] = word
        return True
    move_words(words, at, at + 1, segment[START] + segment[LENGTH] - at)
    words[at] = word
    segment[LENGTH] += 1
    rows[row, index] += 1
    return True
