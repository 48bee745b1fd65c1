"""A run that reads its tables before an entity is erased, and saves its dataset after, keeps nothing of it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from deltalake import CommitProperties, DeltaTable, write_deltalake
from deltalake.transaction import Transaction

from shared_features.formats.dataset_manifest import DatasetParameters
from shared_features.formats.offline_tables import ERASURES_APP, events_table, features_table
from tests.domains.machines import BREAKDOWN, READINGS
from tests.training.lake import LATENESS_US
from training.datasets.dataset_builder import build_dataset
from training.datasets.training_dataset import load_dataset
from training.errors import DatasetError
from training.runs.actions import dataset_steps
from training.runs.plan.data_version import open_data, pin_data
from training.runs.plan.run_parameters import RunParameters

PARAMETERS = RunParameters(BREAKDOWN, DatasetParameters(train_days=2, delay_days=0, test_days=1))


@pytest.mark.parametrize("name", [features_table(BREAKDOWN.groups[0], READINGS), events_table(READINGS)])
def test_what_was_built_during_an_erasure_is_thrown_away(
    machine_lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    lake, output = Path(shutil.copytree(machine_lake, tmp_path / "lake")), tmp_path / "run" / "dataset"

    def beside_an_erasure(*arguments: Any) -> Any:
        table = DeltaTable(lake / name)
        count = CommitProperties(app_transactions=[Transaction(app_id=ERASURES_APP, version=1)])
        empty = table.to_pyarrow_dataset().schema.empty_table()
        write_deltalake(table, empty, mode="append", commit_properties=count)
        return build_dataset(*arguments)

    monkeypatch.setattr(dataset_steps, "build_dataset", beside_an_erasure)
    pinned = open_data(lake, BREAKDOWN, pin_data(lake, BREAKDOWN, LATENESS_US))
    output.mkdir(parents=True)
    with pytest.raises(DatasetError, match=f"entities were erased from {name} while it was built; start the run again"):
        dataset_steps.make_dataset(pinned, PARAMETERS, output)
    assert not output.exists()
    monkeypatch.undo()
    output.mkdir()
    pinned = open_data(lake, BREAKDOWN, pin_data(lake, BREAKDOWN, LATENESS_US))
    said = dataset_steps.make_dataset(pinned, PARAMETERS, output)
    assert "rows x" in said
    rows = load_dataset(output).manifest.rows
    assert rows.labelled_before > 0
    told = f"{rows.labelled_before:,} labelled rows before the train window and {rows.labelled_after:,} after the test"
    assert told in said
    assert (output / "rows.parquet").exists()
