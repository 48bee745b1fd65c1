from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from deltalake import write_deltalake
from numpy.typing import NDArray
from pyarrow.parquet import ParquetFile

from tests.domains.machines import MACHINE_HEAT
from training.datasets.offline_store import LINE, OfflineStore, PinnedTable
from training.datasets.rows import stored_columns
from training.datasets.rows.stored_columns import RowsOfLines, stored_rows

FEATURES = MACHINE_HEAT.features[:2]
NAMES = [each.name for each in FEATURES]
LENGTHS = (10, 1, 30)


@pytest.fixture(params=[4, 16_384])
def table(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> PinnedTable:
    """Of three files, one of them with a row that lacks a value; read four rows at a time, or as ever."""
    monkeypatch.setattr(stored_columns, "ROWS_AT_ONCE", request.param)
    random = np.random.default_rng(6)
    for length in LENGTHS:
        frame = pl.DataFrame({name: random.random(length) for name in NAMES})
        if length == 10:
            frame[3, NAMES[0]] = None
        write_deltalake(str(tmp_path / "table"), frame.to_arrow(), mode="append")
    return OfflineStore(tmp_path).pin("table")


def read(table: PinnedTable, *lines: NDArray[np.int32]) -> list[NDArray[np.float64]]:
    """float64[n, 2] for each of the spines."""
    found = [np.full((len(each), 2), -1.0) for each in lines]
    for several in stored_rows(table, FEATURES, *map(RowsOfLines, lines)):
        for values, some in zip(found, several, strict=True):
            assert (values[some.rows] == -1).all(), "each row comes once"
            for at, floats in enumerate(some.values):
                values[some.rows, at] = floats
    return found


def test_values_are_those_of_the_numbered_rows_in_whichever_file_they_are(table: PinnedTable) -> None:
    frame = table.numbered().collect()
    whole = frame[NAMES].to_numpy()
    assert frame[LINE].to_list() == list(range(sum(LENGTHS)))
    for lines in ([*range(41)][::-1], [3, 4, 2], [40, 11], [9, 10, 11], [0], []):
        wanted = np.array(lines, np.int32)
        for found, expected in zip(read(table, wanted, wanted[:1]), (whole[lines], whole[lines[:1]]), strict=True):
            np.testing.assert_array_equal(found, expected)


def test_a_missing_value_is_nan(table: PinnedTable) -> None:
    (found,) = read(table, np.arange(41, dtype=np.int32))
    assert np.isnan(found).sum(axis=0).tolist() == [1, 0]


def test_files_without_a_wanted_row_are_not_decoded(table: PinnedTable, monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = []

    class Watched(ParquetFile):  # type: ignore[misc]  # pyarrow gives no types
        def iter_batches(self, *arguments: object, **named: object) -> object:
            decoded.append(self.metadata.num_rows)
            return super().iter_batches(*arguments, **named)

    monkeypatch.setattr(stored_columns, "ParquetFile", Watched)
    line = next(line for line, length in enumerate(np.repeat(_lengths(table), _lengths(table))) if length == 1)
    read(table, np.array([line], np.int32))
    assert decoded == [1]


def test_a_table_without_rows_has_no_numbers(tmp_path: Path) -> None:
    write_deltalake(str(tmp_path / "table"), pl.DataFrame({name: [0.5] for name in NAMES}).to_arrow())
    OfflineStore(tmp_path).pin("table").table.delete()
    table = OfflineStore(tmp_path).pin("table")
    assert not table.numbered().collect().height
    assert [each.shape for each in read(table, np.empty(0, np.int32))] == [(0, 2)]


def _lengths(table: PinnedTable) -> list[int]:
    return [pl.scan_parquet(path).select(pl.len()).collect().item() for path in table.paths]
