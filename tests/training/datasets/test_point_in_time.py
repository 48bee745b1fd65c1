"""Datasets after an operator deleted old days, or erased an entity: they can be built, and say what is not in them."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pyarrow as pa
import structlog
from deltalake import CommitProperties, DeltaTable
from deltalake.transaction import Transaction

from shared_features.formats.dataset_manifest import DatasetParameters
from shared_features.formats.offline_tables import ERASURES_APP, events_table
from shared_features.kernel.event_time import DAY_US
from streaming.operations.retention.retain import day_us, delete_days
from streaming.settings import load_settings
from tests.domains.machines import BREAKDOWN, READINGS
from tests.training.lake import LATENESS_US
from tests.training.machine_streams import end_us
from training.datasets.dataset_builder import build_dataset
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import pin_view
from training.datasets.training_dataset import TrainingDataset

SEVENTH_DAY = date(2024, 10, 10)


def build(
    lake: Path, train_days: float | None, test_days: float | None, test_to_us: int | None = None
) -> TrainingDataset:
    parameters = DatasetParameters(train_days=train_days, delay_days=0, test_days=test_days, test_to_us=test_to_us)
    return build_dataset(pin_view(OfflineStore(lake), BREAKDOWN, LATENESS_US), parameters)[0]


def copy_of(machine_lake: Path, folder: Path) -> Path:
    return Path(shutil.copytree(machine_lake, folder / "lake"))


def test_days_that_are_gone_are_left_out(machine_lake: Path, tmp_path: Path) -> None:
    """So are rows whose windows reach into those days: a late row would be computed from the events that are left."""
    lake = copy_of(machine_lake, tmp_path)
    pinned = build(lake, 2, 1)
    assert delete_days(load_settings(lake=lake), READINGS, SEVENTH_DAY) > 0
    dataset = build(lake, None, None)  # from the first event that is there on
    assert len(dataset) > 0
    kept = pa.table(DeltaTable(lake / events_table(READINGS)).scan(columns=["kafka_partition", "kafka_offset"]))
    positions = set(zip(*(kept[name].to_pylist() for name in kept.column_names), strict=True))
    assert set(zip(dataset.partition.tolist(), dataset.offset.tolist(), strict=True)) <= positions
    assert build(lake, 2, 1).digest == pinned.digest, "what is pinned in the days that are kept is built the same"
    reach_us = max(group.readable_us for group in BREAKDOWN.groups)
    assert dataset.event_time_us.min() >= day_us(SEVENTH_DAY) + reach_us


def test_a_dataset_says_that_entities_were_erased(machine_lake: Path, tmp_path: Path) -> None:
    lake = copy_of(machine_lake, tmp_path)
    erased = CommitProperties(app_transactions=[Transaction(app_id=ERASURES_APP, version=2)])
    table = DeltaTable(lake / events_table(READINGS))
    last = pa.table(table.scan(columns=["arrival_time_us"]))["arrival_time_us"].to_pylist()
    table.delete(f"arrival_time_us = {max(last)}", commit_properties=erased)
    with structlog.testing.capture_logs() as lines:
        dataset = build(lake, 2, 1, end_us() - DAY_US)  # before the event that is gone
    assert dataset.manifest.erased_entities == 2
    assert [line["event"] for line in lines] == ["events of 2 erased entities are not in it"]
