"""What numba compiles of the walk of few rows: from the rows of a request to the answers of the trees, in one call.

A place is one word of 8 bytes: from the highest bit, a threshold, the first child and a row of keys. A leaf is its own
first child, as it reads a key that is below all others. In place of a threshold it has its weight, or where its weights
begin. A request comes when the trees are in no near cache, so what counts is how many lines of memory a walk touches.
"""

import numpy as np

from shared_features.kernel.loops.compiled import compiled, inlined
from shared_features.trees.answer_loops import put_answers

KEY_BITS, CHILD_BITS = 10, 22
LANES = 16
"""Walks that are done together, each of a row through a tree: the processor reads as many places at once."""
_KEYS, _CHILDREN = np.uint64((1 << KEY_BITS) - 1), np.uint64((1 << CHILD_BITS) - 1)
_SHIFT, _TOP = np.uint64(KEY_BITS), np.int64(KEY_BITS + CHILD_BITS)
_MAGNITUDE, _INFINITY, _LEAST = np.int32(0x7FFF_FFFF), np.int32(0x7F80_0000), np.int32(-0x8000_0000)
_NONE, _ONE = np.uint64(0), np.uint64(1)


@inlined
def _put_keys(rows, columns, keys):
    """Of each row its keys, as `add_leaves` has them, and behind them the one that leaves read."""
    at = 0
    for row in range(rows.shape[0]):
        for each in range(columns.shape[0]):
            bits = rows[row, columns[each, 0]]
            size = bits & _MAGNITUDE
            key = size if bits >= 0 else -size
            keys[at] = columns[each, 1] if size > _INFINITY else key
            at += 1
        keys[at] = _LEAST
        at += 1


@inlined
def _walk(places, keys, lanes, starts):
    """Set lanes to leaves. starts: where the keys of a lane's row begin."""
    moved = _ONE
    while moved != _NONE:
        moved = _NONE
        for lane in range(LANES):
            place = lanes[lane]
            word = places[place]
            key = np.int64(keys[starts[lane] + (word & _KEYS)])
            second = _ONE if key > np.int64(word) >> _TOP else _NONE
            child = (word >> _SHIFT & _CHILDREN) + second
            moved |= child ^ place
            lanes[lane] = child


@inlined
def _begin(lanes, starts, first, many, count, width):
    """Lanes from walk `first` on: rows of a tree are walked side by side. Those that are left over repeat the first."""
    tree, row = first // count, first % count
    for lane in range(LANES):
        if lane >= many:
            lanes[lane] = lanes[0]
            starts[lane] = starts[0]
            continue
        lanes[lane], starts[lane] = np.uint64(tree), np.uint64(row * width)
        row += 1
        if row == count:
            tree, row = tree + 1, 0


@compiled
def answer_few(rows, columns, places, tops, trees, leaves, weights, base, divisor, kind, room, keys, sums, found):
    """Fill `found` with the answers: see `put_answers`. The trees' roots are the first places.

    rows: the bits of float32[n, features]. columns: int32[columns, 2], of each row of keys its feature, and the key of
    a missing value. places: uint64; tops: the same memory as float32[places, 2], whose second number is a weight.
    leaves: int32[weights, 2], of several targets: a weight's target, and how many more the leaf has; weights: float32.
    room: uint64[2, LANES], keys: int32[n, columns + 1] and sums: float32[n, targets] to work in.
    """
    count, width = rows.shape[0], columns.shape[0] + 1
    _put_keys(rows, columns, keys)
    sums[:] = np.float32(0)
    lanes, starts = room[0], room[1]
    one, every, row = sums.shape[1] == 1, count * trees, 0
    for first in range(0, every, LANES):
        many = min(LANES, every - first)
        _begin(lanes, starts, first, many, count, width)
        _walk(places, keys, lanes, starts)
        for lane in range(many):
            if one:
                sums[row, 0] += tops[lanes[lane], 1]
            else:
                at = np.int64(places[lanes[lane]]) >> _TOP
                for leaf in range(at, at + leaves[at, 1] + 1):
                    sums[row, leaves[leaf, 0]] += weights[leaf]
            row += 1
            if row == count:
                row = 0
    put_answers(sums, base, divisor, kind, found)
