"""One event into the head or the tile where it belongs."""

import numpy as np

from shared_features.kernel.loops.cascade import PRUNED_LEVEL, advance, floor_us, level_of, set_offset
from shared_features.kernel.loops.compiled import inlined
from shared_features.kernel.loops.hashes import mix64
from shared_features.kernel.loops.head import DIGEST, TIME, columns_of, in_head, insert, leave
from shared_features.kernel.loops.pools import NEVER_US, make_head_room, make_room, move_tiles, move_words
from shared_features.kernel.loops.rows import prepare_row
from shared_features.kernel.loops.segments import LENGTH, START, has_room
from shared_features.kernel.loops.sets import find

PRUNED, APPLIED, DUPLICATE = 0, 1, 2
NO_ROOM = 3


@inlined
def apply_event(tables, pools, slot, event):
    """Put one event in, laid out as those of a head. NO_ROOM when a pool has to grow first: put it in again then.

    What leaves the head is put into tiles on the way; stopped half-way, the state reads as before.
    """
    time_us, newest_us, head = event[TIME], pools.newest_us[slot], pools.heads[slot]
    late, level, head_from_us = not in_head(tables, newest_us, time_us), 0, NEVER_US
    if late:
        level = level_of(tables, time_us, newest_us)
        if level == PRUNED_LEVEL:
            return PRUNED
    elif not has_room(head) and not make_head_room(pools, slot, 1):
        return NO_ROOM
    elif time_us > newest_us:
        head_from_us = time_us - tables.head_us
    while late or (head[LENGTH] and pools.events[head[START], TIME] < head_from_us):
        if not _has_room(pools, slot) and not make_room(pools, slot):
            return NO_ROOM
        outcome = _put_in_tile(tables, pools, slot, level, event if late else pools.events[head[START]])
        if late:
            return outcome
        leave(head)
    if time_us > newest_us:
        advance(tables, pools, slot, time_us)
    return APPLIED if insert(pools, slot, event) else DUPLICATE


@inlined
def _put_in_tile(tables, pools, slot, level, event):
    """Put one event into its tile, where there is room.

    A layout's only set of the events themselves is that of digests, so a duplicate shows before anything changed.
    """
    values, valid = columns_of(event)
    tile = _tile_of(tables, pools, slot, floor_us(event[TIME], tables.hops[level]))
    for index in range(tables.set_columns.size):
        column = tables.set_columns[index]
        if column < 0 or valid[column]:
            word = np.uint64(event[DIGEST]) if column < 0 else mix64(values[column])
            if not _add_word(pools, slot, tile, index, tables.set_sizes[index], word) and index == 0:
                return DUPLICATE
    row = pools.rows[pools.tiles[slot, START] + tile]
    prepare_row(tables, row, event[TIME], np.uint64(event[DIGEST]), values, valid)
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
