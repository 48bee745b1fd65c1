"""How the tiles of a layout are written: where a tile of one event keeps that event's values and time."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared_features.kernel.aggregations import REGISTER_WORDS, Register
from shared_features.kernel.layout import Layout
from shared_features.kernel.loops.varints import MOST_BYTES

NOWHERE, WORD, WIDE, SET = 0, 1, 2, 3
"""What holds a column's value in a tile of one event: nothing, a word, a 128-bit sum, a set of one hash."""

_TIMED = (Register.FIRST, Register.LAST)


class StatePlan(NamedTuple):
    """Tables for the writer and the reader of entity states."""

    sources: NDArray[np.int64]  # [columns, 4]: what holds the value, where; what tells it is missing, where
    times: NDArray[np.int64]  # words that hold the event's time, or are empty
    single: bool  # whether tiles of one event can be written as that event
    entity_bytes: int  # an entity takes at most so many, without tiles and words of sets
    tile_bytes: int  # a tile at most so many, without words of sets


class StateRoom(NamedTuple):
    """What writing and reading need beside the state."""

    offsets: NDArray[np.int64]  # [sets]: where in the pool the sets of the next tile are
    values: NDArray[np.int64]  # [columns]: of a tile's only event
    valid: NDArray[np.bool_]  # [columns]


def state_room(layout: Layout) -> StateRoom:
    """Room for one thread."""
    columns = len(layout.columns)
    sets = len(layout.tables.set_sizes)
    return StateRoom(np.zeros(sets, np.int64), np.zeros(columns, np.int64), np.zeros(columns, np.bool_))


@lru_cache(maxsize=256)
def state_plan(layout: Layout) -> StatePlan:
    """The tables of a layout."""
    tables = layout.tables
    places = _places(layout)
    sources = [_source(layout, column, places) for column in range(len(layout.columns))]
    times = [place for kind, column, place in places if kind in _TIMED or (column < 0 and kind is not Register.COUNT)]
    squared = {column for kind, column, _ in places if kind is Register.SQUARES}
    row = len(tables.empty_row)
    return StatePlan(
        sources=np.array(sources, np.int64).reshape(-1, 4),
        times=np.array(times, np.int64),
        single=all(sources[column][0] != NOWHERE for column in squared),
        entity_bytes=MOST_BYTES * (3 + len(tables.set_sizes)),
        tile_bytes=MOST_BYTES * (3 + row + len(layout.columns)),
    )


def _places(layout: Layout) -> list[tuple[Register, int, int]]:
    """(kind, column, first word) of each register."""
    tables = layout.tables
    found: list[tuple[Register, int, int]] = []
    for kind in [kind for kind in Register if kind is not Register.DISTINCT]:
        first, stop = tables.kind_bounds[kind], tables.kind_bounds[kind + 1]
        found += [
            (kind, int(tables.register_columns[i]), int(tables.word_bounds[kind] + (i - first) * REGISTER_WORDS[kind]))
            for i in range(first, stop)
        ]
    return found


def _source(layout: Layout, column: int, places: list[tuple[Register, int, int]]) -> tuple[int, int, int, int]:
    """Of the registers that hold a single value, one; a sum tells a missing one only with the help of a count."""
    of_column = {kind: place for kind, owner, place in places if owner == column}
    for kind in (Register.MIN, Register.MAX):
        if kind in of_column:
            return WORD, of_column[kind], WORD, of_column[kind]
    for kind in _TIMED:
        if kind in of_column:
            return WORD, of_column[kind] + 2, WORD, of_column[kind]
    sets = [i for i, owner in enumerate(layout.tables.set_columns.tolist()) if i and owner == column]
    if sets:
        return SET, sets[0], SET, sets[0]
    counted = (WIDE, of_column[Register.COUNT]) if Register.COUNT in of_column else (NOWHERE, 0)
    if Register.SUM in of_column:
        return WIDE, of_column[Register.SUM], *counted
    return NOWHERE, 0, *counted
