"""No row walks further than the bound says, and a row that walks so far is one that it counts."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.local.compile_kernel import chain
from shared_features.trees.flat_trees import FlatTrees, to_keys
from shared_features.trees.walk_steps import steps, times_longer
from tests.depth import searched
from tests.training.inference.trees.random_ensembles import any_values, ensembles
from training.inference.trees.ensemble import read_ensemble


def met(trees: FlatTrees, row: np.ndarray) -> int:
    """How many places a row meets, place after place."""
    found = 0
    for place in trees.roots.tolist():
        while True:
            found += 1
            at = int(trees.rows[place])
            value = row[trees.columns[at]]
            key = trees.missing[at] if np.isnan(value) else to_keys(value[None])[0]
            following = int(trees.children[place]) + int(key > trees.thresholds[place])
            if following == place:
                break
            place = following
    return found


@settings(max_examples=searched(quick=25, deep=400))
@given(ensembles(), st.integers(0, 2**32 - 1))
def test_no_row_meets_more_places_than_the_bound_allows(node, seed):
    trees, rows = read_ensemble(node).trees, any_values(np.random.default_rng(seed), 30)
    own = [met(trees, row) for row in rows]
    assert steps(trees, rows).tolist() == own
    for some in (rows, rows[:1]):
        assert max(own) <= times_longer(trees, some) * steps(trees, some).min() * (1 + 1e-12)


def test_the_bound_of_one_tree_is_its_longest_walk():
    trees = chain(40)
    shortest, longest = (np.full((1, 1), value, np.float32) for value in (-1, 1))
    assert (steps(trees, shortest).tolist(), steps(trees, longest).tolist()) == ([2], [40])
    assert (times_longer(trees, shortest), times_longer(trees, longest)) == (20, 1)
    assert times_longer(trees, np.concatenate([longest, shortest])) == 20
