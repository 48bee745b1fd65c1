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
    """Of a regression: the cents, in a range far from zero, with noise. Of several classes: which third it is in."""
    dataset = random_dataset()
    rows = dataset.rows(TRAIN)
    if task == "binary":
        return dataset.label[rows]
    noise = np.random.default_rng(2).normal(0, 3, len(rows))
    number = 500 + 20 * np.log(np.maximum(dataset.matrix[rows, 0].astype(np.float64), 0.01)) + noise
    return number if task == "regression" else np.searchsorted(np.quantile(number, (0.6, 0.9)), number).astype(float)


def spread(task):
    """As the certificate takes it."""
    return float(np.std(train_labels(task))) if task == "regression" else None


def train_rows():
    """The matrix of the random dataset's train window."""
    dataset = random_dataset()
    return dataset.matrix[dataset.rows(TRAIN)]


def window_rows():
    """The matrix of the random dataset's test window."""
    dataset = random_dataset()
    return dataset.matrix[dataset.rows(TEST)]
