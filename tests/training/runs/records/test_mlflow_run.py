"""A run in MLflow. Where there is no MLflow, or it does not answer, the run is what it was."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from structlog.testing import capture_logs

from shared_features.formats.dataset_manifest import encode_dataset_manifest
from shared_features.kernel.event_time import to_text
from tests.shared_features.formats.test_dataset_manifest import DATASET
from training.__main__ import main
from training.registry.mlflow_bridge.client import mlflow_client
from training.registry.versions import Registry
from training.runs.records.mlflow_run import tell_mlflow, write_run
from training.settings import TrainingSettings, load_settings
from training.steps.run_journal import FAILED, Journal, StepEntry, read_journal, write_journal

if TYPE_CHECKING:
    from mlflow import MlflowClient

ASKED = {"view": {"label": "breakdown:v1"}, "dataset": {"train_days": 6.0}, "models": ["m", "n"], "top": 5}
METRICS = {"chosen": "m", "models": {"m": {"rmse": 2.0, "r2": None}, "n": {"rmse": 3.0}}}
OPTIONS = ["--train-days", "6", "--delay-days", "1", "--test-days", "3", "--models", "logistic_regression"]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[MlflowClient]:
    with mlflow_client(str(tmp_path / "mlflow")) as client:
        yield client


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """The folder of a run that failed in its last step, and published before."""
    run = tmp_path / "runs" / "breakdown" / "20260101T000000"
    for name, content in (("evaluate/metrics", METRICS), ("publish/published", {"model": "breakdown", "version": 3})):
        (run / name).parent.mkdir(parents=True)
        (run / f"{name}.json").write_text(json.dumps(content))
    steps = {
        "fit": StepEntry("skipped", "", 0.1, "same code, parameters and inputs"),
        "evaluate": StepEntry("run", "", 0.1, "k changed from 5 to 7"),
    }
    write_journal(run, Journal(ASKED, {"cut_us": 0}, 1_000_000, steps, FAILED, 3_000_000, "promote: the disk is full"))
    version = tmp_path / "registry" / "breakdown" / "3"
    version.mkdir(parents=True)
    for name in ("card.md", "card.html"):
        (version / name).write_text("# Model card")
    return run


def test_a_run_has_its_parameters_metrics_steps_and_files_and_is_the_same_when_it_is_continued(
    client: MlflowClient, run: Path, tmp_path: Path
) -> None:
    theirs = write_run(client, run, Registry(tmp_path / "registry"))
    found = client.get_run(theirs)
    assert (found.info.status, found.info.start_time, found.info.end_time) == ("FAILED", 1_000, 3_000)
    assert found.data.params == {"view": "breakdown:v1", "train_days": "6", "models": "m, n", "top": "5"}
    assert found.data.metrics == {"rmse": 2.0, "m/rmse": 2.0, "n/rmse": 3.0}
    tags = found.data.tags
    assert tags["millrace.step.fit"] == "skipped: same code, parameters and inputs"
    assert tags["millrace.step.evaluate"] == "run: k changed from 5 to 7"
    assert tags["millrace.version"] == "breakdown version 3"
    assert tags["millrace.error"] == "promote: the disk is full"
    assert sorted(each.path for each in client.list_artifacts(theirs)) == ["3", "evaluate", "run.json"]

    write_journal(run, replace(read_journal(run), status="succeeded", error=""))
    assert write_run(client, run, Registry(tmp_path / "registry")) == theirs
    assert client.get_run(theirs).info.status == "FINISHED"


def test_a_run_has_its_dataset_as_an_input_once_also_when_it_is_continued(
    client: MlflowClient, run: Path, tmp_path: Path
) -> None:
    """MLflow shows and searches runs by their datasets, and had none of ours."""
    (run / "dataset").mkdir()
    (run / "dataset" / "dataset.json").write_bytes(encode_dataset_manifest(DATASET))
    theirs = write_run(client, run, Registry(tmp_path / "registry"))
    assert write_run(client, run, Registry(tmp_path / "registry")) == theirs
    inputs = client.get_run(theirs).inputs
    assert inputs is not None
    (found,) = inputs.dataset_inputs
    dataset, view = found.dataset, DATASET.view
    assert (dataset.name, dataset.digest) == (f"{view.name}-v{view.version}", DATASET.digest[:36])
    source = json.loads(dataset.source)
    assert (source["complete_up_to"], source["sha256"]) == (to_text(DATASET.cut_us), DATASET.digest)
    assert source["tables"] == {name: each.version for name, each in DATASET.tables.items()}
    assert [(each.key, each.value) for each in found.tags] == [("mlflow.data.context", "training")]


def settings(mlflow: str, home: Path) -> TrainingSettings:
    return load_settings().model_copy(update={"mlflow": mlflow, "registry": home / "registry"})


def test_without_an_mlflow_or_without_a_step_that_ran_nothing_is_told(run: Path, tmp_path: Path) -> None:
    tell_mlflow(settings("", tmp_path), run)
    skipped = {"fit": StepEntry("skipped", "", 0.1, "same code, parameters and inputs")}
    write_journal(run, replace(read_journal(run), status="succeeded", steps=skipped))
    with capture_logs() as logs:
        tell_mlflow(settings(str(tmp_path / "mlflow"), tmp_path), run)
    assert not (tmp_path / "mlflow").exists()
    assert logs == []


@pytest.mark.deep
def test_a_real_run_is_in_mlflow_and_one_whose_mlflow_does_not_answer_ends_as_well(
    places: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], client: MlflowClient
) -> None:
    monkeypatch.setenv("MILLRACE_MLFLOW", str(places / "mlflow"))
    assert main(["run", *OPTIONS]) == 0
    experiment = client.get_experiment_by_name("breakdown")
    assert experiment is not None
    (found,) = client.search_runs([experiment.experiment_id])
    assert found.info.status == "FINISHED"
    assert found.data.metrics["roc_auc"] == found.data.metrics["logistic_regression/roc_auc"]
    assert {"card.md", "metrics.json", "curves.json", "promotion.json"} <= {
        Path(each.path).name for folder in client.list_artifacts(found.info.run_id)
        for each in client.list_artifacts(found.info.run_id, folder.path)
    }  # fmt: skip
    assert main(["run", *OPTIONS]) == 0
    assert len(client.search_runs([experiment.experiment_id])) == 1, "a run of skipped steps found nothing new"

    monkeypatch.setenv("MILLRACE_MLFLOW", "http://127.0.0.1:1")
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    capsys.readouterr()
    assert main(["run", *OPTIONS, "--seed", "1"]) == 0
    said = capsys.readouterr().err
    assert "the run is not in MLflow" in said
    assert "MLflow at http://127.0.0.1:1 refused" in said, "the beginning of the reason was cut off"
