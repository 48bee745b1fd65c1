"""A feature that is nearly the label is pointed at, whatever the task; one that only helps is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.training.random_dataset import random_dataset
from training.datasets.training_dataset import TrainingDataset
from training.proofs.leaks.telling_features import telling_features


def of_task(task: str) -> TrainingDataset:
    dataset = random_dataset()
    label = dataset.label
    if task == "multiclass":
        label = np.where(label > 0, 2.0, (dataset.matrix[:, 1] > 2**23).astype(float))
    if task == "regression":
        label = dataset.matrix[:, 0].astype(np.float64) ** 0.3 + np.random.default_rng(1).normal(0, 3, len(dataset))
    classes = ("a", "b", "c") if task == "multiclass" else ()
    return replace(dataset, label=label, manifest=replace(dataset.manifest, task=task, classes=classes))


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_a_feature_that_nearly_is_the_label_is_pointed_at(task: str) -> None:
    dataset = of_task(task)
    honest = telling_features(dataset)
    assert not {"cents", "ratio", "sparse", "constant", "empty"} & set(honest), "honest features help at most"
    matrix = np.array(dataset.matrix)
    matrix[:, 2] = -dataset.label + np.random.default_rng(0).normal(0, 0.02, len(dataset))
    found = telling_features(replace(dataset, matrix=matrix))
    assert "ratio" in found
    assert ("ranks as the label" if task == "regression" else "ROC AUC") in found["ratio"]


def test_a_feature_that_is_missing_just_where_the_label_is_positive_is_pointed_at() -> None:
    dataset = random_dataset()
    matrix = np.array(dataset.matrix)
    matrix[:, 3] = np.where(dataset.label > 0, np.nan, 1.0)
    assert set(telling_features(replace(dataset, matrix=matrix))) == {"sparse"}
