"""Bins of a column: the deciles of numbers, the most frequent values of categories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

MOST_VALUES = 30
_DECILES = np.arange(1, 10) / 10


@dataclass(frozen=True)
class ColumnBins:
    """edges of numbers, or values of categories (see `formats.dataset_statistics`)."""

    edges: tuple[float, ...] = ()
    values: tuple[str, ...] = ()

    @property
    def count(self) -> int:
        return len(self.edges or self.values) + 1

    def places(self, column: pl.Series) -> NDArray[np.int64]:
        """int64[n]: the bin of each value that is there; -1 where it is missing or without end."""
        if self.values:
            places = column.cast(pl.String).replace_strict(
                list(self.values), list(range(len(self.values))), default=len(self.values), return_dtype=pl.Int64
            )
            return pl.select(pl.when(column.is_null()).then(-1).otherwise(places)).to_series().to_numpy()
        numbers = floats(column)
        found = np.searchsorted(np.array(self.edges, np.float64), numbers, side="left").astype(np.int64)
        found[~np.isfinite(numbers)] = -1
        return found

    def counted(self, places: NDArray[np.int64]) -> tuple[int, ...]:
        """Rows of each bin."""
        return tuple(np.bincount(places[places >= 0], minlength=self.count).tolist())


def is_number(column: pl.Series) -> bool:
    return column.dtype.is_numeric()


def floats(column: pl.Series) -> NDArray[np.float64]:
    """A column of numbers; missing is NaN."""
    return column.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def choose_bins(column: pl.Series) -> ColumnBins:
    """Those of the rows that everything else is compared with."""
    if is_number(column):
        numbers = floats(column)
        there = numbers[np.isfinite(numbers)]
        return ColumnBins(edges=tuple(np.unique(np.quantile(there, _DECILES)).tolist()) if len(there) else ())
    counts = column.drop_nulls().cast(pl.String).value_counts(name="rows")
    ranked = counts.sort("rows", column.name, descending=[True, False]).head(MOST_VALUES)[column.name].to_list()
    return ColumnBins(values=tuple(sorted(ranked)) or ("",))


def stability_index(train: Sequence[int], test: Sequence[int]) -> float | None:
    """Population stability index of two histograms. A bin counts half a row more, so that none is empty.

    After Siddiqi, *Credit Risk Scorecards* (2006): below 0.1 is little, above 0.25 much.
    """
    if not sum(train) or not sum(test):
        return None
    a, b = (np.array(counts, np.float64) + 0.5 for counts in (train, test))
    a, b = a / a.sum(), b / b.sum()
    return float(((b - a) * np.log(b / a)).sum())
