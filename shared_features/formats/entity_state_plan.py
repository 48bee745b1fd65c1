"""How the tiles of a layout are written: where a tile of one event keeps that event's values and time."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared_features.kernel.layout import Layout
from shared_features.kernel.loops.events import event_words
from shared_features.kernel.loops.registers import KINDS, NOWHERE, SET, WORD, Register
from shared_features.kernel.loops.varints import MOST_BYTES


class StatePlan(NamedTuple):
    """Tables for the writer and the reader of entity states."""

    sources: NDArray[np.int64]  # [columns, 4]: what holds the value, where; what tells it is missing, where
    times: NDArray[np.int64]  # words that hold the event's time, or are empty
    single: bool  # whether tiles of one event can be written as that event
    entity_bytes: int  # an entity takes at most so many, without its head, tiles and words of sets
    head_bytes: int  # an event of its head at most so many
    tile_bytes: int  # a tile at most so many, without words of sets


class StateRoom(NamedTuple):
    """What writing and reading need beside the state."""

    offsets: NDArray[np.int64]  # [sets]: where in the pool the sets of the next tile are
    event: NDArray[np.int64]  # [1, words of an event]: the only one of a tile


def state_room(layout: Layout) -> StateRoom:
    """Room for one thread."""
    sets, words = len(layout.tables.set_sizes), event_words(len(layout.columns))
    return StateRoom(np.zeros(sets, np.int64), np.zeros((1, words), np.int64))


@lru_cache(maxsize=256)
def state_plan(layout: Layout) -> StatePlan:
    """The tables of a layout."""
    tables = layout.tables
    places = _places(layout)
    sources = [_source(layout, column, places) for column in range(len(layout.columns))]
    times = [at for place in places for at in _times(*place)]
    valued = {column for kind, column, _ in places if KINDS[kind].prepare is not KINDS[Register.COUNT].prepare}
    row = len(tables.empty_row)
    return StatePlan(
        sources=np.array(sources, np.int64).reshape(-1, 4),
        times=np.array(times, np.int64),
        single=all(bool(times) if column < 0 else sources[column][0] != NOWHERE for column in valued),
        entity_bytes=MOST_BYTES * (4 + len(tables.set_sizes)),
        head_bytes=MOST_BYTES * (2 + len(layout.columns)),
        tile_bytes=MOST_BYTES * (3 + row + len(layout.columns)),
    )


def _places(layout: Layout) -> list[tuple[Register, int, int]]:
    """(kind, column, first word) of each register."""
    tables = layout.tables
    found: list[tuple[Register, int, int]] = []
    for kind in KINDS:
        first, stop = tables.kind_bounds[kind], tables.kind_bounds[kind + 1]
        found += [
            (kind, int(tables.register_columns[i]), int(tables.word_bounds[kind] + (i - first) * KINDS[kind].words))
            for i in range(first, stop)
        ]
    return found


def _times(kind: Register, column: int, place: int) -> list[int]:
    """The words of a register that hold the time of its only event. Of the events themselves, the value is the time."""
    row = KINDS[kind]
    if row.time is not None:
        return [place + row.time]
    return [place + row.value[1]] if column < 0 and row.value[0] == WORD else []


def _source(layout: Layout, column: int, places: list[tuple[Register, int, int]]) -> tuple[int, int, int, int]:
    """What holds the column's value and what tells that it is there: one register for both, a set, or one for each."""
    of_column = {kind: place for kind, owner, place in places if owner == column}

    def holder(which: tuple[int, int], kind: Register) -> tuple[int, int]:
        return which[0], of_column[kind] + which[1]

    values = {kind: holder(KINDS[kind].value, kind) for kind in of_column if KINDS[kind].value[0] != NOWHERE}
    flags = {kind: holder(KINDS[kind].has_value, kind) for kind in of_column if KINDS[kind].has_value[0] != NOWHERE}
    for kind in [kind for kind in values if kind in flags]:
        return *values[kind], *flags[kind]
    sets = [i for i, owner in enumerate(layout.tables.set_columns.tolist()) if i and owner == column]
    if sets:
        return SET, sets[0], SET, sets[0]
    return *next(iter(values.values()), (NOWHERE, 0)), *next(iter(flags.values()), (NOWHERE, 0))
