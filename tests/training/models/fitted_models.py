"""Candidates fitted on a random dataset, for what comes after the fit."""

import functools

import numpy as np

from tests.training.random_dataset import random_dataset
from training.datasets.time_split import TEST, TRAIN
from training.models.candidates import fit_model
from training.models.task_rules import RULES

FITTED = [(task, name) for task, rules in RULES.items() for name in rules.models]
"""Every candidate of every task."""


@functools.cache
def fitted(name, task="binary"):
    """A candidate fitted on the train window of a random dataset."""
    dataset = random_dataset()
    rows = dataset.rows(TRAIN)
    return fit_model(name, dataset.matrix[rows], train_labels(task), seed=1, task=task)[0]


def train_labels(task):
    """Of a regression: the cents, in a range far from zero, with noise."""
    dataset = random_dataset()
    rows = dataset.rows(TRAIN)
    if task == "binary":
        return dataset.label[rows]
    noise = np.random.default_rng(2).normal(0, 3, len(rows))
    return 500 + 20 * np.log(np.maximum(dataset.matrix[rows, 0].astype(np.float64), 0.01)) + noise


def spread(task):
    """As the certificate takes it."""
    return float(np.std(train_labels(task))) if task == "regression" else None


def window_rows():
    """The matrix of the random dataset's test window."""
    dataset = random_dataset()
    return dataset.matrix[dataset.rows(TEST)]
