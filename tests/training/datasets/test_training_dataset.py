"""What a dataset says of its own columns."""

import json
import pickle
from dataclasses import replace

import numpy as np
from sklearn.dummy import DummyClassifier

from shared_features.formats.dataset_manifest import DatasetParameters
from tests.domains.machines import BREAKDOWN
from tests.training.random_dataset import random_dataset
from training.datasets import training_dataset
from training.datasets.time_split import TEST, TRAIN
from training.runs.actions.dataset_steps import validate_dataset
from training.runs.actions.model_steps import evaluate_models
from training.runs.plan.run_parameters import RunParameters
from training.runs.records.run_folder import model_file


def test_a_feature_that_has_values_in_the_test_window_alone_is_without_value(tmp_path):
    """A model learns nothing of it, whatever the later rows hold."""
    found = random_dataset()
    matrix = np.nan_to_num(np.array(found.matrix))
    assert replace(found, matrix=matrix).without_value() == []
    matrix[found.rows(TRAIN), 1] = np.nan
    empty = replace(found, matrix=matrix)
    assert not np.isnan(matrix[found.rows(TEST), 1]).any()
    assert empty.without_value() == [found.features[1]]
    (tmp_path / "dataset").mkdir()
    empty.save(tmp_path / "dataset")
    (tmp_path / "fit").mkdir()
    said = validate_dataset(tmp_path / "dataset", tmp_path)
    assert said.endswith(f"; without any value in the train window: {found.manifest.features[1]}")
    parameters = RunParameters(BREAKDOWN, DatasetParameters(), models=("random_forest",))
    model_file(tmp_path / "fit", "random_forest").write_bytes(
        pickle.dumps(DummyClassifier().fit(matrix, found.label > 0))
    )
    evaluate_models(tmp_path / "dataset", tmp_path / "fit", parameters, tmp_path)
    assert json.loads((tmp_path / "metrics.json").read_bytes())["without_value"] == [found.manifest.features[1]]


def test_missing_and_infinite_values_are_counted_alike_however_many_rows_are_looked_at_together(monkeypatch):
    """A train window as a whole is a copy of most of the matrix."""
    found = random_dataset()
    matrix = np.array(found.matrix)
    matrix[::3, 0], matrix[::7, 1] = np.inf, np.nan
    dataset, counts = replace(found, matrix=matrix), []
    for at_once in (1, 13, len(found)):
        monkeypatch.setattr(training_dataset, "_ROWS_AT_ONCE", at_once)
        counts.append([each.tolist() for each in dataset.missing_and_infinite(TRAIN)])
    train = matrix[found.window == TRAIN]
    assert counts == [[np.isnan(train).sum(axis=0).tolist(), np.isinf(train).sum(axis=0).tolist()]] * 3
