"""Pools: the memory of many entities' heads, tiles and sets in a few arrays, and how it grows."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared_features.kernel.loops.compiled import compiled, inlined
from shared_features.kernel.loops.events import move_events
from shared_features.kernel.loops.machine_words import one_by_one
from shared_features.kernel.loops.segments import BASE, CAPACITY, FIELDS, LENGTH, MOVES, NO_ROOM, START, plan_room


class Pools(NamedTuple):
    """The arrays of a state. A tile is a start and a row; its sets lie in its entity's set segments.

    A head is an entity's newest events by (time, digest), and may hold some that fell behind it; they are in no tile.
    """

    newest_us: NDArray[np.int64]  # [slots]: greatest event time, or NEVER_US
    due_us: NDArray[np.int64]  # [slots]: the newest event time at which tiles have to be coarsened
    tiles: NDArray[np.int64]  # [slots, FIELDS]: segments of `starts` and `rows`
    sets: NDArray[np.int64]  # [slots, sets, FIELDS]: segments of `words`
    starts: NDArray[np.int64]  # [tile pool]
    rows: NDArray[np.int64]  # [tile pool, words of a row]
    words: NDArray[np.uint64]  # [set pool]
    heads: NDArray[np.int64]  # [slots, FIELDS]: segments of `events`
    events: NDArray[np.int64]  # [head pool, words of an event]: laid out by `events.py`
    usage: NDArray[np.int64]  # [3, 3]: tile pool, set pool, head pool


@inlined
def make_room(pools, slot, events):
    """Room for so many events more in one tile of an entity; False when a pool has to grow first."""
    room = make_tile_room(pools, slot, 1)
    for index in range(pools.sets.shape[1]):
        room = make_set_room(pools, slot, index, events) and room
    return room


@inlined
def make_tile_room(pools, slot, more):
    """Room for `more` tiles of an entity; False when the pool has to grow first."""
    segment, starts, rows = pools.tiles[slot], pools.starts, pools.rows
    plan = plan_room(segment, pools.usage[0], starts.size, more)
    if plan == MOVES:
        move_tiles(starts, rows, segment[START], segment[BASE], segment[LENGTH])
        segment[START] = segment[BASE]
    return plan != NO_ROOM


@inlined
def make_set_room(pools, slot, index, more):
    """Room for `more` words of one of an entity's sets; False when the pool has to grow first."""
    segment, words = pools.sets[slot, index], pools.words
    plan = plan_room(segment, pools.usage[1], words.size, more)
    if plan == MOVES:
        move_words(words, segment[START], segment[BASE], segment[LENGTH])
        segment[START] = segment[BASE]
    return plan != NO_ROOM


@inlined
def make_head_room(pools, slot, more):
    """Room for `more` events in an entity's head; False when the pool has to grow first."""
    segment = pools.heads[slot]
    plan = plan_room(segment, pools.usage[2], pools.events.shape[0], more)
    if plan == MOVES:
        move_events(pools.events, segment[START], segment[BASE], segment[LENGTH])
        segment[START] = segment[BASE]
    return plan != NO_ROOM


@compiled
def move_tiles(starts, rows, source, target, count):
    """Copy tiles within a pool, either way, overlapping or not."""
    step = 1 if target < source else -1
    first = 0 if step == 1 else count - 1
    for i in range(count):
        at = first + i * step
        starts[target + at] = starts[source + at]
        for word in range(rows.shape[1]):
            one_by_one()
            rows[target + at, word] = rows[source + at, word]


@inlined
def move_words(words, source, target, count):
    """Copy set elements within a pool, either way, overlapping or not."""
    if target < source:
        for i in range(count):
            words[target + i] = words[source + i]
    else:
        for i in range(count - 1, -1, -1):
            words[target + i] = words[source + i]


@compiled
def compact_tiles(tiles, starts, rows, to_starts, to_rows):
    """Copy the live tiles of all entities into other arrays, closely; returns how much of those is used."""
    top = 0
    for slot in range(tiles.shape[0]):
        segment = tiles[slot]
        for i in range(segment[LENGTH]):
            to_starts[top + i] = starts[segment[START] + i]
            for word in range(rows.shape[1]):
                to_rows[top + i, word] = rows[segment[START] + i, word]
        top = _settle(segment, top)
    return top


@compiled
def compact_words(sets, words, to_words):
    """Copy the live set elements of all entities into another array, closely; returns how much of it is used."""
    top = 0
    for slot in range(sets.shape[0]):
        for index in range(sets.shape[1]):
            segment = sets[slot, index]
            for i in range(segment[LENGTH]):
                to_words[top + i] = words[segment[START] + i]
            top = _settle(segment, top)
    return top


@compiled
def compact_heads(heads, events, to_events):
    """Copy the heads of all entities into another array, closely; returns how much of it is used."""
    top = 0
    for slot in range(heads.shape[0]):
        segment = heads[slot]
        for i in range(segment[LENGTH]):
            for word in range(events.shape[1]):
                to_events[top + i, word] = events[segment[START] + i, word]
        top = _settle(segment, top)
    return top


@inlined
def _settle(segment, top):
    segment[START] = segment[BASE] = top
    segment[CAPACITY] = min(segment[CAPACITY], segment[LENGTH] + (segment[LENGTH] >> 1) + 2)
    return top + segment[CAPACITY]


@compiled
def forget(pools, slots, give_back):
    """Empty entities; `give_back` their room too."""
    for slot in slots:
        forget_entity(pools, slot, give_back)


@inlined
def forget_entity(pools, slot, give_back):
    """Empty one entity; `give_back` its room too."""
    pools.newest_us[slot] = pools.due_us[slot] = NEVER_US
    _forget_segment(pools.tiles[slot], pools.usage[0], give_back)
    _forget_segment(pools.heads[slot], pools.usage[2], give_back)
    for index in range(pools.sets.shape[1]):
        _forget_segment(pools.sets[slot, index], pools.usage[1], give_back)


@inlined
def _forget_segment(segment, usage, give_back):
    segment[LENGTH] = 0
    segment[START] = segment[BASE]
    if give_back:
        usage[1] += segment[CAPACITY]
        segment[:] = 0


NEVER_US = -(1 << 63)
"""The newest event time of an entity without events."""

__all__ = [
    "FIELDS",
    "NEVER_US",
    "Pools",
    "compact_heads",
    "compact_tiles",
    "compact_words",
    "forget",
    "make_head_room",
    "make_room",
    "make_set_room",
    "make_tile_room",
    "move_tiles",
    "move_words",
]
