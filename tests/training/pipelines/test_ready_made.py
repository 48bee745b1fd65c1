"""Ready-made functions come to the same when they are done again, and say what is missing."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.training.models.fitted_models import fitted
from tests.training.random_dataset import random_dataset
from tests.training.service.conftest import Listener
from training.models.graph.onnx_export import export_onnx
from training.pipelines import call_webhook, import_file, publish_files, score_rows


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    inputs, output = tmp_path / "inputs", tmp_path / "output"
    (inputs / "fit").mkdir(parents=True)
    output.mkdir()
    (inputs / "fit" / "found.json").write_text('{"rows": 3}')
    (inputs / "fit" / "model.bin").write_bytes(b"\x00")
    return inputs, output


def test_a_file_is_imported_under_its_name(folders: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "prices.csv").write_text("1")
    assert import_file(*folders, path=tmp_path / "prices.csv") == "prices.csv, 1 bytes"
    assert (folders[1] / "prices.csv").read_text() == "1"


def test_files_are_published_and_published_again(folders: tuple[Path, Path], tmp_path: Path) -> None:
    for _ in range(2):
        assert publish_files(*folders, folder=str(tmp_path / "out")).startswith("2 files in ")
        assert sorted(each.name for each in (tmp_path / "out" / "fit").iterdir()) == ["found.json", "model.bin"]


def test_a_webhook_is_called_once_and_its_errors_do_not_show_its_address(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(ValueError, match="variable HOOK holds no http or https address; set it"):
        call_webhook(*folders, text="done", variable="HOOK")
    monkeypatch.setenv("HOOK", "http://127.0.0.1:1/secret")
    with pytest.raises(ConnectionError, match=r"the webhook does not answer: .*refused") as refused:
        call_webhook(*folders, text="done", variable="HOOK")
    assert "secret" not in str(refused.value)
    listener = Listener(refusals=1)
    with listener.listening() as hook:
        monkeypatch.setenv("HOOK", hook)
        with pytest.raises(ConnectionError, match="the webhook answered 500"):
            call_webhook(*folders, text="done", variable="HOOK")
        assert call_webhook(*folders, text="done", variable="HOOK") == "told with 1 file"
        assert call_webhook(*folders, text="done", variable="HOOK") == "told before"
    assert listener.got == [{"text": "done", "files": {"fit/found.json": {"rows": 3}}}]


def test_the_scores_of_several_classes_stand_under_their_names(folders: tuple[Path, Path]) -> None:
    inputs, output = folders
    found = random_dataset(300)
    manifest = replace(found.manifest, task="multiclass", classes=("late", "lost", "on time"))
    (inputs / "dataset").mkdir()
    (inputs / "export").mkdir()
    replace(found, manifest=manifest).save(inputs / "dataset")
    (inputs / "export" / "model.onnx").write_bytes(export_onnx(fitted("random_forest", "multiclass"), 6, "multiclass"))
    said = score_rows(inputs, output)
    assert re.fullmatch(r"300 rows; answered (\w[\w ]* \d+(, )?){3}", said), said
    rows = pl.read_parquet(output / "scores.parquet")
    columns = [f"probability_{name}" for name in manifest.classes]
    assert rows.columns[-4:] == ["class", *columns]
    best = np.array(manifest.classes)[rows.select(columns).to_numpy().argmax(axis=1)]
    assert rows["class"].to_list() == best.tolist()
