from pathlib import Path

import polars as pl
import pytest

from training.datasets.exports.dataset_table import DatasetTable, check_free, read_directory
from training.errors import DatasetError


def test_a_directory_reads_back_as_it_was(events_then: DatasetTable, served_then: DatasetTable, tmp_path: Path) -> None:
    for name, table in (("d", events_then), ("s", served_then)):
        table.write(tmp_path / "deep" / name)
        found = read_directory(tmp_path / "deep" / name)
        assert found.manifest == table.manifest
        assert found.data.equals(table.data, null_equal=True)
        assert (found.spine is None) == (table.spine is None)
    assert {each.name for each in (tmp_path / "deep").iterdir()} == {"d", "s"}, "nothing is left beside them"
    assert events_then.title == f"{len(events_then.data):,} rows with 10 features of breakdown:v1"
    assert served_then.title == "300 rows with 10 features of breakdown:v1, as-served"


def test_nothing_is_written_over(events_then: DatasetTable, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    events_then.write(tmp_path / "empty")
    with pytest.raises(DatasetError, match=r"empty is there already.*Name another"):
        events_then.write(tmp_path / "empty")
    (tmp_path / "file").write_text("mine")
    with pytest.raises(DatasetError, match="file is there already"):
        check_free(tmp_path / "file")
    assert (tmp_path / "file").read_text() == "mine"


def test_a_damaged_table_is_said(events_then: DatasetTable, tmp_path: Path) -> None:
    events_then.write(tmp_path / "d")
    (tmp_path / "d" / "data.parquet").write_bytes(b"PAR1")
    with pytest.raises(DatasetError, match=r"data\.parquet cannot be read"):
        read_directory(tmp_path / "d")


def test_a_table_that_was_changed_by_hand_is_not_taken_for_the_dataset(
    events_then: DatasetTable, served_then: DatasetTable, tmp_path: Path
) -> None:
    """A model was published under the digest of other rows."""
    for name, table, file in (("d", events_then, "data.parquet"), ("s", served_then, "spine.parquet")):
        table.write(tmp_path / name)
        (rows := pl.read_parquet(tmp_path / name / file)).write_parquet(tmp_path / name / file, compression="snappy")
        read_directory(tmp_path / name)
        rows[:-60].write_parquet(tmp_path / name / file)
        with pytest.raises(DatasetError, match=rf"{file} is not the table that was exported\. Its [0-9,]+ rows have"):
            read_directory(tmp_path / name)
