"""Reads entity states; the bytes are drawn in `entity_state.py`."""

import numpy as np

from shared_features.formats.entity_state_plan import StatePlan, StateRoom
from shared_features.formats.entity_state_writer import CHECKSUM_AT, FRAME_BYTES
from shared_features.kernel.held_arrays import (
    HELD,
    held_arrays,
    held_layout,
    held_pools,
    held_room,
    integer_rows,
    integers,
)
from shared_features.kernel.loops.cascade import floor_us
from shared_features.kernel.loops.checksum import checksum
from shared_features.kernel.loops.compiled import compiled, inlined
from shared_features.kernel.loops.events import DIGEST, TIME, columns_of
from shared_features.kernel.loops.hashes import mix64
from shared_features.kernel.loops.machine_words import load_word
from shared_features.kernel.loops.pools import (
    NEVER_US,
    forget_entity,
    make_head_room,
    make_set_room,
    make_tile_room,
)
from shared_features.kernel.loops.register_bytes import Tile
from shared_features.kernel.loops.rows import get_row, prepare_event
from shared_features.kernel.loops.segments import LENGTH, START
from shared_features.kernel.loops.varints import get_varint, unzigzag
from shared_features.kernel.loops.window_values import finish_reads, read_entity

DONE, NO_ROOM, DAMAGED, OTHER_SCHEMA, MISSING = 0, 1, 2, 3, 4
STATUS, NEWEST, BEFORE = 0, 1, 2
"""Columns of what `read_groups` tells of an entity: DONE or why not, its newest event, the newest that counts."""
_UNCHECKED, _UNCHECKED_LEAST = 1, 10  # the schema before checksums, and its fewest bytes: nothing shows damage in it


@compiled
def decode_into(tables, plan, pools, room, slots, schema, build_id, owners, buffer, ends, found, status, done):
    """Fill empty entities from entity `done` on; returns how many are done, `status[0]` says why not all.

    An entity without bytes is missing. The buffer has bytes to spare behind its last entity, as varints need it.
    """
    for i in range(done, slots.size):
        at, end = ends[i], ends[i + 1]
        if at == end:
            continue
        status[0] = _look(schema, build_id[i], owners[i], buffer, at, end)
        if status[0] == MISSING:
            continue
        if status[0] == DONE:
            status[0] = _get_entity(tables, plan, pools, room, slots[i], buffer, at + FRAME_BYTES, end)
        if status[0] != DONE:
            return i
        found[i] = True
    return slots.size


@compiled
def read_groups(held, schema, build_ids, buffer, ends, as_of_us, values, told, done):
    """Features of entities straight from their bytes, each as of its own instant: of several groups in one call.

    Begins in each group at entity `done[group]`. Returns the group in which a pool has to grow; their number
    when all are done. Each entity of a group passes through its slot. The buffer has of each entity the key and then
    the bytes, group after group, and bytes to spare behind the last.

    held: of each group, see `held_state`. build_ids: [groups, n]. ends: [2 * groups * n + 1]. values: [groups, n, the
    most features]. told: [groups, n, BEFORE + 1].
    """
    for group in range(done.size):
        table = held[group]
        at = table[HELD:]
        plan = StatePlan(integer_rows(at, 0), integers(at, 1), at[2, 0] != 0, at[3, 0], at[4, 0], at[5, 0])
        room, slot = StateRoom(integers(at, 6), integer_rows(at, 7)), at[8, 0]
        tables, pools, scratch = held_layout(table), held_pools(table), held_room(table)
        for i in range(done[group], as_of_us.size):
            place = 2 * (group * as_of_us.size + i)
            key, start, end = ends[place], ends[place + 1], ends[place + 2]
            build_id = build_ids[group, i]
            status = _read_stored(tables, plan, pools, room, slot, schema, build_id, buffer, key, start, end)
            if status == NO_ROOM:
                return group
            told[group, i, STATUS], told[group, i, NEWEST] = status, pools.newest_us[slot]
            told[group, i, BEFORE] = _newest_before_us(pools, slot, as_of_us[i])
            read_entity(tables, pools, slot, as_of_us[i], scratch, 0)
            scratch.value_rows[0], scratch.as_of_us[0] = i, as_of_us[i]
            finish_reads(tables, scratch, 1, values[group])
            done[group] = i + 1
    return done.size


def held_state(state, plan, room, scratch, slot):
    """What `read_groups` needs of a group, as one table: `held_arrays`. Made again when a pool has grown."""
    return held_arrays(state.layout.tables, state.pools, scratch, plan, room, (slot,))


@inlined
def _read_stored(tables, plan, pools, room, slot, schema, build_id, buffer, key, at, end):
    """Fill the slot with one entity, or leave it empty; NO_ROOM when a pool has to grow first."""
    forget_entity(pools, slot, False)
    status = MISSING
    if at < end:
        owner = checksum(buffer, key, at, np.uint64(0), np.uint64(0))
        status = _look(schema, build_id, owner, buffer, at, end)
        if status == DONE:
            status = _get_entity(tables, plan, pools, room, slot, buffer, at + FRAME_BYTES, end)
        if status != DONE and status != NO_ROOM:
            forget_entity(pools, slot, False)
    return status


@inlined
def _newest_before_us(pools, slot, as_of_us):
    """The newest event time before an instant of the head; NEVER_US where there is none.

    Where that event lies in a tile, which keeps no event times, the start of the tile: at most a hop too early.
    """
    head, tiles = pools.heads[slot], pools.tiles[slot]
    for place in range(head[START] + head[LENGTH] - 1, head[START] - 1, -1):
        if pools.events[place, TIME] < as_of_us:
            return pools.events[place, TIME]
    return pools.starts[tiles[START] + tiles[LENGTH] - 1] if tiles[LENGTH] else NEVER_US


@inlined
def _look(schema, build_id, owner, buffer, at, end):
    """What the frame says: DONE when the tiles can be read, or why not. Whole bytes of another build are `MISSING`."""
    if end - at < _UNCHECKED_LEAST:
        return DAMAGED
    of_build = load_word(buffer, at + 1)
    if buffer[at] == _UNCHECKED and of_build != build_id:
        return MISSING
    if buffer[at] != schema and of_build == build_id:
        return OTHER_SCHEMA
    if end - at <= FRAME_BYTES:
        return DAMAGED
    if load_word(buffer, at + CHECKSUM_AT) != checksum(buffer, at + FRAME_BYTES, end, owner, of_build):
        return DAMAGED
    return DONE if of_build == build_id else MISSING


@inlined
def _get_entity(tables, plan, pools, room, slot, buffer, at, end):
    """Fill one empty entity; everything is checked against `end` before it is believed."""
    events, at = get_varint(buffer, at, end)
    if events == np.uint64(0):
        return DONE if at == end else DAMAGED
    newest, at = get_varint(buffer, at, end)
    if events > np.uint64(end - at):
        return DAMAGED
    if not make_head_room(pools, slot, np.int64(events)):
        return NO_ROOM
    pools.heads[slot, LENGTH] = events
    pools.newest_us[slot], pools.due_us[slot] = unzigzag(newest), NEVER_US
    at = _get_head(pools, slot, buffer, at, end)
    if at > end:
        return DAMAGED
    tiles, at = get_varint(buffer, at, end)
    if tiles == np.uint64(0):
        return DONE if at == end else DAMAGED
    fits = tiles <= np.uint64(end - at)
    for index in range(tables.set_sizes.size):
        words, at = get_varint(buffer, at, end)
        fits = fits and words <= np.uint64(end - at)
        room.offsets[index] = np.int64(words)
    digests = 8 * room.offsets[0]
    if not fits or digests > end - at:
        return DAMAGED
    if not _make_room(pools, slot, np.int64(tiles), room):
        pools.heads[slot, LENGTH] = 0  # so that it is empty when it is filled again
        return NO_ROOM
    for digest in range(pools.sets[slot, 0, LENGTH]):
        pools.words[room.offsets[0] + digest] = load_word(buffer, at + 8 * digest)
    at = _get_tiles(tables, plan, pools, room, slot, buffer, at + digests, end)
    for index in range(tables.set_sizes.size):
        segment = pools.sets[slot, index]
        if room.offsets[index] != segment[START] + segment[LENGTH]:
            return DAMAGED
    return DONE if at == end else DAMAGED


@inlined
def _get_head(pools, slot, buffer, at, end):
    """Read the head, newest event first; returns where the next byte is, beyond `end` when something is wrong."""
    head, time_us = pools.heads[slot], pools.newest_us[slot]
    newest = head[START] + head[LENGTH] - 1
    for place in range(newest, head[START] - 1, -1):
        event = pools.events[place]
        if at + 8 > end:
            return end + 1
        event[DIGEST] = np.int64(load_word(buffer, at))
        at += 8
        if place < newest:
            since, at = get_varint(buffer, at, end)
            time_us -= np.int64(since)
        event[TIME] = time_us
        values, valid = columns_of(event)
        for column in range(values.size):
            code, at = get_varint(buffer, at, end)
            valid[column] = code != np.uint64(0)
            values[column] = unzigzag(code - np.uint64(1)) if valid[column] else 0
    return at


@inlined
def _make_room(pools, slot, tiles, room):
    """Room for what the header announces (`room.offsets` words per set, then where those go)."""
    if not make_tile_room(pools, slot, tiles):
        return False
    for index in range(room.offsets.size):
        if not make_set_room(pools, slot, index, room.offsets[index]):
            return False
    pools.tiles[slot, LENGTH] = tiles
    for index in range(room.offsets.size):
        pools.sets[slot, index, LENGTH] = room.offsets[index]
        room.offsets[index] = pools.sets[slot, index, START]
    return True


@inlined
def _get_tiles(tables, plan, pools, room, slot, buffer, at, end):
    """Read the tiles; returns where the next byte is, beyond `end` when something is wrong."""
    segment, rows, hop_us = pools.tiles[slot], pools.rows, tables.hops[0]
    start_us = 0
    for tile in range(segment[START], segment[START] + segment[LENGTH]):
        head, at = get_varint(buffer, at, end)
        steps = np.int64(head >> np.uint64(1)) * hop_us
        if tile == segment[START]:
            start_us = floor_us(pools.newest_us[slot], hop_us) - steps
        else:
            start_us += steps
        pools.starts[tile] = start_us
        for word in range(rows.shape[1]):
            rows[tile, word] = tables.empty_row[word]
        if head & np.uint64(1):
            at = _get_registers(tables, pools, room, slot, tile, start_us, buffer, at, end)
        else:
            at = _get_event(tables, plan, pools, room, slot, tile, start_us, buffer, at, end)
        if at > end:
            return at
        for index in range(room.offsets.size):
            room.offsets[index] += rows[tile, index]
    return at


@inlined
def _words_left(pools, slot, room, index):
    return pools.sets[slot, index, START] + pools.sets[slot, index, LENGTH] - room.offsets[index]


@inlined
def _get_event(tables, plan, pools, room, slot, tile, start_us, buffer, at, end):
    values, valid = columns_of(room.event[0])
    for column in range(values.size):
        code, at = get_varint(buffer, at, end)
        valid[column] = code != np.uint64(0)
        values[column] = unzigzag(code - np.uint64(1)) if valid[column] else 0
    since = np.uint64(0)
    if plan.times.size:
        since, at = get_varint(buffer, at, end)
    if not _words_left(pools, slot, room, 0):
        return end + 1
    row = pools.rows[tile]
    row[0] = 1
    room.event[0, TIME], room.event[0, DIGEST] = start_us + np.int64(since), np.int64(pools.words[room.offsets[0]])
    prepare_event(tables.kind_bounds, tables.word_bounds, tables.register_columns, row, room.event, 0, 1)
    for index in range(1, room.offsets.size):
        column = tables.set_columns[index]
        if valid[column]:
            if not _words_left(pools, slot, room, index):
                return end + 1
            row[index] = 1
            pools.words[room.offsets[index]] = mix64(values[column])
    return at


@inlined
def _get_registers(tables, pools, room, slot, tile, start_us, buffer, at, end):
    row = pools.rows[tile]
    events, at = get_varint(buffer, at, end)
    if events > np.uint64(_words_left(pools, slot, room, 0)) or not events:
        return end + 1
    row[0] = np.int64(events)
    at = get_row(tables, row, Tile(start_us, pools.words, room.offsets[0]), buffer, at, end)
    for index in range(1, room.offsets.size):
        count, at = get_varint(buffer, at, end)
        if count > np.uint64(_words_left(pools, slot, room, index)):
            return end + 1
        row[index] = np.int64(count)
        for word in range(room.offsets[index], room.offsets[index] + row[index]):
            code, at = get_varint(buffer, at, end)
            pools.words[word] = mix64(unzigzag(code))
    return at
