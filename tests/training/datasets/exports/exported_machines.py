"""Exported datasets of the machines' lake, and what happens to a lake afterwards."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.transaction import Transaction

from shared_features.formats.dataset_manifest import DatasetParameters
from shared_features.formats.offline_tables import ERASURES_APP, WATERMARK_APP, events_table
from shared_features.kernel.event_time import DAY_US, HOUR_US
from streaming.lake.compaction import compact
from tests.domains.machines import BREAKDOWN, READINGS
from tests.training.lake import LATENESS_US, write_all_features
from tests.training.machine_streams import START_US, end_us, machine_streams
from training.datasets.dataset_builder import build_dataset
from training.datasets.exports.dataset_table import DatasetTable
from training.datasets.exports.exported import SpineOptions, export_events, export_spine
from training.datasets.given_spine import check_spine
from training.datasets.historical_features import Truth
from training.datasets.history.pinned_history import pin_history
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import pin_view

EARLY_US = START_US + 9 * DAY_US
SHORT = DatasetParameters(train_days=4, delay_days=1, test_days=2)


def of_events(lake: Path, parameters: DatasetParameters = SHORT) -> DatasetTable:
    pinned = pin_view(OfflineStore(lake), BREAKDOWN, LATENESS_US)
    return export_events(pinned, build_dataset(pinned, parameters)[0])


def of_spine(lake: Path, truth: Truth = "as-served", lag_us: int = 0) -> DatasetTable:
    """Every machine at every fifth hour of the eighth and ninth day."""
    return brought(lake, spine_rows(), truth, lag_us)


def brought(lake: Path, rows: pl.DataFrame, truth: Truth = "as-served", lag_us: int = 0) -> DatasetTable:
    store, spine = OfflineStore(lake), check_spine(BREAKDOWN, rows)
    return export_spine(pin_history(store, BREAKDOWN), spine, SpineOptions(truth, lag_us))


def spine_rows() -> pl.DataFrame:
    asked = [(machine, EARLY_US - (hour * HOUR_US) - 1) for machine in range(30) for hour in range(0, 48, 5)]
    return pl.DataFrame(
        {
            "plant": [f"plant|{machine % 3}" for machine, _ in asked],
            "machine": [f"m{machine}" for machine, _ in asked],
            "as_of": [at for _, at in asked],
            "celsius": [float(machine) for machine, _ in asked],
            "note": ["of mine"] * len(asked),
        }
    )


def grow_and_tidy(lake: Path) -> None:
    """Three more days arrive and are materialized; then every table is compacted and its old files and commits go."""
    for name in ("readings", "breakdowns"):
        complete_up_to(lake, name, end_us() + 2 * HOUR_US)
    write_all_features(lake, BREAKDOWN, machine_streams(), end_us())
    for table in lake.iterdir():
        tidy(table)


def complete_up_to(lake: Path, source: str, watermark_us: int) -> None:
    """The archive has stored all that arrived by then."""
    path = lake / f"events_{source}"
    nothing = pl.read_delta(str(path))[:0].to_arrow()
    more = CommitProperties(app_transactions=[Transaction(WATERMARK_APP, watermark_us)])
    write_deltalake(str(path), nothing, mode="append", partition_by=["arrival_date"], commit_properties=more)


def tidy(path: Path) -> None:
    compact(path, crowded=2)
    table = DeltaTable(path)
    table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    table.create_checkpoint()
    for commit in (path / "_delta_log").glob("*.json"):
        if int(commit.stem) < table.version():
            commit.unlink()


def erase(lake: Path, machine: str) -> None:
    """The events and the feature rows of a machine go, as an erasure does it."""
    path = lake / events_table(READINGS)
    rows = pl.read_delta(str(path)).filter(pl.col("machine") == machine).select("kafka_partition", "kafka_offset")
    counted = CommitProperties(app_transactions=[Transaction(ERASURES_APP, 1)])
    DeltaTable(path).delete(f"machine = '{machine}'", commit_properties=counted)
    for table in lake.glob("features_*"):
        kept = pl.read_delta(str(table)).join(rows, on=rows.columns, how="anti")
        write_deltalake(str(table), kept.to_arrow(), mode="overwrite")
