"""The parity certificate: what is served computes what was fitted and evaluated.

The fitted pipeline and the exported graph score the same rows: rows of the test window, rows with one or all features
missing, values beside every kind of threshold, where float32 and float64 could part ways, and extremes. The worst
absolute difference goes into the manifest; above the tolerance nothing is published. Of a regression, a difference is
a part of the spread of the labels, less what a float32 cannot hold of the value. Of several classes, the probability
of each is compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from shared_features.counted import counted
from shared_features.formats.model_manifest import Parity
from training.errors import CertificateError
from training.models.graph.model_constants import TOLERANCE
from training.models.graph.onnx_export import open_session, run_session
from training.models.one_hot import OneHotCategories
from training.models.predictions import predicted
from training.models.split_thresholds import split_nodes
from training.models.training_range import TrainingRange
from training.progress import Tell, untold

_TEST_ROWS = 20_000
_THRESHOLDS = 20_000
_MISSING_ROWS = 50
_ROUNDINGS = 8
"""How many roundings to a float32 a value may have gone through, besides those of the sums."""
_FLOAT32 = np.finfo(np.float32)
_EXTREMES = np.array(
    [0, -0.0, 1, -1, _FLOAT32.tiny, _FLOAT32.smallest_subnormal, _FLOAT32.max, _FLOAT32.min, np.inf, -np.inf, np.nan],
    np.float32,
)

Matrix = NDArray[np.float32]


@dataclass(frozen=True)
class Certificate:
    """Worst absolute difference and number of rows of each kind of case, and all of them together."""

    parity: Parity
    kinds: Mapping[str, tuple[int, float]]

    @property
    def passed(self) -> bool:
        return self.parity.worst_difference <= self.parity.tolerance

    def describe(self) -> str:
        word = "passed" if self.passed else "FAILED"
        return (
            f"{word}: worst difference {self.parity.worst_difference:.2g} over {self.parity.cases} rows (tolerance "
            f"{self.parity.tolerance:g}), {self.parity.on_demand_cases} on-demand values equal bit for bit"
        )


def certify(
    pipeline: Pipeline,
    graph: bytes,
    test_rows: Matrix,
    on_demand_cases: int,
    seed: int,
    tolerance: float = TOLERANCE,
    spread: float | None = None,
    task: str = "binary",
    categories: tuple[tuple[int, int], ...] = (),
    tell: Tell = untold,
) -> Certificate:
    """Compare pipeline and graph over all kinds of cases, chosen with the seed.

    spread: of a regression, the standard deviation of the labels it was fitted on. categories: (column, number of
    values) of each; the rows have places of values there, and NaN, as nothing else can be served.
    """
    random = np.random.default_rng(seed)
    session = open_session(graph)
    kinds: dict[str, tuple[int, float]] = {}
    of_classes: list[NDArray[np.float64]] = []
    built = build_cases(pipeline, test_rows, random, categories)
    for number, (kind, rows) in enumerate(built.items(), 1):
        tell(f"comparing {counted(len(rows), 'row')}, {kind}", number, len(built))
        fitted, exported = predicted(pipeline, rows, task), run_session(session, rows).astype(np.float64)
        difference = _difference(fitted, exported, spread)
        difference = np.where(np.isnan(difference), 1.0, difference)  # without a number there is no parity
        kinds[kind] = (len(rows), float(difference.max(initial=0.0)))
        if task == "multiclass":
            of_classes.append(difference.max(axis=0, initial=0.0))
    cases = sum(count for count, _ in kinds.values())
    worst = max(worst for _, worst in kinds.values())
    worst_of_classes = tuple(np.max(of_classes, axis=0).tolist()) if of_classes else ()
    return Certificate(Parity(cases, worst, tolerance, on_demand_cases, worst_of_classes), kinds)


def _difference(
    fitted: NDArray[np.float64], exported: NDArray[np.float64], spread: float | None
) -> NDArray[np.float64]:
    difference = np.abs(fitted - exported)
    if spread is None:
        return difference
    return np.maximum(difference - _ROUNDINGS * float(_FLOAT32.eps) * np.abs(fitted), 0.0) / spread


def require_pass(certificate: Certificate) -> None:
    """Raise CertificateError, naming the worst kind of case, unless the certificate passed."""
    if certificate.passed:
        return
    kind, (count, worst) = max(certificate.kinds.items(), key=lambda item: item[1][1])
    raise CertificateError(
        f"The exported model is not the fitted one, so nothing was published. On rows of kind {kind!r} ({count} rows) "
        f"it differs by {worst:.3g}; {certificate.parity.tolerance:g} is allowed. Check the converter of each step of "
        "the pipeline."
    )


def build_cases(
    pipeline: Pipeline,
    test_rows: Matrix,
    random: np.random.Generator,
    categories: tuple[tuple[int, int], ...] = (),
) -> dict[str, Matrix]:
    """Kind of case -> rows. Every changed row starts from a row of the test window."""
    if len(test_rows) == 0:
        raise CertificateError(
            "The test window has no row, so the model cannot be certified. Give a larger --test-days."
        )
    features = test_rows.shape[1]
    cases = {"test window": _bases(test_rows, min(_TEST_ROWS, len(test_rows)), random)}
    columns = np.repeat(np.arange(features), _MISSING_ROWS)
    cases["one feature missing"] = _with(test_rows, columns, np.full(len(columns), np.nan, np.float32), random)
    cases["all features missing"] = np.full((1, features), np.nan, np.float32)
    columns = np.repeat(np.arange(features), len(_EXTREMES))
    cases["one extreme"] = _with(test_rows, columns, np.tile(_EXTREMES, features), random)
    cases["all extreme"] = random.choice(_EXTREMES, (20 * len(_EXTREMES), features))
    columns, values = _thresholds(pipeline, random)
    with np.errstate(over="ignore"):
        near = values.astype(np.float32)
    sides = (near, np.nextafter(near, np.float32(-np.inf)), np.nextafter(near, np.float32(np.inf)))
    cases["beside a threshold"] = _with(test_rows, np.tile(columns, 3), np.concatenate(sides), random)
    for column, size in categories:
        places = np.append(np.arange(size), np.nan).astype(np.float32)
        cases[f"value of column {column}"] = _with(test_rows, np.full(size + 1, column), places, random)
        for rows in cases.values():
            wrong = ~np.isin(rows[:, column], places) & ~np.isnan(rows[:, column])
            rows[wrong, column] = random.choice(places, int(wrong.sum()))
    return {kind: rows for kind, rows in cases.items() if len(rows)}


def _thresholds(pipeline: Pipeline, random: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Where answers change: splits of trees, and the ends of the range a pipeline clips to."""
    found = split_nodes(pipeline)
    for _, step in pipeline.steps:
        if isinstance(step, TrainingRange):
            index = np.arange(len(step.low_))
            found += [(index, step.low_.astype(np.float64)), (index, step.high_.astype(np.float64))]
    if not found:
        return np.empty(0, np.int64), np.empty(0, np.float64)
    columns = np.concatenate([each for each, _ in found])
    values = np.concatenate([each for _, each in found])
    widened = [step.numbers_ for _, step in pipeline.steps if isinstance(step, OneHotCategories)]
    if widened:  # behind it, the first columns are the numbers of the matrix
        numbers = np.array(widened[0], np.int64)
        kept = columns < len(numbers)
        columns, values = numbers[columns[kept]], values[kept]
    inside = columns < pipeline.n_features_in_
    columns, values = columns[inside], values[inside]
    chosen = np.sort(random.permutation(len(columns))[:_THRESHOLDS])
    return columns[chosen], values[chosen]


def _bases(test_rows: Matrix, count: int, random: np.random.Generator) -> Matrix:
    return np.array(test_rows[np.sort(random.choice(len(test_rows), count, replace=count > len(test_rows)))])


def _with(
    test_rows: Matrix, columns: NDArray[np.int64], values: NDArray[np.float32], random: np.random.Generator
) -> Matrix:
    rows = _bases(test_rows, len(columns), random)
    rows[np.arange(len(columns)), columns] = values
    return rows
