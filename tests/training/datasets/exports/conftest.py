import shutil
from pathlib import Path

import pytest

from tests.domains.machines import BREAKDOWN
from tests.training.datasets.exports.exported_machines import EARLY_US, grow_and_tidy, of_events, of_spine
from tests.training.lake import write_lake
from tests.training.machine_streams import machine_streams
from training.datasets.exports.dataset_table import DatasetTable


@pytest.fixture(scope="session")
def early_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Complete up to the ninth day; events of later days are there already. Read only."""
    lake: Path = tmp_path_factory.mktemp("early") / "lake"
    write_lake(lake, BREAKDOWN, machine_streams(), EARLY_US)
    return lake


@pytest.fixture(scope="session")
def events_then(early_lake: Path) -> DatasetTable:
    return of_events(early_lake)


@pytest.fixture(scope="session")
def served_then(early_lake: Path) -> DatasetTable:
    return of_spine(early_lake)


@pytest.fixture(scope="session")
def grown_lake(early_lake: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same three days later, compacted, without its old files and commits. Read only."""
    lake: Path = tmp_path_factory.mktemp("grown") / "lake"
    shutil.copytree(early_lake, lake)
    grow_and_tidy(lake)
    return lake
