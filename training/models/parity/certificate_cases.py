"""The rows that a certificate compares: of the test window, and changed where a graph may answer otherwise."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from sklearn.pipeline import Pipeline

from training.errors import CertificateError
from training.models.encoding.encoded_columns import EncodedColumns
from training.models.encoding.number_ranges import HeldNumber
from training.models.graph.tree_splits import tree_splits
from training.models.parity.split_sides import split_sides
from training.models.training_range import TrainingRange

BESIDE = "beside a threshold"
_TEST_ROWS = 20_000
_SPLITS = 20_000
_FEWEST_SPLITS = 500
_MISSING_ROWS = 50
_FLOAT32 = np.finfo(np.float32)
_EXTREMES = np.array(
    [0, -0.0, 1, -1, _FLOAT32.tiny, _FLOAT32.smallest_subnormal, _FLOAT32.max, _FLOAT32.min, np.inf, -np.inf, np.nan],
    np.float32,
)

Matrix = NDArray[np.float32]


def build_cases(
    pipeline: Pipeline,
    graph: bytes,
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
    numbers = np.setdiff1d(np.arange(features), [column for column, _ in categories])
    beside = [_beside_ranges(pipeline, test_rows, random), *_beside_splits(graph, test_rows, numbers, random)]
    cases[BESIDE] = np.concatenate(beside)
    for column, size in categories:
        places = np.append(np.arange(size), np.nan).astype(np.float32)
        cases[f"value of column {column}"] = _with(test_rows, np.full(size + 1, column), places, random)
        for rows in cases.values():
            wrong = ~np.isin(rows[:, column], places) & ~np.isnan(rows[:, column])
            rows[wrong, column] = random.choice(places, int(wrong.sum()))
    return {kind: rows for kind, rows in cases.items() if len(rows)}


def _beside_splits(
    graph: bytes, test_rows: Matrix, numbers: NDArray[np.int64], random: np.random.Generator
) -> Iterator[Matrix]:
    """Around the splits of every tree that the graph has, in the unit of the features."""
    found = tree_splits(graph)
    for each in found:
        count = min(max(len(each.columns), _FEWEST_SPLITS), _SPLITS // len(found))
        yield split_sides(each, test_rows, numbers, random, count)


def _beside_ranges(pipeline: Pipeline, test_rows: Matrix, random: np.random.Generator) -> Matrix:
    """Around the ends of the ranges that a pipeline clips to."""
    found: list[tuple[NDArray[np.int64], Matrix]] = []
    columns = np.arange(test_rows.shape[1])
    for _, step in pipeline.steps:
        if isinstance(step, EncodedColumns):
            for each, part in zip(step.plan, step.parts_, strict=True):
                if isinstance(part, HeldNumber):
                    found.append((np.full(2, each.column), part.ends))
            columns = np.array(step.numbers_, np.int64)  # behind it, these are the first columns
        elif isinstance(step, TrainingRange):
            found += [(columns, each[: len(columns)]) for each in (step.low_, step.high_)]
    if not found:
        return test_rows[:0]
    places, ends = (np.concatenate(each) for each in zip(*found, strict=True))
    sides = (ends, np.nextafter(ends, np.float32(-np.inf)), np.nextafter(ends, np.float32(np.inf)))
    return _with(test_rows, np.tile(places, 3), np.concatenate(sides), random)


def _bases(test_rows: Matrix, count: int, random: np.random.Generator) -> Matrix:
    return np.array(test_rows[np.sort(random.choice(len(test_rows), count, replace=count > len(test_rows)))])


def _with(
    test_rows: Matrix, columns: NDArray[np.int64], values: NDArray[np.float32], random: np.random.Generator
) -> Matrix:
    rows = _bases(test_rows, len(columns), random)
    rows[np.arange(len(columns)), columns] = values
    return rows
