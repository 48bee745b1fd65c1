"""What became of each expectation on a dataset: whether it is met, what was found, and rows that fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from shared_features.counted import counted
from shared_features.definitions import Copies, Expect, Newest, Rows
from shared_features.definitions.expectations.aspect import aspects_of
from shared_features.definitions.expectations.expectation import Expectation
from shared_features.kernel.event_time import to_text
from training.datasets.expectations.matrix_scale import MatrixScale
from training.datasets.training_dataset import TrainingDataset

_MOST_ROWS = 10


@dataclass(frozen=True)
class FailingRow:
    """An event by its position. value: under its own name where it is of a category; None: missing."""

    partition: int
    offset: int
    event_time: str
    value: str | int | float | bool | None

    def __str__(self) -> str:
        value = "missing" if self.value is None else f"{self.value:g}" if isinstance(self.value, float) else self.value
        return f"{value} (partition {self.partition}, offset {self.offset})"


@dataclass(frozen=True)
class Outcome:
    """expects, found: in words. warn: whether a run continues where it is not met. rows: the first that fail."""

    expects: str
    found: str
    met: bool
    warn: bool
    rows: tuple[FailingRow, ...] = ()

    def __str__(self) -> str:
        return f"{self.expects}: {self.found}"

    @property
    def with_rows(self) -> str:
        shown = f", such as {', '.join(map(str, self.rows))}" if self.rows else ""
        return f"{self}{shown}"


def check_expectations(expectations: Sequence[Expectation], dataset: TrainingDataset) -> tuple[Outcome, ...]:
    """One outcome of each thing that is expected, over all windows of the dataset."""
    return tuple(found for each in expectations for found in _outcomes(each, dataset))


def _outcomes(expectation: Expectation, dataset: TrainingDataset) -> Iterator[Outcome]:
    match expectation:
        case Expect():
            yield from _of_feature(expectation, dataset)
        case Rows():
            rows = len(dataset)
            yield Outcome(str(expectation), counted(rows, "row"), expectation.is_met(rows), expectation.warn)
        case Newest(within):
            age = timedelta(microseconds=dataset.manifest.cut_us - int(dataset.event_time_us.max()))
            found = f"it happened {age / timedelta(hours=1):,.1f} h before"
            yield Outcome(str(expectation), found, age <= within, expectation.warn)
        case Copies(at_most):
            copies = dataset.manifest.rows.copies_left_out
            found = counted(copies, "copy", "copies")
            yield Outcome(str(expectation), found, copies <= at_most, expectation.warn)


def _of_feature(expectation: Expect, dataset: TrainingDataset) -> Iterator[Outcome]:
    column = np.asarray(dataset.matrix[:, dataset.features.index(expectation.column)])
    missing, names = np.isnan(column), dataset.manifest.categories.get(expectation.column)
    for aspect in aspects_of(expectation, MatrixScale(names)):
        failing = np.flatnonzero(aspect.fails(column, missing))
        met = aspect.is_met(len(failing), len(dataset))
        rows = () if met else tuple(_row(dataset, aspect.column, at) for at in failing[:_MOST_ROWS].tolist())
        found = f"{len(failing):,} of {counted(len(dataset), 'row')} {aspect.which}"
        yield Outcome(aspect.expects, found, met, aspect.warn, rows)


def _row(dataset: TrainingDataset, feature: str, at: int) -> FailingRow:
    value, names = float(dataset.matrix[at, dataset.features.index(feature)]), dataset.manifest.categories.get(feature)
    called = None if np.isnan(value) else names[int(value)] if names is not None else _number(value)
    time = to_text(int(dataset.event_time_us[at]))
    return FailingRow(int(dataset.partition[at]), int(dataset.offset[at]), time, called)


def _number(value: float) -> float | str:
    """JSON has no infinity."""
    return str(value) if np.isinf(value) else value
