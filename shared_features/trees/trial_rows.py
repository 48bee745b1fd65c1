"""The rows that compiled trees are tried with: on both sides of every split, missing values, infinities, any size."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from shared_features.trees.flat_trees import ABOVE, FlatTrees, Integers, Keys, Matrix, to_values

_MOST_SPLITS = 20_000
_SPLITS_AT_ONCE = 2_000
_ROWS = 2_000
_EXTREMES = np.array([0.0, -0.0, np.inf, -np.inf, np.nan, 3.4e38, -3.4e38, 1e-45, -1e-45], np.float32)
_INFINITY = np.float32(np.inf).view(np.int32)


def rows_at_splits(
    trees: FlatTrees, random: np.random.Generator, most: int | None = None, features: int = 0
) -> Iterator[Matrix]:
    """For each split four rows that reach it: the last value of its first child, its neighbours, and a missing one.

    What the splits above it ask for is kept where that is possible. All other columns hold any values. Before them come
    rows of any values. most: of more splits as many are drawn; None: 20,000. features: how many columns a row has; 0:
    as many as the trees read.
    """
    splits = np.flatnonzero(trees.thresholds != ABOVE)
    most = _MOST_SPLITS if most is None else most
    if len(splits) > most:
        splits = np.sort(random.choice(splits, most, replace=False))
    features, parents = features or trees.most + 1, _parents(trees)
    yield any_rows(features, random)[:most]
    for start in range(0, len(splits), _SPLITS_AT_ONCE):
        yield _rows(trees, parents, splits[start : start + _SPLITS_AT_ONCE], any_rows(features, random))


def any_rows(features: int, random: np.random.Generator) -> Matrix:
    """float32[2000, features]: of very different sizes, with missing values, infinities and zeros of both signs."""
    scale = 10 ** random.uniform(-2, 5, features)
    rows = (random.standard_normal((_ROWS, features)) * scale).astype(np.float32)
    extreme = random.random(rows.shape) < random.choice([0, 0.1, 1], (_ROWS, 1), p=[0.4, 0.5, 0.1])
    rows[extreme] = random.choice(_EXTREMES, int(extreme.sum()))
    return rows


def _parents(trees: FlatTrees) -> Integers:
    """Of each place that of its parent, or -1."""
    found = np.full(len(trees.children), -1)
    inner = np.flatnonzero(trees.thresholds != ABOVE)
    for side in (0, 1):
        found[trees.children[inner].astype(np.int64) + side] = inner
    return found


def _rows(trees: FlatTrees, parents: Integers, splits: Integers, bases: Matrix) -> Matrix:
    count = len(splits)
    low, high = np.full((2, count, bases.shape[1]), [[[-_INFINITY]], [[_INFINITY]]], np.int32)
    each, at = np.arange(count), splits
    while len(each):
        above = parents[at]
        each, at, above = each[above >= 0], at[above >= 0], above[above >= 0]
        column, key = trees.columns[trees.rows[above]], trees.thresholds[above]
        second = at != trees.children[above]
        high[each, column] = np.where(second, high[each, column], np.minimum(high[each, column], key))
        low[each, column] = np.where(second, np.maximum(low[each, column], key + 1), low[each, column])
        at = above
    rows = bases[:count].copy()
    bound = (low > -_INFINITY) | (high < _INFINITY)
    rows[bound] = to_values(np.where(high < _INFINITY, high, low)[bound])
    return np.concatenate([_with(rows, trees, splits, key) for key in (0, 1, -1, None)])


def _with(rows: Matrix, trees: FlatTrees, splits: Integers, offset: int | None) -> Matrix:
    found = rows.copy()
    keys: Keys = trees.thresholds[splits] + np.int32(offset or 0)
    values = np.full(len(splits), np.nan, np.float32) if offset is None else to_values(keys)
    found[np.arange(len(splits)), trees.columns[trees.rows[splits]]] = values
    return found
