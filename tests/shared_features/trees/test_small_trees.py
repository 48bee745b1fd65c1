from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared_features.trees.flat_trees import FlatTrees
from shared_features.trees.small_trees import SmallTrees, small_trees
from tests.training.inference.trees.random_ensembles import any_values, ensemble, ensembles
from training.inference.trees.compiled_graph import same_bits
from training.inference.trees.ensemble import read_ensemble


class _Walked(FlatTrees):
    _small = None


def _walked(trees: FlatTrees) -> FlatTrees:
    return _Walked(**{name: getattr(trees, name) for name in trees.__dataclass_fields__})


@given(ensembles(), st.sampled_from([1, 16, 17, 64, 65, 130]))
def test_striking_out_leaves_gives_the_sums_of_a_walk(node, count):
    trees = read_ensemble(node).trees
    rows = any_values(np.random.default_rng(count), count)
    assert same_bits(trees.sums(rows), _walked(trees).sums(rows))


@pytest.mark.parametrize("leaves", [1, 2, 31, 32])
def test_rows_reach_the_leaves_of_a_small_tree_that_a_walk_reaches(leaves):
    trees = _trees(leaves)
    small = _small(trees)
    assert small is not None
    numbered = replace(trees, weights=np.arange(len(trees.weights), dtype=np.float32))
    rows = any_values(np.random.default_rng(0), 5_000)
    assert set(np.unique(numbered.sums(rows))) == set(np.unique(_walked(numbered).sums(rows)))
    assert len(small.weights) == leaves


def test_trees_of_which_one_has_more_than_32_leaves_are_walked():
    assert _small(_trees(33)) is None


def test_trees_that_ask_whether_a_value_equals_another_are_walked():
    assert _small(_trees(12, "BRANCH_EQ")) is None


def _trees(leaves: int, mode: str = "BRANCH_LEQ") -> FlatTrees:
    node = ensemble(np.random.default_rng(leaves), [mode], 1, leaves, 1, "Regressor", 0, n_targets=1)
    return read_ensemble(node).trees


def _small(trees: FlatTrees) -> SmallTrees | None:
    weights = trees.bounds, trees.targets, trees.weights
    return small_trees(trees.roots, trees.children, trees.rows, trees.thresholds, *weights)
