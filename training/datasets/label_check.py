"""Whether the labels of a dataset are of its task, and whether anything can be learned from them and tested."""

from __future__ import annotations

import numpy as np

from training.datasets.time_split import TEST, TRAIN
from training.datasets.training_dataset import TrainingDataset
from training.errors import DatasetError

_WINDOWS = (("train", TRAIN), ("test", TEST))


def check_labels(dataset: TrainingDataset) -> str:
    """What was found, in a few words. Raises DatasetError."""
    return _numbers(dataset) if dataset.manifest.task == "regression" else _two_classes(dataset)


def _two_classes(dataset: TrainingDataset) -> str:
    whole = np.unique(dataset.label)
    if not np.isin(whole, (0.0, 1.0)).all():
        raise DatasetError(
            f"labels are {whole[:5].tolist()}; a binary label is 0 or 1. Correct them, or give the LabelSource "
            "task='regression'"
        )
    for name, window in _WINDOWS:
        found = np.unique(dataset.label[dataset.rows(window)])
        if not len(found):
            raise _empty(name)
        if len(found) < 2 and len(whole) < 2:
            raise DatasetError(
                f"all {len(dataset):,} labels are {whole[0]:g}, so there is nothing to tell apart, and no other window "
                "helps. Send events with the other outcome too"
            )
        if len(found) < 2:
            raise DatasetError(
                f"the {name} window holds labels of one class only ({found[0]:g}): give a larger --{name}-days, a "
                "smaller --delay-days, or stream more"
            )
    return "both classes in both windows"


def _numbers(dataset: TrainingDataset) -> str:
    for name, window in _WINDOWS:
        if not len(dataset.rows(window)):
            raise _empty(name)
    found = dataset.label[dataset.rows(TRAIN)]
    if np.ptp(found) == 0:
        raise DatasetError(
            f"all {len(found):,} labels of the train window are {found[0]:g}, so there is nothing to learn. Give a "
            "larger --train-days, or check what sends the labels"
        )
    low, middle, high = np.quantile(found, (0.0, 0.5, 1.0))
    return f"labels from {low:g} to {high:g}, half of them below {middle:g}"


def _empty(name: str) -> DatasetError:
    return DatasetError(
        f"the {name} window holds no labelled rows: give a larger --{name}-days, a smaller --delay-days, or stream more"
    )
