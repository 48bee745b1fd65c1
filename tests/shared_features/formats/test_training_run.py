"""What training saves of a run is what an erasure finds of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import polars as pl
import pyarrow as pa

from shared_features.definitions import load_definitions
from shared_features.formats.dataset_manifest import DatasetView, PinnedVersion
from shared_features.formats.offline_tables import OFFSET, PARTITION
from shared_features.formats.training_run import DATASET_FOLDER, MATRIX_FILE, ROW_COLUMNS, ROWS_FILE
from streaming.operations.erasure.stores.training_runs import runs_with
from tests.domains.machines import BREAKDOWN
from tests.training.random_dataset import random_dataset


def test_the_names_are_those_that_runs_on_disk_have() -> None:
    assert (DATASET_FOLDER, ROWS_FILE, MATRIX_FILE) == ("dataset", "rows.parquet", "matrix.npy")
    assert ROW_COLUMNS == ("kafka_partition", "kafka_offset", "event_time_us", "entity", "label", "window")


def test_an_erasure_finds_the_runs_whose_rows_hold_an_erased_event(tmp_path: Path) -> None:
    dataset = random_dataset(rows=100)
    view = DatasetView(BREAKDOWN.name, BREAKDOWN.version, BREAKDOWN.fingerprint)
    told = replace(dataset.manifest, view=view, tables={"events_readings": PinnedVersion(1, ())})
    folder = tmp_path / BREAKDOWN.name / "20261128T120000" / DATASET_FOLDER
    folder.mkdir(parents=True)
    replace(dataset, manifest=told).save(folder)
    assert tuple(pl.read_parquet_schema(folder / ROWS_FILE)) == ROW_COLUMNS
    catalogue = load_definitions("tests.domains.machines")
    for offset, found in ((99, {folder.parent: True}), (100, {})):
        gone = pa.table({PARTITION: pa.array([0], pa.int32()), OFFSET: pa.array([offset], pa.int64())})
        assert runs_with(tmp_path, catalogue, {"readings": gone}) == found
