import shutil
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from deltalake import DeltaTable

from shared_features import Condition
from shared_features.formats.dataset_manifest import DatasetParameters
from shared_features.formats.offline_tables import events_table, features_table
from shared_features.kernel.event_time import DAY_US, HOUR_US
from tests.domains.machines import BREAKDOWN, BREAKDOWNS, MACHINE_HEAT, READINGS
from tests.training.lake import LATENESS_US, arrived, write_all_features, write_events, write_lake
from tests.training.machine_streams import START_US, end_us, machine_streams
from training.datasets.dataset_builder import build_dataset
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import pin_view
from training.datasets.time_split import TEST, TRAIN
from training.datasets.training_dataset import load_dataset
from training.errors import DatasetError

PARAMETERS = DatasetParameters(train_days=6, delay_days=1, test_days=3)


def build(lake, parameters=PARAMETERS, cut_us=None):
    return build_dataset(pin_view(OfflineStore(lake), BREAKDOWN, LATENESS_US, cut_us), parameters)[0]


def test_a_row_holds_the_event_its_stored_features_and_its_on_demand_features(machine_lake):
    dataset = build(machine_lake)
    heat = pl.read_delta(str(machine_lake / features_table(MACHINE_HEAT, READINGS)))
    events = pl.read_delta(str(machine_lake / events_table(READINGS)))
    position = ["kafka_partition", "kafka_offset"]
    rows = dataset.to_pandas()
    joined = pl.from_pandas(rows[position]).join(events, on=position, how="left", maintain_order="left")
    joined = joined.join(heat, on=position, how="left", maintain_order="left")
    celsius = joined["celsius"].to_numpy() / 10
    np.testing.assert_array_equal(rows["celsius"], celsius.astype(np.float32))
    mean = joined["celsius_mean_1h"].to_numpy()
    np.testing.assert_array_equal(rows["machine_heat__celsius_mean_1h"], mean.astype(np.float32))
    np.testing.assert_array_equal(rows["above_mean_1h"], (celsius - mean).astype(np.float32))
    missing = joined["humidity"].is_null().to_numpy()
    assert missing.any()
    np.testing.assert_array_equal(np.isnan(rows["humidity"]), missing)
    assert not joined["copy"].any()
    assert dataset.manifest.rows.copies_left_out > 0
    assert joined["late"].any()


def test_a_condition_that_says_what_the_field_says_gives_the_same_rows(machine_lake):
    assert BREAKDOWN.predicted is not None
    by_condition = replace(BREAKDOWN, labels=replace(BREAKDOWN.predicted, value=Condition("broke", "==", True)))
    found = build_dataset(pin_view(OfflineStore(machine_lake), by_condition, LATENESS_US), PARAMETERS)[0]
    assert found.manifest.task == "binary"
    assert set(np.unique(found.label)) == {0.0, 1.0}
    np.testing.assert_array_equal(found.label, build(machine_lake).label)


def test_windows_follow_each_other_and_positions_are_in_order(machine_lake):
    dataset = build(machine_lake)
    train, test = dataset.event_time_us[dataset.rows(TRAIN)], dataset.event_time_us[dataset.rows(TEST)]
    assert test.min() - train.max() >= DAY_US
    order = np.lexsort((dataset.offset, dataset.partition))
    np.testing.assert_array_equal(order, np.arange(len(dataset)))
    assert {READINGS.name, BREAKDOWNS.name} <= {name.removeprefix("events_") for name in dataset.manifest.tables}


def test_labelled_rows_that_no_window_takes_are_counted(machine_lake):
    dataset = build(machine_lake, DatasetParameters(train_days=2, delay_days=1, test_days=1))
    split, labels = dataset.manifest.split, BREAKDOWN.predicted
    assert labels is not None
    times = pl.read_delta(str(machine_lake / features_table(MACHINE_HEAT, READINGS)))
    events = pl.read_delta(str(machine_lake / events_table(READINGS)))
    position = ["kafka_partition", "kafka_offset"]
    rows = times.select(*position, "event_time_us").join(events.select(*position, *labels.joins), on=position)
    known = pl.read_delta(str(machine_lake / events_table(BREAKDOWNS))).select(labels.joins).unique()
    times_us = rows.join(known, on=labels.joins, how="semi")["event_time_us"].to_numpy()
    counts = dataset.manifest.rows
    assert counts.labelled_before == (times_us < split.start_us).sum() > 0
    assert counts.labelled_after == (times_us >= split.end_us).sum()


def test_building_again_gives_the_same_digest_after_more_events_and_a_compaction(machine_lake, tmp_path):
    lake = tmp_path / "lake"
    shutil.copytree(machine_lake, lake)
    streams = machine_streams(days=12)
    # As it stood at the ninth day, although the tables know twelve.
    early = START_US + 9 * DAY_US
    short = DatasetParameters(train_days=4, delay_days=1, test_days=2)
    only_early = tmp_path / "early"
    write_lake(only_early, BREAKDOWN, streams, early)
    first = build(only_early, short)
    for table in lake.iterdir():
        DeltaTable(str(table)).optimize.compact()
    write_all_features(only_early, BREAKDOWN, streams, end_us())
    for lake_then in (only_early, lake):
        again = build(lake_then, short, cut_us=early)
        assert again.digest == first.digest
        assert len(again) == len(first)
    assert build(lake, short).digest != first.digest


def test_a_saved_dataset_reads_back(machine_lake, tmp_path):
    dataset = build(machine_lake)
    dataset.save(tmp_path)
    again = load_dataset(tmp_path)
    assert again.digest == dataset.digest
    np.testing.assert_array_equal(again.matrix, dataset.matrix)
    np.testing.assert_array_equal(again.entity, dataset.entity)


def label_lake(lake, labels):
    """Ten readings a day; labels are (reading, hour it became known, hour it arrived, broke), from the start."""
    count = 200
    at = START_US + np.arange(count) * DAY_US // 10
    texts = np.array([f"r{number}" for number in range(count)], object)
    readings = arrived(
        READINGS,
        {
            "reading": texts,
            "at": at,
            "plant": np.full(count, "p", object),
            "machine": np.full(count, "m", object),
            "celsius": np.arange(count),
            "humidity": np.zeros(count, np.int64),
            "firmware": np.full(count, "f", object),
        },
        at,
        {"humidity": np.ones(count, bool), "firmware": np.ones(count, bool)},
    )
    known = np.array([START_US + round(hours * HOUR_US) for _, hours, _, _ in labels])
    breakdowns = arrived(
        BREAKDOWNS,
        {
            "report": np.array([f"b{number}" for number in range(len(labels))], object),
            "at": known,
            "reading": np.array([f"r{number}" for number, _, _, _ in labels], object),
            "broke": np.array([broke for _, _, _, broke in labels], np.int64),
        },
        [START_US + round(hours * HOUR_US) for _, _, hours, _ in labels],
    )
    write_events(lake, readings)
    write_events(lake, breakdowns)
    write_all_features(lake, BREAKDOWN, {"readings": readings, "breakdowns": breakdowns}, START_US + 21 * DAY_US)


def labels_of(dataset):
    frame = dataset.to_pandas()
    return dict(zip(frame["celsius"].mul(10).round().astype(int), frame["label"], strict=True))


def test_a_label_counts_only_if_it_had_arrived_by_the_cutoff(tmp_path):
    labels = [(number, number * 2.4 + 1, number * 2.4 + 1, number % 2) for number in range(200)]
    labels[150] = (150, 361, 500, 0)  # happened on day 15, arrived after day 20
    label_lake(tmp_path, labels)
    everything = DatasetParameters(train_days=10, delay_days=0, test_days=9)
    assert 150 in labels_of(build(tmp_path, everything))
    cutoff = START_US + 490 * HOUR_US
    found = build(tmp_path, DatasetParameters(cutoff, 10, 0, 9))
    assert 150 not in labels_of(found)
    assert found.manifest.rows.test.unknown_label_left_out == 1


def test_a_row_to_train_on_needs_a_label_from_before_the_test_window(tmp_path):
    labels = [(number, number * 2.4 + 1, number * 2.4 + 1, number % 2) for number in range(200)]
    labels[50] = (50, 470, 470, 0)
    label_lake(tmp_path, labels)
    dataset = build(tmp_path, DatasetParameters(train_days=10, delay_days=0, test_days=9))
    assert 50 not in labels_of(dataset)
    assert dataset.manifest.rows.train.unknown_label_left_out == 1


def test_a_label_that_arrived_in_the_test_window_is_not_in_the_train_window_whenever_it_happened(tmp_path):
    labels = [(number, number * 2.4 + 1, number * 2.4 + 1, number % 2) for number in range(200)]
    labels[50] = (50, 121, 300, 0)  # happened on day 5, arrived on day 12; the test window begins on day 10
    label_lake(tmp_path, labels)
    dataset = build(tmp_path, DatasetParameters(train_days=10, delay_days=0, test_days=9))
    assert 50 not in labels_of(dataset)
    assert dataset.manifest.rows.train.unknown_label_left_out == 1


def test_of_two_labels_of_one_event_time_the_later_arrival_is_in_the_row(tmp_path):
    first = [(number, number * 2.4 + 1, number * 2.4 + 1, number % 2) for number in range(200)]
    later = [(number, number * 2.4 + 1, number * 2.4 + 25, 1 - number % 2) for number in range(40)]
    label_lake(tmp_path, first + later)
    dataset = build(tmp_path, DatasetParameters(train_days=10, delay_days=0, test_days=10))
    found = labels_of(dataset)
    assert [found[number] for number in range(40)] == [1 - number % 2 for number in range(40)]
    assert dataset.manifest.labels.conflicting == 40


def test_of_conflicting_labels_the_latest_event_wins_whenever_it_arrived(tmp_path):
    labels = [(number, number * 2.4 + 1, number * 2.4 + 1, number % 2) for number in range(200)]
    labels += [(20, 70, 60, 1), (20, 60, 80, 0)]
    label_lake(tmp_path, labels)
    dataset = build(tmp_path, DatasetParameters(train_days=19, delay_days=0, test_days=0.5))
    assert labels_of(dataset)[20] == 1
    assert dataset.manifest.labels.conflicting == 1


def test_what_cannot_be_built_says_what_to_do(machine_lake, tmp_path):
    with pytest.raises(DatasetError, match=r"no table 'features_machine_heat_v3_on_readings'\. Stream events"):
        build(tmp_path)
    with pytest.raises(DatasetError, match=r"Give smaller --train-days"):
        build(machine_lake, DatasetParameters(train_days=60))
    with pytest.raises(DatasetError, match="Give an earlier --cutoff"):
        build(machine_lake, DatasetParameters(cutoff_us=end_us() + 30 * DAY_US))
    with pytest.raises(DatasetError, match="has a label known by the cutoff"):
        build(machine_lake, DatasetParameters(cutoff_us=START_US))
    with pytest.raises(DatasetError, match="Its entities are machine, plant"):
        build(machine_lake, DatasetParameters(train_days=6, delay_days=1, test_days=3, entity="nobody"))


def test_groups_that_disagree_are_refused(machine_lake, tmp_path):
    lake = tmp_path / "lake"
    shutil.copytree(machine_lake, lake)
    DeltaTable(str(lake / features_table(MACHINE_HEAT, READINGS))).delete("kafka_offset = 500")
    with pytest.raises(DatasetError, match="materialize the groups again"):
        build(lake)
