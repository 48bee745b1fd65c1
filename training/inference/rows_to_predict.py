"""The rows that a batch prediction is asked about, slice after slice, so that they need not fit into memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray
from polars.exceptions import PolarsError

from shared_features.definitions import FeatureView
from shared_features.kernel.vocabulary import value_codes
from training.datasets.given_spine import check_spine, read_spine_file
from training.datasets.historical_features import Truth, historical_rows
from training.datasets.history.entity_slices import EVENTS_AT_ONCE
from training.datasets.offline_store import OfflineStore
from training.errors import DatasetError


@dataclass(frozen=True)
class Slice:
    """`n` rows. given: what is known of them. matrix: float32[n, features]. codes: float64[n, categories]."""

    given: pl.DataFrame
    matrix: NDArray[np.float32]
    codes: NDArray[np.float64]


class Rows(Protocol):
    """A source of rows. `count`: how many there are."""

    count: int

    def slices(self) -> Iterator[Slice]:
        """All rows in their order. Raises DatasetError for rows that cannot be computed."""


class SpineRows:
    """The rows of a user's file, their features computed by a replay of the stored events."""

    def __init__(
        self,
        file: Path,
        view: FeatureView,
        store: OfflineStore,
        truth: Truth,
        lag_us: int,
        rows_at_once: int,
        events_at_once: int = EVENTS_AT_ONCE,
    ) -> None:
        self._table, self._view, self._store = _Table(file), view, store
        self._truth, self._lag_us, self._rows_at_once = truth, lag_us, rows_at_once
        self._events_at_once = events_at_once
        self.count = self._table.count

    def slices(self) -> Iterator[Slice]:
        for start in range(0, self.count, self._rows_at_once):
            given = self._table.rows(start, self._rows_at_once)
            spine = check_spine(self._view, given, first_row=start)
            try:
                rows = historical_rows(
                    self._store, spine, self._truth, self._lag_us, events_at_once=self._events_at_once
                )
            except DatasetError as error:
                if start == 0:
                    raise
                raise DatasetError(f"Of the rows from {start:,} on, which are counted from 0: {error}") from error
            yield Slice(given, rows.matrix, rows.codes)


class FeatureFileRows:
    """The rows of a file that has the features already, under their names, as `dataset --spine` writes them."""

    def __init__(self, file: Path, view: FeatureView, rows_at_once: int) -> None:
        self._table, self._view, self._rows_at_once = _Table(file), view, rows_at_once
        self._names = [each.name for each in view.columns]
        self.count = self._table.count
        if lacking := [name for name in self._names if name not in self._table.columns]:
            raise DatasetError(
                f"The file {file} lacks features of view {view.label}: {', '.join(lacking)}. Let "
                "`python -m training dataset --spine FILE --output FILE.parquet` write it, or give the rows by --spine."
            )

    def slices(self) -> Iterator[Slice]:
        for start in range(0, self.count, self._rows_at_once):
            yield read_features(self._view, self._table.rows(start, self._rows_at_once))


def read_features(view: FeatureView, frame: pl.DataFrame) -> Slice:
    """The rows of a table that has all features of a view under their names. Raises DatasetError."""
    names, categories = [each.name for each in view.columns], [at for at, _ in view.categories]
    unknown = pl.lit(float("nan"), pl.Float32)
    columns = [
        unknown.alias(name) if at in categories else pl.col(name).cast(pl.Float32).fill_null(float("nan"))
        for at, name in enumerate(names)
    ]
    codes = [_codes(frame[names[at]]) for at in categories]
    try:
        floats = frame.select(names).with_columns(columns)
    except PolarsError as error:
        raise DatasetError(
            f"A feature is not a number: {error}. Features are float32, and missing ones null or NaN."
        ) from error
    given = frame.select(name for name in frame.columns if name not in names)
    return Slice(given, floats.to_numpy(order="c"), np.stack(codes, axis=1) if codes else np.empty((0, 0)))


class _Table:
    """A table in a file. A Parquet file is read in parts, any other file whole."""

    def __init__(self, file: Path) -> None:
        try:
            self._frame = pl.scan_parquet(file) if file.suffix.lower() == ".parquet" else read_spine_file(file).lazy()
            self.columns = self._frame.collect_schema().names()
            self.count = int(self._frame.select(pl.len()).collect().item())
        except (OSError, PolarsError) as error:
            raise DatasetError(f"The file {file} cannot be read. {error}. Correct the path or the file.") from error

    def rows(self, start: int, count: int) -> pl.DataFrame:
        return self._frame.slice(start, count).collect()


def _codes(values: pl.Series) -> NDArray[np.float64]:
    """float64[n]: of each value of a category; NaN where it is missing."""
    codes = np.full(len(values), np.nan)
    there = values.is_not_null().to_numpy()
    known = values.drop_nulls().unique()
    code_of = pl.DataFrame({"value": known, "code": value_codes(known.to_list())})
    found = pl.DataFrame({"value": values.drop_nulls()}).join(code_of, on="value", how="left", maintain_order="left")
    codes[there] = found["code"].to_numpy()
    return codes
