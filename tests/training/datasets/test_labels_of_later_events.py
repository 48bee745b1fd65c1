"""A label that nobody sends: what an entity's events come to in the time after an event, known when it is over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from shared_features import Condition, Count, FeatureView, LabelSource, LaterEvents, Max, Sum, days, hours, minutes
from shared_features.formats.dataset_manifest import DatasetParameters
from shared_features.formats.offline_tables import OFFSET, PARTITION
from shared_features.kernel.event_time import DAY_US, HOUR_US, MINUTE_US
from tests.domains.machines import BREAKDOWN, READINGS
from tests.training.lake import LATENESS_US, PARTITIONS, EventRows, write_lake
from tests.training.machine_streams import end_us, machine_streams
from training.datasets.dataset_builder import build_dataset
from training.datasets.exports.event_range import export_range
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import PinnedView, pin_view
from training.datasets.time_split import TEST, TRAIN
from training.errors import DatasetError
from training.proofs.leaks.sampled_rows import sample_rows
from training.runs.leak_command import spine_of

PARAMETERS = DatasetParameters(train_days=6, delay_days=1, test_days=3)
DELAY = days(1) + minutes(10)
DELAY_US = DAY_US + 10 * MINUTE_US


def labelled(later: LaterEvents) -> FeatureView:
    return replace(BREAKDOWN, labels=LabelSource(READINGS, later, join=("plant", "machine"), delay=DELAY))


HEAT = labelled(LaterEvents("celsius", Sum(), days(1)))
SILENT = labelled(LaterEvents(None, Count(), days(1), "==", 0))
WARM = labelled(LaterEvents("celsius", Max(), hours(6), where=(Condition("humidity", ">", 0.5),)))
VIEWS = {"sum": HEAT, "none": SILENT, "the most of those that meet a condition": WARM}


@pytest.fixture(scope="module")
def readings() -> EventRows:
    return machine_streams(per_day=60)["readings"]


@pytest.fixture(scope="module")
def lake(readings: EventRows, tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("lake")
    write_lake(found, HEAT, {"readings": readings}, end_us() + 2 * HOUR_US)
    return found


def pinned(lake: Path, view: FeatureView) -> PinnedView:
    return pin_view(OfflineStore(lake), view, LATENESS_US)


def naive(view: FeatureView, readings: EventRows, row: int, before_us: int) -> float:
    """The label of a reading, from those that had arrived before an instant; NaN where its delay was not over."""
    columns, valid = readings.batch.columns, readings.batch.valid
    assert view.predicted is not None
    later = view.predicted.later
    assert later is not None
    at_us, machine = int(columns["at"][row]), columns["machine"][row]
    if at_us + DELAY_US >= before_us:
        return float("nan")
    found: dict[str, int] = {}
    within_us = later.within.total_seconds() * 1e6
    for other in range(len(readings.batch)):
        mine = columns["machine"][other] == machine and at_us < columns["at"][other] <= at_us + within_us
        humid = valid["humidity"][other] and columns["humidity"][other] > 500
        if mine and readings.arrival_us[other] < before_us and (humid or not later.where):
            found[columns["reading"][other]] = int(columns["celsius"][other])
    if later.where:
        return max(found.values()) / 10 if found else float("nan")
    return float(not found) if later.operator is not None else sum(found.values()) / 10


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_labels_equal_a_naive_reading_of_the_same_events(lake: Path, readings: EventRows, view: FeatureView) -> None:
    dataset = build_dataset(pinned(lake, view), PARAMETERS)[0]
    start_us, cutoff_us = dataset.manifest.split.test_start_us, dataset.manifest.labels.cutoff_us
    rows = dataset.offset * PARTITIONS + dataset.partition
    expected = [
        naive(view, readings, int(row), start_us if window == TRAIN else cutoff_us + 1)
        for row, window in zip(rows, dataset.window, strict=True)
    ]
    np.testing.assert_array_equal(dataset.label, expected)
    assert len(set(expected)) > 1
    assert dataset.manifest.task == ("binary" if view is SILENT else "regression")


def test_rows_whose_time_is_not_over_are_left_out_and_counted(lake: Path) -> None:
    """The train window ends less than the label's delay before the test window: its last rows are not known then."""
    asked = replace(PARAMETERS, delay_days=0)
    dataset = build_dataset(pinned(lake, HEAT), asked)[0]
    split, counts = dataset.manifest.split, dataset.manifest.rows
    learned = dataset.event_time_us[dataset.rows(TRAIN)]
    assert learned.max() < split.test_start_us - DELAY_US
    assert counts.train.unknown_label_left_out > 0
    assert dataset.event_time_us[dataset.rows(TEST)].max() <= dataset.manifest.labels.cutoff_us - DELAY_US
    assert dataset.manifest.labels.conflicting == 0


@pytest.mark.deep
def test_an_event_after_the_cutoff_changes_no_label(lake: Path, readings: EventRows, tmp_path: Path) -> None:
    cutoff_us = end_us() - 2 * DAY_US
    asked = DatasetParameters(cutoff_us=cutoff_us, train_days=4, delay_days=2, test_days=2)
    before = readings.arrival_us <= cutoff_us
    kept = EventRows(readings.batch.take(before), readings.arrival_us[before])
    write_lake(tmp_path, HEAT, {"readings": kept}, cutoff_us + 1)
    whole, prefix = (build_dataset(pinned(each, HEAT), asked)[0] for each in (lake, tmp_path))
    np.testing.assert_array_equal(whole.label, prefix.label)
    np.testing.assert_array_equal(whole.event_time_us, prefix.event_time_us)


def test_a_range_and_the_rows_of_a_leak_check_have_the_same_labels(lake: Path, readings: EventRows) -> None:
    view = pinned(lake, HEAT)
    table = export_range(view).data
    rows = (table[OFFSET] * PARTITIONS + table[PARTITION]).to_list()
    names = dict(zip(table["reading"], table["label"], strict=True))
    for row in rows[::25] + rows[-25:]:
        expected = naive(HEAT, readings, row, view.cut_us)
        assert names[readings.batch.columns["reading"][row]] == (None if np.isnan(expected) else expected)
    assert table["label"].null_count() > 0
    checked = spine_of(view, sample_rows(view, 0, 40))
    assert checked["label"].to_list() == [names[each] for each in checked["reading"]]


def test_a_history_shorter_than_the_delay_has_no_label(readings: EventRows, tmp_path: Path) -> None:
    first = readings.arrival_us < readings.arrival_us.min() + DAY_US
    few = EventRows(readings.batch.take(first), readings.arrival_us[first])
    write_lake(tmp_path, HEAT, {"readings": few}, int(few.arrival_us.max()) + 1)
    with pytest.raises(DatasetError, match="has a label known by the cutoff"):
        build_dataset(pinned(tmp_path, HEAT), PARAMETERS)
