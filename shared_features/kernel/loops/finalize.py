"""Finishing: registers become values, each rounded exactly once, as Python's own integers would have it."""

import math

import numpy as np

from shared_features.kernel.aggregations import Finalize
from shared_features.kernel.loops.compiled import inlined
from shared_features.kernel.loops.registers import GREATEST, SMALLEST
from shared_features.kernel.loops.wide_integers import divide, magnitude, spread

_COUNT, _SUM, _MEAN, _STD = (
    int(Finalize.COUNT),
    int(Finalize.SUM),
    int(Finalize.MEAN),
    int(Finalize.SAMPLE_STD),
)
_EXTREME, _TIMED, _SINCE = int(Finalize.EXTREME), int(Finalize.TIMED_VALUE), int(Finalize.SECONDS_SINCE)
_EXACT = 1 << 53  # integers up to here are doubles, so one division of two of them is one rounding
_ROOT = 1 << 26  # the product of a count and of a value below this is exact
_ZERO, _63 = np.uint64(0), np.uint64(63)


@inlined
def finalize(row, counts, smallest, sizes, plan, scale, as_of_us):
    """The value of one feature from the merged registers of its window.

    `counts[i]` words of `smallest[i]` are the merged set i of at most `sizes[i]`; `plan` and `scale` are the
    feature's in the layout's tables.
    """
    how, first, second, third = plan[1], plan[2], plan[3], plan[4]
    if how == _COUNT:
        return float(row[first])
    if how == _SUM:
        return _quotient(row[first], row[first + 1], scale)
    if how == _MEAN:
        return _quotient(row[second], row[second + 1], row[first] * scale) if row[first] else math.nan
    if how == _STD:
        return _sample_std(row[first], row, second, third, scale)
    if how == _EXTREME:
        empty = row[first] == GREATEST or row[first] == SMALLEST
        return math.nan if empty else row[first] / scale
    if how == _TIMED:
        empty = row[first] == GREATEST or row[first] == SMALLEST
        return math.nan if empty else row[first + 2] / scale
    if how == _SINCE:
        return math.nan if row[first] == SMALLEST else (as_of_us - row[first]) / 1e6
    return _distinct(counts[first], smallest[first], sizes[first])


@inlined
def _quotient(high, low, divisor):
    if high == low >> 63 and -_EXACT < low < _EXACT and divisor < _EXACT:
        return low / divisor
    top, bottom = magnitude(high, low)
    value = divide(_ZERO, top, bottom, np.uint64(divisor))
    return -value if high < 0 else value


@inlined
def _sample_std(count, row, total, squares, scale):
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


@inlined
def _distinct(count, smallest, size):
    if count < size:
        return float(count)
    # The k-th smallest of uniform hashes stands about where k of all of them would.
    return (size - 1) / (float(smallest[size - 1]) * 2.0**-64)
