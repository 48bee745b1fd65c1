"""Finishing: registers become values, each rounded exactly once, as Python's own integers would have it.

How an aggregation does that is a function of its class. The compiled loop has the function's address and calls it.
"""

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from numba import types

from shared_features.kernel.loops.compiled import address_of, inlined
from shared_features.kernel.loops.wide_integers import divide, magnitude, spread

_WORDS, _HASHES = types.CPointer(types.int64), types.CPointer(types.uint64)
_FINALIZER = types.float64(_WORDS, _WORDS, _HASHES, types.int64, types.int64)
_EXACT = 1 << 53  # integers up to here are doubles, so one division of two of them is one rounding
_ROOT = 1 << 26  # the product of a count and of a value below this is exact
_ZERO = np.uint64(0)


@cache
def finalizer_address(function: Callable[..., float]) -> int:
    """Where the machine code of an aggregation's `finalize` is."""
    return address_of(function, _FINALIZER)


@inlined
def quotient(high, low, divisor):
    """A 128-bit integer divided by a positive one, rounded once."""
    if high == low >> 63 and -_EXACT < low < _EXACT and divisor < _EXACT:
        return low / divisor
    top, bottom = magnitude(high, low)
    value = divide(_ZERO, top, bottom, np.uint64(divisor))
    return -value if high < 0 else value


@inlined
def sample_std(count, row, total, squares, scale):
    """The standard deviation (n - 1) of `count` values whose sum and sum of squares stand at these words of the row."""
    if count < 2:
        return math.nan
    pairs = count * (count - 1)
    low, square = row[total + 1], row[squares + 1]
    plain = row[squares] == 0 and 0 <= square < _EXACT and row[total] == low >> 63 and -_ROOT < low < _ROOT
    if plain and count < _ROOT and float(count) * float(square) < _EXACT:
        return math.sqrt((count * square - low * low) / pairs) / scale
    top, bottom = magnitude(row[total], low)
    spread_2, spread_1, spread_0 = spread(np.uint64(count), np.uint64(row[squares]), np.uint64(square), top, bottom)
    return math.sqrt(divide(spread_2, spread_1, spread_0, np.uint64(pairs))) / scale
