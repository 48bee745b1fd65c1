"""A pinned dataset holds back what deletes its inputs: streaming's own retention reads the pin."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from deltalake import CommitProperties, DeltaTable
from deltalake.transaction import Transaction

from shared_features.definitions import load_definitions
from shared_features.formats.offline_tables import KEPT_FROM_APP
from shared_features.kernel.event_time import DAY_US
from streaming.operations.retention.needs import Need, needs
from streaming.settings import load_settings
from tests.domains.machines import BREAKDOWN, READINGS
from tests.training.machine_streams import START_US
from training.datasets.exports.dataset_table import DatasetTable
from training.datasets.exports.pins import is_pinned, pin_dataset, pin_name, unpin_dataset
from training.errors import DatasetError

REACH_US = max(group.readable_us for group in BREAKDOWN.groups)


@pytest.fixture
def lake(early_lake: Path, tmp_path: Path) -> Path:
    found = tmp_path / "lake"
    shutil.copytree(early_lake, found)
    return found


def pinned_needs(lake: Path) -> list[Need]:
    settings = load_settings(lake=lake, registry=lake / "none", without_registry=True)
    found = needs(settings, load_definitions("tests.domains.machines"), READINGS)
    return [each for each in found if "pinned" in each.what]


def test_retention_keeps_what_a_pinned_dataset_reaches_until_it_is_unpinned(
    events_then: DatasetTable, served_then: DatasetTable, lake: Path
) -> None:
    for table in (events_then, served_then):
        assert pinned_needs(lake) == []
        name = pin_dataset(lake, BREAKDOWN, table.manifest)
        assert name == pin_name(table.manifest)
        assert is_pinned(lake, table.manifest)
        assert pinned_needs(lake) == [Need(f"the pinned dataset {name}", table.manifest.split.start_us - REACH_US)]
        assert unpin_dataset(lake, table.manifest)
        assert not unpin_dataset(lake, table.manifest)


def test_what_retention_has_deleted_cannot_be_pinned(events_then: DatasetTable, lake: Path) -> None:
    deleted = CommitProperties(app_transactions=[Transaction(KEPT_FROM_APP, START_US + 6 * DAY_US)])
    DeltaTable(lake / "events_readings").delete(f"arrival_time_us < {START_US + DAY_US}", commit_properties=deleted)
    with pytest.raises(DatasetError, match=r"cannot be pinned\. Events of 'readings' that arrived before 2024-10-10"):
        pin_dataset(lake, BREAKDOWN, events_then.manifest)
    assert not is_pinned(lake, events_then.manifest)
