"""Entity contents: what a state holds, for a person who asks: its head, its tiles, the events in each window."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shared_features.kernel.event_time import floor_to
from shared_features.kernel.layout import Layout
from shared_features.kernel.loops.events import DIGEST, TIME, VALUES
from shared_features.kernel.loops.registers import Register
from shared_features.kernel.loops.segments import LENGTH, START
from shared_features.kernel.replay import settle
from shared_features.kernel.tile_state import NEVER_US, TileState


class Tile(NamedTuple):
    """How many events of `start_us <= event time < start_us + hop_us` are in a tile.

    last_us: the time of its newest event, which a tile keeps for a feature such as the time since the last event; None
    where no feature of the group needs it.
    """

    start_us: int
    hop_us: int
    events: int
    last_us: int | None


class HeadEvent(NamedTuple):
    """One event of a head. values: of the group's columns as the kernel takes them, None where missing."""

    event_time_us: int
    digest: int
    values: tuple[int | None, ...]


class WindowContents(NamedTuple):
    """The events of `from_us <= event time < until_us`.

    newest_us: the time of the newest of them; None without events. Where that event lies in a tile which does not keep
    its time, it is not older than `newest_us` and less than `within_us` younger.
    with_value: how many of them have a value of the feature's column; all where it has none. None where some lie in
    tiles, and no feature of the column makes tiles count them, as its mean does.
    """

    from_us: int
    until_us: int
    events: int
    newest_us: int | None
    within_us: int
    with_value: int | None


def window_contents(state: TileState, slot: int, as_of_us: int) -> list[WindowContents]:
    """What lies in the window of each feature of an entity, in the order of the layout. Exact where `read` is."""
    head, tiles, rows = _head(state, slot), tiles_of(state, slot), _tile_rows(state, slot)
    newest_us = int(state.newest_us([slot])[0])
    found: dict[tuple[int, int, int | None], WindowContents] = {}
    windows = [(feature.length_us, feature.hop_us, feature.column) for feature in state.layout.features]
    for length_us, hop_us, column in dict.fromkeys(windows):
        from_us = floor_to(as_of_us - length_us, hop_us)
        in_head = head[(head[:, TIME] >= from_us) & (head[:, TIME] < as_of_us)]
        places = [at for at, tile in enumerate(tiles) if from_us <= tile.start_us < as_of_us]
        in_tiles = [tiles[at] for at in places]
        newest = _newest(in_head[:, TIME], in_tiles, min(as_of_us, newest_us - state.layout.head_us))
        events = len(in_head) + sum(tile.events for tile in in_tiles)
        with_value = events if column is None else _with_value(state.layout, column, in_head, rows[places])
        found[length_us, hop_us, column] = WindowContents(from_us, as_of_us, events, *newest, with_value)
    return [found[each] for each in windows]


def tiles_of(state: TileState, slot: int) -> list[Tile]:
    """The tiles of an entity, oldest first."""
    settle(state, [slot])  # a state that still takes events may put off what belongs into tiles
    start, length = _tile_span(state, slot)
    starts, rows = state.pools.starts[start : start + length].tolist(), _tile_rows(state, slot)
    events = rows[:, 0].tolist()  # set 0 holds the digests
    place = _place_of(state.layout, Register.LAST, None)
    last = [None] * length if place is None else rows[:, place].tolist()
    newest_us = int(state.newest_us([slot])[0])
    return [
        Tile(start_us, _hop_us(state.layout, start_us, newest_us), count, last_us)
        for start_us, count, last_us in zip(starts, events, last, strict=True)
    ]


def head_of(state: TileState, slot: int) -> list[HeadEvent]:
    """The events of an entity's head, oldest first."""
    columns = len(state.layout.columns)
    return [
        HeadEvent(
            event[TIME],
            event[DIGEST] % 2**64,
            tuple(
                value if there else None
                for value, there in zip(event[VALUES : VALUES + columns], event[VALUES + columns :], strict=True)
            ),
        )
        for event in _head(state, slot).tolist()
    ]


def is_exact(state: TileState, slot: int, as_of_us: int) -> bool:
    """Whether `read` is exact as of an instant: it lies not more than the head before the newest event."""
    newest_us = int(state.newest_us([slot])[0])
    return newest_us == NEVER_US or as_of_us >= newest_us - state.layout.head_us


def _head(state: TileState, slot: int) -> NDArray[np.int64]:
    settle(state, [slot])
    start, length = (int(state.pools.heads[slot, field]) for field in (START, LENGTH))
    return state.pools.events[start : start + length]


def _tile_span(state: TileState, slot: int) -> tuple[int, int]:
    start, length = (int(state.pools.tiles[slot, field]) for field in (START, LENGTH))
    return start, length


def _tile_rows(state: TileState, slot: int) -> NDArray[np.int64]:
    """int64[tiles, words] of a settled state."""
    start, length = _tile_span(state, slot)
    return state.pools.rows[start : start + length]


def _with_value(layout: Layout, column: int, in_head: NDArray[np.int64], in_tiles: NDArray[np.int64]) -> int | None:
    single = int(in_head[:, VALUES + len(layout.columns) + column].sum())
    if not len(in_tiles):
        return single
    place = _place_of(layout, Register.COUNT, column)
    return None if place is None else single + int(in_tiles[:, place].sum())


def _newest(in_head: NDArray[np.int64], in_tiles: Sequence[Tile], tiles_until_us: int) -> tuple[int | None, int]:
    """`tiles_until_us`: no event in a tile is younger, whatever the hop of its tile."""
    if len(in_head):
        return int(in_head[-1]), 0
    if not in_tiles:
        return None, 0
    last = in_tiles[-1]
    if last.last_us is not None and last.last_us < tiles_until_us:
        return last.last_us, 0
    return last.start_us, min(last.hop_us, tiles_until_us - last.start_us)


def _place_of(layout: Layout, register: Register, column: int | None) -> int | None:
    """Where in a tile's row a register of a column stands; without a column, of the events themselves."""
    for index, places in zip(layout.tables.feature_outputs, layout.tables.feature_places, strict=True):
        feature = layout.features[index]
        if feature.column == column and register in feature.aggregation.registers:
            return int(places[feature.aggregation.registers.index(register)])
    return None


def _hop_us(layout: Layout, start_us: int, newest_us: int) -> int:
    """The hop of the tile that starts there: that of the finest level whose bound it does not lie before.

    See `loops.cascade`: the bounds are multiples of the coarser hop, so all events of a tile are on one side of them.
    """
    hops = layout.hops_us
    for hop_us, coarser_us, keep_us in zip(hops, (*hops[1:], hops[-1]), layout.keeps_us, strict=True):
        if start_us >= floor_to(newest_us - keep_us, coarser_us):
            return hop_us
    return hops[-1]
