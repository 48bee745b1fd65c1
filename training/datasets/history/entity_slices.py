"""Slices of a spine: whole entities, so few at once that the events behind them fit into memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

EVENTS_AT_ONCE = 2_000_000
_ENTITY = "spine_entity"
_EVENTS = "spine_events"


def entity_slices(asked: pl.DataFrame, events: Sequence[pl.LazyFrame], at_once: int) -> Iterator[NDArray[np.int64]]:
    """Indices of rows, which together are all rows; those of one entity are in one slice.

    asked: the key columns of each row. events: those of each source, with the same key columns. at_once: how many
    events the entities of a slice have at most, where it is not one entity alone.
    """
    keys = list(asked.columns)
    entities = asked.unique(maintain_order=True)
    theirs = [each.select(keys).join(entities.lazy(), on=keys, how="semi") for each in events]
    counts = pl.concat(theirs).group_by(keys).agg(pl.len().alias(_EVENTS)).collect(engine="streaming")
    held = entities.join(counts, on=keys, how="left", maintain_order="left")[_EVENTS].fill_null(0).to_list()
    slices = _slices(held, at_once)
    if slices[-1] == 0:
        yield np.arange(len(asked))
        return
    of_row = asked.join(entities.with_columns(pl.Series(_ENTITY, slices)), on=keys, how="left", maintain_order="left")[
        _ENTITY
    ].to_numpy()
    order = np.argsort(of_row, kind="stable")
    yield from np.split(order, np.flatnonzero(np.diff(of_row[order])) + 1)


def _slices(counts: Sequence[int], at_once: int) -> list[int]:
    """The number of the slice of each entity."""
    numbers, number, held = list[int](), 0, 0
    for count in counts:
        if held and held + count > at_once:
            number, held = number + 1, 0
        held += count
        numbers.append(number)
    return numbers
