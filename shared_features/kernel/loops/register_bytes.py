"""The bytes of registers in the state of an entity, as `formats/entity_state.py` draws them; `registers.py` says whose.

`put` takes (row, at, tile, whether the register is of the events themselves, buffer, place) and returns the next place.
`get` takes the `end` of the bytes as well, and returns a place beyond it when bytes are missing or wrong.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared_features.kernel.loops.compiled import inlined
from shared_features.kernel.loops.sets import find
from shared_features.kernel.loops.varints import get_varint, get_wide, put_varint, put_wide, unzigzag, zigzag

SMALLEST = -(1 << 63)
GREATEST = (1 << 63) - 1
_ONE = np.uint64(1)


class Tile(NamedTuple):
    """What the bytes of a tile's registers refer to."""

    start_us: int
    words: NDArray[np.uint64]  # the pool of sets
    first: int  # where in it the tile's digests begin


@inlined
def is_empty(word):
    """Whether an extreme, or the time of `first` or `last`, is of no event."""
    return not SMALLEST < word < GREATEST


@inlined
def put_count(row, at, tile, of_events, buffer, place):
    return put_varint(buffer, place, row[0] - row[at])


@inlined
def get_count(row, at, tile, of_events, buffer, place, end):
    missing, place = get_varint(buffer, place, end)
    row[at] = row[0] - np.int64(missing)
    return place


@inlined
def put_sum(row, at, tile, of_events, buffer, place):
    return put_wide(buffer, place, row[at], row[at + 1])


@inlined
def get_sum(row, at, tile, of_events, buffer, place, end):
    row[at], row[at + 1], place = get_wide(buffer, place, end)
    return place


@inlined
def put_extreme(row, at, tile, of_events, buffer, place):
    if is_empty(row[at]):
        return put_varint(buffer, place, 0)
    return put_varint(buffer, place, zigzag(row[at] - (tile.start_us if of_events else 0)) + _ONE)


@inlined
def get_extreme(row, at, tile, of_events, buffer, place, end):
    code, place = get_varint(buffer, place, end)
    if code:
        row[at] = unzigzag(code - _ONE) + (tile.start_us if of_events else 0)
    return place


@inlined
def put_timed(row, at, tile, of_events, buffer, place):
    if is_empty(row[at]):
        return put_varint(buffer, place, 0)
    place = put_varint(buffer, place, row[at] - tile.start_us + 1)
    digest = find(tile.words, tile.first, tile.first + row[0], np.uint64(row[at + 1]))
    place = put_varint(buffer, place, digest - tile.first)
    return place if of_events else put_varint(buffer, place, zigzag(row[at + 2]))


@inlined
def get_timed(row, at, tile, of_events, buffer, place, end):
    code, place = get_varint(buffer, place, end)
    if code:
        digest, place = get_varint(buffer, place, end)
        if digest >= np.uint64(row[0]):
            return end + 1
        row[at] = tile.start_us + np.int64(code - _ONE)
        row[at + 1] = np.int64(tile.words[tile.first + np.int64(digest)])
        row[at + 2] = row[at]
        if not of_events:
            code, place = get_varint(buffer, place, end)
            row[at + 2] = unzigzag(code)
    return place
