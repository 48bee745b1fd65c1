import json

import numpy as np

from shared_features.formats.model_manifest import check_manifest
from tests.domains.machines import BREAKDOWN
from training.__main__ import main
from training.models import onnx_export
from training.models.candidates import fit_model
from training.models.onnx_export import open_session, run_session
from training.registry.aliases import Aliases
from training.registry.versions import Registry

OPTIONS = ["--train-days", "6", "--delay-days", "1", "--test-days", "3", "--top", "5"]


def test_a_run_ends_in_a_certified_champion_and_another_one_changes_nothing(places, capsys):
    assert main(["run", *OPTIONS]) == 0
    said = capsys.readouterr().out
    assert "parity passed" in said
    assert "version 1 is champion, before there was no champion" in said
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
    assert Aliases(registry).of("breakdown") == {"champion": 2}


def test_a_failed_certificate_blocks_publication(places, capsys, monkeypatch):
    export = onnx_export.export_onnx
    monkeypatch.setattr(
        "training.runs.model_steps.export_onnx", lambda pipeline, features: other_model(export, features)
    )
    assert main(["run", *OPTIONS, "--models", "logistic_regression"]) == 1
    assert "nothing was published" in capsys.readouterr().err
    assert Registry(places / "registry").versions("breakdown") == []


def other_model(export, features):
    random = np.random.default_rng(0)
    matrix = random.normal(size=(100, features)).astype(np.float32)
    return export(fit_model("logistic_regression", matrix, (matrix[:, 0] > 0).astype(float), 0)[0], features)
