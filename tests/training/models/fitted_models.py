"""Candidates fitted on a random dataset, for what comes after the fit."""

import functools

from tests.training.random_dataset import random_dataset
from training.datasets.time_split import TEST, TRAIN
from training.models.candidates import fit_model


@functools.cache
def fitted(name):
    """A candidate fitted on the train window of a random dataset."""
    dataset = random_dataset()
    rows = dataset.rows(TRAIN)
    return fit_model(name, dataset.matrix[rows], dataset.label[rows], seed=1)[0]


def window_rows():
    """The matrix of the random dataset's test window."""
    dataset = random_dataset()
    return dataset.matrix[dataset.rows(TEST)]
