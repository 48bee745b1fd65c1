"""A dataset is built again bit for bit from a lake that went on, and what cannot be says why."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from deltalake import CommitProperties, DeltaTable
from deltalake.transaction import Transaction

from shared_features.formats.dataset_manifest import DATASET_FILE, encode_dataset_manifest
from shared_features.formats.offline_tables import KEPT_FROM_APP
from shared_features.kernel.event_time import DAY_US, HOUR_US
from tests.domains.machines import BREAKDOWN
from tests.training.datasets.exports.exported_machines import brought, complete_up_to, erase, of_events, tidy
from tests.training.lake import write_events
from tests.training.machine_streams import START_US, machine_streams
from training.datasets.exports.dataset_table import DATA_FILE, DatasetTable
from training.datasets.exports.rebuilding import rebuild
from training.datasets.exports.table_digest import table_digest
from training.datasets.offline_store import OfflineStore
from training.errors import DatasetError


def again(lake: Path, directory: Path) -> DatasetTable:
    return rebuild(OfflineStore(lake), [BREAKDOWN], directory)


def test_a_dataset_is_the_same_after_more_events_a_compaction_and_a_clean_up(
    events_then: DatasetTable, grown_lake: Path, tmp_path: Path
) -> None:
    events_then.write(tmp_path / "d")
    found = again(grown_lake, tmp_path / "d")
    assert found.data.equals(events_then.data, null_equal=True)
    assert found.manifest.tables != events_then.manifest.tables, "it was read from other versions and files"
    assert of_events(grown_lake).manifest.data_digest != events_then.manifest.data_digest, "the newest is another one"


def test_a_spine_has_the_same_features_later(served_then: DatasetTable, grown_lake: Path, tmp_path: Path) -> None:
    served_then.write(tmp_path / "d")
    assert again(grown_lake, tmp_path / "d").data.equals(served_then.data, null_equal=True)


def test_in_event_time_too_though_late_events_came_since(tmp_path: Path) -> None:
    """The cut lies between the instant of an event and its arrival: only a new dataset has it."""
    readings, lake = machine_streams()["readings"], tmp_path / "lake"
    at_us = readings.batch.event_time_us
    row = int(np.argmax((readings.arrival_us - at_us > HOUR_US) & (at_us > START_US + 5 * DAY_US)))
    plant, machine = (readings.batch.columns[name][row] for name in ("plant", "machine"))
    cut_us = int(at_us[row]) + HOUR_US // 2
    write_events(lake, readings, watermark_us=cut_us)
    asked = pl.DataFrame({"plant": [plant], "machine": [machine], "as_of": [cut_us - 1], "celsius": [1.0]})
    then = brought(lake, asked, "event-time")
    then.write(tmp_path / "d")
    complete_up_to(lake, "readings", cut_us + DAY_US)
    tidy(lake / "events_readings")
    assert again(lake, tmp_path / "d").manifest.data_digest == then.manifest.data_digest
    assert brought(lake, asked, "event-time").manifest.data_digest != then.manifest.data_digest


def test_an_erasure_since_is_said_with_the_rows_that_went(
    events_then: DatasetTable, served_then: DatasetTable, early_lake: Path, tmp_path: Path
) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(early_lake, lake)
    events_then.write(tmp_path / "d")
    served_then.write(tmp_path / "s")
    erase(lake, "m7")
    theirs = events_then.data.filter(pl.col("machine") == "m7")
    with pytest.raises(DatasetError, match=rf"it lacks {len(theirs)} rows.*\. 1 entity was erased since\."):
        again(lake, tmp_path / "d")
    with pytest.raises(DatasetError, match=r"it differs in machine_heat__celsius_mean_1h in .* 1 entity was erased"):
        again(lake, tmp_path / "s")


def test_retention_since_is_said(events_then: DatasetTable, early_lake: Path, tmp_path: Path) -> None:
    lake, kept_us = tmp_path / "lake", START_US + 4 * DAY_US
    shutil.copytree(early_lake, lake)
    events_then.write(tmp_path / "d")
    deleted = CommitProperties(app_transactions=[Transaction(KEPT_FROM_APP, kept_us)])
    DeltaTable(lake / "events_readings").delete(f"arrival_time_us < {kept_us}", commit_properties=deleted)
    with pytest.raises(DatasetError, match=r"Retention has deleted the events that arrived before 2024-10-08"):
        again(lake, tmp_path / "d")


def test_files_that_were_changed_are_not_taken_for_the_dataset(
    events_then: DatasetTable, served_then: DatasetTable, early_lake: Path, tmp_path: Path
) -> None:
    for name, table, file in (("d", events_then, DATA_FILE), ("s", served_then, "spine.parquet")):
        table.write(tmp_path / name)
        pl.read_parquet(tmp_path / name / file)[1:].write_parquet(tmp_path / name / file)
        with pytest.raises(DatasetError, match="is not the table that was exported"):
            again(early_lake, tmp_path / name)


def test_other_definitions_and_other_libraries_are_told(
    events_then: DatasetTable, early_lake: Path, tmp_path: Path
) -> None:
    events_then.write(tmp_path / "d")
    with pytest.raises(DatasetError, match="have no such view"):
        rebuild(OfflineStore(early_lake), [], tmp_path / "d")
    with pytest.raises(DatasetError, match="another one of this name and version"):
        rebuild(OfflineStore(early_lake), [replace(BREAKDOWN, features=("celsius",))], tmp_path / "d")
    elsewhere = {**events_then.manifest.libraries, "polars": "0.1"}
    shutil.rmtree(tmp_path / "d")
    manifest = replace(events_then.manifest, libraries=elsewhere)
    other = events_then.data.with_columns(label=1 - pl.col("label"))
    replace(events_then, data=other, manifest=replace(manifest, data_digest=table_digest(other))).write(tmp_path / "d")
    with pytest.raises(DatasetError, match=r"it differs in label in .*It was built with polars 0\.1 \(now "):
        again(early_lake, tmp_path / "d")


def test_a_directory_of_something_else_is_refused(events_then: DatasetTable, early_lake: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"holds no dataset\. .*No such file"):
        again(early_lake, tmp_path)
    (tmp_path / DATASET_FILE).write_bytes(encode_dataset_manifest(replace(events_then.manifest, data_digest="")))
    with pytest.raises(DatasetError, match="the dataset of a training run, and not an exported one"):
        again(early_lake, tmp_path)
