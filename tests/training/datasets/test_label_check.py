"""A dataset of which a model could not learn every class, or that could not measure it, is refused with what to do."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.training.random_dataset import random_dataset
from training.datasets.label_check import check_labels
from training.datasets.time_split import TEST, TRAIN
from training.datasets.training_dataset import TrainingDataset
from training.errors import DatasetError


def dataset(train: tuple[int, ...], test: tuple[int, ...], task: str = "multiclass") -> TrainingDataset:
    """Classes a, b, c: this many rows of each in the train and the test window. The rows of the gap are of a."""
    found = random_dataset()
    label = np.zeros(len(found))
    keep = found.window != TRAIN
    keep &= found.window != TEST
    for window, counts in ((TRAIN, train), (TEST, test)):
        rows = found.rows(window)[: sum(counts)]
        label[rows] = np.repeat(np.arange(len(counts)), counts)
        keep[rows] = True
    manifest = replace(found.manifest, task=task, classes=("a", "b", "c")[: len(train)])
    return replace(found, label=label[keep], window=found.window[keep], manifest=manifest)


def test_three_classes_are_told() -> None:
    assert check_labels(dataset((5, 2, 3), (4, 0, 1))) == (
        "3 classes in the train window, 2 of them in the test window"
    )


@pytest.mark.parametrize(
    ("train", "test", "says"),
    [
        ((5, 3, 0), (1, 1, 4), "class 'c' has no row in the train window and 4 in the test window, so no model"),
        ((5, 3, 1), (1, 1, 0), "class 'c' has 1 row, of 2 that it needs, in the train window and 0 in the test"),
        ((5, 3, 2), (0, 9, 0), r"the test window holds labels of one class only \('b'\): give a larger --test-days"),
        ((5, 3, 2), (0, 0, 0), "the test window holds no labelled rows"),
    ],
)
def test_what_cannot_be_learned_or_measured_is_refused(
    train: tuple[int, ...], test: tuple[int, ...], says: str
) -> None:
    with pytest.raises(DatasetError, match=says):
        check_labels(dataset(train, test))


def test_of_two_texts_the_one_that_is_alone_is_named() -> None:
    with pytest.raises(DatasetError, match=r"the test window holds labels of one class only \('a'\)"):
        check_labels(dataset((5, 3), (4, 0), "binary"))


@pytest.mark.parametrize(("train", "task"), [((5,), "multiclass"), ((5, 0), "binary")])
def test_where_all_labels_are_alike_the_error_says_where_it_looked_and_what_can_help(
    train: tuple[int, ...], task: str
) -> None:
    alike = dataset(train, (4, 0)[: len(train)], task)
    says = (
        r"labels from 2024-10-04.* to .* are 'a', so there is nothing to tell apart.*older events.*larger --train-days"
    )
    with pytest.raises(DatasetError, match=says):
        check_labels(alike)
