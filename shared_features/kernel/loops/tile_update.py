"""One event into the head or the tile where it belongs, and what fell behind the head into tiles."""

import numpy as np

from shared_features.kernel.loops.cascade import PRUNED_LEVEL, advance, floor_us, level_of, set_offset
from shared_features.kernel.loops.compiled import compiled, inlined
from shared_features.kernel.loops.events import DIGEST, TIME, VALUES
from shared_features.kernel.loops.hashes import mix64
from shared_features.kernel.loops.head import insert_last, is_older
from shared_features.kernel.loops.machine_words import one_by_one
from shared_features.kernel.loops.pools import make_head_room, make_room, move_tiles, move_words
from shared_features.kernel.loops.rows import prepare_events
from shared_features.kernel.loops.segments import LENGTH, START, has_room
from shared_features.kernel.loops.sets import find

PRUNED, APPLIED, DUPLICATE = 0, 1, 2
NO_ROOM = 3
_FEW = 16  # so many events may lie in a segment before what is behind the head is put into tiles


@inlined
def apply_event(tables, pools, slot, event):
    """Put one event in, a row as the heads hold it.

    NO_ROOM when a pool has to grow first: put it in again then; till then all reads as before.
    """
    head, newest_us = pools.heads[slot], pools.newest_us[slot]
    if not has_room(head, 1) and not _make_head_room(tables, pools, slot):
        return NO_ROOM
    at = head[START] + head[LENGTH]
    for word in range(event.size):
        one_by_one()
        pools.events[at, word] = event[word]
    event_time_us = event[TIME]
    if event_time_us > newest_us:
        advance(tables, pools, slot, event_time_us)
        head[LENGTH] += 1
        return APPLIED
    if newest_us - event_time_us > tables.head_us:
        if level_of(tables, event_time_us, newest_us) == PRUNED_LEVEL:
            return PRUNED
        if is_older(pools.events, head, at):
            events = pools.sets[slot, 0, LENGTH]
            if put_in_tiles(tables, pools, slot, at, at + 1) == at:
                return NO_ROOM
            return DUPLICATE if events == pools.sets[slot, 0, LENGTH] else APPLIED
    return APPLIED if insert_last(pools.events, head) else DUPLICATE


@inlined
def _make_head_room(tables, pools, slot):
    """Room for one event more; False when a pool has to grow first."""
    if pools.heads[slot, LENGTH] >= _FEW and not settle(tables, pools, slot):
        return False
    return make_head_room(pools, slot, 1)


@inlined
def settle(tables, pools, slot):
    """Put what fell behind the head into tiles; False when a pool has to grow first."""
    head, events = pools.heads[slot], pools.events
    before_us = pools.newest_us[slot] - tables.head_us
    stop = first = head[START]
    while stop < first + head[LENGTH] and events[stop, TIME] < before_us:
        stop += 1
    if stop > first:
        head[START] = put_in_tiles(tables, pools, slot, first, stop)
        head[LENGTH] -= head[START] - first
    return head[START] == stop


@compiled
def put_in_tiles(tables, pools, slot, first, stop):
    """Put the events at `first .. stop` of the pool of heads, sorted, into tiles.

    Returns where the first one is that was not put, as a pool has to grow first.
    """
    events = pools.events
    while first < stop:
        level = level_of(tables, events[first, TIME], pools.newest_us[slot])
        if level == PRUNED_LEVEL:
            first += 1
            continue
        start_us = floor_us(events[first, TIME], tables.hops[level])
        end = first + 1
        while end < stop and events[end, TIME] < start_us + tables.hops[level]:
            end += 1
        if not make_room(pools, slot, end - first):
            return first
        tile = _tile_of(tables, pools, slot, start_us)
        while first < end:
            first = _put_in_tile(tables, pools, slot, tile, first, end)
    return first


@inlined
def _put_in_tile(tables, pools, slot, tile, first, end):
    """Put events into a tile, where there is room, up to the first one that is there already; returns what is next.

    A layout's only set of the events themselves is that of digests, so a copy shows before anything changed.
    """
    events, stop = pools.events, end
    columns = (events.shape[1] - VALUES) >> 1
    for index in range(tables.set_columns.size):
        column, at = tables.set_columns[index], first
        while at < stop:
            if column < 0 or events[at, VALUES + columns + column]:
                word = np.uint64(events[at, DIGEST]) if column < 0 else mix64(events[at, VALUES + column])
                if not _add_word(pools, slot, tile, index, tables.set_sizes[index], word) and index == 0:
                    stop = at
            at += 1
    row = pools.rows[pools.tiles[slot, START] + tile]
    prepare_events(tables.kind_bounds, tables.word_bounds, tables.register_columns, row, events, first, stop)
    return stop if stop == end else stop + 1


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
        one_by_one()
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
