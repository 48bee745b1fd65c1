"""Registers: the words a tile keeps per column, prepared from events and merged kind by kind.

A row holds all registers of one kind side by side, so the loops below have bounds instead of branches. Every kind
is commutative and associative to the bit: counts and 128-bit sums add, extremes compare, `first` and `last` compare
by (event time, digest).
"""

import numpy as np

from shared_features.kernel.aggregations import Register
from shared_features.kernel.loops.compiled import inlined
from shared_features.kernel.loops.wide_integers import add_wide, multiply

SMALLEST = -(1 << 63)
GREATEST = (1 << 63) - 1
_COUNT, _SUM, _SQUARES = int(Register.COUNT), int(Register.SUM), int(Register.SQUARES)
_MIN, _MAX, _FIRST, _LAST = int(Register.MIN), int(Register.MAX), int(Register.FIRST), int(Register.LAST)
_SMALL = 1 << 31

EMPTY_WORDS = {
    Register.COUNT: [0],
    Register.SUM: [0, 0],
    Register.SQUARES: [0, 0],
    Register.MIN: [GREATEST],
    Register.MAX: [SMALLEST],
    Register.FIRST: [GREATEST, 0, 0],
    Register.LAST: [SMALLEST, 0, 0],
}
"""What each kind holds of no event: the neutral element of its merge."""


@inlined
def earlier(time_us, digest, other_time_us, other_digest):
    """Whether (time, digest) comes before the other; digests compare as unsigned."""
    return time_us < other_time_us or (time_us == other_time_us and np.uint64(digest) < np.uint64(other_digest))


@inlined
def add_event(tables, row, event_time_us, digest, values, valid):
    """Prepare one event and merge it into a row of words; a missing value leaves its column's registers alone."""
    kinds, places, columns = tables.kind_bounds, tables.word_bounds, tables.register_columns
    at = places[_COUNT]
    for register in range(kinds[_COUNT], kinds[_SUM]):
        row[at] += _has_value(columns[register], valid)
        at += 1
    for register in range(kinds[_SUM], kinds[_SQUARES]):
        if _has_value(columns[register], valid):
            value = _value(columns[register], values, event_time_us)
            add_wide(row, at, value >> 63, value)
        at += 2
    for register in range(kinds[_SQUARES], kinds[_MIN]):
        if _has_value(columns[register], valid):
            high, low = _square(_value(columns[register], values, event_time_us))
            add_wide(row, at, high, low)
        at += 2
    for register in range(kinds[_MIN], kinds[_MAX]):
        if _has_value(columns[register], valid):
            row[at] = min(row[at], _value(columns[register], values, event_time_us))
        at += 1
    for register in range(kinds[_MAX], kinds[_FIRST]):
        if _has_value(columns[register], valid):
            row[at] = max(row[at], _value(columns[register], values, event_time_us))
        at += 1
    for register in range(kinds[_FIRST], kinds[_LAST + 1]):
        if _has_value(columns[register], valid) and (
            earlier(event_time_us, digest, row[at], row[at + 1])
            if register < kinds[_LAST]
            else earlier(row[at], row[at + 1], event_time_us, digest)
        ):
            row[at], row[at + 1] = event_time_us, np.int64(digest)
            row[at + 2] = _value(columns[register], values, event_time_us)
        at += 3


@inlined
def _has_value(column, valid):
    return column < 0 or valid[column]


@inlined
def _value(column, values, event_time_us):
    return event_time_us if column < 0 else values[column]


@inlined
def _square(value):
    if -_SMALL < value < _SMALL:
        return np.uint64(0), np.uint64(value * value)
    return multiply(np.uint64(abs(value)), np.uint64(abs(value)))


@inlined
def merge_rows(places, into, row):
    """Merge the registers of a row into those of another; `places` are the table's `word_bounds`."""
    for at in range(places[_COUNT], places[_SUM]):
        into[at] += row[at]
    for at in range(places[_SUM], places[_MIN], 2):
        add_wide(into, at, row[at], row[at + 1])
    for at in range(places[_MIN], places[_MAX]):
        into[at] = min(into[at], row[at])
    for at in range(places[_MAX], places[_FIRST]):
        into[at] = max(into[at], row[at])
    for at in range(places[_FIRST], places[_LAST], 3):
        if earlier(row[at], row[at + 1], into[at], into[at + 1]):
            into[at], into[at + 1], into[at + 2] = row[at], row[at + 1], row[at + 2]
    for at in range(places[_LAST], places[_LAST + 1], 3):
        if earlier(into[at], into[at + 1], row[at], row[at + 1]):
            into[at], into[at + 1], into[at + 2] = row[at], row[at + 1], row[at + 2]
