"""The keys of rows among the keys of labels."""

from __future__ import annotations

import numpy as np
import polars as pl

from training.datasets.rows.sorted_numbers import Places, SortedNumbers

NAMELESS = -2
"""The place of a row that has no value to join on: no label can name it. -1: none does."""
_PLACE = "place of the key"


def places_of(wanted: pl.DataFrame, keys: pl.DataFrame) -> Places:
    """int64[n]: the place of each among distinct keys; -1 of one that is not among them."""
    ours, theirs = wanted.to_series(), keys.to_series()
    if len(keys.columns) == 1 and theirs.dtype.is_integer() and not ours.null_count() + theirs.null_count():
        known = SortedNumbers(theirs.to_numpy())
        found = known.find(ours.to_numpy())
        return np.append(known.order, -1)[found]
    found_at = wanted.join(keys.with_row_index(_PLACE), on=keys.columns, how="left", maintain_order="left")[_PLACE]
    return found_at.cast(pl.Int64).fill_null(-1).to_numpy()


def gathered(values: pl.Series, places: Places) -> pl.Series:
    """The value at each place; null below 0."""
    wanted = pl.Series(places)
    return values.gather(pl.select(pl.when(wanted >= 0).then(wanted)).to_series())
