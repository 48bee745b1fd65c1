"""The matrix of a view, from the files of one group after the other: no stored column is ever in memory as a whole.

A few thousand rows of a group become columns while they are in the processor's cache. The columns whose functions take
features of several groups come last: these features are held for all rows, a few at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared_features.counted import counted
from shared_features.definitions import Input
from shared_features.feature_matrix import column_values
from shared_features.kernel.held_arrays import held_arrays
from training.datasets.rows.column_parts import ColumnPart, column_parts
from training.datasets.rows.joined_spine import JoinedSpine
from training.datasets.rows.matrix_loops import place_columns
from training.datasets.rows.stored_columns import ROWS_AT_ONCE, RowsOfLines, gathered, stored_rows
from training.progress import Tell, untold

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class ViewValues:
    """Of `n` rows of the spine, and of some that are sampled.

    matrix: float32[n, features] with one NaN, and NaN for categories. codes: float64[n, categories]. sampled: part name
    of a group -> float64[sampled rows, features of the part]; NaN of a feature that no on-demand function takes.
    """

    matrix: NDArray[np.float32]
    codes: Floats
    sampled: dict[str, Floats]


def view_values(spine: JoinedSpine, sample: JoinedSpine, tell: Tell = untold) -> ViewValues:
    """The features of a spine's rows, and what on-demand functions take at some rows of the same join.

    Raises OnDemandError when a function raises.
    """
    view = spine.pinned.view
    values = ViewValues(
        np.empty((len(spine), len(view.columns)), np.float32),
        np.empty((len(spine), len(view.categories))),
        {group.part_name: np.full((len(sample), len(group.features)), np.nan, order="F") for group in view.groups},
    )
    done = 0
    for part in column_parts(view):
        with np.errstate(all="ignore"):  # as `feature_matrix` computes them
            for inputs in _inputs(spine, sample, part, values.sampled):
                _fill(values, part, inputs)
        done += len(part.columns)
        tell(f"computed features of {counted(len(spine), 'row')}", done, len(view.columns))
    return values


class _Inputs:
    """The values of inputs at some rows. numbers: int64, these. stored: those of the stored features of a part."""

    def __init__(self, spine: JoinedSpine, rows: Any, stored: Sequence[Floats]) -> None:
        self.spine, self.rows, self._stored = spine, rows, stored
        self._request: dict[str, Floats] = {}
        self.numbers = np.arange(rows.start, rows.stop) if isinstance(rows, slice) else rows.astype(np.int64)

    def __len__(self) -> int:
        return len(self.numbers)

    def value(self, wanted: Input, place: int | None) -> NDArray[Any]:
        """place: of a stored feature in its part."""
        if place is not None:
            return self._stored[place]
        if wanted.field is None:
            as_of_us: NDArray[np.int64] = self.spine.event_time_us[self.rows]
            return as_of_us
        if wanted.field not in self._request:
            self._request |= self.spine.request(self.rows, [wanted.field])
        return self._request[wanted.field]


def _inputs(spine: JoinedSpine, sample: JoinedSpine, part: ColumnPart, sampled: dict[str, Floats]) -> Iterator[_Inputs]:
    """What the columns of a part take: of one group as its files hold them, otherwise in the order of the rows.

    sampled: gets the stored features of the sample's rows.
    """
    if len(part.groups) == 1:
        name = part.groups[0].part_name
        wanted = RowsOfLines(spine.lines[name]), RowsOfLines(sample.lines[name])
        for some, few in stored_rows(spine.pinned.groups[name], part.features, *wanted):
            for feature, floats in zip(part.features, few.values, strict=True):
                sampled[name][few.rows, feature.index] = floats
            if len(some.rows):
                yield _Inputs(spine, some.rows, some.values)
        return
    for feature, floats in zip(part.features, gathered(sample, part.features), strict=True):
        sampled[feature.group.part_name][:, feature.index] = floats
    held = gathered(spine, part.features)
    for start in range(0, len(spine), ROWS_AT_ONCE):
        rows = slice(start, min(start + ROWS_AT_ONCE, len(spine)))
        yield _Inputs(spine, rows, [floats[rows] for floats in held])


def _fill(values: ViewValues, part: ColumnPart, inputs: _Inputs) -> None:
    """The columns of a part at some rows."""
    categories = {at: place for place, (at, _) in enumerate(inputs.spine.pinned.view.categories)}
    columns: list[Floats] = []
    for (at, column), places in zip(part.columns, part.places, strict=True):
        given = list(map(inputs.value, column.inputs, places))
        found = column_values(column, given) if at not in categories else np.nan
        if at in categories:
            values.codes[inputs.rows, categories[at]] = given[0]
        columns.append(_doubles(found, len(inputs)))
    numbers = np.array([at for at, _ in part.columns])
    place_columns(held_arrays(tuple(columns)), numbers, inputs.numbers, values.matrix)


def _doubles(found: Any, count: int) -> Floats:
    """One float64 for each row, which a float32 is rounded from once."""
    column = np.asarray(found)
    if column.dtype != np.float64:
        column = column.astype(np.float32).astype(np.float64)
    if column.shape != (count,):  # the function gives one value for all
        column = np.broadcast_to(column, count)
    return np.ascontiguousarray(column)
