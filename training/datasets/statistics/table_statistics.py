"""The statistics of a dataset's table: each feature and the label, in each window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.formats.dataset_statistics import (
    QUANTILES,
    ColumnStatistics,
    DatasetStatistics,
    WindowStatistics,
)
from training.datasets.statistics.column_bins import ColumnBins, choose_bins, floats, is_number, stability_index

ALL = "all"
TRAIN, TEST = "train", "test"
_CLASSES = 12


def table_statistics(
    data: pl.DataFrame,
    features: Sequence[str],
    *,
    view: str,
    digest: str,
    label: str = "",
    window: str = "",
    categories: Mapping[str, Sequence[str | int | bool]] | None = None,
) -> DatasetStatistics:
    """label, window: names of columns; "" where there is none. categories: feature -> values, whose places it has."""
    windows = _windows(data, window)
    numbers = _label_numbers(data[label]) if label else None
    named = {name: _named(data[name], values) for name, values in (categories or {}).items()}
    return DatasetStatistics(
        view,
        digest,
        {name: len(rows) for name, rows in windows.items()},
        tuple(_column(named.get(name, data[name]), windows, numbers) for name in features),
        _column(_as_label(data[label]), windows, None) if label else None,
    )


def _windows(data: pl.DataFrame, window: str) -> dict[str, NDArray[np.int64]]:
    """Name -> the indices of its rows."""
    if not window:
        return {ALL: np.arange(len(data))}
    found = data[window].fill_null("")
    names = [name for name in (TRAIN, "gap", TEST) if (found == name).any()]
    return {name: np.flatnonzero((found == name).to_numpy()) for name in names}


def _column(
    column: pl.Series, windows: Mapping[str, NDArray[np.int64]], label: NDArray[np.float64] | None
) -> ColumnStatistics:
    first = next(iter(windows.values()), np.empty(0, np.int64))
    bins = choose_bins(column[windows.get(TRAIN, first)])
    found = {
        name: _in_window(column[rows], bins, None if label is None else label[rows]) for name, rows in windows.items()
    }
    drift = None
    if TRAIN in found and TEST in found:
        drift = stability_index(*((*found[name].bins, found[name].missing) for name in (TRAIN, TEST)))
    return ColumnStatistics(column.name, bins.edges, bins.values, found, drift)


def _in_window(column: pl.Series, bins: ColumnBins, label: NDArray[np.float64] | None) -> WindowStatistics:
    counts = bins.counted(bins.places(column))
    if not is_number(column):
        return WindowStatistics(len(column), column.null_count(), 0, counts)
    numbers = floats(column)
    there = numbers[np.isfinite(numbers)]
    missing, infinite = int(np.isnan(numbers).sum()), int(np.isinf(numbers).sum())
    if not len(there):
        return WindowStatistics(len(column), missing, infinite, counts)
    return WindowStatistics(
        rows=len(column),
        missing=missing,
        infinite=infinite,
        bins=counts,
        mean=float(there.mean()),
        std=float(there.std()),
        least=float(there.min()),
        most=float(there.max()),
        quantiles=tuple(np.quantile(there, QUANTILES).tolist()),
        correlation=None if label is None else _correlation(numbers, label),
    )


def _correlation(numbers: NDArray[np.float64], label: NDArray[np.float64]) -> float | None:
    both = np.isfinite(numbers) & np.isfinite(label)
    a, b = numbers[both], label[both]
    if len(a) < 2 or a.min() == a.max() or b.min() == b.max():
        return None
    found = float(np.corrcoef(a, b)[0, 1])
    return found if np.isfinite(found) else None


def _label_numbers(label: pl.Series) -> NDArray[np.float64] | None:
    """The label as numbers: of two texts the first, in the order of the alphabet, is 0. None of more texts."""
    if is_number(label) or label.dtype == pl.Boolean:
        return floats(label)
    names = label.drop_nulls().unique().sort()
    return floats(label.replace_strict(names, [0.0, 1.0], default=None)) if len(names) == 2 else None


def _as_label(label: pl.Series) -> pl.Series:
    """Whole numbers of which there are few are classes: they are counted rather than measured."""
    if is_number(label):
        numbers = label.cast(pl.Float64).fill_nan(None)
        there = numbers.drop_nulls()
        if there.n_unique() > _CLASSES or not (there % 1 == 0).all():
            return label
        label = numbers.cast(pl.Int64)
    return label.cast(pl.String)


def _named(column: pl.Series, values: Sequence[str | int | bool]) -> pl.Series:
    """The values of a category whose places a column has."""
    if not is_number(column) or not values:
        return column
    places = column.cast(pl.Float64).fill_nan(None)
    texts = [str(value) for value in values]
    return places.replace_strict(list(map(float, range(len(texts)))), texts, default=None, return_dtype=pl.String)
