"""Train and test without windows: each row on one side, and what cannot be divided is said."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from shared_features.formats.dataset_rows import Division
from shared_features.kernel.event_time import HOUR_US
from tests.domains.machines import BREAKDOWN
from tests.training.lake import LATENESS_US
from training.datasets.exports.dataset_table import DatasetTable, read_directory
from training.datasets.exports.division import divide, read_division
from training.datasets.exports.event_range import export_range
from training.datasets.exports.rebuilding import rebuild
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import pin_view
from training.errors import DatasetError


@pytest.fixture(scope="module")
def whole(early_lake: Path) -> DatasetTable:
    return export_range(pin_view(OfflineStore(early_lake), BREAKDOWN, LATENESS_US))


def divided(table: DatasetTable, text: str, seed: int = 0, gap_us: int = 0) -> DatasetTable:
    division = replace(read_division(text, BREAKDOWN, seed), gap_us=gap_us)
    return divide(table, BREAKDOWN, division, table.instants_us)


def test_all_rows_of_an_entity_are_on_one_side(whole: DatasetTable) -> None:
    found = divided(whole, "entity:machine").data
    sides = found.group_by("plant", "machine").agg(pl.col("window").n_unique())
    assert sides["window"].to_list() == [1] * len(sides)
    machines = found.unique(["plant", "machine"])
    assert 0.05 < (machines["window"] == "test").mean() < 0.5  # type: ignore[operator]  # a share
    assert found["window"].null_count() == 0


def test_an_entity_stays_on_its_side_whatever_other_rows_there_are_and_changes_it_with_the_seed(
    whole: DatasetTable,
) -> None:
    all_rows = divided(whole, "entity").data
    some = replace(whole, data=whole.data[::3])
    joined = divided(some, "entity").data.join(all_rows, on=["kafka_partition", "kafka_offset"], suffix="_of_all")
    assert (joined["window"] == joined["window_of_all"]).all()
    assert not divided(whole, "entity", seed=1).data["window"].equals(all_rows["window"])


@pytest.mark.parametrize("kind", ["folds", "sliding-folds"])
@pytest.mark.parametrize("gap_us", [0, 7 * HOUR_US])
def test_folds_train_on_the_past_and_test_each_row_once(whole: DatasetTable, kind: str, gap_us: int) -> None:
    found = divided(whole, f"{kind}:4", gap_us=gap_us)
    times = found.instants_us
    tested = np.zeros(len(times), np.int64)
    for name in found.windows:
        side = found.data[name].to_numpy()
        train, test = times[side == "train"], times[side == "test"]
        assert train.max() < test.min() - gap_us
        between = times[side == "gap"]
        assert train.max() < min(between, default=test.min()) <= max(between, default=test.min()) <= test.min()
        tested += side == "test"
    first = found.data["fold_1"].to_numpy()
    assert set(tested[first != "train"]) <= {0, 1}
    assert tested.sum() == (times >= times[first == "test"].min()).sum()
    shares = [(found.data[name] == "train").sum() for name in found.windows]
    assert shares == sorted(shares) if kind == "folds" else max(shares) < 2 * min(shares)


def test_a_column_divides_the_rows_as_it_says(whole: DatasetTable) -> None:
    mine = pl.Series("mine", ["train", "test", "gap", None]).gather(np.arange(len(whole.data)) % 4)
    table = replace(whole, data=whole.data.with_columns(mine))
    assert divided(table, "column:mine").data["window"].equals(mine.alias("window"), null_equal=True)
    other = replace(whole, data=whole.data.with_columns(mine=pl.lit("training")))
    with pytest.raises(DatasetError, match=r"Column 'mine' does not divide the rows\. It has 'training'"):
        divided(other, "column:mine")
    with pytest.raises(DatasetError, match=r"no column 'yours' to divide them by\. They have reading"):
        divided(whole, "column:yours")


def test_the_classes_of_the_label_or_of_a_column_are_divided_in_the_same_shares_and_told(whole: DatasetTable) -> None:
    found = divided(whole, "stratified")
    counts = found.data.group_by("label").agg((pl.col("window") == "test").sum().alias("tested"), pl.len())
    assert len(counts) == 3
    for _, tested, rows in counts.iter_rows():
        assert abs(tested - rows / 4) <= 0.5
    (line,) = found.sides
    assert line.startswith("window: train ")
    assert all(f"{name:g} " in line for name in whole.data["label"].drop_nulls().unique())
    (line,) = divided(whole, "stratified:plant").sides
    assert line.count("plant|1 ") == 2, "the counts are those of the column"
    with pytest.raises(DatasetError, match=r"no column 'yours' to stratify them by\. They have reading"):
        divided(whole, "stratified:yours")
    bare = replace(whole, data=whole.data.drop("label"))
    with pytest.raises(DatasetError, match=r"have no label to stratify them by"):
        divided(bare, "stratified")


def test_a_divided_dataset_is_built_again_bit_for_bit(whole: DatasetTable, grown_lake: Path, tmp_path: Path) -> None:
    for at, text in enumerate(("entity", "stratified", "folds:3")):
        divided(whole, text).write(tmp_path / str(at))
        found = rebuild(OfflineStore(grown_lake), [BREAKDOWN], tmp_path / str(at))
        assert found.windows
        assert found.data.equals(read_directory(tmp_path / str(at)).data, null_equal=True)
        assert dict(found.statistics().windows).keys() >= {"train", "test"}


def test_what_leaves_a_side_empty_is_refused(whole: DatasetTable) -> None:
    few = replace(whole, data=whole.data[:1])
    with pytest.raises(DatasetError, match=r"'window' has no row to (train|test)\. Of 1 row, "):
        divided(few, "entity")
    taken = replace(whole, data=whole.data.with_columns(window=1))
    with pytest.raises(DatasetError, match="have a column 'window' already"):
        divided(taken, "entity")


@pytest.mark.parametrize(
    "text", ["", "entity:nobody", "folds", "folds:0", "folds:x", "sliding-folds:101", "column:", "x", "strata"]
)
def test_a_division_that_cannot_be_meant_is_refused(text: str) -> None:
    with pytest.raises(DatasetError, match=r"Give entity or entity:NAME \(of machine, plant\)"):
        read_division(text, BREAKDOWN, 0)


def test_a_division_is_read_as_it_is_written() -> None:
    assert read_division("entity", BREAKDOWN, 7, 0.1) == Division("entity", "machine", test_share=0.1, seed=7)
    assert read_division("sliding-folds:5", BREAKDOWN, 0) == Division("sliding-folds", folds=5, train_labels=True)
    assert read_division("stratified:plant", BREAKDOWN, 7) == Division("stratified", "plant", seed=7)
    assert read_division("column:mine", BREAKDOWN, 0) == Division("column", "mine", train_labels=True)
    with pytest.raises(DatasetError, match="a share between 0 and 1"):
        read_division("entity", BREAKDOWN, 0, 1.0)
