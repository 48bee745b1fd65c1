"""Registers: the words a tile keeps of a column. Each kind is one row of `KINDS`; nothing else knows what a kind does.

Every kind is commutative and associative to the bit: counts and 128-bit sums add, extremes compare, `first` and `last`
compare by (event time, digest). The order of the kinds is that of the words in a tile and of the bytes of a state.
"""

from collections.abc import Callable
from enum import IntEnum
from typing import Any, NamedTuple

import numpy as np

from shared_features.kernel.loops.compiled import inlined
from shared_features.kernel.loops.register_bytes import (
    GREATEST,
    SMALLEST,
    get_count,
    get_extreme,
    get_sum,
    get_timed,
    put_count,
    put_extreme,
    put_sum,
    put_timed,
)
from shared_features.kernel.loops.wide_integers import add_wide, multiply

_SMALL = 1 << 31


class Register(IntEnum):
    """What a tile keeps of a column, or of the events themselves."""

    COUNT = 0  # events with a value
    SUM = 1  # of values, exact
    SQUARES = 2  # sum of squared values, exact
    MIN = 3
    MAX = 4
    FIRST = 5  # (event time, digest, value), smallest
    LAST = 6  # (event time, digest, value), greatest
    DISTINCT = 7  # the k smallest hashes of values: a set, kept beside the words


@inlined
def earlier(time_us, digest, other_time_us, other_digest):
    """Whether (time, digest) comes before the other; digests compare as unsigned."""
    return time_us < other_time_us or (time_us == other_time_us and np.uint64(digest) < np.uint64(other_digest))


@inlined
def _prepare_count(count, value, event_time_us, digest):
    return count + 1


@inlined
def _prepare_sum(high, low, value, event_time_us, digest):
    return add_wide(high, low, value >> 63, value)


@inlined
def _prepare_squares(high, low, value, event_time_us, digest):
    if -_SMALL < value < _SMALL:
        return add_wide(high, low, 0, value * value)
    square_high, square_low = multiply(np.uint64(abs(value)), np.uint64(abs(value)))
    return add_wide(high, low, square_high, square_low)


@inlined
def _prepare_min(smallest, value, event_time_us, digest):
    return min(smallest, value)


@inlined
def _prepare_max(greatest, value, event_time_us, digest):
    return max(greatest, value)


@inlined
def _prepare_first(first_us, first_digest, first_value, value, event_time_us, digest):
    return _merge_first(first_us, first_digest, first_value, event_time_us, np.int64(digest), value)


@inlined
def _prepare_last(last_us, last_digest, last_value, value, event_time_us, digest):
    return _merge_last(last_us, last_digest, last_value, event_time_us, np.int64(digest), value)


@inlined
def _merge_count(count, other_count):
    return count + other_count


@inlined
def _merge_sum(high, low, other_high, other_low):
    return add_wide(high, low, other_high, other_low)


@inlined
def _merge_min(smallest, other_smallest):
    return min(smallest, other_smallest)


@inlined
def _merge_max(greatest, other_greatest):
    return max(greatest, other_greatest)


@inlined
def _merge_first(time_us, digest, value, other_us, other_digest, other_value):
    if earlier(other_us, other_digest, time_us, digest):
        return other_us, other_digest, other_value
    return time_us, digest, value


@inlined
def _merge_last(time_us, digest, value, other_us, other_digest, other_value):
    if earlier(time_us, digest, other_us, other_digest):
        return other_us, other_digest, other_value
    return time_us, digest, value


NOWHERE, WORD, WIDE, SET = 0, 1, 2, 3
"""What holds a column's value in a tile of one event: nothing, a word, a 128-bit sum, a set of one hash."""


class Kind(NamedTuple):
    """What a kind of register does. `value`, `has_value`: what holds these in a tile of one event, and which word."""

    empty: tuple[int, ...]  # its words of no event: the neutral element of its merge
    prepare: Callable[..., Any]  # (its words, value, event time, digest) -> its words with one event more
    merge: Callable[..., Any]  # (its words, another's words) -> its words
    put: Callable[..., Any]  # (row, at, tile, whether of the events themselves, buffer, place) -> next place
    get: Callable[..., Any]  # (..., end) -> next place, beyond `end` when bytes are missing or wrong
    value: tuple[int, int] = (NOWHERE, 0)
    has_value: tuple[int, int] = (NOWHERE, 0)
    time: int | None = None  # the word that holds an event time

    @property
    def words(self) -> int:
        """How many words it takes."""
        return len(self.empty)


def _extreme(empty: int, prepare: Callable[..., Any], merge: Callable[..., Any]) -> Kind:
    return Kind((empty,), prepare, merge, put_extreme, get_extreme, value=(WORD, 0), has_value=(WORD, 0))


def _timed(empty: int, prepare: Callable[..., Any], merge: Callable[..., Any]) -> Kind:
    return Kind((empty, 0, 0), prepare, merge, put_timed, get_timed, value=(WORD, 2), has_value=(WORD, 0), time=0)


KINDS = {
    Register.COUNT: Kind((0,), _prepare_count, _merge_count, put_count, get_count, has_value=(WIDE, 0)),
    Register.SUM: Kind((0, 0), _prepare_sum, _merge_sum, put_sum, get_sum, value=(WIDE, 0)),
    Register.SQUARES: Kind((0, 0), _prepare_squares, _merge_sum, put_sum, get_sum),
    Register.MIN: _extreme(GREATEST, _prepare_min, _merge_min),
    Register.MAX: _extreme(SMALLEST, _prepare_max, _merge_max),
    Register.FIRST: _timed(GREATEST, _prepare_first, _merge_first),
    Register.LAST: _timed(SMALLEST, _prepare_last, _merge_last),
}
"""The kinds whose words stand in a tile's row; `DISTINCT` is a set (`sets.py`)."""
