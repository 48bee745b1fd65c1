"""What numba compiles of the walk of many rows through trees.

Rows are walked in groups, a level at a time. The steps of a group do not wait for one another, so that the processor
reads many nodes at once; one row alone would wait for each node before it can ask for the next.

Small trees are not walked. Each split is asked of many rows in one instruction, and strikes out the leaves that a row
cannot reach: QuickScorer (Lucchese et al., SIGIR 2015), of many rows at once.
"""

import numpy as np

from shared_features.kernel.loops.compiled import compiled, inlined
from shared_features.kernel.loops.machine_words import trailing_zeros

BLOCK = 64
"""Rows whose keys lie side by side, in the first cache."""
GROUP = 16
"""Rows that are walked together. 8 and 32 take 10 to 40 % longer."""
_MAGNITUDE, _INFINITY = np.int32(0x7FFF_FFFF), np.int32(0x7F80_0000)
_ONE = np.uint32(1)


@inlined
def _put_keys(rows, start, columns, missing, keys):
    """Whole numbers in the order of the floats, both zeros as 0; of a missing value, what leads it the right way."""
    last = rows.shape[0] - 1
    for at in range(columns.size):
        column, unknown = columns[at], missing[at]
        for row in range(BLOCK):
            bits = rows[min(start + row, last), column]
            size = bits & _MAGNITUDE
            key = size if bits >= 0 else -size
            keys[at * BLOCK + row] = unknown if size > _INFINITY else key


@inlined
def _walk(root, first, offsets, thresholds, children, keys, places):
    """Set places to the leaf of each row of a group. A leaf is its own first child; no key is above its threshold."""
    for row in range(GROUP):
        places[row] = root
    moved = _ONE
    while moved != 0:
        moved = np.uint32(0)
        for row in range(GROUP):
            place = places[row]
            key = keys[offsets[place] + np.uint32(first + row)]
            child = children[place] + (_ONE if key > thresholds[place] else np.uint32(0))
            moved |= child ^ place
            places[row] = child


@compiled
def add_leaves(
    rows, columns, missing, offsets, thresholds, children, roots, bounds, targets, weights, sums, keys, places
):
    """Add the weights of each row's leaves to its sums, tree after tree, as float32.

    rows: the bits of float32[n, features]. columns, missing: of each row of `keys`, which feature it holds and the key
    of its missing values. offsets, thresholds, children: of each place in the trees; where its keys begin, and its
    first child. bounds, targets, weights: of each place its weights, from `bounds[place]` on. sums: float32[n,
    targets]. keys: int32[columns * BLOCK] and places: uint32[GROUP] to work in.
    """
    one = sums.shape[1] == 1
    for start in range(0, rows.shape[0], BLOCK):
        _put_keys(rows, start, columns, missing, keys)
        count = min(BLOCK, rows.shape[0] - start)
        for tree in range(roots.size):
            for first in range(0, count, GROUP):
                _walk(roots[tree], first, offsets, thresholds, children, keys, places)
                for row in range(min(GROUP, count - first)):
                    at, place = start + first + row, places[row]
                    if one:
                        sums[at, 0] += weights[bounds[place]]
                    else:
                        for leaf in range(bounds[place], bounds[place + _ONE]):
                            sums[at, targets[leaf]] += weights[leaf]


@inlined
def _strike_out(keys, offset, threshold, mask, left):
    for row in range(BLOCK):
        before = left[row]
        left[row] = before & mask if keys[offset + np.uint64(row)] > threshold else before


@compiled
def add_reached_leaves(
    rows, columns, missing, offsets, thresholds, masks, splits, first_leaves, bounds, targets, weights, width, sums,
    keys, left,
):  # fmt: skip
    """The same of trees with few leaves. A bit stands for a leaf, the lowest for the first.

    offsets, thresholds, masks: of each split; where its keys begin, and the leaves that are left of a row that goes to
    the second child. The last mask is that of all leaves. splits, first_leaves: of each tree, where its splits and its
    leaves begin. bounds: of each leaf, where its weights begin. sums: float32[n * width]. left: uint32[BLOCK] to work
    in.
    """
    for start in range(0, rows.shape[0], BLOCK):
        _put_keys(rows, start, columns, missing, keys)
        count = min(BLOCK, rows.shape[0] - start)
        for tree in range(first_leaves.size):
            for row in range(left.size):
                left[row] = masks[masks.size - 1]
            for split in range(splits[tree], splits[tree + 1]):
                at = np.uint64(split)  # without a sign it cannot count from the end, so nothing is looked at twice
                _strike_out(keys, np.uint64(offsets[at]), thresholds[at], masks[at], left)
            first = np.uint64(first_leaves[tree])
            for row in range(count):
                leaf, place = first + np.uint64(trailing_zeros(left[row])), np.uint64(start + row)
                if width == 1:
                    sums[place] += weights[leaf]
                else:
                    for weight in range(bounds[leaf], bounds[leaf + np.uint64(1)]):
                        sums[place * np.uint64(width) + np.uint64(targets[weight])] += weights[weight]
