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
def _prepare_count(row, at, value, event_time_us, digest):
    row[at] += 1


@inlined
def _prepare_sum(row, at, value, event_time_us, digest):
    add_wide(row, at, value >> 63, value)


@inlined
def _prepare_squares(row, at, value, event_time_us, digest):
    if -_SMALL < value < _SMALL:
        add_wide(row, at, 0, value * value)
    else:
        high, low = multiply(np.uint64(abs(value)), np.uint64(abs(value)))
        add_wide(row, at, high, low)


@inlined
def _prepare_min(row, at, value, event_time_us, digest):
    row[at] = min(row[at], value)


@inlined
def _prepare_max(row, at, value, event_time_us, digest):
    row[at] = max(row[at], value)


@inlined
def _prepare_first(row, at, value, event_time_us, digest):
    if earlier(event_time_us, digest, row[at], row[at + 1]):
        row[at], row[at + 1], row[at + 2] = event_time_us, np.int64(digest), value


@inlined
def _prepare_last(row, at, value, event_time_us, digest):
    if earlier(row[at], row[at + 1], event_time_us, digest):
        row[at], row[at + 1], row[at + 2] = event_time_us, np.int64(digest), value


@inlined
def _merge_count(into, row, at):
    into[at] += row[at]


@inlined
def _merge_sum(into, row, at):
    add_wide(into, at, row[at], row[at + 1])


@inlined
def _merge_min(into, row, at):
    into[at] = min(into[at], row[at])


@inlined
def _merge_max(into, row, at):
    into[at] = max(into[at], row[at])


@inlined
def _merge_first(into, row, at):
    if earlier(row[at], row[at + 1], into[at], into[at + 1]):
        into[at], into[at + 1], into[at + 2] = row[at], row[at + 1], row[at + 2]


@inlined
def _merge_last(into, row, at):
    if earlier(into[at], into[at + 1], row[at], row[at + 1]):
        into[at], into[at + 1], into[at + 2] = row[at], row[at + 1], row[at + 2]


NOWHERE, WORD, WIDE, SET = 0, 1, 2, 3
"""What holds a column's value in a tile of one event: nothing, a word, a 128-bit sum, a set of one hash."""


class Kind(NamedTuple):
    """What a kind of register does. `value`, `has_value`: what holds these in a tile of one event, and which word."""

    empty: tuple[int, ...]  # its words of no event: the neutral element of its merge
    prepare: Callable[..., Any]  # (row, at, value, event time, digest): merge one event that has a value
    merge: Callable[..., Any]  # (into, row, at)
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
