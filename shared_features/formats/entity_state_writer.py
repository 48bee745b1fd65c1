"""Writes entity states; the bytes are drawn in `entity_state.py`."""

import numpy as np

from shared_features.formats.entity_state_plan import SET, WIDE, WORD
from shared_features.kernel.aggregations import Register
from shared_features.kernel.loops.cascade import floor_us
from shared_features.kernel.loops.compiled import compiled, inlined
from shared_features.kernel.loops.hashes import unmix64
from shared_features.kernel.loops.machine_words import store_word
from shared_features.kernel.loops.registers import GREATEST, SMALLEST
from shared_features.kernel.loops.segments import LENGTH, START
from shared_features.kernel.loops.sets import find
from shared_features.kernel.loops.varints import put_varint, put_wide, zigzag

_COUNT, _SUM, _MIN, _FIRST = int(Register.COUNT), int(Register.SUM), int(Register.MIN), int(Register.FIRST)
_END = int(Register.LAST) + 1


@compiled
def encode_from(tables, plan, pools, room, slots, schema, build_id, buffer, ends):
    """Write entities one after another; entity i ends at `ends[i + 1]`."""
    for i in range(slots.size):
        at = ends[i]
        buffer[at] = schema
        store_word(buffer, at + 1, build_id)
        ends[i + 1] = _put_entity(tables, plan, pools, room, slots[i], buffer, at + 9)


@inlined
def _put_entity(tables, plan, pools, room, slot, buffer, at):
    segment = pools.tiles[slot]
    at = put_varint(buffer, at, segment[LENGTH])
    if not segment[LENGTH]:
        return at
    newest_us, hop_us = pools.newest_us[slot], tables.hops[0]
    at = put_varint(buffer, at, zigzag(newest_us))
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
def _empty(word):
    return not SMALLEST < word < GREATEST


@inlined
def _put_event(plan, pools, room, tile, start_us, buffer, at):
    rows = pools.rows
    for column in range(plan.sources.shape[0]):
        how, place = plan.sources[column, 0], plan.sources[column, 1]
        asks, flag = plan.sources[column, 2], plan.sources[column, 3]
        if (asks == WORD and _empty(rows[tile, flag])) or (asks > WORD and not rows[tile, flag]):
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
            if not _empty(rows[tile, plan.times[i]]):
                time_us = rows[tile, plan.times[i]]
        at = put_varint(buffer, at, time_us - start_us)
    return at


@inlined
def _put_registers(tables, pools, room, tile, start_us, buffer, at):
    row, kinds, places, columns = pools.rows[tile], tables.kind_bounds, tables.word_bounds, tables.register_columns
    at = put_varint(buffer, at, row[0])
    for word in range(places[_COUNT], places[_SUM]):
        at = put_varint(buffer, at, row[0] - row[word])
    for word in range(places[_SUM], places[_MIN], 2):
        at = put_wide(buffer, at, row[word], row[word + 1])
    for word in range(places[_MIN], places[_FIRST]):
        if _empty(row[word]):
            at = put_varint(buffer, at, 0)
        else:
            of_events = columns[kinds[_MIN] + word - places[_MIN]] < 0
            at = put_varint(buffer, at, zigzag(row[word] - (start_us if of_events else 0)) + np.uint64(1))
    first = room.offsets[0]
    for word in range(places[_FIRST], places[_END], 3):
        if _empty(row[word]):
            at = put_varint(buffer, at, 0)
        else:
            at = put_varint(buffer, at, row[word] - start_us + 1)
            at = put_varint(buffer, at, find(pools.words, first, first + row[0], np.uint64(row[word + 1])) - first)
            if columns[kinds[_FIRST] + (word - places[_FIRST]) // 3] >= 0:
                at = put_varint(buffer, at, zigzag(row[word + 2]))
    for index in range(1, tables.set_sizes.size):
        at = put_varint(buffer, at, row[index])
        for word in range(room.offsets[index], room.offsets[index] + row[index]):
            at = put_varint(buffer, at, zigzag(np.int64(unmix64(pools.words[word]))))
    return at
