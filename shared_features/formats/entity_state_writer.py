"""Writes entity states; the bytes are drawn in `entity_state.py`."""

import numpy as np

from shared_features.kernel.loops.cascade import floor_us
from shared_features.kernel.loops.checksum import checksum
from shared_features.kernel.loops.compiled import compiled, inlined
from shared_features.kernel.loops.events import DIGEST, TIME, columns_of
from shared_features.kernel.loops.hashes import unmix64
from shared_features.kernel.loops.machine_words import store_word
from shared_features.kernel.loops.register_bytes import Tile, is_empty
from shared_features.kernel.loops.registers import SET, WIDE, WORD
from shared_features.kernel.loops.rows import put_row
from shared_features.kernel.loops.segments import LENGTH, START
from shared_features.kernel.loops.varints import put_varint, zigzag

CHECKSUM_AT, FRAME_BYTES = 9, 17
"""Schema version, build id and checksum stand before the tiles, in every schema from 2 on."""


@compiled
def encode_from(tables, plan, pools, room, slots, schema, build_ids, owners, buffer, ends):
    """Write entities one after another; entity i ends at `ends[i + 1]`."""
    for i in range(slots.size):
        at, body = ends[i], ends[i] + FRAME_BYTES
        buffer[at] = schema
        store_word(buffer, at + 1, build_ids[i])
        end = _put_entity(tables, plan, pools, room, slots[i], buffer, body)
        store_word(buffer, at + CHECKSUM_AT, checksum(buffer, body, end, owners[i], build_ids[i]))
        ends[i + 1] = end


@inlined
def _put_entity(tables, plan, pools, room, slot, buffer, at):
    events = pools.heads[slot, LENGTH]
    at = put_varint(buffer, at, events)
    if not events:
        return at
    at = _put_head(pools, slot, buffer, at)
    segment = pools.tiles[slot]
    at = put_varint(buffer, at, segment[LENGTH])
    if segment[LENGTH]:
        at = _put_tiles(tables, plan, pools, room, slot, buffer, at)
    return at


@inlined
def _put_head(pools, slot, buffer, at):
    head, after_us = pools.heads[slot], pools.newest_us[slot]
    newest = head[START] + head[LENGTH] - 1
    at = put_varint(buffer, at, zigzag(after_us))
    for place in range(newest, head[START] - 1, -1):
        event = pools.events[place]
        store_word(buffer, at, np.uint64(event[DIGEST]))
        at += 8
        if place < newest:
            at = put_varint(buffer, at, after_us - event[TIME])
            after_us = event[TIME]
        values, valid = columns_of(event)
        for column in range(values.size):
            code = zigzag(values[column]) + np.uint64(1) if valid[column] else np.uint64(0)
            at = put_varint(buffer, at, code)
    return at


@inlined
def _put_tiles(tables, plan, pools, room, slot, buffer, at):
    segment, newest_us, hop_us = pools.tiles[slot], pools.newest_us[slot], tables.hops[0]
    for index in range(tables.set_sizes.size):
        room.offsets[index] = pools.sets[slot, index, START]
        at = put_varint(buffer, at, pools.sets[slot, index, LENGTH])
    for digest in range(pools.sets[slot, 0, LENGTH]):
        store_word(buffer, at + 8 * digest, pools.words[room.offsets[0] + digest])
    at += 8 * pools.sets[slot, 0, LENGTH]
    before_us = pools.starts[segment[START]]
    steps = (floor_us(newest_us, hop_us) - before_us) // hop_us
    # Differences of starts are whole hops below 2**53: rounding the product finds their number without a division.
    hops_per_us = 1.0 / hop_us
    for tile in range(segment[START], segment[START] + segment[LENGTH]):
        start_us = pools.starts[tile]
        if start_us != before_us:
            steps = np.int64((start_us - before_us) * hops_per_us + 0.5)
        before_us = start_us
        if pools.rows[tile, 0] == 1 and plan.single:
            at = put_varint(buffer, at, steps << 1)
            at = _put_event(plan, pools, room, tile, start_us, buffer, at)
        else:
            at = put_varint(buffer, at, steps << 1 | 1)
            at = _put_registers(tables, pools, room, tile, start_us, buffer, at)
        for index in range(tables.set_sizes.size):
            room.offsets[index] += pools.rows[tile, index]
    return at


@inlined
def _put_event(plan, pools, room, tile, start_us, buffer, at):
    rows = pools.rows
    for column in range(plan.sources.shape[0]):
        how, place = plan.sources[column, 0], plan.sources[column, 1]
        asks, flag = plan.sources[column, 2], plan.sources[column, 3]
        if (asks == WORD and is_empty(rows[tile, flag])) or (asks > WORD and not rows[tile, flag]):
            at = put_varint(buffer, at, 0)
        elif how == WORD:
            at = put_varint(buffer, at, zigzag(rows[tile, place]) + np.uint64(1))
        elif how == WIDE:
            at = put_varint(buffer, at, zigzag(rows[tile, place + 1]) + np.uint64(1))
        elif how == SET:
            word = pools.words[room.offsets[place]]
            at = put_varint(buffer, at, zigzag(np.int64(unmix64(word))) + np.uint64(1))
        else:
            at = put_varint(buffer, at, 1)
    if plan.times.size:
        time_us = start_us
        for i in range(plan.times.size):
            if not is_empty(rows[tile, plan.times[i]]):
                time_us = rows[tile, plan.times[i]]
        at = put_varint(buffer, at, time_us - start_us)
    return at


@inlined
def _put_registers(tables, pools, room, tile, start_us, buffer, at):
    row = pools.rows[tile]
    at = put_varint(buffer, at, row[0])
    at = put_row(tables, row, Tile(start_us, pools.words, room.offsets[0]), buffer, at)
    for index in range(1, tables.set_sizes.size):
        at = put_varint(buffer, at, row[index])
        for word in range(room.offsets[index], room.offsets[index] + row[index]):
            at = put_varint(buffer, at, zigzag(np.int64(unmix64(pools.words[word]))))
    return at
