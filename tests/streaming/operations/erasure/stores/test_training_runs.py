"""Training runs that cannot be read may hold anything, and go; those of others stay."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from shared_features.formats.dataset_manifest import DatasetView, PinnedVersion, encode_dataset_manifest
from streaming.errors import RefusedError
from streaming.operations.erasure.stores.training_runs import remove_runs
from tests.shared_features.formats.test_dataset_manifest import DATASET
from tests.streaming.operations.erasure.test_command import GONE, check_erased, stored
from tests.streaming.operations.stored_world import StoredWorld

__all__ = ["stored"]
ERASE = ("erase", "--entity", "payer", "--key", str(GONE), "--execute")


@pytest.mark.parametrize(("file", "content"), [("rows.parquet", b"PAR1"), ("matrix.npy", b"values of the erased")])
def test_a_run_that_was_killed_while_it_saved_goes(stored: StoredWorld, file: str, content: bytes) -> None:
    dataset = stored.settings.training_runs / "view" / "torn" / "dataset"
    dataset.mkdir(parents=True)
    (dataset / file).write_bytes(content)
    assert f"training run {dataset.parent}: its rows cannot be read" in stored.run(*ERASE[:-1])
    assert "2  training runs" in stored.run(*ERASE)
    check_erased(stored)


def test_a_run_that_has_just_begun_goes_on(stored: StoredWorld) -> None:
    dataset = stored.settings.training_runs / "view" / "begun" / "dataset"
    dataset.mkdir(parents=True)
    stored.run(*ERASE)
    dataset.rmdir()
    dataset.parent.rmdir()
    check_erased(stored)


def test_positions_of_another_source_are_not_taken_for_its_own(stored: StoredWorld) -> None:
    dataset = stored.settings.training_runs / "view" / "held" / "dataset"
    told = replace(DATASET, view=DatasetView("of_outcomes", 1, "f"), tables={"events_outcomes": PinnedVersion(1, ())})
    (dataset / "dataset.json").write_bytes(encode_dataset_manifest(told))
    assert "0  training runs" in stored.run(*ERASE)
    assert dataset.exists()


def test_a_run_that_is_written_while_it_is_removed_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(run: Path) -> None:
        raise OSError(39, "Directory not empty")

    monkeypatch.setattr(shutil, "rmtree", busy)
    with pytest.raises(RefusedError, match="Run this again"):
        remove_runs([tmp_path])
    assert remove_runs([tmp_path / "gone already"]) == 1
