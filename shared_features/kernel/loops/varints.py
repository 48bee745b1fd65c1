"""Variable-length integers that are written and read without a branch per byte.

An unsigned word below 2**56 takes the fewest n bytes with 7 * n bits: its bits follow n - 1 zeros and a one, low bits
first, so the lowest set bit of the first byte says n. Any other word is a zero byte and the 8 bytes of the word.
A buffer has 8 bytes to spare behind the last place that is written or read.
"""

import numpy as np

from shared_features.kernel.loops.compiled import inlined
from shared_features.kernel.loops.machine_words import leading_zeros, load_word, store_word, trailing_zeros

MOST_BYTES = 9
SPARE_BYTES = 8
_ZERO, _ONE = np.uint64(0), np.uint64(1)
_SHORT = np.uint64(1 << 56)


@inlined
def zigzag(number):
    """0, -1, 1, -2, ... to 0, 1, 2, 3, ..."""
    return np.uint64((number << 1) ^ (number >> 63))


@inlined
def unzigzag(word):
    """The signed integer that `zigzag` made this of."""
    return np.int64(word >> _ONE) ^ -np.int64(word & _ONE)


@inlined
def put_varint(buffer, at, number):
    """Write an unsigned word; returns where the next byte goes."""
    word = np.uint64(number)
    if word >= _SHORT:
        buffer[at] = 0
        store_word(buffer, at + 1, word)
        return at + MOST_BYTES
    size = ((70 - leading_zeros(word | _ONE)) * 9363) >> 16  # (bits + 6) // 7
    store_word(buffer, at, ((word << _ONE) | _ONE) << np.uint64(size - 1))
    return at + size


@inlined
def get_varint(buffer, at, end):
    """(word, where the next byte is); the latter is beyond `end` when there was no byte left."""
    if at >= end:
        return _ZERO, end + 1
    word = load_word(buffer, at)
    size = trailing_zeros(word) + 1
    if size > 8:
        return load_word(buffer, at + 1), at + MOST_BYTES
    return (word << np.uint64(64 - 8 * size)) >> np.uint64(64 - 7 * size), at + size


@inlined
def put_wide(buffer, at, high, low):
    """Write a two's complement 128-bit integer: below 2**62 an even varint, else the varint 1 and 16 bytes."""
    if high == low >> 63 and -(1 << 62) < low < (1 << 62):
        return put_varint(buffer, at, zigzag(low) << _ONE)
    at = put_varint(buffer, at, 1)
    store_word(buffer, at, np.uint64(low))
    store_word(buffer, at + 8, np.uint64(high))
    return at + 16


@inlined
def get_wide(buffer, at, end):
    """(high, low, where the next byte is) of a 128-bit integer; the latter is beyond `end` when bytes are missing."""
    word, at = get_varint(buffer, at, end)
    if not word & _ONE:
        low = unzigzag(word >> _ONE)
        return low >> 63, low, at
    if at + 16 > end:
        return 0, 0, end + 1
    return np.int64(load_word(buffer, at + 8)), np.int64(load_word(buffer, at)), at + 16
