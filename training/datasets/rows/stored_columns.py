"""Stored features of one group as its files hold them: some thousand rows at a time, and of these all that is wanted.

A file is decoded page by page. So each of its columns is decoded once, and none is ever in memory as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyarrow.parquet import ParquetFile

from shared_features.definitions import Feature
from training.datasets.offline_store import PinnedTable
from training.datasets.rows.joined_spine import JoinedSpine

ROWS_AT_ONCE = 16_384
"""So many rows of all columns of a group stay in a processor's cache, until they are in the matrix."""
_BUFFER_BYTES = 256 * 1024
"""So much of each column is read from a file at a time; without it all of a row group, up to a million rows."""
Rows = NDArray[np.integer]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class StoredRows:
    """Some rows of a group. rows: int[m], which row of a spine each is. values: of each feature float64[m] with NaN."""

    rows: Rows
    values: Sequence[Floats]


class RowsOfLines:
    """Which row of a spine each row of a table is. lines: int[n], where each row of the spine is in the table."""

    def __init__(self, lines: Rows) -> None:
        self._row_at = np.full(int(lines.max(initial=-1)) + 1, -1, lines.dtype)
        self._row_at[lines] = np.arange(len(lines), dtype=lines.dtype)

    def __len__(self) -> int:
        """How many rows of the table may be wanted: none after them is."""
        return len(self._row_at)

    def are_in(self, lines: slice) -> bool:
        """Whether one of these rows of the table is a row of the spine."""
        return bool((self._row_at[lines] >= 0).any())

    def of(self, first: int, columns: Sequence[Floats]) -> StoredRows:
        """Those of some rows of the table that are rows of the spine. first: the number of the first of them."""
        rows = self._row_at[first : first + len(columns[0])]
        wanted: Any = rows >= 0
        wanted = slice(len(rows)) if wanted.all() else np.flatnonzero(wanted)
        return StoredRows(rows[wanted], [each[wanted] for each in columns])


def stored_rows(
    table: PinnedTable, features: Sequence[Feature], *wanted: RowsOfLines
) -> Iterator[tuple[StoredRows, ...]]:
    """For each of those that want rows, those of the next rows of a table: in its order, each once."""
    first, names = 0, [each.name for each in features]
    for path in table.paths:
        if first >= max(map(len, wanted)):
            return
        with ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER_BYTES) as file:
            for number in range(file.num_row_groups):
                end = first + file.metadata.row_group(number).num_rows
                if any(each.are_in(slice(first, end)) for each in wanted):
                    for columns in _columns(file, number, names):
                        yield tuple(each.of(first, columns) for each in wanted)
                        first += len(columns[0])
                first = end


def gathered(spine: JoinedSpine, features: Sequence[Feature]) -> list[Floats]:
    """Some features of all rows of a spine: float64[n] of each."""
    found, names = [np.empty(len(spine)) for _ in features], [each.group.part_name for each in features]
    for name in dict.fromkeys(names):
        places = [place for place, each in enumerate(names) if each == name]
        wanted = RowsOfLines(spine.lines[name])
        for (some,) in stored_rows(spine.pinned.groups[name], [features[each] for each in places], wanted):
            for place, values in zip(places, some.values, strict=True):
                found[place][some.rows] = values
    return found


def _columns(file: ParquetFile, number: int, names: Sequence[str]) -> Iterator[list[Floats]]:
    """Some rows after the other of one row group; null is NaN."""
    for batch in file.iter_batches(ROWS_AT_ONCE, row_groups=[number], columns=names, use_threads=False):
        yield [batch.column(name).to_numpy(zero_copy_only=False) for name in names]
