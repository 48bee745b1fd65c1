"""Whether the labels of a dataset are of its task, and whether anything can be learned from them and tested."""

from __future__ import annotations

import numpy as np

from shared_features.kernel.event_time import to_text
from training.datasets.time_split import TEST, TRAIN
from training.datasets.training_dataset import TrainingDataset
from training.errors import DatasetError

_FEWEST = 2
"""Rows of a class in the train window: one of them measures, where the fit sets rows aside, and one is learned from."""
_WINDOWS = (("train", TRAIN), ("test", TEST))


def check_labels(dataset: TrainingDataset) -> str:
    """What was found, in a few words. Raises DatasetError."""
    match dataset.manifest.task:
        case "regression":
            return _numbers(dataset)
        case "multiclass":
            return _several_classes(dataset)
        case _:
            return _two_classes(dataset)


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
            raise _one_outcome(dataset, _name(dataset, whole[0]))
        if len(found) < 2:
            raise DatasetError(
                f"the {name} window holds labels of one class only ({_name(dataset, found[0])}): give a larger "
                f"--{name}-days, a smaller --delay-days, or stream more"
            )
    return "both classes in both windows"


def _several_classes(dataset: TrainingDataset) -> str:
    classes = dataset.manifest.classes
    train, test = (
        np.bincount(dataset.label[dataset.rows(each)].astype(np.int64), minlength=len(classes)) for _, each in _WINDOWS
    )
    for (name, _), counts in zip(_WINDOWS, (train, test), strict=True):
        if not counts.sum():
            raise _empty(name)
    if len(whole := np.unique(dataset.label)) == 1:
        raise _one_outcome(dataset, repr(classes[int(whole[0])]))
    for code, found in enumerate(classes):
        if train[code] < _FEWEST:
            raise _unlearned(found, int(train[code]), int(test[code]))
    for (name, _), counts in zip(_WINDOWS, (train, test), strict=True):
        if np.count_nonzero(counts) < 2:
            raise DatasetError(
                f"the {name} window holds labels of one class only ({classes[int(counts.argmax())]!r}): give a larger "
                f"--{name}-days, a smaller --delay-days, or stream more"
            )
    return f"{len(classes)} classes in the train window, {np.count_nonzero(test)} of them in the test window"


def _one_outcome(dataset: TrainingDataset, outcome: str) -> DatasetError:
    """Of all windows: moving their ends helps only where older events have another outcome."""
    split = dataset.manifest.split
    return DatasetError(
        f"all {len(dataset):,} labels from {to_text(split.start_us)} to {to_text(split.end_us)} are {outcome}, so "
        "there is nothing to tell apart. If older events have another outcome, give a larger --train-days. Otherwise "
        "send events with another outcome too"
    )


def _unlearned(name: str | int, learned: int, tested: int) -> DatasetError:
    found = "no row" if not learned else f"{learned} row, of {_FEWEST} that it needs,"
    where = f"{found} in the train window and {tested:,} in the test window"
    return DatasetError(
        f"class {name!r} has {where}, so no model learns it: give a larger --train-days, a smaller --delay-days or "
        "--test-days, or stream more; a class that no event has any more is taken out of the classes of the LabelSource"
    )


def _name(dataset: TrainingDataset, code: float) -> str:
    """As the label itself says it."""
    classes = dataset.manifest.classes
    return repr(classes[int(code)]) if classes else f"{code:g}"


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
