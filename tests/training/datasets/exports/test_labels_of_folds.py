"""Labels that come late: a fold of an exported dataset has, row by row, those of a run with the same windows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from shared_features.definitions import FeatureView
from shared_features.formats.dataset_manifest import DatasetParameters
from shared_features.formats.offline_tables import ARRIVAL_TIME
from shared_features.kernel.event_time import DAY_US, HOUR_US
from tests.domains.machines import BREAKDOWN, BREAKDOWNS
from tests.training.lake import LATENESS_US, arrived, write_lake
from tests.training.machine_streams import START_US, end_us, machine_streams
from training.datasets.dataset_builder import build_dataset
from training.datasets.exports.dataset_table import DatasetTable, read_directory
from training.datasets.exports.division import divide, read_division
from training.datasets.exports.event_range import export_range
from training.datasets.exports.exported import SpineOptions, export_spine
from training.datasets.exports.known_labels import pin_labels
from training.datasets.exports.measured_rows import measured_rows
from training.datasets.exports.rebuilding import rebuild
from training.datasets.given_spine import check_spine
from training.datasets.history.pinned_history import pin_history
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import PinnedView, pin_view
from training.datasets.time_split import GAP, TEST, TRAIN
from training.datasets.training_dataset import TrainingDataset

DAYS = 8
CUT_US = end_us(DAYS) + 2 * HOUR_US
SIDES = {"train": TRAIN, "gap": GAP, "test": TEST}
Row = tuple[int, int]
"""The position of an event."""


def late_reports(seed: int) -> Any:
    """Two in five readings have no report; the others one or two, which contradict each other half of the time.

    A report comes minutes or days after its reading, whatever the delay of the labels says.
    """
    readings = machine_streams(DAYS, per_day=120)["readings"].batch
    random = np.random.default_rng(seed)
    times = random.choice(3, len(readings), p=[0.4, 0.4, 0.2])
    of = np.repeat(np.arange(len(readings)), times)
    happened = readings.columns["at"][of] + random.integers(0, 3, len(of)) * HOUR_US
    columns = {
        "report": np.array([f"b{number}" for number in range(len(of))], object),
        "at": happened,
        "reading": readings.columns["reading"][of],
        "broke": random.integers(0, 2, len(of)),
    }
    waits = np.where(random.random(len(of)) < 0.5, random.integers(0, HOUR_US, len(of)), 0)
    late_us = random.integers(0, 2, len(of)) * random.integers(0, 4 * DAY_US, len(of))
    return arrived(BREAKDOWNS, columns, happened + waits + late_us)


@pytest.fixture(scope="module", params=[1, 2, 3])
def lake(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    streams = {**machine_streams(DAYS, per_day=120), "breakdowns": late_reports(request.param)}
    found: Path = tmp_path_factory.mktemp("lake")
    write_lake(found, BREAKDOWN, streams, CUT_US)
    return found


def view_of(otherwise: bool | None) -> FeatureView:
    """Labels are trusted five hours after their event."""
    assert BREAKDOWN.predicted is not None
    return replace(BREAKDOWN, labels=replace(BREAKDOWN.predicted, delay=timedelta(hours=5), otherwise=otherwise))


def naive(lake: Path, reading: str, at_us: int, known_us: int, otherwise: bool | None) -> float | None:
    """Of the reports that had arrived before an instant the latest, in event time and then in arrival."""
    reports = pl.read_delta(str(lake / "events_breakdowns")).filter(reading=reading)
    there = reports.filter(pl.col(ARRIVAL_TIME) < known_us).sort("at", ARRIVAL_TIME, "kafka_partition", "kafka_offset")
    if len(there):
        return float(there["broke"][-1])
    return None if otherwise is None or at_us + 5 * HOUR_US >= known_us else float(otherwise)


def windows(table: DatasetTable, folds: int, kind: str) -> Iterator[tuple[str, DatasetParameters]]:
    at_us = table.instants_us
    first_us, end = int(at_us.min()), int(at_us.max()) + 1
    edges = [first_us + (end - first_us) * part // (folds + 1) for part in range(folds + 2)]
    for fold in range(1, folds + 1):
        learned_us = edges[fold - 1] - 5 * HOUR_US if kind == "sliding-folds" else first_us
        yield (
            f"fold_{fold}",
            DatasetParameters(
                train_from_us=max(first_us, learned_us),
                train_to_us=edges[fold] - 5 * HOUR_US,
                test_from_us=edges[fold],
                test_to_us=edges[fold + 1],
            ),
        )


def of_run(dataset: TrainingDataset) -> dict[Row, tuple[int, float]]:
    """Position -> window and label; a row without a label is not among them."""
    places = zip(dataset.partition.tolist(), dataset.offset.tolist(), strict=True)
    return dict(zip(places, zip(dataset.window.tolist(), dataset.label.tolist(), strict=True), strict=True))


def of_fold(table: DatasetTable, fold: str) -> dict[Row, tuple[int, float]]:
    rows = table.data.select("kafka_partition", "kafka_offset", fold, table.label_of(fold)).rows()
    return {(part, at): (SIDES[side], label) for part, at, side, label in rows if side and label is not None}


def pinned(lake: Path, view: FeatureView) -> PinnedView:
    return pin_view(OfflineStore(lake), view, LATENESS_US)


def folds_of(lake: PinnedView, kind: str, folds: int, cutoff_us: int | None = None) -> DatasetTable:
    table = export_range(lake, START_US, end_us(DAYS), cutoff_us)
    return divide(table, lake.view, read_division(f"{kind}:{folds}", lake.view, 0), table.instants_us)


@pytest.mark.parametrize("otherwise", [None, False])
@pytest.mark.parametrize("kind", ["folds", "sliding-folds"])
def test_each_fold_has_the_labels_of_a_run_of_its_windows(lake: Path, kind: str, otherwise: bool | None) -> None:
    """A label that came when the test had begun was known to the rows to train on of a fold, and to no run."""
    of = pinned(lake, view_of(otherwise))
    table = folds_of(of, kind, 3)
    changed = 0
    for fold, asked in windows(table, 3, kind):
        found = of_fold(table, fold)
        assert found == of_run(build_dataset(of, asked)[0])
        label = table.data["label"].to_list()
        changed += sum(a != b for a, b in zip(label, table.data[table.label_of(fold)].to_list(), strict=True))
    assert changed > 50, "labels come late here"
    last = measured_rows(table, of.view)
    assert of_run(last) == found, "a model is measured on the same labels"


@pytest.mark.parametrize("otherwise", [None, False])
def test_the_labels_of_a_fold_are_those_of_the_definition(lake: Path, otherwise: bool | None) -> None:
    """Each row by itself. The cutoff lies before the test of the last fold, which may claim nothing that came later."""
    cutoff_us = START_US + 5 * DAY_US
    table = folds_of(pinned(lake, view_of(otherwise)), "folds", 3, cutoff_us)
    names = ("reading", "as_of", "label", "fold_1", "fold_3", "label_fold_1", "label_fold_3")
    asked = dict(windows(table, 3, "folds"))
    for row in table.data[::23].select(names).iter_rows(named=True):
        at_us = int(row["as_of"].timestamp() * 1e6)
        at_cutoff = naive(lake, row["reading"], at_us, cutoff_us + 1, otherwise)
        assert row["label"] == at_cutoff
        for fold in ("fold_1", "fold_3"):
            begins_us = asked[fold].test_from_us or 0
            then = naive(lake, row["reading"], at_us, min(begins_us, cutoff_us + 1), otherwise)
            assert row[f"label_{fold}"] == (then if row[fold] == "train" else at_cutoff)


def test_a_column_that_divides_by_time_has_the_labels_known_when_its_test_begins(lake: Path) -> None:
    of = pinned(lake, view_of(False))
    table, middle_us = export_range(of, START_US, end_us(DAYS)), START_US + 4 * DAY_US
    at_us = table.instants_us
    begins_us = int(at_us[at_us >= middle_us].min())
    side = np.where(at_us >= middle_us, "test", np.where(at_us < middle_us - DAY_US, "train", "gap"))
    mine = replace(table, data=table.data.with_columns(side=side))
    found = divide(mine, of.view, read_division("column:side", of.view, 0), at_us)
    asked = DatasetParameters(
        train_from_us=START_US, train_to_us=middle_us - DAY_US, test_from_us=begins_us, test_to_us=end_us(DAYS)
    )
    assert of_fold(found, "window") == of_run(build_dataset(of, asked)[0])
    random = np.where(np.arange(len(at_us)) % 2, "test", "train")
    mixed = replace(table, data=table.data.with_columns(side=random))
    mixed = divide(mixed, of.view, read_division("column:side", of.view, 0), at_us)
    assert mixed.label_of("window") == "label", "its test begins nowhere in time: all labels are those of the cutoff"


def test_a_spine_has_them_too_and_is_built_again(lake: Path, tmp_path: Path) -> None:
    view, store = view_of(False), OfflineStore(lake)
    readings = export_range(pinned(lake, view), START_US + DAY_US, START_US + 6 * DAY_US).data
    rows = readings.select("plant", "machine", "as_of", "reading", pl.lit(1.0).alias("celsius"))[::5]
    tables, cutoff_us = pin_labels(store, view)
    given = check_spine(view, rows)
    table = export_spine(pin_history(store, view), given, SpineOptions(cutoff_us=cutoff_us), tables)
    found = divide(table, view, read_division("folds:2", view, 0), given.as_of_us)
    for fold, split in windows(found, 2, "folds"):
        begins_us = split.test_from_us or 0
        for row in found.data[::11].iter_rows(named=True):
            at_us = int(row["as_of"].timestamp() * 1e6)
            then = naive(lake, row["reading"], at_us, begins_us, False)
            assert row[f"label_{fold}"] == (then if row[fold] == "train" else row["label"])
    assert not found.data["label"].equals(found.data["label_fold_1"], null_equal=True)
    found.write(tmp_path / "d")
    again = rebuild(store, [view], tmp_path / "d")
    assert again.data.equals(read_directory(tmp_path / "d").data, null_equal=True)
    own = export_spine(
        pin_history(store, view), check_spine(view, rows.with_columns(mine=1.0)), SpineOptions(label="mine")
    )
    own = divide(own, view, read_division("folds:2", view, 0), given.as_of_us)
    assert own.label_of("fold_1") == "mine", "nobody knows when the labels of a user arrived"


def test_a_dataset_of_a_release_that_had_one_label_for_all_folds_is_built_again_as_it_was(
    lake: Path, tmp_path: Path
) -> None:
    of = pinned(lake, view_of(None))
    table = export_range(of, START_US, end_us(DAYS))
    division = replace(read_division("folds:2", of.view, 0), train_labels=False)
    divide(table, of.view, division, table.instants_us).write(tmp_path / "old")
    found = rebuild(OfflineStore(lake), [of.view], tmp_path / "old")
    assert found.label_of("fold_2") == "label"
    assert [name for name in found.data.columns if name.startswith("label")] == ["label"]
