import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from tests.domains.machines import BREAKDOWN
from tests.training.datasets.exports.exported_machines import SHORT
from tests.training.lake import LATENESS_US
from training.datasets.dataset_builder import build_dataset
from training.datasets.exports.dataset_table import DatasetTable
from training.datasets.exports.event_table import event_table
from training.datasets.offline_store import OfflineStore
from training.datasets.pinned_view import pin_view
from training.errors import DatasetError


def test_each_row_says_which_event_it_is_of_which_entities_and_as_of_when(
    events_then: DatasetTable, early_lake: Path
) -> None:
    about = ["reading", "plant", "machine", "as_of", "kafka_partition", "kafka_offset", "window", "label"]
    assert events_then.data.columns == [*about, *(column.name for column in BREAKDOWN.columns)]
    events = pl.read_delta(str(early_lake / "events_readings"))
    found = events_then.data.join(events, on=["kafka_partition", "kafka_offset"], how="inner", suffix="_stored")
    assert len(found) == len(events_then.data) == events_then.data["reading"].n_unique()
    for name in ("reading", "plant", "machine"):
        assert found[name].equals(found[f"{name}_stored"])
    assert found["as_of"].dt.timestamp("us").equals(found["at"].alias("as_of"))
    assert set(found["window"]) == {"train", "gap", "test"}


def test_a_feature_keeps_its_name_where_a_key_has_it_too(early_lake: Path) -> None:
    pinned = pin_view(OfflineStore(early_lake), BREAKDOWN, LATENESS_US)
    dataset = build_dataset(pinned, SHORT)[0]
    found = event_table(pinned, replace(dataset, features=("machine", *dataset.features[1:])))
    assert found["row_machine"].dtype == pl.String
    assert found["machine"].dtype == pl.Float32


def test_events_that_went_while_it_was_exported_are_said(early_lake: Path, tmp_path: Path) -> None:
    lake = tmp_path / "lake"
    shutil.copytree(early_lake, lake)
    dataset = build_dataset(pin_view(OfflineStore(lake), BREAKDOWN, LATENESS_US), SHORT)[0]
    DeltaTable(lake / "events_readings").delete("machine = 'm7'")
    with pytest.raises(DatasetError, match=r"of \d+ rows of the dataset are not in table 'events_readings' any more"):
        event_table(pin_view(OfflineStore(lake), BREAKDOWN, LATENESS_US), dataset)
