"""The steps of a run: with a label of several texts, from the lake to serving; with entity precision as its metric."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from serving.answer.written_answer import most_probable
from serving.models.model import load_model
from shared_features.kernel.event_time import DAY_US, HOUR_US
from tests.domains import machines
from tests.domains.parcels import ENDED, OUTCOME, SENT
from tests.training.lake import arrived, write_lake
from tests.training.models.fitted_models import fitted
from tests.training.random_dataset import random_dataset
from training.__main__ import main
from training.datasets.training_dataset import TrainingDataset
from training.definitions import Model
from training.models.task_rules import better
from training.runs.actions.model_steps import evaluate_models
from training.runs.plan.run_parameters import RunParameters
from training.runs.records.run_folder import model_file

START_US = 20_000 * DAY_US
OPTIONS = ["run", "--view", "outcome", "--train-days", "6", "--test-days", "2", "--models", "logistic_regression"]


def write_parcels(lake: Path, last: str = "late") -> None:
    """Ten days of parcels: a far one is late, a very far one lost. last: what the last ten ended as."""
    random = np.random.default_rng(4)
    count = 1_500
    at = np.sort(START_US + random.integers(0, 10 * DAY_US, count))
    kilometres = random.uniform(0, 1_000, count)
    outcome = np.select([kilometres < 300, kilometres < 800], ["on time", "late"], "lost").astype(object)
    outcome[-10:] = last
    parcel = np.array([f"p{number}" for number in range(count)], object)
    sent = {
        "parcel": parcel,
        "at": at,
        "carrier": np.array([f"c{number}" for number in random.integers(0, 5, count)], object),
        "kilometres": np.rint(kilometres * 10).astype(np.int64),
        "kilograms": random.integers(1, 10_000, count),
    }
    ended = {
        "parcel": parcel,
        "ended": at + 2 * HOUR_US,
        "outcome": outcome,
        "late": np.where(outcome == "on time", "no", "yes").astype(object),
        "stars": np.full(count, 3),
    }
    streams = {"sent": arrived(SENT, sent, at), "ended": arrived(ENDED, ended, at + 2 * HOUR_US)}
    write_lake(lake, OUTCOME, streams, START_US + 10 * DAY_US + 3 * HOUR_US)


@pytest.fixture
def parcels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MILLRACE_DEFINITIONS", "tests.domains.parcels")
    monkeypatch.setenv("MILLRACE_LAKE", str(tmp_path / "lake"))
    monkeypatch.setenv("MILLRACE_REGISTRY", str(tmp_path / "registry"))
    monkeypatch.setenv("MILLRACE_TRAINING_RUNS", str(tmp_path / "runs"))
    return tmp_path


def test_a_label_of_three_texts_becomes_a_model_that_answers_with_them(
    parcels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_parcels(parcels / "lake")
    assert main(OPTIONS) == 0
    said = capsys.readouterr().out
    assert "3 classes in the train window, 3 of them in the test window" in said
    assert "version 1 is champion" in said
    version = parcels / "registry" / "outcome" / "1"
    for name in ("manifest.json", "dataset.json"):
        assert json.loads((version / name).read_bytes())["classes"] == ["late", "lost", "on time"]
    rows = json.loads((version / "dataset.json").read_bytes())["rows"]["train"]
    assert sum(rows["by_class"]) == rows["labelled"] > 0
    assert len(json.loads((version / "manifest.json").read_bytes())["parity"]["worst_of_classes"]) == 3
    found = json.loads((version / "metrics.json").read_bytes())
    assert (found["task"], found["chosen_by"]) == ("multiclass", "log_loss")
    assert found["models"]["logistic_regression"]["accuracy"] > 0.85
    model = load_model(version, OUTCOME)
    matrix = np.full((3, len(OUTCOME.columns)), np.nan, np.float32)
    matrix[:, [column.name for column in OUTCOME.columns].index("kilometres")] = (20, 550, 990)
    answers = model.score(matrix)
    assert [most_probable(model.classes, each) for each in answers] == ["on time", "late", "lost"]
    assert [sum(each) for each in answers] == pytest.approx([1, 1, 1], abs=1e-5)

    assert main([*OPTIONS[:-1], "random_forest", "--gate-tolerance=-1"]) == 0
    assert "stays a challenger" in capsys.readouterr().out, "it is compared with the champion, class by class"


def test_a_class_that_only_the_test_window_has_ends_the_run_and_says_what_to_do(
    parcels: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_parcels(parcels / "lake", last="stolen")
    assert main(OPTIONS) == 1
    told = "".join(capsys.readouterr())
    assert "class 'stolen' has no row in the train window and 10 in the test window" in told
    assert "larger --train-days" in told


CANDIDATES = ("logistic_regression", "random_forest")
BREAKS = Model(
    "breaks",
    machines.BREAKDOWN,
    candidates=CANDIDATES,
    metrics=("precision_at_60_per_day", "roc_auc"),
    floors={"precision_at_40_per_day": 0.1},
    slices=("celsius",),
)


def evaluated(folder: Path, dataset: TrainingDataset) -> tuple[str, dict[str, Any]]:
    """The line of the step, and metrics.json of two candidates."""
    places = [folder / name for name in ("dataset", "fit", "evaluate")]
    for place in places:
        place.mkdir()
    replace(dataset, features=("celsius", *dataset.features[1:])).save(places[0])
    for name in CANDIDATES:
        model_file(places[1], name).write_bytes(pickle.dumps(fitted(name)))
    said = evaluate_models(places[0], places[1], RunParameters(machines.BREAKDOWN, model=BREAKS), places[2])
    return said, json.loads((places[2] / "metrics.json").read_bytes())


def test_entity_precision_chooses_a_candidate_and_has_an_interval(tmp_path: Path) -> None:
    _, found = evaluated(tmp_path, random_dataset())
    by, models = "precision_at_60_per_day", found["models"]
    other = next(name for name in CANDIDATES if name != found["chosen"])
    assert found["chosen_by"] == found["asked_by"] == by
    assert not better(by, models[other][by], models[found["chosen"]][by])
    for name in (by, "precision_at_40_per_day"):
        low, high = found["intervals"]["metrics"][name]
        assert low < models[found["chosen"]][name] < high
    assert len(models[other]["per_day"]["precision"]) == 3, "that of the 100 entities of --top"
    assert models[other]["precision_at_100_per_day"] == np.mean(models[other]["per_day"]["precision"])
    assert found["importance_by"] == found["slices"]["celsius"]["metric"] == "average_precision"


def test_where_the_test_window_has_no_value_of_it_the_metric_of_the_task_chooses_and_the_line_says_so(
    tmp_path: Path,
) -> None:
    known = replace(random_dataset(), entity=np.zeros(len(random_dataset()), np.int64))
    said, found = evaluated(tmp_path, known)
    by, models = "average_precision", found["models"]
    assert (found["chosen_by"], found["asked_by"]) == (by, "precision_at_60_per_day")
    assert models[found["chosen"]][by] == max(each[by] for each in models.values())
    assert "precision_at_60_per_day has no value; random_forest: " in said
    assert said.endswith(f" was chosen by {by}, because precision_at_60_per_day has no value in the test window")
