"""Stored features of one group in a span of its table, as they lie in the files: in chunks, without a copy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shared_features.definitions import Feature
from training.datasets.rows.joined_spine import JoinedSpine
from training.datasets.rows.sorted_numbers import Places


class StoredColumns:
    """Features by their index. A row is named by its line, which is its number among all rows of the span."""

    def __init__(self, frame: pl.DataFrame, features: Iterable[Feature]) -> None:
        whole = frame if _chunks_alike(frame) else frame.rechunk()
        self._chunks = {
            each.index: [chunk.to_numpy() for chunk in whole[each.name].get_chunks()] for each in features
        }  # of numbers, and null is NaN
        lengths = whole[:, 0].chunk_lengths()
        self._starts = np.cumsum([0, *lengths[:-1]])

    def at(self, feature: Feature, lines: NDArray[np.integer]) -> NDArray[Any]:
        """The values of a feature at some lines."""
        return self.rows(lines).values(feature)

    def rows(self, lines: NDArray[np.integer]) -> StoredRows:
        """Some lines, whose values are then asked for."""
        lines = lines.astype(np.int64)
        ends = (lines.min(), lines.max()) if len(lines) else (0, 0)
        first, last = np.searchsorted(self._starts, ends, side="right") - 1
        if first == last:
            return StoredRows(self._chunks, lines - self._starts[first], [(int(first), slice(None))])
        chunks = np.searchsorted(self._starts, lines, side="right") - 1
        rows = [(number, np.flatnonzero(chunks == number)) for number in np.unique(chunks).tolist()]
        return StoredRows(self._chunks, lines - self._starts[chunks], rows)


class StoredRows:
    """Some rows, in any order. lines: of each in its chunk. where: the rows of each chunk; mostly there is only one."""

    def __init__(self, columns: dict[int, list[NDArray[Any]]], lines: Places, where: list[tuple[int, Any]]) -> None:
        self._columns, self._lines, self._where = columns, lines, where
        self._found: dict[int, NDArray[Any]] = {}

    def values(self, feature: Feature) -> NDArray[Any]:
        if feature.index not in self._found:
            self._found[feature.index] = self._taken(self._columns[feature.index])
        return self._found[feature.index]

    def _taken(self, column: list[NDArray[Any]]) -> NDArray[Any]:
        if len(self._where) == 1:
            return column[self._where[0][0]][self._lines]
        found = np.empty(len(self._lines), column[0].dtype)
        for number, rows in self._where:
            found[rows] = column[number][self._lines[rows]]
        return found


def read_columns(spine: JoinedSpine, exact: Sequence[Feature], rounded: Sequence[Feature]) -> dict[str, StoredColumns]:
    """Part name of a group -> those of its features that are asked for, as float64 or as float32."""
    found = {}
    for group in spine.pinned.view.groups:
        whole, half = ([each for each in some if each.group.part_name == group.part_name] for some in (exact, rounded))
        if whole or half:
            columns = [*(pl.col(each.name) for each in whole), *(pl.col(each.name).cast(pl.Float32) for each in half)]
            frame = spine.scan(group).select(columns).collect()
            found[group.part_name] = StoredColumns(frame, [*whole, *half])
    return found


def _chunks_alike(frame: pl.DataFrame) -> bool:
    first, *others = (column.chunk_lengths() for column in frame)
    return all(each == first for each in others)
