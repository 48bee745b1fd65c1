"""The matrix of a view, a few columns at a time, as Parquet files hold them: all columns at once are never in memory.

All columns of a few rows at a time would need less still, but a row group of a file has up to a million rows, and each
part of it would decode it again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared_features.counted import counted
from shared_features.definitions import Input, ViewFeature
from shared_features.feature_matrix import column_values
from training.datasets.rows.column_parts import column_parts
from training.datasets.rows.joined_spine import JoinedSpine
from training.datasets.rows.stored_columns import StoredColumns, read_columns
from training.progress import Tell, untold

_ROWS_AT_ONCE = 8_192
"""So many rows of a matrix, and of the columns that it is made from, stay in a processor's cache."""
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
        known = read_columns(spine, part.exact, part.rounded)
        for feature in part.exact:
            name = feature.group.part_name
            values.sampled[name][:, feature.index] = known[name].at(feature, sample.lines[name])
        with np.errstate(all="ignore"):  # as `feature_matrix` computes them
            for start in range(0, len(spine), _ROWS_AT_ONCE):
                _fill(values, part.columns, _Inputs(spine, known, slice(start, start + _ROWS_AT_ONCE)))
        done += len(part.columns)
        tell(f"computed features of {counted(len(spine), 'row')}", done, len(view.columns))
    for start in range(0, len(spine), _ROWS_AT_ONCE):
        rows = values.matrix[start : start + _ROWS_AT_ONCE]
        rows[np.isnan(rows)] = np.nan  # one of them: 0/0 and inf - inf leave different bits on different machines
    return values


class _Inputs:
    """The values of inputs at some rows, each looked up once."""

    def __init__(self, spine: JoinedSpine, known: dict[str, StoredColumns], rows: slice) -> None:
        self.spine, self.rows = spine, rows
        self._request: dict[str, Floats] = {}
        self._stored = {name: columns.rows(spine.lines[name][rows]) for name, columns in known.items()}

    def value(self, wanted: Input) -> NDArray[np.floating] | NDArray[np.int64]:
        if wanted.field is not None:
            if wanted.field not in self._request:
                self._request |= self.spine.request(self.rows, [wanted.field])
            return self._request[wanted.field]
        if wanted.feature is None:
            return self.spine.event_time_us[self.rows]
        return self._stored[wanted.feature.group.part_name].values(wanted.feature)


def _fill(values: ViewValues, columns: Sequence[tuple[int, ViewFeature]], inputs: _Inputs) -> None:
    """Some columns of some rows."""
    places = {at: place for place, (at, _) in enumerate(inputs.spine.pinned.view.categories)}
    for at, column in columns:
        given = [inputs.value(each) for each in column.inputs]
        if at in places:
            values.codes[inputs.rows, places[at]] = given[0]
            values.matrix[inputs.rows, at] = np.nan
        else:
            values.matrix[inputs.rows, at] = column_values(column, given)
