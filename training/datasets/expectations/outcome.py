"""What became of each expectation on a dataset: whether it is met, what was found, and rows that fail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from numpy.typing import NDArray

from shared_features.counted import counted
from shared_features.kernel.event_time import to_text
from training.datasets.expectations.expectation import Copies, Expect, Expectation, Newest, Rows
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
        case Rows(at_least, at_most):
            rows = len(dataset)
            met = at_least <= rows and (at_most is None or rows <= at_most)
            yield Outcome(str(expectation), counted(rows, "row"), met, expectation.warn)
        case Newest(within):
            age = timedelta(microseconds=dataset.manifest.cut_us - int(dataset.event_time_us.max()))
            found = f"it happened {age / timedelta(hours=1):,.1f} h before"
            yield Outcome(str(expectation), found, age <= within, expectation.warn)
        case Copies(at_most):
            copies = dataset.manifest.rows.copies_left_out
            found = counted(copies, "copy", "copies")
            yield Outcome(str(expectation), found, copies <= at_most, expectation.warn)


def _of_feature(expectation: Expect, dataset: TrainingDataset) -> Iterator[Outcome]:
    column = np.asarray(dataset.matrix[:, dataset.features.index(expectation.feature)])
    missing = np.isnan(column)
    if (share := expectation.missing_share) is not None:
        expects = f"{expectation.feature} missing in at most {share:.4g} of the rows"
        yield _outcome(expectation, dataset, expects, "lack it", missing, float(missing.mean()) <= share)
    if expectation.has_range:
        low, high = _stored([-np.inf if expectation.low is None else expectation.low,
                             np.inf if expectation.high is None else expectation.high])  # fmt: skip
        outside = (column < low) | (column > high)
        yield _outcome(expectation, dataset, _range(expectation), "are outside", outside, not outside.any())
    if expectation.values:
        known = _stored(_places(expectation, dataset))
        other = ~missing & ~np.isin(column, known)
        expects = f"{expectation.feature} one of {', '.join(map(str, expectation.values))}"
        yield _outcome(expectation, dataset, expects, "have another value", other, not other.any())


def _outcome(
    expectation: Expect, dataset: TrainingDataset, expects: str, which: str, failing: NDArray[np.bool_], met: bool
) -> Outcome:
    shown = (
        () if met else tuple(_row(dataset, expectation.feature, int(at)) for at in np.flatnonzero(failing)[:_MOST_ROWS])
    )
    found = f"{np.count_nonzero(failing):,} of {counted(len(dataset), 'row')} {which}"
    return Outcome(expects, found, met, expectation.warn, shown)


def _row(dataset: TrainingDataset, feature: str, at: int) -> FailingRow:
    value, names = float(dataset.matrix[at, dataset.features.index(feature)]), dataset.manifest.categories.get(feature)
    called = None if np.isnan(value) else names[int(value)] if names is not None else _number(value)
    time = to_text(int(dataset.event_time_us[at]))
    return FailingRow(int(dataset.partition[at]), int(dataset.offset[at]), time, called)


def _number(value: float) -> float | str:
    """JSON has no infinity."""
    return str(value) if np.isinf(value) else value


def _range(expectation: Expect) -> str:
    low = None if expectation.low is None else f"from {expectation.low:.6g}"
    high = None if expectation.high is None else f"to {expectation.high:.6g}"
    return " ".join(filter(None, (expectation.feature, low, high)))


def _places(expectation: Expect, dataset: TrainingDataset) -> list[float]:
    """The values as the matrix holds them: numbers, and of a category the places of those that the dataset has."""
    names = dataset.manifest.categories.get(expectation.feature)
    if names is None:
        return [float(each) for each in expectation.values]
    return [float(at) for at, name in enumerate(names) if name in expectation.values]


def _stored(numbers: list[float]) -> NDArray[np.float32]:
    """As the matrix stores them, so that a bound of 0.1 lets 0.1 pass. Only what is infinite stays infinite."""
    given, most = np.asarray(numbers, np.float64), float(np.finfo(np.float32).max)
    return np.where(np.isinf(given), given, np.clip(given, -most, most)).astype(np.float32)
