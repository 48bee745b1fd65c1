"""Passes against loops over Python's integers: rows and events of any width, sums beyond 64 bits, any window."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from shared_features import Count, Max, Mean, Std
from shared_features.kernel.feature_spec import Column, FeatureSpec
from shared_features.kernel.layout import Layout
from shared_features.kernel.loops.compiled import compiled
from shared_features.kernel.loops.passes import pass_events, pass_tiles
from shared_features.kernel.loops.registers import KINDS, Register
from shared_features.kernel.replay import read_room

HOUR_US = 3_600_000_000
MOST = (1 << 63) - 1
INTEGERS = st.sampled_from([MOST, -MOST - 1, -1, 0, 1]) | st.integers(-MOST - 1, MOST)
SMALL = st.integers(-(1 << 30), 1 << 30)  # so that no sum of squares is beyond 128 bits


@compiled
def _tiles(tables, starts, rows, first, tile, start_us, room):
    return pass_tiles(tables, starts, rows, first, tile, start_us, room)


@compiled
def _events(tables, events, first, stop, start_us, room):
    return pass_events(tables, events, first, stop, start_us, room)


def wide(columns: int, *aggregations) -> Layout:
    """A layout of so many columns, each with all of the aggregations."""
    specs = [
        FeatureSpec(f"{column}_{i}", each, column, 24 * HOUR_US, HOUR_US)
        for column in range(columns)
        for i, each in enumerate(aggregations)
    ]
    specs.append(FeatureSpec("events", Count(), None, 24 * HOUR_US, HOUR_US))
    return Layout(tuple(Column(f"c{i}", 0) for i in range(columns)), tuple(specs), 0)


LAYOUTS = st.sampled_from(
    [wide(1, Mean()), wide(2, Count(), Mean()), wide(3, Mean(), Std()), wide(5, Mean(), Max()), wide(9, Std())]
)


def spared(rows: list[list[int]], words: int) -> NDArray[np.int64]:
    """The rows of a pool, with words to spare that are not 0."""
    room = np.full((len(rows) + 8, words), 77)
    room[: len(rows)] = np.array(rows, np.int64).reshape(-1, words)
    return room[: len(rows)]


def registers(layout: Layout) -> list[tuple[Register, int, int]]:
    """(kind, column, first word) of each register of a row."""
    tables, found = layout.tables, []
    for kind in KINDS:
        at = int(tables.word_bounds[kind])
        for register in range(tables.kind_bounds[kind], tables.kind_bounds[kind + 1]):
            found.append((kind, int(tables.register_columns[register]), at))
            at += KINDS[kind].words
    return found


def wide_number(row, at: int) -> int:
    return (int(row[at]) << 64) + int(row[at + 1]) % (1 << 64)


def words_of(number: int) -> list[int]:
    """A number as the two signed words of 128 bits."""
    high, low = (number >> 64) % (1 << 64), number % (1 << 64)
    return [each - (1 << 64) if each >> 63 else each for each in (high, low)]


@given(LAYOUTS, st.data())
def test_tiles_of_a_window_are_merged_and_no_others(layout: Layout, data) -> None:
    sums = st.integers(-(1 << 100), 1 << 100)
    tiles = []
    for _ in range(data.draw(st.integers(0, 5))):
        row = layout.tables.empty_row.tolist()
        for kind, _, at in registers(layout):
            if kind in (Register.SUM, Register.SQUARES):
                row[at : at + 2] = words_of(data.draw(sums))
            else:
                row[at] = data.draw(SMALL)
        tiles.append(row)
    starts = sorted(data.draw(st.lists(st.integers(0, 9), min_size=len(tiles), max_size=len(tiles))))
    start_us = data.draw(st.integers(-1, 10))
    room = read_room(layout)
    first = data.draw(st.integers(0, len(tiles)))
    room.row[:] = layout.tables.empty_row
    pool = spared(tiles, len(layout.tables.empty_row))
    older = _tiles(layout.tables, np.array([*starts, 0], np.int64), pool, first, len(tiles) - 1, start_us, room)
    inside = [i for i in range(first, len(tiles)) if starts[i] >= start_us]
    assert older == len(tiles) - 1 - len(inside)
    for kind, _, at in registers(layout):
        if kind in (Register.SUM, Register.SQUARES):
            assert wide_number(room.row, at) == sum(wide_number(tiles[i], at) for i in inside)
        elif kind is Register.COUNT:
            assert room.row[at] == sum(tiles[i][at] for i in inside)
        else:
            assert room.row[at] == max([int(layout.tables.empty_row[at]), *(tiles[i][at] for i in inside)])


@given(LAYOUTS, st.data())
def test_events_of_a_window_are_merged_and_no_others(layout: Layout, data) -> None:
    columns = len(layout.columns)
    integers = SMALL if any(kind is Register.SQUARES for kind, _, _ in registers(layout)) else INTEGERS
    times = sorted(data.draw(st.lists(st.integers(0, 9), max_size=6)))
    events = []
    for time_us in times:
        valid = data.draw(st.lists(st.integers(0, 1), min_size=columns, max_size=columns))
        values = [data.draw(integers) if there else 0 for there in valid]
        events.append([time_us, data.draw(INTEGERS), *values, *valid])
    first = data.draw(st.integers(0, len(events)))
    start_us = data.draw(st.integers(-1, 10))
    room = read_room(layout)
    room.row[:] = layout.tables.empty_row
    pool = spared(events, 2 + 2 * columns)
    oldest = _events(layout.tables, pool, first, len(events), start_us, room)
    inside = [event for event in events[first:] if event[0] >= start_us]
    assert oldest == len(events) - len(inside)
    for kind, column, at in registers(layout):
        there = [event[2 + column] for event in inside if column < 0 or event[2 + columns + column]]
        if kind is Register.COUNT:
            assert room.row[at] == len(there)
        elif kind is Register.MAX:
            assert room.row[at] == max([int(layout.tables.empty_row[at]), *there])
        else:
            power = 2 if kind is Register.SQUARES else 1
            assert wide_number(room.row, at) == sum(value**power for value in there)
