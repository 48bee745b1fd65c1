import json

import numpy as np
import pandas as pd
import pytest

from shared_features.formats.model_manifest import check_manifest
from tests.domains.machines import BREAKDOWN
from training import onnx_export
from training.__main__ import main
from training.model import fit_model
from training.onnx_export import open_session, run_session
from training.registry import Registry

OPTIONS = ["--train-days", "6", "--delay-days", "1", "--test-days", "3", "--top", "5"]


@pytest.fixture
def places(machine_lake, tmp_path, monkeypatch):
    """Settings by environment, as a user gives them, for the machines' definitions."""
    monkeypatch.setenv("MILLRACE_DEFINITIONS", "tests.domains.machines")
    monkeypatch.setenv("MILLRACE_LAKE", str(machine_lake))
    monkeypatch.setenv("MILLRACE_REGISTRY", str(tmp_path / "registry"))
    monkeypatch.setenv("MILLRACE_TRAINING_RUNS", str(tmp_path / "runs"))
    return tmp_path


def test_a_run_ends_in_a_certified_champion_and_another_one_changes_nothing(places, capsys):
    assert main(["run", *OPTIONS]) == 0
    said = capsys.readouterr().out
    assert "parity passed" in said
    assert "version 1 is champion, before there was none" in said
    registry = Registry(places / "registry")
    manifest = registry.manifest("breakdown", 1)
    check_manifest(manifest, BREAKDOWN)
    path = registry.path("breakdown", 1)
    metrics = json.loads((path / "metrics.json").read_text())
    assert set(metrics["models"]) == {"hist_gradient_boosting", "random_forest", "logistic_regression"}
    assert metrics["models"][metrics["chosen"]]["roc_auc"] > 0.8
    assert "precision_at_5_per_day" in metrics["models"][metrics["chosen"]]
    assert json.loads((path / "dataset.json").read_text())["digest"] == manifest.dataset_digest
    unknown = np.full((2, len(manifest.view.features)), np.nan, np.float32)
    assert np.isfinite(run_session(open_session((path / "model.onnx").read_bytes()), unknown)).all()

    assert main(["run", *OPTIONS]) == 0
    said = capsys.readouterr().out
    assert "the same model was published before" in said
    assert "version 1 is champion already" in said

    assert main(["run", *OPTIONS, "--models", "random_forest", "--gate-tolerance=-1"]) == 0
    said = capsys.readouterr().out
    assert "version 2 stays a challenger, version 1 was champion" in said
    assert "on the same rows" in said
    assert main(["promote", "2"]) == 0
    assert main(["models"]) == 0
    assert "random_forest" in capsys.readouterr().out
    assert registry.aliases("breakdown") == {"champion": 2}


def test_a_failed_certificate_blocks_publication(places, capsys, monkeypatch):
    export = onnx_export.export_onnx
    monkeypatch.setattr("training.steps.export_onnx", lambda pipeline, features: other_model(export, features))
    assert main(["run", *OPTIONS, "--models", "logistic_regression"]) == 1
    assert "nothing was published" in capsys.readouterr().err
    assert Registry(places / "registry").versions("breakdown") == []


def other_model(export, features):
    random = np.random.default_rng(0)
    matrix = random.normal(size=(100, features)).astype(np.float32)
    return export(fit_model("logistic_regression", matrix, (matrix[:, 0] > 0).astype(float), 0)[0], features)


def test_a_dataset_alone_comes_out_as_a_table_for_pandas(places):
    assert main(["dataset", *OPTIONS[:-2], "--output", str(places / "rows.parquet")]) == 0
    frame = pd.read_parquet(places / "rows.parquet")
    assert set(frame["window"]) == {"train", "gap", "test"}
    assert list(frame.columns[5:]) == [column.name for column in BREAKDOWN.columns]


def test_wrong_input_is_one_sentence(places, capsys, monkeypatch):
    assert main(["run", "--view", "nothing"]) == 1
    assert "no feature view 'nothing'" in capsys.readouterr().err
    assert main(["run", "--train-days", "500"]) == 1
    assert "give smaller --train-days" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["run", "--cutoff", "2026-01-01T00:00:00"])
    assert "RFC 3339" in capsys.readouterr().err
    monkeypatch.setenv("MILLRACE_LOG_LEVEL", "loud")
    assert main(["models"]) == 1
    assert "MILLRACE_LOG_LEVEL" in capsys.readouterr().err


def test_settings_come_from_a_file_too_and_the_environment_wins(places, capsys, monkeypatch):
    file = places / "millrace.toml"
    file.write_text(f'registry = "{places / "elsewhere"}"\nkafka_bootstrap_servers = "of another program"\n')
    monkeypatch.setenv("MILLRACE_SETTINGS", str(file))
    monkeypatch.delenv("MILLRACE_REGISTRY")
    assert main(["models"]) == 0
    assert "elsewhere" in capsys.readouterr().out
    monkeypatch.setenv("MILLRACE_SETTINGS", str(places / "nowhere.toml"))
    assert main(["models"]) == 1
    assert "nowhere.toml" in capsys.readouterr().err
